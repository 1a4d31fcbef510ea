"""Routes: where the camera is in each frame."""

import numpy as np
import pytest

from vid2vid.world.config import FPS, WorldConfig
from vid2vid.world.plan import CORNER_RADIUS_M, make_plan
from vid2vid.world.route import make_route, travelled

PLAN = make_plan(0)


def places(path, distances, offset=0.0):
    along = np.asarray(distances, dtype=np.float64)
    return make_route(path, PLAN).at(along, np.full(len(along), offset))


def test_a_straight_route_leads_along_z():
    place = places("straight", [0.0, 10.0, 500.0], offset=1.75)
    assert np.allclose(place.x, 1.75)
    assert np.allclose(np.diff(place.z), [10.0, 490.0])
    assert np.allclose(place.heading, 0.0)


@pytest.mark.parametrize("path", ["straight", "turn", "loop"])
@pytest.mark.parametrize("offset", [0.0, 1.75, -1.75])
def test_a_route_has_no_gap_and_looks_where_it_leads(path, offset):
    place = places(path, np.arange(0.0, 700.0, 0.05), offset)
    dx, dz = np.diff(place.x), np.diff(place.z)
    step = np.hypot(dx, dz)
    slowest = 0.05 * (1 - abs(offset) / CORNER_RADIUS_M)
    assert step.min() > 0.99 * slowest
    assert step.max() < 0.05 * (1 + abs(offset) / CORNER_RADIUS_M) * 1.01
    # A step covers at most 0.01 radians of a corner.
    assert np.allclose(dx / step, np.sin(place.heading[:-1]), atol=0.01)
    assert np.allclose(dz / step, np.cos(place.heading[:-1]), atol=0.01)


def test_an_offset_lies_to_the_right():
    left, right = places("loop", [0.0, 100.0], -1.0), places("loop", [0.0, 100.0], 1.0)
    heading = right.heading
    assert np.allclose((right.x - left.x) * np.cos(heading), 2 * np.cos(heading) ** 2)
    assert np.allclose((right.z - left.z) * np.sin(heading), -2 * np.sin(heading) ** 2)


def test_a_loop_is_closed_and_the_others_are_not():
    route = make_route("loop", PLAN)
    assert route.is_closed
    assert not make_route("turn", PLAN).is_closed
    place = places("loop", [0.0, route.period_m])
    assert np.allclose(place.x[0], place.x[1])
    assert np.allclose(place.z[0], place.z[1])
    assert np.isclose(place.heading[1] % (2 * np.pi), 0.0)


def test_a_loop_comes_back_at_a_whole_frame():
    config, route = WorldConfig(path="loop"), make_route("loop", PLAN)
    frames = round(route.period_m / config.speed * FPS)
    assert travelled(frames, config, route) == pytest.approx(route.period_m)
    assert travelled(frames + 7, config, route) - route.period_m == pytest.approx(
        travelled(7, config, route)
    )


def test_stop_and_go_stands_now_and_then_and_never_goes_back():
    config, route = WorldConfig(path="stop_and_go"), make_route("stop_and_go", PLAN)
    assert travelled(0, config, route) == pytest.approx(0.0, abs=1e-9)
    steps = np.diff([travelled(frame, config, route) for frame in range(600)])
    assert steps.min() > -1e-9
    assert (steps < 1e-9).sum() >= 20
    assert steps.max() == pytest.approx(config.speed / FPS)
    assert np.abs(np.diff(steps)).max() < 0.03


def test_the_speed_is_that_of_the_configuration():
    config, route = WorldConfig(speed=5.0), make_route("straight", PLAN)
    assert travelled(50, config, route) == pytest.approx(5.0 * 50 / FPS)
