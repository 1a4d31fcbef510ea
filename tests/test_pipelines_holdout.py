"""Scores on held-out frames: what is compared with what."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from pipelines.build import load_generation
from pipelines.datasets import open_files
from pipelines.holdout import (
    draw_inputs,
    flow_ratio,
    frames_of,
    label_painting,
    mean_frame,
    open_holdout,
    open_holdouts,
    repeat_last,
    score,
    unroll,
)
from pipelines.train import TrainOptions, train
from vid2vid.labels.maps import ids_to_colours

SETTINGS = (
    "generator.width=8",
    "generator.blocks=2",
    "schedule.steps=2",
    "data.height=24",
    "data.width=40",
    "training.precision=float32",
)


@pytest.fixture(scope="module")
def generation(tmp_path_factory: pytest.TempPathFactory):
    settings = (*SETTINGS, f"training.output={tmp_path_factory.mktemp('runs')}")
    trained = train("robot_kitchen", TrainOptions(overrides=settings, device="cpu"))
    return load_generation(trained.folder, torch.device("cpu"))


@pytest.fixture(scope="module")
def holdout(generation):
    return open_holdout(generation)


def test_held_out_frames_are_those_after_the_training_range(holdout):
    assert holdout.real.shape == (13, 3, 24, 40)
    assert holdout.frames.shape[0] == 13 + holdout.history


def test_real_frames_score_as_perfect(holdout):
    scores = score(holdout, holdout.real, start="real")
    assert torch.isinf(scores.psnr).all()
    assert scores.gradient_ratio.allclose(torch.ones(13))


def test_repeating_the_last_frame_repeats_the_one_before_the_held_out_ones(holdout):
    assert torch.equal(repeat_last(holdout)[5], holdout.frames[holdout.history - 1])


def test_label_painting_has_no_more_colours_than_classes(holdout):
    colours = label_painting(holdout).permute(0, 2, 3, 1).reshape(-1, 3).unique(dim=0)
    assert len(colours) <= 14


@pytest.mark.parametrize("start", ["real", "zeros", "one_step"])
def test_every_start_generates_every_held_out_frame(generation, holdout, start):
    frames = frames_of(unroll(generation, holdout, start))
    assert frames.shape == holdout.real.shape


def test_a_start_from_zeros_has_no_warping_error_at_its_first_frame(generation, holdout):
    frames = frames_of(unroll(generation, holdout, "zeros"))
    errors = score(holdout, frames, start="zeros").warping_error
    assert errors[0].isnan()
    assert errors[1:].isfinite().all()


def test_a_flow_of_zero_has_the_ratio_one(generation, holdout):
    outputs = unroll(generation, holdout, "one_step")
    still = [output._replace(flow=torch.zeros_like(output.flow)) for output in outputs]
    assert flow_ratio(holdout, still) == pytest.approx(1)


def test_every_sequence_is_held_out_at_its_own_end(generation, tmp_path):
    clip = Path(generation.config.data.root) / "train" / "ep0"
    for name in ("a", "b"):
        shutil.copytree(clip, tmp_path / "train" / name)
    data = generation.config.data.model_copy(update={"root": str(tmp_path)})
    config = generation.config.model_copy(update={"data": data})
    holdouts = open_holdouts(generation._replace(config=config))
    assert len(holdouts) == 2
    assert torch.equal(holdouts[0].real, open_holdout(generation).real)
    assert torch.equal(holdouts[1].real, holdouts[0].real)


def test_inputs_are_drawn_in_the_colours_of_their_labels(generation, holdout):
    drawn = draw_inputs(generation, holdout)
    assert len(drawn) == len(holdout.real)
    ids = holdout.labels[holdout.history].numpy()
    assert np.array_equal(drawn[0], ids_to_colours(ids, generation.palette))


def test_a_run_that_held_nothing_out_is_refused(generation):
    data = generation.config.data.model_copy(update={"frame_range": None})
    whole = generation._replace(config=generation.config.model_copy(update={"data": data}))
    with pytest.raises(ValueError, match="frame_range must end before the sequence does; got None"):
        open_holdout(whole)


def test_frames_file_of_the_demo_clip_is_small():
    clip = Path(__file__).parent.parent / "configs" / "clips" / "robot_kitchen"
    assert sum(file.stat().st_size for file in clip.rglob("*")) < 3_000_000


def test_a_still_generator_is_scored_on_the_same_frames(tmp_path, holdout):
    kind = "generator={kind: pix2pixhd, width: 4, downsamplings: 1, blocks: 1}"
    settings = (kind, "schedule.steps=1", f"training.output={tmp_path}", *SETTINGS[3:])
    trained = train("robot_kitchen", TrainOptions(overrides=settings, device="cpu"))
    still = load_generation(trained.folder, torch.device("cpu"))
    own = open_holdout(still)
    assert torch.equal(own.real, holdout.real)
    frames = frames_of(unroll(still, own, "real"))
    assert frames.shape == own.real.shape
    assert score(own, frames, start="real").warping_error.isfinite().all()


def test_the_mean_frame_is_that_of_the_training_frames(generation, holdout):
    data = generation.config.data.model_copy(update={"frame_range": None})
    dataset = open_files(generation.config, data, generation.palette)
    mean = dataset.evaluation_clip(0, 0, 56).frames.mean(dim=0)
    assert torch.equal(mean_frame(holdout)[7], mean)


def test_controls_are_scored_without_labels(tmp_path):
    controls = ("labels=null", "controls=[{kind: edges}]", "schedule.steps=1")
    settings = (*SETTINGS, *controls, f"training.output={tmp_path}")
    trained = train("robot_kitchen", TrainOptions(overrides=settings, device="cpu"))
    edges = load_generation(trained.folder, torch.device("cpu"))
    own = open_holdout(edges)
    assert own.conditioning.shape == (1, 13 + own.history, 1, 24, 40)
    frames = frames_of(unroll(edges, own, "one_step"))
    assert score(own, frames, start="one_step").psnr.isfinite().all()
    with pytest.raises(ValueError, match="label painting needs labels; the run has none"):
        label_painting(own)
