"""Rendered frames: the same bits in any order, and what seeds and settings change."""

import pytest
import torch

from vid2vid.world.config import FPS, WorldConfig
from vid2vid.world.materials import Label
from vid2vid.world.render import Group, Renderer, World, WorldFrames
from vid2vid.world.route import travelled

SIZE = (40, 72)


def tensors(rendered: WorldFrames):
    motions = [tensor for motion in rendered.motions for tensor in motion]
    return [*rendered[:6], *motions]


def is_same(one: WorldFrames, other: WorldFrames) -> bool:
    return all(a.equal(b) for a, b in zip(tensors(one), tensors(other), strict=True))


@pytest.fixture(scope="module")
def world():
    return World(1, 2)


@pytest.fixture(scope="module")
def first(world):
    return Renderer([world], SIZE).render(60)


def test_a_frame_has_the_same_bits_wherever_the_video_starts(first):
    renderer = Renderer([World(1, 2)], SIZE)
    for frame in (0, 57, 58, 59):
        renderer.render(frame)
    assert is_same(renderer.render(60), first)


def test_a_frame_has_the_same_bits_with_two_threads(world, first):
    torch.set_num_threads(2)
    try:
        assert is_same(Renderer([world], SIZE).render(60), first)
    finally:
        torch.set_num_threads(1)


def test_a_frame_has_the_same_bits_beside_other_worlds(world, first):
    both = Renderer([World(3, 3), world], SIZE).render(60)
    for one, other in zip(tensors(both), tensors(first), strict=True):
        assert one[1:].equal(other)
    assert len(both.cameras) == 2


def test_worlds_in_one_batch_look_as_they_do_alone(world, first):
    group = Group([World(3, 3), world], SIZE, torch.device("cpu"), offsets=(-1, 1))
    both = group.render(60)
    assert (both.labels[1:] == first.labels).double().mean() > 0.999
    assert (both.frames[1:] - first.frames).abs().mean() < 1e-4
    assert (both.motion(-1).flow[1:] - first.motion(-1).flow).abs().median() < 1e-4
    assert (both.surface[1:] == first.surface).double().mean() > 0.99


def test_shapes_types_and_ranges_are_as_stated(first):
    height, width = SIZE
    assert first.frames.shape == (1, 3, height, width)
    assert first.frames.min() >= -1
    assert first.frames.max() <= 1
    assert first.labels.dtype == torch.uint8
    assert first.instances.dtype == torch.int32
    assert first.surface.dtype == first.parts.dtype == torch.int64
    assert first.motion(1).flow.shape == (1, 2, height, width)
    assert set(first.motion(1).occlusion.unique().tolist()) <= {0.0, 1.0}
    assert all(tensor.isfinite().all() for tensor in tensors(first))


def test_the_style_changes_colours_and_nothing_else(first):
    other = Renderer([World(1, 9)], SIZE).render(60)
    assert (other.frames - first.frames).abs().mean() > 0.05
    assert all(a.equal(b) for a, b in zip(tensors(other)[1:], tensors(first)[1:], strict=True))


def test_patterns_change_colours_and_nothing_else(first):
    other = Renderer([World(1, 2, WorldConfig(patterns=False))], SIZE).render(60)
    assert (other.frames - first.frames).abs().mean() > 0.005
    assert all(a.equal(b) for a, b in zip(tensors(other)[1:], tensors(first)[1:], strict=True))


def test_the_light_changes_over_time_only_when_asked(world):
    bright = []
    for change in (0.0, 1.0):
        config = WorldConfig(light_change=change, traffic=0, path="stop_and_go", speed=0.001)
        renderer = Renderer([World(1, 2, config)], SIZE, offsets=())
        frames = [renderer.render(frame).frames.mean().item() for frame in (0, 40, 80)]
        bright.append(max(frames) - min(frames))
    assert bright[0] < 0.01
    assert bright[1] > 0.02


def test_a_loop_shows_the_same_points_again():
    config = WorldConfig(path="loop", traffic=0.0, speed=20.0)
    world = World(6, 6, config)
    period_m = world.layout.route.period_m
    lap = round(period_m / config.speed * FPS)
    assert travelled(lap, config, world.layout.route) == pytest.approx(period_m)
    renderer = Renderer([world], SIZE, offsets=())
    start, again, elsewhere = (renderer.render(frame) for frame in (5, 5 + lap, 5 + lap // 2))
    assert (start.surface == again.surface).double().mean() > 0.99
    assert (start.frames - again.frames).abs().max() < 0.05
    assert (start.surface == elsewhere.surface).double().mean() < 0.5


def test_a_world_can_be_longer_than_its_route(world):
    rendered = Renderer([world], SIZE, offsets=(-1,)).render(100_000)
    assert len(rendered.labels.unique()) > 4
    assert (rendered.labels == Label.ROAD).double().mean() > 0.1


def test_edges_are_smoothed():
    rendered = Renderer([World(0, 0, WorldConfig(patterns=False))], SIZE, offsets=()).render(0)
    grey = rendered.frames.mean(dim=1)[0]
    sky = (rendered.labels[0] == Label.SKY).double()
    border = torch.nn.functional.max_pool2d(sky[None, None], 3, 1, 1)[0, 0] - sky
    mixed = grey[border > 0]
    assert len(mixed) > 20
    assert mixed.round(decimals=2).unique().numel() > 15


@pytest.mark.parametrize(
    ("worlds", "size", "message"),
    [
        (0, (40, 72), "worlds must be one or more"),
        (1, (7, 72), "size at least"),
        (2, (40, 72), "must agree in config.patterns"),
    ],
)
def test_wrong_arguments_are_refused(world, worlds, size, message):
    chosen = [world, World(0, 0, WorldConfig(patterns=False))][:worlds]
    with pytest.raises(ValueError, match=message):
        Renderer(chosen, size)


def test_seeds_must_not_be_negative():
    with pytest.raises(ValueError, match="seeds must be at least 0; got -1 and 0"):
        World(-1, 0)


def test_a_motion_that_was_not_asked_for_is_refused(first):
    with pytest.raises(ValueError, match=r"offset must be one of \(-1, 1\); got 2"):
        first.motion(2)
