"""Casting: the fast way finds what trying every solid in turn finds."""

import pytest
import torch

from vid2vid.world.casting import Caster
from vid2vid.world.config import WorldConfig
from vid2vid.world.scene import Layout
from vid2vid.world.stage import make_stage

SIZE = (50, 91)  # no multiple of the tiles


@pytest.fixture(scope="module")
def caster():
    scene = Layout(5, WorldConfig(traffic=0.8)).scene(40, SIZE, (-1,))
    return Caster(make_stage([scene], torch.device("cpu")))


def slab_test(stage, row, ray):
    """Find where a ray meets one solid by clipping it, in double precision; inf where it misses."""
    turn, half = stage.rotation[row].double(), stage.half[row].double()
    eye = (-stage.centre[row].double()) @ turn / half
    way = ray.double() @ turn / half
    if stage.round[row]:
        a, b, c = way @ way, eye @ way, eye @ eye - 1
        root = b * b - a * c
        return (-b - root.sqrt()) / a if root > 0 and b < 0 else torch.tensor(torch.inf)
    enter, leave = 0.0, torch.inf
    lean = (stage.taper[row, 0].double() / 2, 0.0, stage.taper[row, 1].double() / 2)
    for axis in range(3):
        for sign in (-1.0, 1.0):
            speed = sign * way[axis] - lean[axis] * way[1]
            room = 1 - lean[axis] - (sign * eye[axis] - lean[axis] * eye[1])
            if speed < 0:
                enter = max(enter, (room / speed).item())
            elif speed > 0:
                leave = min(leave, (room / speed).item())
            elif room < 0:
                return torch.tensor(torch.inf)
    return torch.tensor(enter if enter < leave else torch.inf, dtype=torch.float64)


def test_the_nearest_solid_is_found(caster):
    stage, cast = caster.stage, caster.cast()
    depth = 1 / caster.to_picture(cast.hits.inverse)[0]
    solid = caster.to_picture(cast.hits.solid)[0]
    camera = stage.cameras[0]
    generator = torch.Generator().manual_seed(0)
    wrong = 0
    for _ in range(10):
        x = int(torch.randint(SIZE[1], (1,), generator=generator))
        y = int(torch.randint(SIZE[0], (1,), generator=generator))
        at = ((x - camera.middle[0]) / camera.focal_px, (y - camera.middle[1]) / camera.focal_px)
        ray = torch.tensor([*at, 1.0])
        reached = [float(slab_test(stage, row, ray)) for row in range(len(stage.half) - 2)]
        normal = stage.rotation[-2][:, 1].double()
        ground = (normal @ stage.centre[-2].double()) / (normal @ ray.double())
        reached += [float(ground) if ground > 0 else torch.inf, 1e12]
        expected = min(range(len(reached)), key=reached.__getitem__)
        if expected == solid[y, x]:
            assert expected == len(reached) - 1 or depth[y, x].item() == pytest.approx(
                reached[expected], rel=1e-4
            )
        else:
            wrong += abs(reached[expected] - depth[y, x].item()) > 1e-3 * reached[expected]
    assert wrong == 0


def test_pictures_are_laid_out_row_by_row(caster):
    x = caster.to_picture(caster.rays.dx)[0]
    y = caster.to_picture(caster.rays.dy)[0]
    assert x.shape == SIZE
    assert (x.diff(dim=1) > 0).all()
    assert (y.diff(dim=0) > 0).all()
    assert torch.allclose(x[0] + x[0].flip(0), torch.zeros(SIZE[1]), atol=1e-6)


def test_every_pixel_beside_another_solid_is_cast_more_finely(caster):
    cast = caster.cast()
    edges = caster.refine(cast, torch.zeros(cast.hits.solid.numel(), dtype=torch.int64))
    marked = torch.zeros(cast.hits.solid.numel(), dtype=torch.bool)
    marked[edges.pixel] = True
    marked = caster.to_picture(marked)[0]
    solid = caster.to_picture(cast.hits.solid)[0]
    assert marked[:, 1:][solid[:, 1:] != solid[:, :-1]].all()
    assert marked[1:][solid[1:] != solid[:-1]].all()
    assert 0.02 < marked.double().mean() < 0.6
    assert edges.hits.solid.shape == (len(edges.pixel), 4)


def test_the_ground_is_known_also_behind_what_hides_it(caster):
    cast, rays = caster.cast(), caster.rays
    view = torch.zeros(len(rays.dx), dtype=torch.int64)
    ground = caster.ground_inverse(view, rays.dx, rays.dy)
    shows = cast.hits.solid == caster.stage.ground[0]
    assert ground[shows].equal(cast.hits.inverse[shows])
    hidden = ~shows & (ground > 0)
    assert hidden.any()
    assert (cast.hits.inverse[hidden] > ground[hidden]).all()
    above = rays.dy < -0.1
    assert (ground[above] == 0).all()
