"""What is true of pixels: depth, flow, occlusion, parts, points."""

import numpy as np
import pytest
import torch

from flow import pixel_grid, warp
from vid2vid.world.config import WorldConfig
from vid2vid.world.files import pose_matrix
from vid2vid.world.materials import FIRST_THING, Label
from vid2vid.world.render import Renderer, World
from vid2vid.world.solids import PARTS_PER_THING
from vid2vid.world.surfaces import SKY_DEPTH_M

SIZE = (96, 192)
FRAME = 30


@pytest.fixture(scope="module")
def pair():
    """Frames 30 and 31 of one world."""
    renderer = Renderer([World(7, 7, WorldConfig(traffic=0.8))], SIZE)
    return renderer.render(FRAME), renderer.render(FRAME + 1)


def points(rendered):
    """World points of all pixels, from depth and pose alone: '3 h w'."""
    camera, depth = rendered.cameras[0], rendered.depth[0].double()
    x, y = pixel_grid(*depth.shape, dtype=torch.float64)
    dx = (x - camera.middle[0]) / camera.focal_px
    dy = (y - camera.middle[1]) / camera.focal_px
    local = torch.stack([dx * depth, dy * depth, depth, torch.ones_like(depth)])
    return torch.einsum("ij,jhw->ihw", torch.from_numpy(pose_matrix(camera)), local)[:3]


def places(world_points, rendered):
    """Where world points are in the picture of a frame: '2 h w'."""
    camera = rendered.cameras[0]
    matrix = torch.from_numpy(np.linalg.inv(pose_matrix(camera)))
    x, y, z = torch.einsum("ij,jhw->ihw", matrix[:3, :3], world_points) + matrix[:3, 3, None, None]
    return torch.stack(
        [x / z * camera.focal_px + camera.middle[0], y / z * camera.focal_px + camera.middle[1]]
    )


