import pytest
import torch

from vid2vid.metrics.baselines import mean_colours, paint

RED, GREEN, BLACK = [1.0, -1, -1], [-1.0, 1, -1], [-1.0, -1, -1]


def frame(*pixels):
    """One frame, one row high, from a list of colours."""
    return torch.tensor(pixels).T[None, :, None]


def test_each_class_gets_the_mean_of_its_pixels():
    colours = mean_colours(frame(RED, BLACK, GREEN, GREEN), torch.tensor([[[0, 0, 1, 1]]]), 2)
    assert colours[0].tolist() == [0, -1, -1]
    assert colours[1].tolist() == GREEN


def test_the_last_colour_is_the_mean_of_all_pixels():
    colours = mean_colours(frame(RED, RED, GREEN, BLACK), torch.tensor([[[0, 0, 1, 255]]]), 2)
    assert colours.shape == (3, 3)
    assert colours[2].tolist() == [0, -0.5, -1]


def test_a_class_that_is_never_seen_gets_the_mean_of_all_pixels():
    colours = mean_colours(frame(RED, GREEN), torch.tensor([[[0, 2]]]), 3)
    assert colours[1].tolist() == [0, 0, -1]


def test_frames_are_averaged_over_time():
    frames = torch.cat((frame(RED), frame(BLACK)))
    assert mean_colours(frames, torch.zeros(2, 1, 1, dtype=torch.uint8), 1)[0].tolist() == [
        0,
        -1,
        -1,
    ]


def test_paint_fills_classes_and_gives_ignored_pixels_the_last_colour():
    painted = paint(
        torch.tensor([[[1, 0, 255]]], dtype=torch.uint8), torch.tensor([RED, GREEN, BLACK])
    )
    assert torch.equal(painted, frame(GREEN, RED, BLACK))


def test_painting_a_frame_of_flat_classes_gives_it_back():
    labels = torch.tensor([[[0, 1], [1, 0]], [[1, 1], [0, 255]]], dtype=torch.uint8)
    frames = paint(labels, torch.tensor([RED, GREEN, [0.25, -0.25, -1]]))
    colours = mean_colours(frames[:1], labels[:1], 2)
    assert torch.equal(paint(labels[:1], colours), frames[:1])


def test_no_flat_colouring_is_closer_than_the_means():
    generator = torch.Generator().manual_seed(0)
    frames = torch.rand(3, 3, 8, 8, generator=generator) * 2 - 1
    labels = torch.randint(0, 4, (3, 8, 8), generator=generator)
    colours = mean_colours(frames, labels, 4)
    best = (paint(labels, colours) - frames).square().mean()
    assert best < (paint(labels, colours + 0.01) - frames).square().mean()
    assert best < (paint(labels, colours - 0.01) - frames).square().mean()


@pytest.mark.parametrize("label", [2, 254, -1])
def test_an_id_that_is_no_class_is_refused(label):
    with pytest.raises(ValueError, match=f"ids from 0 to 1, or 255 = ignore; .* to {label}"):
        mean_colours(frame(RED), torch.tensor([[[label]]]), 2)
    with pytest.raises(ValueError, match="labels must be ids from 0 to 1"):
        paint(torch.tensor([[[label]]]), torch.zeros(3, 3))


def test_labels_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"got \(1, 3, 1, 1\) and \(1, 1, 2\)"):
        mean_colours(frame(RED), torch.zeros(1, 1, 2, dtype=torch.uint8), 1)
