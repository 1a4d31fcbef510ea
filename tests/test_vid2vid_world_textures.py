"""Patterns that are averaged over a pixel."""

import pytest
import torch

from vid2vid.world.textures import SIZE, band, make_noise, sample_noise, scatter_numbers, stripes

NOISE = make_noise(0)
REACH = 1.4  # what a pixel is taken to cover, in its width


def averaged(function, position, width):
    """Average over a pixel by brute force."""
    offsets = torch.linspace(-0.5, 0.5, 20001, dtype=torch.float64)
    return function(position + REACH * width * offsets).double().mean()


@pytest.mark.parametrize("width", [0.01, 0.3, 1.0, 7.3])
@pytest.mark.parametrize("position", [-2.2, 0.0, 0.31, 5.9])
def test_stripes_are_averaged_exactly(position, width):
    expected = averaged(lambda x: torch.remainder(x, 1.5) < 0.6, position, width)
    found = stripes(torch.tensor([position]), torch.tensor([width]), period=1.5, duty=0.4)
    assert found.item() == pytest.approx(expected.item(), abs=2e-3)


@pytest.mark.parametrize("width", [0.01, 0.3, 3.0])
@pytest.mark.parametrize("position", [-0.5, 0.1, 1.0])
def test_bands_are_averaged_exactly(position, width):
    expected = averaged(lambda x: (x > -0.2) & (x < 0.9), position, width)
    found = band(torch.tensor([position]), torch.tensor([width]), (-0.2, 0.9))
    assert found.item() == pytest.approx(expected.item(), abs=2e-3)
    bounds = (torch.tensor([-0.2]), torch.tensor([0.9]))
    assert band(torch.tensor([position]), torch.tensor([width]), bounds).item() == pytest.approx(
        found.item(), abs=1e-6
    )


def sampled(x, y, width):
    places = (torch.as_tensor(x), torch.as_tensor(y))
    return sample_noise(NOISE, places, torch.full_like(places[0], width), tile_m=4.0)


def test_noise_has_mean_0_and_spread_1_and_softens_with_the_pixel():
    x, y = (torch.rand(20000, generator=torch.Generator().manual_seed(s)) * 40 for s in (1, 2))
    sharp, soft, flat = (sampled(x, y, width) for width in (0.001, 0.2, 5.0))
    assert sharp.mean(dim=1).abs().max() < 0.05
    assert ((sharp.std(dim=1) > 0.6) & (sharp.std(dim=1) < 1.1)).all()
    assert (soft.std(dim=1) < 0.9 * sharp.std(dim=1)).all()
    assert (flat.std(dim=1) < soft.std(dim=1)).all()


def test_noise_repeats_without_a_seam():
    x, y = torch.tensor([3.999, 4.001]), torch.tensor([1.0, 1.0])
    found = sampled(x, y, 0.01)
    assert (found[:, 0] - found[:, 1]).abs().max() < 0.25
    assert torch.allclose(sampled(x + 4.0, y - 8.0, 0.01), found, atol=1e-3)


def test_noise_changes_steadily_with_the_width_of_a_pixel():
    widths = torch.linspace(0.02, 2.0, 400)
    place = (torch.full_like(widths, 1.1), torch.full_like(widths, 2.3))
    found = sample_noise(NOISE, place, widths, tile_m=4.0)
    assert found.diff(dim=1).abs().max() < 0.2
    assert SIZE * 0.02 / 4.0 < 1  # the finest is finer than a texel


def test_scattered_numbers_are_even_and_differ_by_cell():
    row = torch.arange(100).repeat_interleave(100)
    numbers = scatter_numbers(row, torch.arange(100).repeat(100))
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert numbers.mean().item() == pytest.approx(0.5, abs=0.02)
    assert len(numbers.unique()) > 5000
