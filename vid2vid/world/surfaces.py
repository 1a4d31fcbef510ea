"""Where on a surface each sample lies, how it is turned, and how much of it a pixel covers."""

from typing import NamedTuple

import torch
from torch import Tensor

from vid2vid.world.casting import Hits
from vid2vid.world.solids import PARTS_PER_THING
from vid2vid.world.stage import Stage

SKY_DEPTH_M = 1e6
"""Depth of the sky: finite, so that it can be projected, and so far that only turning moves it."""
TEXEL_M = 0.1
"""Side of a texel of a surface point."""
BALL_FACE = 6

_AXES = 3
_GROUND_SHIFT = 23


class Surface(NamedTuple):
    """Samples of surfaces; a point's coordinates are those of its solid."""

    solid: Tensor  # 'n' int64, row of the stage
    depth: Tensor  # 'n', metres
    ray: Tensor  # '3 n', (dx, dy, 1)
    x: Tensor  # 'n', metres from the middle of the solid
    y: Tensor
    z: Tensor
    face: Tensor  # 'n' int64: 0 -x, 1 +x, 2 -y (up), 3 +y, 4 -z, 5 +z, 6 an ellipsoid
    u: Tensor  # 'n', metres: across the face
    v: Tensor  # 'n', metres: up it, or along the ground
    width_u: Tensor  # 'n', metres of u that a pixel covers
    width_v: Tensor
    normal: Tensor  # '3 n', world coordinates


def find_surface(stage: Stage, hits: Hits, rays: tuple[Tensor, Tensor]) -> Surface:
    """Find the surface points that rays, (dx, dy), meet; all arguments are flat, 'n'."""
    dx, dy = rays
    solid = hits.solid
    depth = 1 / hits.inverse.clamp(min=1 / SKY_DEPTH_M)
    columns = [stage.rotation.flatten(1), stage.centre, stage.half, stage.taper]
    columns += [stage.round[:, None].float(), _to_world(stage).flatten(1)]
    rows = torch.cat(columns, dim=1).t().contiguous().index_select(1, solid)
    axes, centre, half = rows[:9].unflatten(0, (3, 3)), rows[9:12], rows[12:15]
    slope, is_round, world = rows[15:17] / 2, rows[17] > 0, rows[18:27].unflatten(0, (3, 3))
    away = [dx * depth - centre[0], dy * depth - centre[1], depth - centre[2]]
    point = [away[0] * axes[0, k] + away[1] * axes[1, k] + away[2] * axes[2, k] for k in range(3)]
    ray = [dx * axes[0, k] + dy * axes[1, k] + axes[2, k] for k in range(3)]
    scaled = [point[k] / half[k] for k in range(3)]
    is_flat = stage.material.index_select(0, solid) <= 1  # ground and sky
    face, side = _find_face(scaled, slope, is_round=is_round, is_flat=is_flat)
    normal = _own_normal(scaled, side, is_round, half=half, slope=slope)
    pixel = depth / stage.cameras[0].focal_px
    widths = _footprints(ray, axes, normal, pixel=pixel)
    u, v, width_u, width_v = _unroll(point, face, widths, half=half)
    turned = [
        world[i, 0] * normal[0] + world[i, 1] * normal[1] + world[i, 2] * normal[2]
        for i in range(3)
    ]
    return Surface(
        solid,
        depth,
        torch.stack([dx, dy, torch.ones_like(dx)]),
        point[0],
        point[1],
        point[2],
        face,
        u,
        v,
        width_u,
        width_v,
        torch.stack(turned),
    )


def take(surface: Surface, index: Tensor) -> Surface:
    """Pick samples by their index."""
    return Surface(*(column.index_select(-1, index) for column in surface))


def join_surfaces(one: Surface, other: Surface) -> Surface:
    """Put samples behind other samples."""
    return Surface(*(torch.cat(columns, dim=-1) for columns in zip(one, other, strict=True)))


def surface_ids(stage: Stage, surface: Surface) -> Tensor:
    """Name each surface point: part and texel; -1 in the sky. 'n' int64, not negative elsewhere."""
    u = (surface.u / TEXEL_M).floor().long()
    v = (surface.v / TEXEL_M).floor().long()
    flat = ((u + 512).clamp(0, 1023) << 10) | (v + 512).clamp(0, 1023)
    texels = ((axis / TEXEL_M).floor().long() for axis in (surface.x, surface.y, surface.z))
    x, y, z = ((texel + 64).clamp(0, 127) for texel in texels)
    ball = (x << 14) | (y << 7) | z
    texel = torch.where(surface.face == BALL_FACE, ball, flat) | (surface.face << 21)
    ids = (stage.part.index_select(0, surface.solid) << 24) | texel
    view = stage.view.index_select(0, surface.solid)
    ids = torch.where(surface.solid == stage.ground[view], _ground_ids(stage, surface, view), ids)
    return torch.where(surface.solid == stage.sky[view], -1, ids)


