"""What stands around one block: houses, parked cars, trees, lamps, signs, hedges, fences."""

import math
from typing import NamedTuple

import numpy as np

from vid2vid.world import builds, lots
from vid2vid.world.builds import Parts
from vid2vid.world.config import WorldConfig
from vid2vid.world.plan import FRONT_M, KERB_M, PARKED_M, Plan
from vid2vid.world.route import Place
from vid2vid.world.solids import Solids, Things, put_each

_BLOCK_STREAM = 2
_DEPTH_M = 11.0  # of a house
_CORNER_M = 14.0  # kept free of parked cars and trees at the end of a side
_MAX_PARKED = 30  # instance ids of the cars of one block
_POST_M = KERB_M + 0.5
_NUM_CELLS = 5  # instance ids repeat after as many blocks, more than are ever in sight


class Side(NamedTuple):
    """One side of a block, as walked with the block on the right."""

    x: float  # where it starts: on the crossing of the middles of two streets
    z: float
    heading: float
    length_m: float

    def place(self, along_m: float, off_m: float) -> Place:
        """Find the place `along_m` from the start and `off_m` from the middle of the street."""
        s, c = math.sin(self.heading), math.cos(self.heading)
        x = self.x + s * along_m + c * off_m
        z = self.z + c * along_m - s * off_m
        return Place(np.array([x]), np.array([z]), np.array([self.heading]))


def sides(plan: Plan, i: int, j: int) -> tuple[Side, ...]:
    """Return the four sides of block (i, j): left, far, right, near."""
    x, z, width, length = i * plan.width_m, j * plan.length_m, plan.width_m, plan.length_m
    quarter = math.pi / 2
    return (
        Side(x, z, 0.0, length),
        Side(x, z + length, quarter, width),
        Side(x + width, z + length, 2 * quarter, length),
        Side(x + width, z, 3 * quarter, width),
    )


def block_rng(world_seed: int, stream: int, at: tuple[int, int]) -> np.random.Generator:
    """Make the generator of what is drawn for one block."""
    return np.random.default_rng((world_seed, stream, at[0] + 2**20, at[1] + 2**20))


def block_number(i: int, j: int) -> int:
    """Give a block the first of 512 numbers for its things."""
    return ((i % 1024) * 1024 + j % 1024) * 512


def block_cell(i: int, j: int) -> int:
    """Give a block a number below 25 that no other block in sight has."""
    return (i % _NUM_CELLS) * _NUM_CELLS + j % _NUM_CELLS


class _Block:
    """Collects the things of one block."""

    def __init__(self, world_seed: int, i: int, j: int) -> None:
        self.rng = block_rng(world_seed, _BLOCK_STREAM, (i, j))
        self._first_number = block_number(i, j)
        self._first_car = block_cell(i, j) * _MAX_PARKED
        self._num_cars = 0
        self._builds: list[Parts] = []
        self._places: list[Place] = []
        self._instances: list[int] = []

    def add(self, parts: Parts, place: Place, *, turned: float = 0.0) -> None:
        """Add a thing, turned to the right about its middle."""
        self._builds.append(parts)
        self._places.append(place._replace(heading=place.heading + turned))
        self._instances.append(self._first_car + self._num_cars)

    def solids(self) -> Solids:
        """Build all that was added."""
        num = len(self._builds)
        things = Things(
            place=Place(*map(np.concatenate, zip(*self._places, strict=True))),
            number=self._first_number + np.arange(num),
            instance=np.array(self._instances),
            seed=self.rng.integers(2**24, size=num),
            phase=np.zeros(num),
        )
        return put_each(self._builds, things)

    def add_car(self, place: Place) -> None:
        """Park a car, as long as there are instance ids for it."""
        if self._num_cars < _MAX_PARKED:
            self.add(builds.car(van=self.rng.random() < 0.2), place)
            self._num_cars += 1


def build_block(world_seed: int, at: tuple[int, int], *, plan: Plan, config: WorldConfig) -> Solids:
    """Build all that stands around block `at`; it never moves."""
    block = _Block(world_seed, *at)
    for number, side in enumerate(sides(plan, *at)):
        _add_lots(block, plan, side, config=config, is_short=number % 2 == 1)
        _add_cars(block, side, config)
        _add_furniture(block, plan, side, config=config)
    return block.solids()


def _add_lots(
    block: _Block, plan: Plan, side: Side, *, config: WorldConfig, is_short: bool
) -> None:
    """Line a side with houses and gardens; the short sides leave the corners to the long ones."""
    rng = block.rng
    margin = FRONT_M + (_DEPTH_M if is_short else 0.0)
    along, end = margin, side.length_m - margin
    while along < end - 1.0:
        width = float(rng.uniform(8.0, 15.0))
        if end - along - width < 7.0:
            width = end - along
        is_corner = along == margin or along + width > end - 1.0
        middle = along + 0.5 * width
        if is_corner or rng.random() > plan.green:
            place = side.place(middle, FRONT_M + 0.5 * _DEPTH_M)
            block.add(lots.house(rng, plan, (_DEPTH_M, width)), place)
        else:
            _add_garden(block, side, (middle, width), config=config)
        along += width


def _add_garden(
    block: _Block, side: Side, lot: tuple[float, float], *, config: WorldConfig
) -> None:
    """Fill a lot, (middle, width), with trees behind a hedge or a fence."""
    rng, (middle, width) = block.rng, lot
    is_fenced = rng.random() < config.thin
    front = lots.fence(width) if is_fenced else lots.hedge(width, float(rng.uniform(0.8, 1.6)))
    block.add(front, side.place(middle, FRONT_M + 0.5), turned=math.pi / 2)
    for part in (-0.28, 0.28):
        depth = FRONT_M + float(rng.uniform(3.0, 8.0))
        block.add(lots.tree(rng), side.place(middle + part * width, depth))


def _add_cars(block: _Block, side: Side, config: WorldConfig) -> None:
    """Park cars along the kerb."""
    share = 0.1 + 0.65 * config.traffic
    along = _CORNER_M + 3.0
    while along < side.length_m - _CORNER_M:
        if block.rng.random() < share:
            off = PARKED_M + float(block.rng.uniform(-0.08, 0.08))
            block.add_car(side.place(along, off))
        along += float(block.rng.uniform(5.6, 6.6))


def _add_furniture(block: _Block, plan: Plan, side: Side, *, config: WorldConfig) -> None:
    """Set trees, lamps, signs and the traffic light along the kerb."""
    rng = block.rng
    along = _CORNER_M + float(rng.uniform(0.0, 4.0))
    while along < side.length_m - _CORNER_M + 2.0:
        if rng.random() < 0.75:
            block.add(lots.tree(rng), side.place(along, _POST_M + 0.4))
        if rng.random() < config.thin:
            post = side.place(along + 3.3, _POST_M)
            is_lamp = rng.random() < 0.6
            block.add(builds.lamp_post(6.2) if is_lamp else builds.sign(int(rng.integers(3))), post)
        along += plan.tree_gap_m * float(rng.uniform(0.85, 1.15))
    if rng.random() < 0.35 + 0.65 * config.thin:
        block.add(builds.traffic_light(), side.place(side.length_m - 9.8, _POST_M))
        block.add(builds.sign(int(rng.integers(2))), side.place(side.length_m - 12.5, _POST_M))
