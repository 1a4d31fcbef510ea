"""Styles: what a seed decides, and how the light varies."""

import pytest
import torch

from vid2vid.world.materials import NUM_TINTS, Material
from vid2vid.world.style import light_at, make_look


def test_a_seed_gives_the_same_style_every_time():
    one, same, other = (make_look(seed) for seed in (3, 3, 4))
    assert all(a.equal(b) for a, b in zip(one.style, same.style, strict=True))
    assert one.paints.equal(same.paints)
    assert not one.paints.equal(other.paints)


@pytest.mark.parametrize("seed", range(12))
def test_colours_are_possible_and_the_sun_is_above_the_horizon(seed):
    look = make_look(seed)
    assert look.paints.shape == (len(Material), NUM_TINTS, 3)
    assert look.paints.min() > 0
    assert look.paints.max() < 1
    assert look.style.to_sun[1] < -0.2
    assert look.style.to_sun.norm().item() == pytest.approx(1.0, abs=1e-5)
    assert look.style.haze_m > 30


def test_seeds_bring_different_weathers():
    looks = [make_look(seed) for seed in range(30)]
    assert min(look.style.sun.mean() for look in looks) < 0.2
    assert max(look.style.sun.mean() for look in looks) > 1.0
    assert min(look.style.haze_m for look in looks) < 70
    assert max(look.style.haze_m for look in looks) > 200


def test_the_light_is_constant_unless_it_is_to_change():
    style = make_look(0).style
    assert light_at(style, 77, 0.0) is style


def test_the_light_changes_slowly():
    style = make_look(0).style
    suns = torch.stack([light_at(style, frame, 1.0).sun.mean() for frame in range(400)])
    assert suns.min() > 0
    assert suns.max() > 1.5 * suns.min()
    assert suns.diff().abs().max() < 0.05 * suns.mean()
