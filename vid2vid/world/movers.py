"""All that moves: cars ahead and oncoming, cyclists, people. Where it is follows from the time."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vid2vid.world import builds
from vid2vid.world.blocks import block_cell, block_number, block_rng, sides
from vid2vid.world.builds import Parts
from vid2vid.world.config import FPS, WorldConfig
from vid2vid.world.plan import LANE_M, VIEW_M, Plan
from vid2vid.world.route import Floats, Place, Route, travelled
from vid2vid.world.solids import Things

_WALKER_STREAM, _TRAFFIC_STREAM = 3, 4
_WALKER_NUMBERS, _AHEAD_NUMBERS, _ONCOMING_NUMBERS, _CYCLIST_NUMBERS = (
    kind << 29 for kind in (1, 2, 3, 4)
)
_WALKERS_PER_BLOCK = 36  # instance ids
_BEHIND_M = 25.0
_CYCLIST_OFF_M = 3.05
_CYCLIST_MPS = 4.5
_WALK_OFF_M, _WALK_RADIUS_M = 7.9, 0.55
_PERSON_HEIGHTS_M = (1.78, 1.62)


class Moving(NamedTuple):
    """Things of one build at several moments."""

    parts: Parts
    things: list[Things]  # one of each moment, the same things in the same order


class Walkers(NamedTuple):
    """The people of one block, each on a long narrow round on one pavement."""

    x: Floats  # 'n', where the round starts
    z: Floats
    heading: Floats  # 'n', radians
    length_m: Floats  # 'n', of its straight part
    start_m: Floats  # 'n', where on the round they are at time 0
    speed: Floats  # 'n', m/s
    height: Floats  # 'n', index in the heights
    number: Floats
    instance: Floats
    seed: Floats


class Traffic(NamedTuple):
    """What the moving traffic of a route needs to be found at any time."""

    config: WorldConfig
    route: Route
    seed: int

    def at(self, frames: Sequence[int]) -> list[Moving]:
        """Find the cars and cyclists that may be in sight in the first of several frames."""
        if self.config.traffic == 0:
            return []
        return [*self._ahead(frames), *self._oncoming(frames), *self._cyclists(frames)]

    def _ahead(self, frames: Sequence[int]) -> list[Moving]:
        """Cars that drive in front of the camera, as fast as it on the whole."""
        rng = np.random.default_rng((self.seed, _TRAFFIC_STREAM, 1))
        num = round(2 * self.config.traffic + float(rng.random()) - 0.2)
        gap = np.cumsum(rng.uniform(15.0, 38.0, max(num, 0)))
        phase = rng.uniform(0, 2 * math.pi, len(gap))
        is_van = rng.random(len(gap)) < 0.2
        seed = rng.integers(2**24, size=len(gap))
        index = np.arange(len(gap))

        def things(moment: int) -> Things:
            along = travelled(moment, self.config, self.route) + gap
            along = along + 2.0 * np.sin(0.35 * moment / FPS + phase)
            place = self.route.at(along, np.full(len(gap), LANE_M))
            return Things(place, _AHEAD_NUMBERS + index, 750 + index, seed, phase)

        return _cars([things(frame) for frame in frames], is_van)

    def _oncoming(self, frames: Sequence[int]) -> list[Moving]:
        gap = 110.0 - 85.0 * self.config.traffic
        speed = -0.8 * self.config.speed
        things = self._convoy(frames, (gap, speed, -LANE_M), (_ONCOMING_NUMBERS, 2))
        things = [t._replace(instance=760 + t.instance % 240) for t in things]
        turned = [
            t._replace(place=t.place._replace(heading=t.place.heading + math.pi)) for t in things
        ]
        return _cars(turned, things[0].seed % 5 == 0)

    def _cyclists(self, frames: Sequence[int]) -> list[Moving]:
        gap = 160.0 - 125.0 * self.config.traffic
        lane = (gap, _CYCLIST_MPS, _CYCLIST_OFF_M)
        return [Moving(builds.cyclist(), self._convoy(frames, lane, (_CYCLIST_NUMBERS, 3)))]

    def _convoy(
        self, frames: Sequence[int], lane: tuple[float, float, float], kind: tuple[int, int]
    ) -> list[Things]:
        """Find the members of an endless convoy, (gap, speed, offset), around the camera.

        On a closed route the convoy is closed too, so that it never meets itself.
        """
        gap, speed, off = lane
        first_number, stream = kind
        period = self.route.period_m
        num = max(1, round(period / gap)) if self.route.is_closed else 2**24
        gap = period / num if self.route.is_closed else gap
        camera = travelled(frames[0], self.config, self.route)
        seconds = frames[0] / FPS
        lowest = math.ceil((camera - _BEHIND_M - speed * seconds) / gap)
        highest = math.floor((camera + VIEW_M + 10.0 - speed * seconds) / gap)
        ranks = np.arange(lowest, min(highest + 1, lowest + num))
        member = ranks % num
        drawn = [
            np.random.default_rng((self.seed, _TRAFFIC_STREAM, stream, int(m))) for m in member
        ]
        jitter = np.array([rng.uniform(-0.3, 0.3) for rng in drawn])
        seed = np.array([rng.integers(2**24) for rng in drawn], dtype=np.int64)

        def things(moment: int) -> Things:
            along = np.asarray((ranks + jitter) * gap + speed * moment / FPS, dtype=np.float64)
            place = self.route.at(along, np.full(len(ranks), off))
            phase = np.remainder(builds.PEDAL * speed * moment / FPS + seed, 2 * math.pi)
            return Things(place, first_number + member, member % 1000, seed, phase)

        return [things(frame) for frame in frames]


def draw_walkers(
    world_seed: int, at: tuple[int, int], *, plan: Plan, config: WorldConfig
) -> Walkers:
    """Draw the people of block `at`."""
    rng = block_rng(world_seed, _WALKER_STREAM, at)
    rows: list[tuple[float, ...]] = []
    for side in sides(plan, *at):
        for _ in range(int(rng.poisson(7.0 * config.traffic))):
            length = float(rng.uniform(0.3, 1.0)) * (side.length_m - 30.0)
            start = float(rng.uniform(15.0, side.length_m - 15.0 - length + 0.1))
            place = side.place(start, _WALK_OFF_M + float(rng.uniform(-0.25, 0.25)))
            where = (float(place.x[0]), float(place.z[0]), side.heading, length)
            pace = (float(rng.uniform(0, 200)), float(rng.uniform(0.9, 1.7)))
            who = (float(rng.integers(2)), float(rng.integers(2**24)))
            rows.append((*where, *pace, *who))
    rows = rows[:_WALKERS_PER_BLOCK]
    columns = np.array(rows, dtype=np.float64).reshape(-1, 8).T
    index = np.arange(len(rows), dtype=np.float64)
    number = _WALKER_NUMBERS + block_number(*at) + index
    instance = block_cell(*at) * _WALKERS_PER_BLOCK + index
    x, z, heading, length, first, speed, height, seed = columns
    return Walkers(x, z, heading, length, first, speed, height, number, instance, seed)


def walking(walkers: Walkers, frames: Sequence[int]) -> list[Moving]:
    """Find where people are in several frames."""
    groups: list[Moving] = []
    for height, height_m in enumerate(_PERSON_HEIGHTS_M):
        chosen = Walkers(*(column[walkers.height == height] for column in walkers))
        things = [_walked(chosen, frame) for frame in frames]
        groups.append(Moving(builds.person(height_m), things))
    return groups


def _walked(walkers: Walkers, frame: int) -> Things:
    """Find where on their rounds people are in one frame."""
    bend = math.pi * _WALK_RADIUS_M
    way = walkers.start_m + walkers.speed * frame / FPS
    on = np.remainder(way, 2 * (walkers.length_m + bend))
    is_back = on >= walkers.length_m + bend
    on = on - np.where(is_back, walkers.length_m + bend, 0.0)
    turn = np.maximum(on - walkers.length_m, 0.0) / _WALK_RADIUS_M
    # The half round in coordinates of its own, then turned about the middle for the way back.
    along = np.minimum(on, walkers.length_m) + _WALK_RADIUS_M * np.sin(turn)
    off = -_WALK_RADIUS_M * np.cos(turn)
    along = np.where(is_back, walkers.length_m - along, along)
    off = np.where(is_back, -off, off)
    s, c = np.sin(walkers.heading), np.cos(walkers.heading)
    place = Place(
        walkers.x + s * along + c * off,
        walkers.z + c * along - s * off,
        walkers.heading + turn + np.where(is_back, math.pi, 0.0),
    )
    return Things(
        place,
        walkers.number.astype(np.int64),
        walkers.instance.astype(np.int64),
        walkers.seed.astype(np.int64),
        np.remainder(builds.STRIDE * way, 2 * math.pi),
    )


def _cars(things: list[Things], is_van: NDArray[np.bool_]) -> list[Moving]:
    """Split cars by their build."""
    groups: list[Moving] = []
    for van in (False, True):
        moments = [one.pick(is_van == van) for one in things]
        groups.append(Moving(builds.car(van=van), moments))
    return groups
