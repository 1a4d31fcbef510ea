import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter

from vid2vid.metrics.similarity import MS_SSIM_SIDE, ssim, structural_similarities


def noise(seed, size=(24, 32), cell=1):
    small = [max(2, side // cell) for side in size]
    random = torch.rand(1, 3, *small, generator=torch.Generator().manual_seed(seed))
    return (F.interpolate(random, size, mode="bilinear")[0] * 2 - 1).clamp(-1, 1)


def test_equal_frames_are_alike_in_every_way():
    frame = noise(0, (MS_SSIM_SIDE, MS_SSIM_SIDE + 2))
    assert structural_similarities(frame, frame) == pytest.approx((1, 1, 1))


def test_ssim_is_that_of_scikit_image():
    # structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
    # data_range=1) written out: its filter ends at 3.5 sigma, and its border of 5 is cut off.
    def average(values):
        return gaussian_filter(values, 1.5, truncate=3.5)

    frame, real = noise(0, (15, 13)), noise(1, (15, 13))
    maps = []
    for x, y in zip(*((each.double().numpy() + 1) / 2 for each in (frame, real)), strict=True):
        ux, uy = average(x), average(y)
        vx, vy, vxy = average(x * x) - ux * ux, average(y * y) - uy * uy, average(x * y) - ux * uy
        s = (2 * ux * uy + 1e-4) * (2 * vxy + 9e-4)
        maps.append(s / ((ux**2 + uy**2 + 1e-4) * (vx + vy + 9e-4)))
    expected = np.mean([each[5:-5, 5:-5] for each in maps])
    assert ssim(frame[None], real[None]).item() == pytest.approx(expected, abs=1e-7)


def test_the_ssim_of_a_batch_is_the_one_beside_ms_ssim():
    frame, real = noise(0), noise(1)
    assert ssim(frame[None], real[None]).item() == pytest.approx(
        structural_similarities(frame, real).ssim, abs=1e-7
    )


def test_ssim_of_equal_frames_is_one():
    pair = torch.stack((noise(0), noise(1)))
    torch.testing.assert_close(ssim(pair, pair), torch.ones(2))


def test_ssim_of_two_flat_frames_is_its_luminance_term():
    # Wang et al. 2004 on [0, 1]: (2 · 0.5 · 0.75 + c) / (0.5² + 0.75² + c) with c = 0.01².
    grey, lighter = torch.zeros(1, 3, 16, 16), torch.full((1, 3, 16, 16), 0.5)
    expected = (0.75 + 1e-4) / (0.8125 + 1e-4)
    assert ssim(grey, lighter).item() == pytest.approx(expected, abs=1e-6)


def test_ssim_judges_each_frame_by_itself():
    real = torch.stack((noise(0), noise(1)))
    scores = ssim(torch.stack((real[0], -real[1])), real)
    assert scores[0] == pytest.approx(1, abs=1e-5)
    assert scores[1] < 0


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


@pytest.mark.parametrize("shape", [(3, 20, 21), (1, 3, 20, 20)])
def test_frames_that_do_not_fit_are_refused(shape):
    with pytest.raises(ValueError, match="of one size"):
        structural_similarities(torch.zeros(shape), torch.zeros(3, 20, 20))
    with pytest.raises(ValueError, match="'b 3 h w' of one size"):
        ssim(torch.zeros(shape), torch.zeros(2, 3, 20, 20))


def test_frames_smaller_than_the_window_are_refused():
    with pytest.raises(ValueError, match=r"at least 11 pixels a side; got \(3, 10, 20\)"):
        structural_similarities(torch.zeros(3, 10, 20), torch.zeros(3, 10, 20))
    with pytest.raises(ValueError, match=r"at least 11 pixels a side; got \(1, 3, 20, 10\)"):
        ssim(torch.zeros(1, 3, 20, 10), torch.zeros(1, 3, 20, 10))


def test_the_score_of_low_precision_frames_is_float32():
    assert ssim(noise(0)[None].bfloat16(), noise(1)[None].bfloat16()).dtype == torch.float32
