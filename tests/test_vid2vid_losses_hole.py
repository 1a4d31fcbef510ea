"""The loss of a content network, on numbers small enough to work out by hand."""

import pytest
import torch

from vid2vid.losses.hole import hole_loss


def _hole(size: int = 8) -> torch.Tensor:
    unknown = torch.zeros(1, 1, size, size)
    unknown[..., 3:5, 3:5] = 1
    return unknown


def test_a_pixel_of_the_ring_counts_ten_times():
    unknown = _hole()
    real, fake = torch.zeros(1, 3, 8, 8), torch.full((1, 3, 8, 8), 0.5)
    # 4 pixels of the hole, 12 of the ring: 0.25 (4 + 10 x 12) / 16
    assert hole_loss(fake, real, unknown, overlap=1).item() == pytest.approx(0.25 * 124 / 16)
    assert hole_loss(fake, real, unknown, overlap=0).item() == pytest.approx(0.25)


def test_what_is_farther_away_counts_for_nothing():
    real = torch.zeros(1, 3, 8, 8)
    fake = real.clone()
    fake[..., 0, :] = fake[..., 7] = 9
    assert hole_loss(fake, real, _hole(), overlap=2).item() == 0
    assert hole_loss(fake, real, _hole(), overlap=3).item() > 0


def test_it_is_the_published_form_for_one_hole_in_the_middle():
    generator = torch.Generator().manual_seed(0)
    fake, real = (torch.rand(2, 3, 16, 16, generator=generator) for _ in range(2))
    unknown = torch.zeros(2, 1, 16, 16)
    unknown[..., 5:11, 5:11] = 1  # 6 px, of 8 px that are painted
    weights = torch.full((8, 8), 10.0)
    weights[1:-1, 1:-1] = 1
    published = ((fake - real)[..., 4:12, 4:12].square() * weights).mean()
    torch.testing.assert_close(hole_loss(fake, real, unknown, overlap=1), published)


def test_without_a_hole_there_is_nothing_to_learn():
    fake = torch.rand(1, 3, 8, 8, requires_grad=True)
    loss = hole_loss(fake, torch.zeros(1, 3, 8, 8), torch.zeros(1, 1, 8, 8), overlap=2)
    loss.backward()
    assert loss.item() == 0
    assert fake.grad is not None
    assert not fake.grad.any()
