"""What the camera of one frame sees: solids in its coordinates, and how each moves."""

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vid2vid.world.blocks import build_block
from vid2vid.world.config import WorldConfig
from vid2vid.world.materials import Label, Material
from vid2vid.world.movers import Moving, Traffic, Walkers, draw_walkers, walking
from vid2vid.world.plan import LANE_M, VIEW_M, make_plan
from vid2vid.world.route import Floats, make_route, travelled
from vid2vid.world.solids import PARTS_PER_THING, Solids, join, poses, put

CAMERA_HEIGHT_M = 1.55
_PITCH = 0.035  # radians, downwards
_FOCAL = 0.82  # in widths of the picture: 63 degrees across
_REACH = 2  # blocks to each side of the camera's that are built
_MAX_BLOCKS = 64  # kept
_THING_M = 8.0  # nothing of what moves, nor of its shadow, is farther from its place
_SHADOW_REACH = 4.0  # length of the longest shadow, in heights of what throws it
GROUND_PART = (5 << 29) * PARTS_PER_THING
SKY_PART = (6 << 29) * PARTS_PER_THING


class Camera(NamedTuple):
    """A pinhole camera."""

    centre: Floats  # '3', metres, world coordinates
    rotation: Floats  # '3 3', columns are the camera's right, down and ahead in the world
    focal_px: float
    middle: tuple[float, float]  # principal point (x, y), pixels
    size: tuple[int, int]  # (height, width)


class Scene(NamedTuple):
    """Solids in camera coordinates; the last two rows are the ground and the sky."""

    camera: Camera
    origin: tuple[float, float]  # (x, z) of the block of the camera, metres
    centre: Tensor  # 'n 3', metres
    rotation: Tensor  # 'n 3 3', columns are the solid's axes
    half: Tensor  # 'n 3'
    taper: Tensor  # 'n 2'
    round: Tensor  # 'n' bool
    label: Tensor  # 'n' int64
    instance: Tensor  # 'n' int64
    part: Tensor  # 'n' int64
    material: Tensor  # 'n' int64
    tint: Tensor  # 'n' int64
    look: Tensor  # 'n 4'
    shadow: Tensor  # 'n' bool
    motions: Tensor  # 'n m 3 4': a point of the solid, this camera to those of m other frames


