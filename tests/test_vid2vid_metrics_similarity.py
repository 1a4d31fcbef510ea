import pytest
import torch
import torch.nn.functional as F

from vid2vid.metrics.image import ssim
from vid2vid.metrics.similarity import MS_SSIM_SIDE, structural_similarities


def noise(seed, size=(24, 32), cell=1):
    small = [max(2, side // cell) for side in size]
    random = torch.rand(1, 3, *small, generator=torch.Generator().manual_seed(seed))
    return (F.interpolate(random, size, mode="bilinear")[0] * 2 - 1).clamp(-1, 1)


def test_equal_frames_are_alike_in_every_way():
    frame = noise(0, (MS_SSIM_SIDE, MS_SSIM_SIDE + 2))
    assert structural_similarities(frame, frame) == pytest.approx((1, 1, 1))


def test_ssim_is_that_of_kornia():
    frame, real = noise(0), noise(1)
    expected = ssim(frame[None], real[None]).item()
    assert structural_similarities(frame, real).ssim == pytest.approx(expected, abs=1e-5)


def test_ms_ssim_is_its_definition_written_out():
    real = noise(0, (176, 178), cell=6)
    frame = (real + 0.3 * noise(1, (176, 178))).clamp(-1, 1)
    expected = torch.ones(3, dtype=torch.float64)
    one, other = ((each.double()[None] + 1) / 2 for each in (frame, real))
    taps = torch.exp(-(torch.arange(11.0, dtype=torch.float64) - 5).square() / 4.5)
    kernel = (taps[:, None] * taps / taps.sum() ** 2).expand(3, 1, 11, 11)
    for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        x, y, xx, yy, xy = (
            F.conv2d(each, kernel, groups=3)
            for each in (one, other, one * one, other * other, one * other)
        )
        term = (2 * (xy - x * y) + 9e-4) / (xx - x * x + yy - y * y + 9e-4)
        if scale == 4:
            term = term * (2 * x * y + 1e-4) / (x * x + y * y + 1e-4)
        expected *= term.mean(dim=(0, 2, 3)) ** weight
        one, other = F.avg_pool2d(one, 2), F.avg_pool2d(other, 2)
    found = structural_similarities(frame, real).ms_ssim
    assert found == pytest.approx(expected.mean().item(), abs=1e-9)


def test_frames_too_small_for_five_scales_have_no_ms_ssim():
    frame = noise(0, (MS_SSIM_SIDE - 1, MS_SSIM_SIDE))
    assert structural_similarities(frame, frame).ms_ssim is None


def test_blur_ssim_forgives_grain_and_not_another_layout():
    real = noise(0, (96, 96), cell=16)
    grainy = (real + 0.4 * noise(1, (96, 96))).clamp(-1, 1)
    found = structural_similarities(grainy, real)
    assert found.blur_ssim > found.ssim + 0.2
    assert structural_similarities(noise(5, (96, 96), cell=16), real).blur_ssim < 0.5


@pytest.mark.parametrize("shape", [(3, 10, 20), (3, 20, 21), (1, 3, 20, 20)])
def test_frames_that_do_not_fit_are_refused(shape):
    with pytest.raises(ValueError, match="at least 11 pixels a side"):
        structural_similarities(torch.zeros(shape), torch.zeros(3, 20, 20))
