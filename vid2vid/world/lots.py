"""How houses, trees, hedges and fences are built of solids."""

import math

import numpy as np

from vid2vid.world.builds import Parts
from vid2vid.world.materials import Label, Material
from vid2vid.world.plan import Plan
from vid2vid.world.solids import Part


def house(rng: np.random.Generator, plan: Plan, size: tuple[float, float]) -> Parts:
    """Build a house of storeys with a roof; `size` is along x and z, metres."""
    width_m, depth_m = size
    storey_m = float(rng.uniform(2.9, 3.5))
    height_m = storey_m * int(rng.integers(plan.storeys[0], plan.storeys[1] + 1)) + 0.5
    half = (0.5 * width_m, 0.5 * height_m, 0.5 * depth_m)
    spacing_m = float(rng.uniform(2.0, 3.4))
    style = float(rng.random())
    wall = Part(
        (0.0, -half[1], 0.0),
        half,
        Material.FACADE,
        Label.BUILDING,
        look=(spacing_m, storey_m, style),
        shadow=True,
    )
    if rng.random() < plan.pitched:
        rise_m = 0.3 * min(width_m, depth_m)
        taper = (0.0, 0.95) if width_m > depth_m else (0.95, 0.0)
        roof = Part(
            (0.0, -height_m - rise_m, 0.0),
            (half[0] + 0.25, rise_m, half[2] + 0.25),
            Material.ROOF,
            Label.BUILDING,
            tint=1,
            taper=taper,
        )
        return (wall, roof)
    cornice = Part(
        (0.0, 0.15 - height_m, 0.0),
        (half[0] + 0.22, 0.25, half[2] + 0.22),
        Material.STONE,
        Label.BUILDING,
        tint=2,
    )
    return (wall, cornice)


def tree(rng: np.random.Generator) -> Parts:
    """Build a leafy tree of several round masses, or a conifer."""
    size = float(rng.uniform(0.75, 1.3))
    if rng.random() < 0.15:
        return _conifer(size)
    trunk_m = 2.3 * size
    trunk = Part(
        (0.0, -0.6 * trunk_m, 0.0),
        (0.13 * size, 0.6 * trunk_m, 0.13 * size),
        Material.BARK,
        Label.VEGETATION,
        taper=(0.4, 0.4),
        shadow=True,
    )
    masses = [_leaves((0.0, -trunk_m - 1.1 * size, 0.0), 1.15 * size, shadow=True)]
    num = int(rng.integers(10, 14))
    turn = float(rng.uniform(0.0, 6.3))
    for number in range(num):
        angle = turn + 2.4 * number  # the golden angle spreads them evenly
        share = (number + 0.5) / num  # from the lowest to the highest
        off = float(rng.uniform(0.85, 1.2)) * size * (1.1 - 0.85 * share)
        up = trunk_m + (0.25 + 2.2 * share) * size
        radius = float(rng.uniform(0.42, 0.72)) * size
        place = (off * math.sin(angle), -up, off * math.cos(angle))
        masses.append(_leaves(place, radius, shadow=number % 3 == 0))
    return (trunk, *masses)


def hedge(length_m: float, height_m: float) -> Parts:
    """Build a clipped hedge along x."""
    return (
        Part(
            (0.0, -0.5 * height_m, 0.0),
            (0.5 * length_m, 0.5 * height_m, 0.35),
            Material.LEAF,
            Label.VEGETATION,
            tint=1,
            taper=(0.02, 0.15),
            shadow=True,
        ),
    )


def fence(length_m: float) -> Parts:
    """Build a fence along x: posts, and two rails between them."""
    num = max(2, round(length_m / 1.6))
    rails = tuple(
        Part((0.0, y, 0.0), (0.5 * length_m, 0.05, 0.02), Material.STONE, Label.FENCE, tint=5)
        for y in (-0.45, -0.9)
    )
    posts = tuple(
        Part((float(x), -0.52, 0.0), (0.05, 0.52, 0.05), Material.STONE, Label.FENCE, tint=5)
        for x in np.linspace(-0.5 * length_m, 0.5 * length_m, num)
    )
    return (*rails, *posts)


def _conifer(size: float) -> Parts:
    """Build a trunk with three cones."""
    trunk = Part((0.0, -0.5, 0.0), (0.12, 0.5, 0.12), Material.BARK, Label.VEGETATION, shadow=True)
    cones = tuple(
        Part(
            (0.0, -(1.9 + 1.3 * number) * size, 0.0),
            ((1.25 - 0.3 * number) * size, 1.2 * size, (1.25 - 0.3 * number) * size),
            Material.LEAF,
            Label.VEGETATION,
            tint=3,
            taper=(0.96, 0.96),
            shadow=number == 0,
        )
        for number in range(3)
    )
    return (trunk, *cones)


def _leaves(centre: tuple[float, float, float], radius_m: float, *, shadow: bool) -> Part:
    """Build one mass of leaves."""
    return Part(
        centre,
        (radius_m, 0.85 * radius_m, radius_m),
        Material.LEAF,
        Label.VEGETATION,
        round=True,
        shadow=shadow,
    )
