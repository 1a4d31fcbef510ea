"""Scenes of several views as one batch of solids, with the coefficients that rays are cast with.

Along the ray (dx, dy, 1) everything is found by its inverse depth 1/z, which is larger the nearer:
for a plane n · p = N it is (n · ray) / N, linear in dx and dy.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from vid2vid.world.scene import Camera, Scene

_NEVER = 1e9  # inverse depth of a plane that bounds nothing
_NEAR_M = 0.1


class Stage(NamedTuple):
    """Solids of several views of one size; see `Scene` for the columns."""

    cameras: tuple[Camera, ...]
    origins: Tensor  # 'views 2', metres
    view: Tensor  # 'n' int64, which view a solid belongs to
    ground: Tensor  # 'views' int64, row of the ground
    sky: Tensor  # 'views' int64, row of the sky
    centre: Tensor
    rotation: Tensor
    half: Tensor
    taper: Tensor
    round: Tensor
    label: Tensor
    instance: Tensor
    part: Tensor
    material: Tensor
    tint: Tensor
    look: Tensor
    shadow: Tensor
    motions: Tensor

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the pictures, pixels."""
        return self.cameras[0].size


class Extent(NamedTuple):
    """Where solids may show."""

    left: Tensor  # 'n', pixels
    right: Tensor
    top: Tensor
    bottom: Tensor
    nearest: Tensor  # 'n', greatest inverse depth, 1/m


def make_stage(scenes: Sequence[Scene], device: torch.device) -> Stage:
    """Put scenes of one size into a batch on a device."""
    counts = torch.tensor([len(scene.half) for scene in scenes])
    ends = counts.cumsum(0)
    columns = (torch.cat(column) for column in zip(*(scene[2:] for scene in scenes), strict=True))
    return Stage(
        tuple(scene.camera for scene in scenes),
        torch.tensor([scene.origin for scene in scenes], device=device),
        torch.repeat_interleave(torch.arange(len(scenes)), counts).to(device),
        (ends - 2).to(device),
        (ends - 1).to(device),
        *(column.to(device) for column in columns),
    )


def ellipsoid_terms(stage: Stage) -> Tensor:
    """Find what the inverse depth s of ellipsoids solves: c s² + 2 (b · ray) s + ray · A ray = 0.

    Returns:
        'n 10': c; the three of b; the six of A: xx, yy, zz, xy, xz, yz.
    """
    inverse = stage.rotation.transpose(1, 2) / stage.half[:, :, None]  # camera to unit sphere
    eye = -(inverse * stage.centre[:, None]).sum(dim=2)
    a, b, c = inverse.unbind(dim=2)
    pairs = ((a, a), (b, b), (c, c), (a, b), (a, c), (b, c))
    quadratic = [(one * other).sum(dim=1) for one, other in pairs]
    linear = [(eye * one).sum(dim=1) for one in (a, b, c)]
    return torch.stack([eye.square().sum(dim=1) - 1, *linear, *quadratic], dim=1)


def box_planes(stage: Stage) -> tuple[Tensor, Tensor]:
    """Find the planes of tapered boxes, each as the three coefficients of its inverse depth.

    Returns:
        'n 3 3', of the faces before which the camera is, and 'n 6 3', of those behind which it is;
        a plane that is not of its kind bounds nothing.
    """
    inverse = stage.rotation.transpose(1, 2) / stage.half[:, :, None]
    eye = -(inverse * stage.centre[:, None]).sum(dim=2)
    slope = stage.taper[:, [0]] / 2, stage.taper[:, [1]] / 2
    x, y, z = inverse.unbind(dim=1)  # each 'n 3'
    eye_x, eye_y, eye_z = eye[:, :, None].unbind(dim=1)
    flat = torch.zeros_like(slope[0])
    normals, offsets = [], []
    # A side leans by its slope: ±x - slope y <= 1 - slope, in halves of the size.
    for axis, at, lean in ((x, eye_x, slope[0]), (y, eye_y, flat), (z, eye_z, slope[1])):
        for sign in (1.0, -1.0):
            normals.append(sign * axis - lean * y)
            offsets.append(1 - lean - (sign * at - lean * eye_y))
    normal, offset = torch.stack(normals, dim=1), torch.cat(offsets, dim=1)[:, :, None]
    is_before = offset < 0
    safe = torch.where(is_before, offset.clamp(max=-1e-6), offset.clamp(min=1e-6))
    planes = normal / safe
    never = torch.tensor([0.0, 0.0, _NEVER], device=planes.device)
    behind = torch.where(is_before, -never, planes)
    before = torch.where(is_before, planes, never)
    pairs = before.unflatten(1, (3, 2))
    return torch.where(
        is_before.unflatten(1, (3, 2))[:, :, 0], pairs[:, :, 0], pairs[:, :, 1]
    ), behind


def extents(stage: Stage) -> Extent:
    """Bound the pictures of solids by those of their boxes."""
    signs = torch.tensor(
        [(x, y, z) for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)],
        device=stage.half.device,
    )
    offsets = signs * stage.half[:, None]  # 'n 8 3'
    corners = stage.centre[:, None] + (stage.rotation[:, None] * offsets[:, :, None]).sum(dim=3)
    return bound(corners, stage.cameras[0])


def bound(corners: Tensor, camera: Camera) -> Extent:
    """Bound the pictures of boxes, cut off just before the camera.

    Args:
        corners: 'n 8 3', camera coordinates; corner 4x + 2y + z is that of the signs x, y, z.
        camera: for its focal length and principal point.
    """
    one, other = corners[:, _EDGES[0]], corners[:, _EDGES[1]]
    share = ((_NEAR_M - one[..., 2]) / (other[..., 2] - one[..., 2])).nan_to_num(0.5)
    cuts = one + share.clamp(0, 1)[..., None] * (other - one)
    is_cut = (one[..., 2] < _NEAR_M) != (other[..., 2] < _NEAR_M)
    points = torch.cat([corners, cuts], dim=1)
    is_seen = torch.cat([corners[..., 2] >= _NEAR_M, is_cut], dim=1)
    depth = points[..., 2].clamp(min=_NEAR_M)
    x = points[..., 0] / depth * camera.focal_px + camera.middle[0]
    y = points[..., 1] / depth * camera.focal_px + camera.middle[1]
    far = 1e9
    return Extent(
        left=torch.where(is_seen, x, far).amin(dim=1),
        right=torch.where(is_seen, x, -far).amax(dim=1),
        top=torch.where(is_seen, y, far).amin(dim=1),
        bottom=torch.where(is_seen, y, -far).amax(dim=1),
        nearest=torch.where(is_seen, 1 / depth, 0.0).amax(dim=1),
    )


_EDGES = (
    [0, 1, 2, 3, 0, 1, 4, 5, 0, 2, 4, 6],
    [4, 5, 6, 7, 2, 3, 6, 7, 1, 3, 5, 7],
)
