"""What is true of every pixel beside its colour: motion, and what was or will be hidden."""

from typing import NamedTuple

import torch
from torch import Tensor

from vid2vid.world.casting import Cast, Caster
from vid2vid.world.materials import Material
from vid2vid.world.surfaces import Surface

_NEAR_M = 0.05


class Motion(NamedTuple):
    """Where the points of a frame are in another one."""

    flow: Tensor  # 'views 2 h w', pixels, from this frame to the other
    occlusion: Tensor  # 'views 1 h w', 1 where the point is not to be seen in the other frame


def find_motion(
    caster: Caster, surface: Surface, other: tuple[Caster, Cast], *, number: int
) -> Motion:
    """Find the motion to another frame.

    A point is to be seen there if it is inside the picture, its side of the solid is turned to the
    camera, and the pixel nearest to it shows the same part.

    Args:
        caster: of this frame.
        surface: of all its pixels, tile by tile.
        other: what was cast in the other frame, of the same worlds.
        number: of the other frame, among those that the stage has motions to.
    """
    stage, (height, width) = caster.stage, caster.stage.size
    camera, ray = stage.cameras[0], surface.ray
    rows = stage.motions[:, number].flatten(1).t().contiguous()
    rows = rows.index_select(1, surface.solid).unflatten(0, (3, 4))
    point = _carry(surface, rows)
    x, y = _project(caster, point)
    own_x = ray[0] * camera.focal_px + camera.middle[0]
    own_y = ray[1] * camera.focal_px + camera.middle[1]
    inside = (x > -0.5) & (x < width - 0.5) & (y > -0.5) & (y < height - 0.5)
    shown = inside & (point[2] > _NEAR_M) & _is_turned_to(caster, surface, (rows, point))
    column = x.clamp(0, width - 1).round().long()
    row = y.clamp(0, height - 1).round().long()
    view = stage.view.index_select(0, surface.solid)
    parts = (
        other[0]
        .to_picture(other[0].stage.part.index_select(0, other[1].hits.solid.flatten()))
        .flatten()
    )
    there = parts.index_select(0, (view * height + row) * width + column)
    shown = shown & (there == stage.part.index_select(0, surface.solid))
    flow = torch.stack([caster.to_picture(x - own_x), caster.to_picture(y - own_y)], dim=1)
    return Motion(flow, 1 - caster.to_picture(shown)[:, None].float())


def _carry(surface: Surface, rows: Tensor) -> list[Tensor]:
    """Find where points are in the coordinates of the other camera, metres."""
    ray, depth = surface.ray, surface.depth
    return [
        (rows[i, 0] * ray[0] + rows[i, 1] * ray[1] + rows[i, 2]) * depth + rows[i, 3]
        for i in range(3)
    ]


def _project(caster: Caster, point: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Find where in the picture points are, pixels; behind the camera the place means nothing."""
    camera = caster.stage.cameras[0]
    near = point[2].clamp(min=_NEAR_M)
    x = point[0] / near * camera.focal_px + camera.middle[0]
    y = point[1] / near * camera.focal_px + camera.middle[1]
    return x, y


def _is_turned_to(caster: Caster, surface: Surface, moved: tuple[Tensor, list[Tensor]]) -> Tensor:
    """Tell where the sides of solids on which points lie are turned to the other camera."""
    rows, point = moved
    stage = caster.stage
    view = stage.view.index_select(0, surface.solid)
    axes = stage.rotation[stage.ground]  # columns are the world's axes in the camera
    world = axes[0, :, :, None] if len(axes) == 1 else axes[view].permute(1, 2, 0)
    own = surface.normal
    normal = [world[i, 0] * own[0] + world[i, 1] * own[1] + world[i, 2] * own[2] for i in range(3)]
    facing = torch.zeros_like(surface.depth)
    for i in range(3):
        turned = rows[i, 0] * normal[0] + rows[i, 1] * normal[1] + rows[i, 2] * normal[2]
        facing = facing + turned * point[i]
    return (facing < 0) | (stage.material.index_select(0, surface.solid) == Material.SKY)
