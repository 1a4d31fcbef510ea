"""The smooth fill that networks begin from."""

import torch
import torch.nn.functional as F

from vid2vid.inpainting.membrane import membrane
from vid2vid.networks.smooth import fill_smoothly


def test_what_is_known_stays_and_spreads_over_the_rest():
    unknown = torch.zeros(1, 1, 13, 17)
    unknown[..., 3:9, 4:11] = 1
    constant = torch.full((1, 3, 13, 17), 0.25)
    torch.testing.assert_close(fill_smoothly(constant, unknown), constant)
    picture = torch.rand(1, 3, 13, 17, generator=torch.Generator().manual_seed(0))
    filled = fill_smoothly(torch.where(unknown > 0, 9.0, picture), unknown)
    known = (unknown == 0).expand(-1, 3, -1, -1)
    assert torch.equal(filled[known], picture[known])
    assert 0 <= filled.min() <= filled.max() <= 1
    assert not fill_smoothly(picture, torch.ones(1, 1, 13, 17)).any()


def test_a_step_becomes_a_slope():
    unknown = torch.zeros(1, 1, 16, 32)
    unknown[..., 8:24] = 1
    picture = torch.zeros(1, 1, 16, 32)
    picture[..., 16:] = 1
    row = fill_smoothly(picture, unknown)[0, 0, 8]
    assert (row.diff() >= -1e-6).all()
    torch.testing.assert_close(row[8:24], torch.linspace(0.0, 1.0, 16), atol=0.1, rtol=0)


def test_beyond_a_window_it_is_nearly_a_membrane():
    unknown = torch.ones(48, 64, dtype=torch.bool)
    unknown[12:36, 16:48] = False
    noise = torch.randn(1, 3, 48, 64, generator=torch.Generator().manual_seed(0))
    picture = F.avg_pool2d(F.pad(noise, (4, 4, 4, 4), mode="reflect"), 9, stride=1)
    filled = fill_smoothly(picture, unknown[None, None].float())[0]
    exact = membrane(picture[0], unknown)
    flat = picture[0][:, ~unknown].mean(dim=1)[:, None, None]
    off = (filled - exact)[:, unknown].abs().mean()
    assert off < 0.2 * (flat - exact)[:, unknown].abs().mean()