class Layout:
    """The street of a world seed: builds what is near, and says where the camera is."""

    def __init__(self, world_seed: int, config: WorldConfig) -> None:
        self.plan = make_plan(world_seed)
        self.route = make_route(config.path, self.plan)
        self._config = config
        self._seed = world_seed
        self._traffic = Traffic(config, self.route, world_seed)
        self._blocks: dict[tuple[int, int], tuple[Solids, Walkers]] = {}
        self._around: tuple[tuple[int, int], Solids, Walkers] | None = None

    def camera(self, frame: int, size: tuple[int, int]) -> Camera:
        """Find the camera of a frame; `size` is (height, width)."""
        along = travelled(frame, self._config, self.route)
        place = self.route.at(np.array([along]), np.array([LANE_M]))
        heading = float(place.heading[0])
        s, c = math.sin(heading), math.cos(heading)
        down, level = math.sin(_PITCH), math.cos(_PITCH)
        ahead = (s * level, down, c * level)
        right = (c, 0.0, -s)
        below = (-s * down, level, -c * down)
        height, width = size
        return Camera(
            centre=np.array([place.x[0], -CAMERA_HEIGHT_M, place.z[0]]),
            rotation=np.array([right, below, ahead]).T,
            focal_px=_FOCAL * width,
            middle=((width - 1) / 2, (height - 1) / 2),
            size=size,
        )

    def scene(self, frame: int, size: tuple[int, int], offsets: tuple[int, ...]) -> Scene:
        """Assemble what is to be seen in a frame.

        Args:
            frame: its number.
            size: (height, width), pixels.
            offsets: of the other frames, from this one, to which the motion is wanted.
        """
        frames = [frame, *(frame + offset for offset in offsets)]
        cameras = [self.camera(one, size) for one in frames]
        now = cameras[0]
        cell = (
            math.floor(now.centre[0] / self.plan.width_m),
            math.floor(now.centre[2] / self.plan.length_m),
        )
        standing, walkers = self._near(cell)
        standing = _pick(standing, _in_sight(standing, now))
        moving = [*walking(walkers, frames), *self._traffic.at(frames)]
        moving = [_pick_near(group, now) for group in moving]
        moving = [group for group in moving if len(group.things[0].number)]
        solids = join([standing, *(put(group.parts, group.things[0]) for group in moving)])
        seen = _in_sight(solids, now)
        solids = _pick(solids, seen)
        own = _Poses(solids.centre, solids.rotation)
        motions = [
            _motion(own, _poses_at(moment, standing, moving).pick(seen), (now, other))
            for moment, other in enumerate(cameras[1:], start=1)
        ]
        origin = (cell[0] * self.plan.width_m, cell[1] * self.plan.length_m)
        return _to_scene(solids, cameras, motions=motions, origin=origin)

    def _near(self, cell: tuple[int, int]) -> tuple[Solids, Walkers]:
        """Build the blocks around a cell, or take them from the last time."""
        if self._around is None or self._around[0] != cell:
            reach = range(-_REACH, _REACH + 1)
            near = [self._block((cell[0] + i, cell[1] + j)) for i in reach for j in reach]
            walkers = Walkers(*map(np.concatenate, zip(*(w for _, w in near), strict=True)))
            self._around = (cell, join([solids for solids, _ in near]), walkers)
        return self._around[1:]

    def _block(self, at: tuple[int, int]) -> tuple[Solids, Walkers]:
        if at not in self._blocks:
            if len(self._blocks) >= _MAX_BLOCKS:
                self._blocks.pop(next(iter(self._blocks)))
            solids = build_block(self._seed, at, plan=self.plan, config=self._config)
            walkers = draw_walkers(self._seed, at, plan=self.plan, config=self._config)
            self._blocks[at] = (solids, walkers)
        return self._blocks[at]


class _Poses(NamedTuple):
    """Where solids are."""

    centre: Floats  # 'n 3', metres
    rotation: Floats  # 'n 3 3'

    def pick(self, chosen: NDArray[np.bool_]) -> "_Poses":
        return _Poses(self.centre[chosen], self.rotation[chosen])


def _poses_at(moment: int, standing: Solids, moving: list[Moving]) -> _Poses:
    """Find where solids are at one of the moments."""
    moved = [poses(group.parts, group.things[moment]) for group in moving]
    centre = np.concatenate([standing.centre, *(centre for centre, _ in moved)])
    rotation = np.concatenate([standing.rotation, *(rotation for _, rotation in moved)])
    return _Poses(centre, rotation)


def _pick(solids: Solids, chosen: NDArray[np.bool_]) -> Solids:
    return Solids(*(column[chosen] for column in solids))


def _pick_near(group: Moving, camera: Camera) -> Moving:
    """Leave out things that are behind the camera, far away, or well to the side."""
    place = group.things[0].place
    x, z = place.x - camera.centre[0], place.z - camera.centre[2]
    right, ahead = camera.rotation[::2, 0], camera.rotation[::2, 2]
    far = x * ahead[0] + z * ahead[1]
    aside = np.abs(x * right[0] + z * right[1])
    wide = camera.middle[0] / camera.focal_px + 0.1
    near = (far > -_THING_M) & (far < VIEW_M) & (aside < wide * np.maximum(far, 0) + 2 * _THING_M)
    return group._replace(things=[things.pick(near) for things in group.things])


