"""Solids, of which all things are made: tapered boxes and ellipsoids, and how things are placed."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vid2vid.world.materials import FIRST_THING, NUM_TINTS, Label, Material
from vid2vid.world.route import Floats, Place

Triple = tuple[float, float, float]
Column = NDArray[Any]

PARTS_PER_THING = 64


class Part(NamedTuple):
    """One solid of a thing, in the thing's coordinates: x right, y down, z ahead, ground at 0."""

    centre: Triple  # metres; the joint, where it swings
    half: Triple  # half its size, metres
    material: Material
    label: Label
    tint: int = 0  # which of the colours drawn for the thing it takes
    taper: tuple[float, float] = (0.0, 0.0)  # share of its x and z size that is gone at its top
    round: bool = False  # an ellipsoid
    arm: Triple = (0.0, 0.0, 0.0)  # from the joint to the middle, metres
    swing: float = 0.0  # amplitude about the x axis, radians
    look: Triple = (0.0, 0.0, 0.0)  # for its shader
    shadow: bool = False  # whether it darkens the ground


class Things(NamedTuple):
    """Things of one build, each at its place."""

    place: Place  # 'n'
    number: NDArray[np.int64]  # 'n', unlike those of all other things of the world
    instance: NDArray[np.int64]  # 'n', k of the instance ids, 0 to 999
    seed: NDArray[np.int64]  # 'n', 0 to 2^24 - 1: colours and texture
    phase: Floats  # 'n', radians, of what swings

    def pick(self, chosen: NDArray[np.bool_]) -> "Things":
        """Return some of the things."""
        place = Place(*(column[chosen] for column in self.place))
        return Things(
            place=place,
            number=self.number[chosen],
            instance=self.instance[chosen],
            seed=self.seed[chosen],
            phase=self.phase[chosen],
        )


class Solids(NamedTuple):
    """Solids in world coordinates."""

    centre: Column  # 'n 3' float64, metres
    rotation: Column  # 'n 3 3', columns are the solid's axes
    half: Column  # 'n 3', metres
    taper: Column  # 'n 2'
    round: Column  # 'n' bool
    label: Column  # 'n' int64
    instance: Column  # 'n', class · 1000 + k, or the class where it has no instances
    part: Column  # 'n', unlike that of every other solid of the world
    material: Column  # 'n'
    tint: Column  # 'n', 0 to NUM_TINTS - 1
    look: Column  # 'n 4': a number of the thing in [0, 1), and three for the shader
    shadow: Column  # 'n' bool


class _Tables(NamedTuple):
    """The columns of parts."""

    centre: Column  # 'p 3'
    half: Column  # 'p 3'
    taper: Column  # 'p 2'
    arm: Column  # 'p 3'
    swing: Column  # 'p'
    look: Column  # 'p 3'
    label: Column  # 'p'
    material: Column  # 'p'
    tint: Column  # 'p'
    round: Column  # 'p' bool
    shadow: Column  # 'p' bool
    number: Column  # 'p', of the part in its thing

    def of(self, rows: Column) -> "_Tables":
        return _Tables(*(column[rows] for column in self))


def join(groups: Sequence[Solids]) -> Solids:
    """Put several groups of solids into one."""
    return Solids(*map(np.concatenate, zip(*groups, strict=True)))


def put(parts: Sequence[Part], things: Things) -> Solids:
    """Place things that are all built of the same parts: their solids, thing by thing."""
    rows, owner = _repeat(len(parts), len(things.number))
    return _place(_tabulate(tuple(parts)).of(rows), owner, things)


def put_each(builds: Sequence[Sequence[Part]], things: Things) -> Solids:
    """Place things each of which is built of parts of its own: their solids, thing by thing."""
    counts = [len(parts) for parts in builds]
    tables = _make_tables([part for parts in builds for part in parts])
    number = np.concatenate([np.arange(count) for count in counts])
    owner = np.repeat(np.arange(len(builds)), counts)
    return _place(tables._replace(number=number), owner, things)


def poses(parts: Sequence[Part], things: Things) -> tuple[Floats, Floats]:
    """Find where the solids of things are: centres 'n 3' and rotations 'n 3 3', as `put` has."""
    rows, owner = _repeat(len(parts), len(things.number))
    return _pose(_tabulate(tuple(parts)).of(rows), owner, things)


def _repeat(num_parts: int, num_things: int) -> tuple[Column, Column]:
    """Number the parts of all things, and the thing of each."""
    return (
        np.tile(np.arange(num_parts), num_things),
        np.repeat(np.arange(num_things), num_parts),
    )


@lru_cache(maxsize=32)
def _tabulate(parts: tuple[Part, ...]) -> _Tables:
    """Make the columns of a build that is used again and again."""
    return _make_tables(parts)


def _make_tables(parts: Sequence[Part]) -> _Tables:
    return _Tables(
        centre=np.array([part.centre for part in parts]),
        half=np.array([part.half for part in parts]),
        taper=np.array([part.taper for part in parts]),
        arm=np.array([part.arm for part in parts]),
        swing=np.array([part.swing for part in parts]),
        look=np.array([part.look for part in parts]),
        label=np.array([part.label for part in parts], dtype=np.int64),
        material=np.array([part.material for part in parts], dtype=np.int64),
        tint=np.array([part.tint for part in parts], dtype=np.int64),
        round=np.array([part.round for part in parts]),
        shadow=np.array([part.shadow for part in parts]),
        number=np.arange(len(parts)),
    )


def _place(tables: _Tables, owner: Column, things: Things) -> Solids:
    """Place parts, 'n', of which each belongs to the thing `owner`."""
    centre, rotation = _pose(tables, owner, things)
    seed, label = things.seed[owner], tables.label
    return Solids(
        centre=centre,
        rotation=rotation,
        half=tables.half,
        taper=tables.taper,
        round=tables.round,
        label=label,
        instance=np.where(label >= FIRST_THING, label * 1000 + things.instance[owner], label),
        part=things.number[owner] * PARTS_PER_THING + tables.number,
        material=tables.material,
        tint=(seed >> (3 * tables.tint)) % NUM_TINTS,
        look=np.concatenate([(seed / 2**24)[:, None], tables.look], axis=1),
        shadow=tables.shadow,
    )


def _pose(tables: _Tables, owner: Column, things: Things) -> tuple[Floats, Floats]:
    """Swing parts about the x axis of their joints, then turn and move them with their things."""
    angle = np.sin(things.phase[owner]) * tables.swing
    s, c = np.sin(angle), np.cos(angle)
    x, y, z = tables.centre.T
    arm_x, arm_y, arm_z = tables.arm.T
    x, y, z = x + arm_x, y + c * arm_y - s * arm_z, z + s * arm_y + c * arm_z
    turn_s, turn_c = np.sin(things.place.heading)[owner], np.cos(things.place.heading)[owner]
    centre = np.stack(
        [
            things.place.x[owner] + turn_c * x + turn_s * z,
            y,
            things.place.z[owner] - turn_s * x + turn_c * z,
        ],
        axis=1,
    )
    rotation = np.zeros((len(owner), 3, 3))
    rotation[:, 0, 0], rotation[:, 0, 1], rotation[:, 0, 2] = turn_c, turn_s * s, turn_s * c
    rotation[:, 1, 1], rotation[:, 1, 2] = c, -s
    rotation[:, 2, 0], rotation[:, 2, 1], rotation[:, 2, 2] = -turn_s, turn_c * s, turn_c * c
    return centre, rotation
