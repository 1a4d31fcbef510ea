"""Soft shadows on the ground: where things keep the sun off, and where they keep the sky off."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from vid2vid.world.casting import Cast, Caster
from vid2vid.world.stage import Stage, bound
from vid2vid.world.style import Style

_SUN_SOFT_M = 0.35
_SKY_SOFT_M = 0.7
_SKY_REACH_M = 0.6  # above the ground; what begins higher keeps little of the sky off


class Shadows(NamedTuple):
    """How dark it is on the ground."""

    sun: Tensor  # 'views·tiles 64', in [0, 1], share of the sun that is kept off
    sky: Tensor  # 'views·tiles 64', in [0, 1]


class _Patches(NamedTuple):
    """Soft parallelograms or ellipses on the ground, in metres from the corner of the block."""

    centre: Tensor  # 'n 2'
    first: Tensor  # 'n 2', from the middle to the rim
    second: Tensor  # 'n 2'
    round: Tensor  # 'n' bool
    view: Tensor  # 'n'


class _Casters(NamedTuple):
    """Solids that throw shadows, in the coordinates of the ground."""

    centre: Tensor  # 'n 3'
    first: Tensor  # 'n 2', half an axis
    second: Tensor  # 'n 2'
    rise: Tensor  # 'n', half its height
    round: Tensor
    view: Tensor


def find_shadows(caster: Caster, cast: Cast, styles: Style) -> Shadows:
    """Find the shadows on the ground in all pixels of a stage; `styles` are those of its views."""
    solids = _find_casters(caster.stage)
    low = solids.centre[:, 1] + solids.rise > -_SKY_REACH_M
    below = _Patches(
        solids.centre[low][:, ::2],
        solids.first[low],
        solids.second[low],
        solids.round[low],
        solids.view[low],
    )
    return Shadows(
        _paint(caster, cast, _sun_patches(solids, styles), soft_m=_SUN_SOFT_M),
        _paint(caster, cast, below, soft_m=_SKY_SOFT_M),
    )


def _find_casters(stage: Stage) -> _Casters:
    """Find the solids that throw shadows."""
    rows = stage.shadow.nonzero()[:, 0]
    view = stage.view[rows]
    ground = stage.ground[view]
    world = stage.rotation[ground]  # columns are the world's axes in the camera
    away = stage.centre[rows] - stage.centre[ground]
    centre = (world * away[:, :, None]).sum(dim=1)
    axes = (world[:, :, :, None] * stage.rotation[rows][:, :, None]).sum(dim=1)  # in the world
    half = stage.half[rows]
    return _Casters(
        centre=centre,
        first=axes[:, ::2, 0] * half[:, [0]],
        second=axes[:, ::2, 2] * half[:, [2]],
        rise=half[:, 1],
        round=stage.round[rows],
        view=view,
    )


def _sun_patches(solids: _Casters, styles: Style) -> _Patches:
    """Find the shadows that the sun throws.

    That of a box is drawn as the parallelogram of its wider axis and the way of the shadow.
    """
    to_sun = styles.to_sun[solids.view]
    slide = to_sun[:, ::2] / to_sun[:, [1]]  # metres along the ground for each metre of height
    low = (-solids.centre[:, 1] - solids.rise).clamp(min=0.0)[:, None]
    way = slide * solids.rise[:, None]  # half of it
    foot = solids.centre[:, ::2]
    side = torch.stack([_cross(axis, way).abs() for axis in (solids.first, solids.second)])
    is_first = (side[0] > side[1])[:, None]
    wide = torch.where(is_first, solids.first, solids.second)
    other = torch.where(is_first, solids.second, solids.first)
    long = way + other * (other * way).sum(dim=1, keepdim=True).sign()
    # Neighbouring houses throw one shadow: their soft rims overlap.
    is_house = wide.square().sum(dim=1, keepdim=True) > 1.0
    wide = torch.where(is_house, _longer(wide, 0.6 * _SUN_SOFT_M), wide)
    is_round = solids.round[:, None]
    return _Patches(
        centre=foot + slide * low + way,
        first=torch.where(is_round, solids.first, wide),
        second=torch.where(is_round, solids.second + 0.25 * way, long),
        round=solids.round,
        view=solids.view,
    )


def _paint(caster: Caster, cast: Cast, patches: _Patches, *, soft_m: float) -> Tensor:
    """Lay patches over the ground; where several lie, the darkest counts."""
    stage, rays = caster.stage, caster.rays
    dark = torch.zeros_like(cast.hits.inverse)
    ground = stage.ground[patches.view]
    world, corner = stage.rotation[ground], stage.centre[ground]
    reach = [_longer(axis, soft_m) for axis in (patches.first, patches.second)]
    points = torch.stack(
        [
            patches.centre + a * reach[0] + b * reach[1]
            for a in (-1, 1)
            for b in (-1, 1)
            for _ in range(2)
        ],
        dim=1,
    )
    corners = corner[:, None] + points[..., [0]] * world[:, None, :, 0]
    corners = corners + points[..., [1]] * world[:, None, :, 2]
    extent = bound(corners, stage.cameras[0])
    pairs = caster.pairs(extent, (extent.nearest > 0).nonzero()[:, 0], patches.view)
    chosen = _tiles_with_ground(caster, cast).index_select(0, pairs.tile)
    row, tile = pairs.solid[chosen], pairs.tile[chosen]
    local, view = tile % len(rays.dx), patches.view[row]
    dx, dy = rays.dx.index_select(0, local), rays.dy.index_select(0, local)
    # Of every pixel, also where something hides the ground: samples beside it may show it.
    place = _on_ground(stage, view, (dx, dy, caster.ground_inverse(view, dx, dy)))
    cover = _cover(_Patches(*(column[row, ..., None] for column in patches)), place, soft_m)
    lanes = torch.arange(dark.shape[1], device=dark.device)
    pixel = tile[:, None] * dark.shape[1] + lanes
    dark.view(-1).scatter_reduce_(0, pixel.view(-1), cover.reshape(-1), "amax")
    return dark


def _tiles_with_ground(caster: Caster, cast: Cast) -> Tensor:
    """Tell which tiles show the ground, or lie beside one that does: 'views·tiles' bool."""
    stage, rays = caster.stage, caster.rays
    solid = cast.hits.solid.unflatten(0, (len(stage.cameras), -1))
    shows = (solid == stage.ground[:, None, None]).any(dim=2).float()
    around = F.max_pool2d(shows.view(-1, 1, rays.rows, rays.columns), 3, stride=1, padding=1)
    return around.flatten() > 0


def _on_ground(
    stage: Stage, view: Tensor, seen: tuple[Tensor, Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    """Find where rays (dx, dy) of an inverse depth end, in the coordinates of the ground."""
    dx, dy, inverse = seen
    depth = 1 / inverse.clamp(min=1e-4)
    ground = stage.ground[view]
    world, corner = stage.rotation[ground, ..., None], stage.centre[ground, ..., None]
    away = (dx * depth - corner[:, 0], dy * depth - corner[:, 1], depth - corner[:, 2])
    x, z = (
        away[0] * world[:, 0, k] + away[1] * world[:, 1, k] + away[2] * world[:, 2, k]
        for k in (0, 2)
    )
    return x, z


def _cover(patches: _Patches, place: tuple[Tensor, Tensor], soft_m: float) -> Tensor:
    """Tell how much patches 'k ... 1' darken places 'k 64'."""
    first, second = patches.first, patches.second
    area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    area = torch.where(area.abs() < 1e-5, 1e-5, area)
    x, z = place[0] - patches.centre[:, 0], place[1] - patches.centre[:, 1]
    a = (x * second[:, 1] - z * second[:, 0]) / area
    b = (z * first[:, 0] - x * first[:, 1]) / area
    size_a = (first[:, 0] * first[:, 0] + first[:, 1] * first[:, 1]).sqrt() / soft_m
    size_b = (second[:, 0] * second[:, 0] + second[:, 1] * second[:, 1]).sqrt() / soft_m
    boxed = ((1 - a.abs()) * size_a + 0.5).clamp(0, 1) * ((1 - b.abs()) * size_b + 0.5).clamp(0, 1)
    rim = 1 - (a * a + b * b).sqrt()
    ball = (rim * torch.minimum(size_a, size_b) * 0.7 + 0.5).clamp(0, 1)
    return torch.where(patches.round, ball, boxed)


def _cross(one: Tensor, other: Tensor) -> Tensor:
    return one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]


def _longer(axis: Tensor, by_m: float) -> Tensor:
    """Lengthen vectors 'n 2'."""
    length = axis.square().sum(dim=1, keepdim=True).sqrt().clamp(min=1e-3)
    return axis * (1 + by_m / length)