def _ground_ids(stage: Stage, surface: Surface, view: Tensor) -> Tensor:
    """Name the points of the ground by their texel in the world, 22 bits to each side."""
    texel = (stage.origins[view].double() / TEXEL_M).round().long()
    x = (surface.x / TEXEL_M).floor().long() + texel[:, 0]
    z = (surface.z / TEXEL_M).floor().long() + texel[:, 1]
    middle, last = 1 << (_GROUND_SHIFT - 1), (1 << _GROUND_SHIFT) - 1
    x, z = (x + middle).clamp(0, last), (z + middle).clamp(0, last)
    kind = (stage.part.index_select(0, surface.solid) // PARTS_PER_THING) >> 29
    return (kind << 59) | (x << _GROUND_SHIFT) | z


def _to_world(stage: Stage) -> Tensor:
    """Find the rotations from solids to the world: 'n 3 3'."""
    world = stage.rotation[stage.ground].transpose(1, 2)[stage.view]  # camera to world
    return (world[..., None] * stage.rotation[:, None]).sum(dim=2)


def _find_face(
    scaled: list[Tensor], slope: Tensor, *, is_round: Tensor, is_flat: Tensor
) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
    """Find the face that a point is on, and the sign of the outward axis, 0 for the others."""
    x, y, z = scaled
    near_x = x.abs() - slope[0] * (y - 1)
    near_z = z.abs() - slope[1] * (y - 1)
    on_x = (near_x >= near_z) & (near_x >= y.abs())
    on_y = ~on_x & (y.abs() > near_z)
    on_x, on_y = on_x & ~is_flat, on_y | is_flat
    on_z = ~on_x & ~on_y
    below = torch.where(is_flat, -1.0, y)
    sides = tuple(
        torch.where(on, axis.sign(), 0.0) for on, axis in ((on_x, x), (on_y, below), (on_z, z))
    )
    first = torch.where(on_x, 0, torch.where(on_y, 2, 4))
    positive = (sides[0] + sides[1] + sides[2]) > 0
    return torch.where(is_round, BALL_FACE, first + positive.long()), (sides[0], sides[1], sides[2])


def _own_normal(
    scaled: list[Tensor],
    side: tuple[Tensor, Tensor, Tensor],
    is_round: Tensor,
    *,
    half: Tensor,
    slope: Tensor,
) -> list[Tensor]:
    """Find the outward unit normal in the solid's coordinates."""
    # Of a face that leans, ±x / a - slope · y / b, it has a part that points up (y is down).
    lean = slope[0] * side[0].abs() + slope[1] * side[2].abs()
    flat = [side[0] / half[0], (side[1] - lean) / half[1], side[2] / half[2]]
    normal = [torch.where(is_round, scaled[k] / half[k], flat[k]) for k in range(_AXES)]
    length = (normal[0] * normal[0] + normal[1] * normal[1] + normal[2] * normal[2]).sqrt()
    scale = 1 / length.clamp(min=1e-12)
    return [axis * scale for axis in normal]


def _footprints(
    ray: list[Tensor], axes: Tensor, normal: list[Tensor], *, pixel: Tensor
) -> list[Tensor]:
    """Find how far a pixel reaches along each axis of the solid, metres, on the plane it meets."""
    facing = ray[0] * normal[0] + ray[1] * normal[1] + ray[2] * normal[2]
    facing = torch.where(facing > -0.02, -0.02, facing)  # rays that graze cover no end of surface
    widths = [torch.zeros_like(pixel)] * _AXES
    for step in (axes[0], axes[1]):  # one pixel to the right, one down
        share = (step[0] * normal[0] + step[1] * normal[1] + step[2] * normal[2]) / facing
        widths = [widths[k] + (step[k] - ray[k] * share).abs() for k in range(_AXES)]
    return [width * pixel for width in widths]


def _unroll(
    point: list[Tensor], face: Tensor, widths: list[Tensor], *, half: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Lay faces out flat: u across, v up from the foot; on level faces, u is x and v is z."""
    axis = torch.div(face, 2, rounding_mode="floor")
    is_side, is_level = axis == 0, axis == 1
    u = torch.where(is_side, point[2], point[0])
    width_u = torch.where(is_side, widths[2], widths[0])
    v = torch.where(is_level, point[2], half[1] - point[1])
    width_v = torch.where(is_level, widths[2], widths[1])
    return u, v, width_u, width_v
