"""A run that says itself what paints its first frames: in rendering, and in training."""

import json
import shutil
import sys

import numpy as np
import pytest
import torch
from tiny_runs import label_folder, pictures, tiny_checkpoint

from pipelines.build import build_painter, build_run, load_generation, palette_for
from pipelines.cli import app as cli
from pipelines.config.file import read_config
from pipelines.config.run import RunConfig
from pipelines.render import Renderer
from pipelines.rendering.options import RenderOptions
from pipelines.still import render_stills
from pipelines.train import TrainOptions, train
from vid2vid.checkpoint import load_checkpoint
from vid2vid.data.clips import Clip, collate
from vid2vid.errors import CheckpointError, ConfigError
from vid2vid.first_frames import Painter
from vid2vid.networks.pyramid import halve
from vid2vid.rollout import rollout
from vid2vid.training.loop import take_steps

HD = {"kind": "pix2pixhd", "width": 4, "downsamplings": 1, "blocks": 1}
STYLED = {**HD, "features": 2, "encoder": {"width": 2, "downsamplings": 1}, "pooling": "labels"}
PAINTERS = {
    "unet": {"kind": "pix2pix_unet", "width": 2, "downsamplings": 3},
    "resnet": {"kind": "pix2pix_resnet", "width": 2, "blocks": 1},
    "pix2pixhd": HD,
    "local": {**HD, "enhancers": 1, "enhancer_blocks": 1},
    "styles": STYLED,
    "noise": {**HD, "noise": 2},
    "crn": {"kind": "crn", "width": 4, "height": 16},
    "crn_variants": {"kind": "crn", "width": 4, "height": 16, "outputs": 3},
    "fusion": {"kind": "fusion", "base": HD, "passes": [["grey"], ["edges"]]},
}
CONTROLS = [{"kind": "grey"}, {"kind": "edges"}]
STILL = {"video_discriminator": None, "losses": {"perceptual": 0, "pixel": 1}}


def begin_with(place):
    return {"first_frames": {"checkpoint": str(place)}}


# Rendering


def render(folder, labels, out, **options):
    renderer = Renderer.load(folder, device="cpu")
    return pictures(renderer.render(labels, out, RenderOptions(**options)).path)


@pytest.mark.parametrize("name", PAINTERS)
def test_any_still_generator_begins_the_videos_of_a_run(tmp_path, name):
    streams = {}
    for each in ("frames", "labels"):
        streams[each] = label_folder(tmp_path / each, 3)
    takes = {"labels": {"palette": "camvid"}, "controls": CONTROLS}
    painter = tiny_checkpoint(tmp_path / "painter", generator=PAINTERS[name], **takes, **STILL)
    video = tiny_checkpoint(tmp_path / "video", **takes, **begin_with(painter))
    given = {"controls": (("frames", streams["frames"]),)}
    found = render(video, streams["labels"], tmp_path / "out", **given)
    still = Renderer.load(painter, device="cpu")
    options = RenderOptions(**given)
    stills = pictures(render_stills(still, streams["labels"], tmp_path / "stills", options).path)
    assert len(found) == 3
    assert (found[:2] == stills[:2]).all()  # as many as the history
    assert (found[2] != stills[2]).any()


@pytest.fixture
def runs(tmp_path):
    """A painter, and a video's run that begins with it, in one folder of runs."""
    painter = tiny_checkpoint(tmp_path / "runs" / "painter", generator=HD, **STILL)
    tiny_checkpoint(tmp_path / "runs" / "video", **begin_with(painter))
    return tmp_path / "runs"


@pytest.fixture
def labels(tmp_path):
    return label_folder(tmp_path / "labels", 3)


