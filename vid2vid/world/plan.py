"""The ground plan: a grid of streets with kerbs, pavements and lots, and the width of each part."""

from typing import NamedTuple

import numpy as np

LANE_M = 1.75
"""Distance of the middle of a lane from the middle of the street."""
KERB_M = 5.5
"""Half the width of a road: a lane of 3.3 m and a parking lane."""
FRONT_M = 9.0
"""Distance of the house fronts from the middle of the street."""
KERB_RADIUS_M = 3.0
"""Of the rounded kerb at a corner."""
CORNER_RADIUS_M = 7.75
"""Of the middle line of a route that turns."""
PARKED_M = 4.4
"""Distance of a parked car from the middle of the street."""
VIEW_M = 120.0
"""Nothing farther from the camera is drawn; the haze has closed by then."""

_PLAN_STREAM = 1


class Plan(NamedTuple):
    """The grid of a world: block (i, j) spans x from i · width_m and z from j · length_m."""

    width_m: float  # between the middles of neighbouring streets, along x
    length_m: float  # along z
    storeys: tuple[int, int]  # of the houses, fewest and most
    pitched: float  # share of the houses with a pitched roof
    green: float  # share of the lots without a house
    tree_gap_m: float  # between the trees of a pavement


def make_plan(world_seed: int) -> Plan:
    """Draw the plan of a world."""
    rng = np.random.default_rng((world_seed, _PLAN_STREAM))
    lowest = int(rng.integers(2, 5))
    return Plan(
        width_m=float(rng.integers(10, 13)) * 6.0,
        length_m=float(rng.integers(12, 17)) * 6.0,
        storeys=(lowest, lowest + int(rng.integers(1, 5))),
        pitched=float(rng.choice([0.1, 0.5, 0.9])),
        green=float(rng.uniform(0.03, 0.22)),
        tree_gap_m=float(rng.uniform(8.0, 15.0)),
    )
