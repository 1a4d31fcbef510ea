"""The loss of several pictures, by hand: two pictures, two classes, two pixels."""

import pytest
import torch

from vid2vid.losses.diversity import (
    best_of_classes,
    class_errors,
    class_masks,
    compare_layers,
)

LEFT_RIGHT = torch.tensor([[[[1.0, 0.0]], [[0.0, 1.0]]]])  # a class for each of two pixels


def pictures(*values):
    """Pictures of one channel, one row, two pixels: '1 k 1 1 2'."""
    return torch.tensor([values], dtype=torch.float32)[:, :, None, None]


REAL = torch.tensor([[[[0.0, 0.0]]]])
TWO = pictures((1, 4), (3, 2))  # the first is better on the left, the second on the right


def test_errors_are_means_over_all_pixels_of_mask_times_difference():
    errors = class_errors(TWO, REAL, LEFT_RIGHT)
    assert errors.tolist() == [[[1 / 2, 4 / 2], [3 / 2, 2 / 2]]]


def test_channels_are_averaged():
    fake = torch.tensor([1.0, 5.0]).view(1, 1, 2, 1, 1).expand(1, 1, 2, 1, 2)
    errors = class_errors(fake, torch.zeros(1, 2, 1, 2), LEFT_RIGHT)
    assert errors.tolist() == [[[1.5, 1.5]]]


def test_masks_are_averaged_down_to_the_size_of_features():
    masks = torch.tensor([[[[1.0, 1.0, 1.0, 0.0]], [[0.0, 0.0, 0.0, 1.0]]]])
    errors = class_errors(pictures((2, 4)), REAL, masks)
    assert errors.tolist() == [[[(1 * 2 + 0.5 * 4) / 2, (0 * 2 + 0.5 * 4) / 2]]]


def test_each_class_takes_its_best_picture_and_the_mean_a_share():
    (value,) = compare_layers([TWO], [REAL], [1.0], masks=LEFT_RIGHT, all_pictures=0.001)
    best = 1 / 2 + 2 / 2
    mean = (1 / 2 + 3 / 2) / 2 + (4 / 2 + 2 / 2) / 2
    assert value.item() == pytest.approx(0.999 * best + 0.001 * mean)


def test_the_best_is_chosen_over_the_weighted_sum_of_all_layers():
    # By the first layer picture 0 is best, by ten times the second picture 1.
    one, two = torch.tensor([[[1.0], [2.0]]]), torch.tensor([[[5.0], [3.0]]])
    values = best_of_classes([one, two], [1.0, 10.0], all_pictures=0.0)
    assert [value.item() for value in values] == [2.0, 3.0]
    values = best_of_classes([one, two], [10.0, 1.0], all_pictures=0.0)
    assert [value.item() for value in values] == [1.0, 5.0]


def test_the_gradient_goes_to_the_best_and_a_little_to_the_others():
    fake = TWO.clone().requires_grad_()
    (value,) = compare_layers([fake], [REAL], [1.0], masks=LEFT_RIGHT, all_pictures=0.2)
    value.backward()
    best, other = 0.8 / 2 + 0.2 / 4, 0.2 / 4
    expected = pictures((best, other), (other, best))
    torch.testing.assert_close(fake.grad, expected)


def test_one_picture_with_classes_equals_the_simple_loss():
    random = torch.Generator().manual_seed(0)
    fake = torch.randn(2, 1, 5, 4, 6, generator=random)
    real = torch.randn(2, 5, 4, 6, generator=random)
    ids = torch.randint(0, 4, (2, 8, 12), generator=random)
    masks = torch.nn.functional.one_hot(ids, 4).permute(0, 3, 1, 2).float()
    classes, simple = (
        compare_layers([fake], [real], [1.0], masks=given, all_pictures=0.001)[0]
        for given in (masks, None)
    )
    torch.testing.assert_close(classes, simple)
    torch.testing.assert_close(simple, (fake[:, 0] - real).abs().mean())


def test_pixels_without_a_class_make_one():
    masks = class_masks(torch.tensor([[[[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]]]]))
    assert masks.sum(dim=1).tolist() == [[[1.0, 1.0, 1.0]]]
    assert masks[0, 2].tolist() == [[0.0, 0.0, 1.0]]


def test_no_gradient_flows_into_the_real_frame_and_results_are_float32():
    real = REAL.clone().requires_grad_()
    fake = TWO.bfloat16().requires_grad_()
    for masks, own in ((LEFT_RIGHT, fake), (None, fake[:, :1])):
        (value,) = compare_layers([own], [real], [1.0], masks=masks, all_pictures=0.5)
        value.backward()
        assert value.dtype == torch.float32
    assert real.grad is None


def test_autocast_does_not_round_the_comparison():
    with torch.autocast("cpu", torch.bfloat16):
        errors = class_errors(pictures((1.001, 0)), REAL, LEFT_RIGHT)
    assert errors[0, 0, 0].item() == pytest.approx(1.001 / 2, abs=1e-6)
