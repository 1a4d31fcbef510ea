"""Clips of worlds, as training takes them."""

import pytest
import torch

from vid2vid.controls.config import (
    BoundaryConfig,
    DensePoseConfig,
    DepthConfig,
    EdgesConfig,
    FlowControlConfig,
    KnownConfig,
)
from vid2vid.controls.derived import derive
from vid2vid.controls.files import normalise_depth
from vid2vid.data.batches import StepPlan, clip_batches
from vid2vid.data.clips import ClipRequest, collate
from vid2vid.errors import DataError
from vid2vid.labels.maps import boundary
from vid2vid.world.clips import WorldClips, WorldDataConfig
from vid2vid.world.render import Renderer, World

CONFIG = WorldDataConfig(height=32, width=48, worlds=2, num_frames=50)


@pytest.fixture(scope="module")
def clips():
    return WorldClips(CONFIG, flow_strides=(1, 2))


def is_same(one, other):
    same = one.frames.equal(other.frames) and one.labels.equal(other.labels)
    return same and one[4:] == other[4:]


def test_a_clip_has_the_shapes_and_types_of_every_clip(clips):
    clip = clips.clip(ClipRequest(3, 0, 0, 0))
    assert clip.frames.shape == (3, 3, 32, 48)
    assert clip.frames.dtype == torch.float32
    assert clip.labels.shape == (3, 32, 48)
    assert clip.labels.dtype == torch.uint8
    assert clip.instances is not None
    assert clip.instances.dtype == torch.int32
    assert [reference.flow.shape[0] for reference in clip.references] == [2, 1]
    assert clip.references[0].confidence.shape == (2, 1, 32, 48)
    assert collate([clip, clip]).frames.shape == (2, 3, 3, 32, 48)


def test_a_clip_follows_from_its_request(clips):
    request = ClipRequest(2, 5, 7, 1)
    again = WorldClips(CONFIG, flow_strides=(1, 2)).clip(request)
    assert is_same(clips.clip(request), again)
    others = [clips.clip(ClipRequest(2, 5, 7, position)) for position in range(2, 5)]
    assert not all(is_same(other, again) for other in others)


def test_clips_are_cut_out_of_the_worlds_that_the_seeds_name(clips):
    clip = clips.evaluation_clip(1, 10, 2)
    rendered = Renderer([World(1, 1)], (32, 48)).render(11)
    assert clip.name == "world_000001"
    assert clip.start == 10
    assert clip.frames[1].equal(rendered.frames[0])
    assert clip.references[0].flow[0].equal(rendered.motion(-1).flow[0])
    assert clip.references[0].confidence[0].equal(1 - rendered.motion(-1).occlusion[0])


def test_streets_of_one_style_differ_in_layout_alone():
    styled = WorldClips(CONFIG.model_copy(update={"style_seed": 7}))
    clip = styled.evaluation_clip(1, 10, 1)
    assert clip.frames[0].equal(Renderer([World(1, 7)], (32, 48)).render(10).frames[0])


def test_a_stride_skips_frames_and_the_flow_spans_them():
    strided = WorldClips(CONFIG.model_copy(update={"stride": 3})).evaluation_clip(0, 4, 2)
    rendered = Renderer([World(0, 0)], (32, 48), offsets=(-3,)).render(7)
    assert strided.stride == 3
    assert strided.frames[1].equal(rendered.frames[0])
    assert strided.references[0].flow[0].equal(rendered.motion(-3).flow[0])


def test_the_training_loader_takes_them(clips):
    batches = list(clip_batches(clips, lambda step: StepPlan(2, 2), seed=3, end_step=2))
    assert len(batches) == 2
    assert batches[0].frames.shape == (2, 2, 3, 32, 48)
    assert batches[1].frames[0].equal(clips.clip(ClipRequest(2, 3, 1, 0)).frames)


def test_streets_that_are_too_short_are_refused(clips):
    with pytest.raises(DataError, match="clips of length 60 at stride 1 need 60 frames"):
        clips.clip(ClipRequest(60, 0, 0, 0))
    with pytest.raises(ValueError, match="length must be at least 1; got 0"):
        clips.check_length(0)


@pytest.mark.parametrize(("world", "start", "length"), [(2, 0, 2), (-1, 0, 2), (0, 49, 2)])
def test_clips_beyond_the_streets_are_refused(clips, world, start, length):
    with pytest.raises(ValueError, match="2 streets have 50 frames each"):
        clips.evaluation_clip(world, start, length)


def test_every_street_has_all_its_frames_for_a_clip(clips):
    assert clips.clip_lengths() == [50, 50]
    assert WorldClips(CONFIG.model_copy(update={"stride": 3})).clip_lengths() == [17, 17]


def test_controls_of_a_street_are_the_known_ones():
    depth, flow = DepthConfig(near=3, far=60), FlowControlConfig(largest_px=8)
    controls = (EdgesConfig(), depth, flow, BoundaryConfig())
    config = WorldDataConfig(height=32, width=48, worlds=1, stride=2)
    clip = WorldClips(config, controls=controls, flow_strides=()).evaluation_clip(0, 4, 3)
    assert clip.pictures.shape == (3, 1 + 1 + 2 + 1, 32, 48)
    assert torch.equal(clip.pictures[:, :1], derive(EdgesConfig(), clip.frames))
    assert torch.equal(clip.pictures[:, 4:], boundary(clip.instances[None])[0])
    renderer = Renderer([World(0, 0)], (32, 48), offsets=(-2,))
    rendered = renderer.render(8)
    expected = normalise_depth(rendered.depth[0].numpy(), depth)
    assert torch.equal(clip.pictures[2, 1], torch.from_numpy(expected))
    assert (clip.pictures[0, 2:4] == 0).all()
    known = (rendered.motion(-2).flow[0] / 8).clamp(-1, 1)
    torch.testing.assert_close(clip.pictures[2, 2:4], known)


def test_a_street_has_no_files_to_read_controls_from():
    with pytest.raises(ValueError, match=r"streets have no files .*; got \['densepose'\]"):
        WorldClips(WorldDataConfig(height=32, width=48), controls=(DensePoseConfig(),))


def test_what_is_known_of_a_street_is_drawn_for_every_clip_and_moves_none(clips):
    window = KnownConfig(shape="window", height=16, width=24, position="random")
    filled = WorldClips(CONFIG, controls=(window,), flow_strides=())
    made = [filled.clip(ClipRequest(1, 0, step, 0)) for step in range(4)]
    masks = {tuple(clip.pictures[0, 3].flatten().tolist()) for clip in made}
    assert len(masks) > 1
    assert made[0].frames.equal(clips.clip(ClipRequest(1, 0, 0, 0)).frames)
    centred = filled.evaluation_clip(0, 0, 1).pictures[0, 3]
    assert not centred[8:24, 12:36].any()
