"""The ground: which class each point is of, and the colour of asphalt, markings and pavement."""

from typing import NamedTuple

import torch
from torch import Tensor

from vid2vid.world.materials import Label
from vid2vid.world.plan import FRONT_M, KERB_M, KERB_RADIUS_M
from vid2vid.world.style import Style
from vid2vid.world.textures import CLOUD, GRAIN, band, sample_noise, stripes

_ZEBRA_M = (6.3, 9.0)  # from the middle of the crossing street
_STOP_M = (9.9, 10.35)
_LINES_FROM_M = 10.4


class Ground(NamedTuple):
    """Points of the ground."""

    x: Tensor  # 'n', metres
    z: Tensor
    width_x: Tensor  # 'n', metres that a pixel covers
    width_z: Tensor


class _Streets(NamedTuple):
    along: Tensor  # distance from the middle of the nearest street along z, metres, signed
    across: Tensor  # of the nearest along x


def ground_labels(ground: Ground, pitch: Tensor) -> Tensor:
    """Find the classes of points of the ground: 'n' int64; `pitch`, '2 n', is that of the grid."""
    streets = _find_streets(ground, pitch)
    beside, off = _beside(streets)
    walk = torch.where(off < FRONT_M, int(Label.SIDEWALK), int(Label.TERRAIN))
    return torch.where(beside < 0, int(Label.ROAD), walk)


def ground_colours(
    ground: Ground, pitch: Tensor, style: Style, *, noise: Tensor, patterns: bool
) -> Tensor:
    """Paint points of the ground: '3 n', how much light they reflect."""
    streets = _find_streets(ground, pitch)
    beside, off = _beside(streets)
    width = torch.maximum(ground.width_x, ground.width_z)
    fine = sample_noise(noise, (ground.x, ground.z), width, tile_m=5.2)
    coarse = sample_noise(noise, (ground.x + 0.31 * ground.z, ground.z), width, tile_m=31.0)
    patches = 1 + 0.13 * fine[GRAIN] + 0.1 * coarse[CLOUD]
    # The edge of a kerb, a front or a line is averaged over its own direction.
    reach = torch.where(streets.along.abs() < streets.across.abs(), ground.width_x, ground.width_z)
    road = 1 - band(beside, reach, (0.0, 1e6))
    stone = band(beside, reach, (0.0, 0.16))
    yard = band(off, reach, (FRONT_M, 1e6))
    pavement = style.pavement * (patches * (1 - 0.06 * fine[CLOUD]))
    grass = style.grass * (1 + 0.35 * fine[GRAIN] + 0.2 * coarse[CLOUD])
    asphalt = style.road * (patches * (1 - 0.12 * band(beside, reach, (-0.45, 0.0))))
    if patterns:
        pavement = pavement * (1 - 0.22 * _joints(ground))[None]
        worn = (0.92 + 0.12 * coarse[CLOUD]).clamp(0.6, 1.0)
        share = (_markings(streets, ground) * worn).clamp(0, 1)
        asphalt = asphalt + share * (style.marking - asphalt)
    walk = pavement + stone * (1.25 * style.pavement - pavement)
    walk = walk + yard * (grass - walk)
    return walk + road * (asphalt - walk)


def _find_streets(ground: Ground, pitch: Tensor) -> _Streets:
    return _Streets(
        ground.x - pitch[0] * (ground.x / pitch[0]).round(),
        ground.z - pitch[1] * (ground.z / pitch[1]).round(),
    )


def _beside(streets: _Streets) -> tuple[Tensor, Tensor]:
    """Find how far points are from the kerb, less than 0 on the road, and from the street."""
    first, second = streets.along.abs() - KERB_M, streets.across.abs() - KERB_M
    nearest = torch.minimum(first, second)
    # The kerb of a corner is a quarter of a circle around a point on the pavement.
    a, b = (KERB_RADIUS_M - first).clamp(min=0.0), (KERB_RADIUS_M - second).clamp(min=0.0)
    rounded = KERB_RADIUS_M - (a * a + b * b).sqrt()
    is_corner = (first > 0) & (second > 0) & (a > 0) & (b > 0)
    return torch.where(is_corner, rounded, nearest), nearest + KERB_M


def _joints(ground: Ground) -> Tensor:
    """Draw the joints between the slabs of the pavement."""
    across = stripes(ground.x, ground.width_x, period=0.6, duty=0.05)
    along = stripes(ground.z, ground.width_z, period=0.6, duty=0.05)
    return across + along - across * along


def _markings(streets: _Streets, ground: Ground) -> Tensor:
    """Draw the lines of both families of streets."""
    along, across = streets
    first = _street(along, across, (ground.width_x, ground.width_z), side=-1.0)
    second = _street(across, along, (ground.width_z, ground.width_x), side=1.0)
    return first + second


def _street(off: Tensor, way: Tensor, widths: tuple[Tensor, Tensor], *, side: float) -> Tensor:
    """Draw the lines of one street.

    Args:
        off: 'n', from its middle.
        way: 'n', from the middle of the street that crosses it.
        widths: 'n' and 'n', that a pixel covers of either.
        side: sign of off · way on the lane that leads to the crossing.
    """
    far = way.abs()
    between = band(far, widths[1], (_LINES_FROM_M, 1e6))
    dashes = stripes(way, widths[1], period=6.0, duty=0.5)
    middle = band(off, widths[0], (-0.075, 0.075)) * dashes
    edges = band(off.abs(), widths[0], (3.3, 3.4))
    bars = stripes(off + 5.0, widths[0], period=1.0, duty=0.5) * band(off, widths[0], (-5.0, 5.0))
    zebra = bars * band(far, widths[1], _ZEBRA_M)
    lane = band(off * way.sign() * side, widths[0], (0.1, 3.3))
    stop = lane * band(far, widths[1], _STOP_M)
    return (middle + edges) * between + zebra + stop