def _in_sight(solids: Solids, camera: Camera) -> NDArray[np.bool_]:
    """Tell which solids, or whose shadows, may show and are not smaller than a third of a pixel."""
    x, y, z = ((solids.centre - camera.centre) @ camera.rotation).T
    radius = np.sqrt(np.square(solids.half).sum(axis=1))
    # Not where a shadow falls but how far it may: the sun belongs to the style, not to the layout.
    reach = radius + np.where(
        solids.shadow, _SHADOW_REACH * (solids.half[:, 1] - solids.centre[:, 1]), 0.0
    )
    near = np.maximum(z, 0.1)
    wide = camera.middle[0] / camera.focal_px + 0.1
    high = camera.middle[1] / camera.focal_px + 0.1
    return (
        (z + reach > 0.1)
        & (z - radius < VIEW_M)
        & (np.abs(x) < wide * near + reach * (1 + wide))
        & ((np.abs(y) < high * near + radius * (1 + high)) | solids.shadow)
        & (radius * camera.focal_px > 0.33 * z)
    )


def _motion(own: _Poses, moved: _Poses, cameras: tuple[Camera, Camera]) -> Floats:
    """Find how points of solids, in the camera now, lie in the other one: 'n 3 4'."""
    now, other = cameras
    turn = np.einsum("nij,nkj->nik", moved.rotation, own.rotation)  # in the world
    way = np.einsum("nij,nj->ni", turn, now.centre - own.centre)
    shift = moved.centre - other.centre + way
    linear = np.einsum("ji,njk,kl->nil", other.rotation, turn, now.rotation)
    return np.concatenate([linear, (shift @ other.rotation)[..., None]], axis=2)


def _to_scene(
    solids: Solids,
    cameras: list[Camera],
    *,
    motions: list[Floats],
    origin: tuple[float, float],
) -> Scene:
    """Turn solids into camera coordinates, and add the ground and the sky."""
    now = cameras[0]
    corner = np.array([origin[0], 0.0, origin[1]])
    centre = (np.concatenate([solids.centre, [corner, now.centre]]) - now.centre) @ now.rotation
    world = np.broadcast_to(np.eye(3), (2, 3, 3))
    rotation = np.einsum("ji,njk->nik", now.rotation, np.concatenate([solids.rotation, world]))
    ground = _Poses(corner[None], np.eye(3)[None])
    still = [_motion(ground, ground, (now, other)) for other in cameras[1:]]
    # The sky is so far away that only turning moves it.
    turning = np.array([1.0, 1.0, 1.0, 0.0])
    ends = [np.concatenate([m, g, g * turning]) for m, g in zip(motions, still, strict=True)]
    return Scene(
        camera=now,
        origin=origin,
        centre=_to_tensor(centre),
        rotation=_to_tensor(rotation),
        half=_with_ends(solids.half, (1.0, 1.0)),
        taper=_with_ends(solids.taper, (0.0, 0.0)),
        round=_with_ends(solids.round, (False, False)),
        label=_with_ends(solids.label, (Label.ROAD, Label.SKY)),
        instance=_with_ends(solids.instance, (Label.ROAD, Label.SKY)),
        part=_with_ends(solids.part, (GROUND_PART, SKY_PART)),
        material=_with_ends(solids.material, (Material.GROUND, Material.SKY)),
        tint=_with_ends(solids.tint, (0, 0)),
        look=_with_ends(solids.look, (0.0, 0.0)),
        shadow=_with_ends(solids.shadow, (False, False)),
        motions=_to_tensor(np.stack(ends, axis=1) if ends else np.zeros((len(centre), 0, 3, 4))),
    )


def _with_ends(values: NDArray[Any], ends: tuple[float, float]) -> Tensor:
    """Add the rows of the ground and the sky."""
    rows = np.array(ends).reshape(2, *[1] * (values.ndim - 1))
    rows = np.broadcast_to(rows, (2, *values.shape[1:])).astype(values.dtype)
    return _to_tensor(np.concatenate([values, rows]))


def _to_tensor(values: NDArray[Any]) -> Tensor:
    """Make a tensor, of float32 where the values are float64."""
    return torch.from_numpy(values.astype(np.float32) if values.dtype == np.float64 else values)