def stands(rendered):
    kind = (rendered.parts[0] // PARTS_PER_THING) >> 29
    return (kind == 0) | (kind > 4)


def fetch(picture, flow):
    """Take for every pixel the value of the pixel nearest to the one that it points to."""
    place = pixel_grid(*picture.shape) + flow
    column = place[0].round().long().clamp(0, picture.shape[1] - 1)
    row = place[1].round().long().clamp(0, picture.shape[0] - 1)
    return picture[row, column]


def test_depth_and_poses_give_the_flow_of_what_stands(pair):
    for current, other, offset in ((pair[1], pair[0], -1), (pair[0], pair[1], 1)):
        motion = current.motion(offset)
        expected = places(points(current), other) - pixel_grid(*SIZE, dtype=torch.float64)
        seen = stands(current) & (motion.occlusion[0, 0] == 0)
        assert (motion.flow[0] - expected).abs()[:, seen].max() < 1e-3
        assert seen.double().mean() > 0.7


def test_parts_agree_where_nothing_is_hidden(pair):
    previous, current = pair
    motion = current.motion(-1)
    seen = motion.occlusion[0, 0] == 0
    same = fetch(previous.parts[0], motion.flow[0]) == current.parts[0]
    assert same[seen].double().mean() > 0.99
    assert 0.9 < seen.double().mean() < 1.0


def test_points_agree_within_a_pixel_where_nothing_is_hidden(pair):
    previous, current = pair
    motion, others = current.motion(-1), points(previous)
    seen = (motion.occlusion[0, 0] == 0) & stands(current) & (current.depth[0] < SKY_DEPTH_M)
    gap = torch.stack([fetch(axis, motion.flow[0]) for axis in others]) - points(current)
    # What a pixel covers: how far its neighbours of the same part are.
    reach = torch.zeros(SIZE, dtype=torch.float64)
    for axis in (0, 1):
        steps = []
        for shift in (-1, 1):
            step = torch.linalg.vector_norm(others - others.roll(shift, axis + 1), dim=0)
            same = previous.parts[0] == previous.parts[0].roll(shift, axis)
            steps.append(torch.where(same, step, 0.0))
        reach += torch.maximum(*steps)
    allowed = fetch(reach, motion.flow[0]).clamp(min=1e-3)
    assert (torch.linalg.vector_norm(gap, dim=0) <= allowed)[seen].double().mean() > 0.99


def test_what_is_hidden_has_something_before_it_or_lies_beside_an_edge(pair):
    previous, current = pair
    motion, point = current.motion(-1), points(current)
    eye = torch.from_numpy(previous.cameras[0].centre)[:, None, None]
    place = places(point, previous)
    column, row = place[0].round().long(), place[1].round().long()
    inside = (column >= 0) & (column < SIZE[1]) & (row >= 0) & (row < SIZE[0])
    column, row = column.clamp(0, SIZE[1] - 1), row.clamp(0, SIZE[0] - 1)
    there = torch.linalg.vector_norm(points(previous)[:, row, column] - eye, dim=0)
    share = there / torch.linalg.vector_norm(point - eye, dim=0)
    still = stands(current) & (current.depth[0] < 60)
    hidden = motion.occlusion[0, 0] == 1
    assert hidden[still & ~inside].all()
    assert (share[still & inside & ~hidden] > 0.9).double().mean() > 0.99
    beside = torch.zeros(SIZE, dtype=torch.bool)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            parts = previous.parts[0].roll((dy, dx), (0, 1))
            beside |= parts[row, column] == current.parts[0]
    explained = (share < 1.0) | beside
    assert explained[still & inside & hidden].double().mean() > 0.95
    assert (still & inside & hidden).sum() > 20


def test_the_flow_there_and_back_leads_home(pair):
    previous, current = pair
    there, back = current.motion(-1), previous.motion(1)
    gap = there.flow + warp(back.flow, there.flow)
    seen = there.occlusion[:, 0] == 0
    assert torch.linalg.vector_norm(gap, dim=1)[seen].median() < 0.01


def test_warping_by_the_flow_makes_the_next_frame():
    for patterns, least in ((False, 38.0), (True, 32.0)):
        world = World(1, 1, WorldConfig(patterns=patterns))
        renderer = Renderer([world], (256, 512), offsets=(-1,))
        previous, current = renderer.render(20), renderer.render(21)
        motion = current.motion(-1)
        seen = (motion.occlusion == 0).expand_as(current.frames)
        quality = [
            -10 * torch.log10(((made - current.frames) / 2).square()[seen].mean()).item()
            for made in (warp(previous.frames, motion.flow), previous.frames)
        ]
        assert quality[0] > least
        assert quality[0] > quality[1] + 12


def test_shadows_stay_when_what_throws_them_leaves_the_picture():
    renderer = Renderer([World(8, 8)], (64, 128), offsets=(-1,))
    previous = renderer.render(18)
    for frame in range(19, 24):  # a house leaves between the frames 20 and 21
        current = renderer.render(frame)
        motion = current.motion(-1)
        ground = (current.labels == Label.ROAD) & (motion.occlusion[:, 0] == 0)
        change = (warp(previous.frames, motion.flow) - current.frames).abs().mean(dim=1)
        assert change[ground].mean() < 0.03
        previous = current


def test_the_scene_is_rich_enough_to_measure_on(pair):
    current = pair[1]
    assert len((current.parts // PARTS_PER_THING).unique()) >= 10
    assert len(current.labels.unique()) >= 7
    assert torch.linalg.vector_norm(current.motion(-1).flow, dim=1).mean() > 1


def test_instances_belong_to_their_classes(pair):
    for rendered in pair:
        labels, instances = rendered.labels.long(), rendered.instances.long()
        is_thing = labels >= FIRST_THING
        assert is_thing.any()
        assert (instances[is_thing] // 1000 == labels[is_thing]).all()
        assert (instances[~is_thing] == labels[~is_thing]).all()


def test_the_sky_has_no_surface_and_all_else_has(pair):
    is_sky = pair[0].labels == Label.SKY
    assert is_sky.any()
    assert (pair[0].surface[is_sky] == -1).all()
    assert (pair[0].surface[~is_sky] >= 0).all()
    assert (pair[0].depth[is_sky] == SKY_DEPTH_M).all()
