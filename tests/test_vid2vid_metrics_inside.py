"""Measures within a mask: by hand, equal to the whole where all counts, blind to the rest."""

import pytest
import torch

from vid2vid.metrics.image import gradient_energy, psnr
from vid2vid.metrics.inside import gradient_energy_inside, psnr_inside, ssim_inside
from vid2vid.metrics.similarity import ssim

EVERYWHERE = torch.ones(1, 1, 16, 20)


def test_where_all_counts_they_are_the_usual_measures():
    frame, real = torch.rand(2, 2, 3, 16, 20) * 2 - 1
    assert torch.allclose(psnr_inside(frame, real, EVERYWHERE), psnr(frame, real), atol=1e-4)
    assert torch.allclose(ssim_inside(frame, real, EVERYWHERE).float(), ssim(frame, real))
    energy = gradient_energy_inside(frame, EVERYWHERE)
    assert torch.allclose(energy, gradient_energy(frame), rtol=1e-5)


def test_psnr_by_hand():
    real, frame = torch.zeros(1, 3, 2, 2), torch.zeros(1, 3, 2, 2)
    frame[..., 0, 0] = 0.2
    mask = torch.tensor([[[[1.0, 1.0], [0.0, 0.0]]]])
    assert psnr_inside(frame, real, mask).item() == pytest.approx(23.0103, abs=1e-3)  # 4 / 0.02


def test_what_lies_outside_counts_for_nothing():
    frame, real, mask = (
        torch.rand(1, 3, 16, 20),
        torch.rand(1, 3, 16, 20),
        torch.zeros(1, 1, 16, 20),
    )
    mask[..., 8:, 12:] = 1
    other = torch.where(mask > 0, frame, torch.rand(1, 3, 16, 20))
    assert torch.equal(psnr_inside(frame, real, mask), psnr_inside(other, real, mask))
    assert torch.equal(gradient_energy_inside(frame, mask), gradient_energy_inside(other, mask))


def test_ssim_takes_the_windows_whose_middle_lies_inside():
    frame, real, mask = (
        torch.rand(1, 3, 16, 20),
        torch.rand(1, 3, 16, 20),
        torch.zeros(1, 1, 16, 20),
    )
    mask[..., 5, 5] = 1  # the middle of the first window alone
    corner = ssim(frame[..., :11, :11], real[..., :11, :11])
    assert torch.allclose(ssim_inside(frame, real, mask).float(), corner, atol=1e-5)


def test_an_edge_between_inside_and_outside_is_no_gradient():
    frame, mask = torch.full((1, 3, 16, 20), -1.0), torch.zeros(1, 1, 16, 20)
    frame[..., 10:], mask[..., 10:] = 1, 1
    assert gradient_energy_inside(frame, mask).item() == 0


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(ValueError, match="mask must be 'b 1 h w' of the frames' size"):
        psnr_inside(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4), torch.ones(1, 1, 4, 5))
