import pytest
import torch
import torch.nn.functional as F

from vid2vid.metrics.image import contrast, gradient_energy, psnr


def noise(batch=1, size=(24, 32)):
    return torch.rand(batch, 3, *size, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_psnr_of_a_tenth_of_the_range_is_twenty_decibels():
    real = torch.zeros(1, 3, 4, 4)
    assert psnr(real + 0.2, real).tolist() == pytest.approx([20.0], abs=1e-4)


def test_psnr_judges_each_frame_by_itself():
    real = torch.zeros(2, 3, 4, 4)
    frame = torch.stack((real[0] + 0.2, real[1] + 0.02))
    assert psnr(frame, real).tolist() == pytest.approx([20.0, 40.0], abs=1e-3)


def test_psnr_of_equal_frames_is_infinite():
    assert psnr(noise(), noise()).isinf().all()


def test_gradient_energy_adds_both_directions():
    # Luma in [0, 1] rises by 0.25 a pixel to the right and by 0.125 downward.
    x, y = torch.meshgrid(torch.arange(4), torch.arange(4), indexing="xy")
    luma = 0.25 * x + 0.125 * y
    frame = (2 * luma - 1).expand(2, 3, 4, 4)
    expected = 0.25**2 + 0.125**2
    assert gradient_energy(frame).tolist() == pytest.approx([expected, expected])


def test_blur_lowers_the_gradient_energy():
    sharp = noise()
    assert gradient_energy(F.avg_pool2d(sharp, 3, 1, 1)) < 0.5 * gradient_energy(sharp)


def test_contrast_of_half_black_half_white_is_one_half():
    frame = torch.ones(1, 3, 4, 4)
    frame[..., :2] = -1
    assert contrast(frame).tolist() == pytest.approx([0.5])
    assert contrast(torch.ones(2, 3, 4, 4)).tolist() == pytest.approx([0, 0])


def test_luma_weighs_the_colours_as_bt601():
    frame = -torch.ones(3, 3, 2, 2)
    for channel in range(3):
        frame[channel, channel, :, 0] = 1  # one bright column of one colour
    assert (2 * contrast(frame)).tolist() == pytest.approx([0.299, 0.587, 0.114], abs=1e-5)


def test_scores_of_low_precision_frames_are_float32():
    frame = noise().bfloat16()
    for score in (psnr(frame, -frame), gradient_energy(frame), contrast(frame)):
        assert score.dtype == torch.float32


def test_a_frame_gets_a_gradient_from_its_scores():
    frame = noise().requires_grad_()
    (gradient_energy(frame) + contrast(frame)).sum().backward()
    assert frame.grad is not None
    assert frame.grad.abs().sum() > 0


@pytest.mark.parametrize("shape", [(1, 3, 16, 17), (2, 3, 16, 16), (1, 1, 16, 16)])
def test_frames_of_different_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="frame and real must be 'b 3 h w' of one size"):
        psnr(torch.zeros(shape), torch.zeros(1, 3, 16, 16))


@pytest.mark.parametrize("measure", [gradient_energy, contrast])
def test_a_label_map_is_refused(measure):
    with pytest.raises(ValueError, match=r"frame must be 'b 3 h w'; got \(1, 4, 4\)"):
        measure(torch.zeros(1, 4, 4))


def test_gradient_energy_needs_neighbours():
    with pytest.raises(ValueError, match="2 pixels a side or more"):
        gradient_energy(torch.zeros(1, 3, 1, 4))