def test_zeros_turn_it_off_and_another_first_frame_takes_its_place(
    runs, labels, tmp_path, monkeypatch
):
    plain = tiny_checkpoint(tmp_path / "plain")
    other = tiny_checkpoint(tmp_path / "other", generator=HD, training={"seed": 5}, **STILL)
    own = render(runs / "video", labels, tmp_path / "own")
    assert (render(runs / "video", labels, tmp_path / "a", first_frames=(other,)) != own).any()
    words = ["vid2vid", "render", labels, tmp_path / "b", "-c", runs / "video", "--device", "cpu"]
    monkeypatch.setattr(sys, "argv", [*map(str, words), "--first-frame", "zeros"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    assert (pictures(tmp_path / "b") == render(plain, labels, tmp_path / "c")).all()


def test_stills_of_a_run_do_not_load_its_painter(runs, labels, tmp_path):
    shutil.rmtree(runs / "painter")
    renderer = Renderer.load(runs / "video", device="cpu")
    assert render_stills(renderer, labels, tmp_path / "stills").num_frames == 3


def test_a_folder_of_runs_can_be_moved(runs, labels, tmp_path):
    before = render(runs / "video", labels, tmp_path / "before")
    runs.rename(tmp_path / "moved")
    assert (render(tmp_path / "moved" / "video", labels, tmp_path / "after") == before).all()


def test_a_painter_that_is_gone_is_named_with_what_to_do(runs, labels, tmp_path):
    shutil.rmtree(runs / "painter")
    message = "neither there nor at .*painter: name it with --first-frame, or begin from nothing"
    with pytest.raises(CheckpointError, match=message):
        render(runs / "video", labels, tmp_path / "out")


@pytest.mark.parametrize(
    ("sections", "has"),
    [
        ({"labels": {"palette": "cityscapes"}}, "palette 'cityscapes': give"),
        ({"controls": [{"kind": "edges"}]}, "palette 'camvid' and 'edges' of 1 channel: give"),
    ],
)
def test_a_painter_of_other_maps_is_refused(labels, tmp_path, sections, has):
    painter = tiny_checkpoint(tmp_path / "painter", generator=HD, **STILL, **sections)
    video = tiny_checkpoint(tmp_path / "video", **begin_with(painter))
    message = f"first_frames.checkpoint takes a checkpoint of the same input .* has {has}"
    with pytest.raises(ConfigError, match=message):
        render(video, labels, tmp_path / "out")


def test_a_painter_with_instance_maps_gets_them_though_the_video_takes_none(labels, tmp_path):
    wants = {"palette": "camvid", "boundary": "instances"}
    painter = tiny_checkpoint(tmp_path / "painter", generator=HD, labels=wants, **STILL)
    video = tiny_checkpoint(tmp_path / "video", **begin_with(painter))
    with pytest.raises(ConfigError, match="was trained with instance maps; none were given"):
        render(video, labels, tmp_path / "out")
    drawn = render(video, labels, tmp_path / "drawn", boundary="labels")
    given = render(video, labels, tmp_path / "given", instances=labels)
    assert (drawn == given).all()  # the instances are the labels


def test_zeros_and_something_else_do_not_go_together():
    with pytest.raises(ConfigError, match="takes 'zeros' alone"):
        RenderOptions(first_frames=(HD["kind"],), from_zeros=True)
    with pytest.raises(ConfigError, match=r"takes 'zeros' alone.*got photo\.png, zeros"):
        cli.options.parse_first_frames([*map(cli.Path, ("photo.png", "zeros"))])


# Training


def fixed(tiny_file, painter, *changes):
    """Settings of a run whose clips start from what a painter paints."""
    first = {"checkpoint": str(painter), "train": True}
    zeros = "training.first_frames=zeros"
    return (f"first_frames={json.dumps(first)}", zeros, "schedule.steps=2", *changes)


@pytest.fixture
def painter(tiny_file, tmp_path):
    """A trained painter of the data of `tiny_file`, with a boundary and dropout of its own."""
    network = {**PAINTERS["resnet"], "norm": "instance", "render_dropout": "fixed"}
    settings = (f"generator={json.dumps(network)}", "labels.boundary=labels", "name=painter")
    alone = ("video_discriminator=null", "schedule.steps=1")
    overrides = (*settings, *alone)
    return train(tiny_file, TrainOptions(overrides=overrides, device="cpu")).folder


def test_clips_start_from_painted_frames(tiny_state, painter, tiny_file, monkeypatch):
    run, state = tiny_state(*fixed(tiny_file, painter))
    seen = []
    forward = type(state.players.generator).forward

    def look(self, window, pasts, *, is_first=False):
        seen.append((pasts[0].detach().clone(), is_first))
        return forward(self, window, pasts, is_first=is_first)

    monkeypatch.setattr(type(state.players.generator), "forward", look)
    painted = []
    begin = Painter.begin
    monkeypatch.setattr(
        Painter, "begin", lambda *a, **k: painted.append(begin(*a, **k)) or painted[-1]
    )
    config = read_config(tiny_file, RunConfig)
    list(take_steps(run, state, config.schedule, end=1))
    past, is_first = seen[0]
    assert not is_first
    assert torch.equal(past, painted[0])
    assert past.shape[1] == state.players.generator.history
    assert past.abs().sum() > 0


def test_it_paints_what_rendering_paints_of_the_same_seed(tiny_state, painter, tiny_file):
    run, _ = tiny_state(*fixed(tiny_file, painter))
    generation = load_generation(painter, torch.device("cpu"))
    clip = run.dataset.evaluation_clip(0, start=0, length=3)
    found = run.painter.begin(collate([clip]), count=2, halvings=1, seed=7)
    generation.generator.reseed(7)
    maps = generation.conditioning(clip.labels[None, :2]).unbind(1)
    with torch.no_grad():
        expected = [halve(output.frame) for output in rollout(generation.generator, maps)]
    torch.testing.assert_close(found, torch.stack(expected, dim=1))


def tensors(folder):
    return load_checkpoint(folder, kind="training").tensors


def test_such_a_run_goes_on_bit_for_bit_and_differs_from_one_from_zeros(tiny_file, painter):
    def start(*changes, first=True):
        settings = fixed(tiny_file, painter, "schedule.constant=1", *changes)
        settings = settings if first else settings[1:]
        return train(tiny_file, TrainOptions(overrides=settings, device="cpu")).folder

    start()
    parts = tensors(start("schedule.steps=4"))
    whole = tensors(start("schedule.steps=4", "name=whole"))
    plain = tensors(start("schedule.steps=4", "name=plain", first=False))
    assert all(torch.equal(parts[name], whole[name]) for name in parts)
    assert any(not torch.equal(parts[name], plain[name]) for name in parts)


def test_a_painter_needs_no_maps_that_the_run_does_not_read(tiny_config, tmp_path, tiny_file):
    wants = {"palette": str(tmp_path / "data" / "palette.yaml"), "boundary": "instances"}
    painter = tiny_checkpoint(tmp_path / "painter", generator=HD, labels=wants, **STILL)
    config = tiny_config(*fixed(tiny_file, painter))
    with pytest.raises(ConfigError, match="trained with instance maps, which this run does not"):
        build_painter(config, palette_for(config), torch.device("cpu"))


def test_a_painter_of_another_palette_is_refused_before_training(tiny_config, tmp_path, tiny_file):
    painter = tiny_checkpoint(tmp_path / "painter", generator=HD, **STILL)
    config = tiny_config(*fixed(tiny_file, painter))
    with pytest.raises(ConfigError, match=r"first_frames\.checkpoint takes a checkpoint of"):
        build_run(config, palette_for(config), torch.device("cpu"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            ("first_frames={checkpoint: a, train: true}", "training.first_frames=real"),
            "training.first_frames is 'real': set it to mixed",
        ),
        (
            ("first_frames={checkpoint: a}", f"generator={json.dumps(HD)}"),
            "still-image generator, which sees none: set first_frames to null",
        ),
    ],
)
def test_a_section_without_use_is_refused(tiny_config, changes, message):
    with pytest.raises(ConfigError, match=message):
        tiny_config(*changes)


def test_a_painter_of_styles_draws_other_ones_for_every_seed(tmp_path):
    painter = tiny_checkpoint(tmp_path / "painter", generator=STYLED, **STILL)
    generation = load_generation(painter, torch.device("cpu"))
    tables = {label: torch.rand(4, 2) * 2 - 1 for label in range(11)}
    styles = generation.styles._replace(tables=tables)
    ids = torch.from_numpy(np.tile(np.arange(24) % 11, (16, 1))).to(torch.uint8)
    clip = Clip(torch.zeros(3, 3, 16, 24), ids.expand(3, -1, -1), None, (), "s", 0, 1)
    own = Painter(generation.generator, generation.conditioning, styles)
    one, again, other = (
        own.begin(collate([clip]), count=2, halvings=0, seed=seed) for seed in (1, 1, 2)
    )
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert torch.equal(one[:, 0], one[:, 1])  # the same styles in both frames
