"""Held-out frames: which they are, how they are scored, and what is kept of a run for them."""

import json
import logging

import pytest
import torch

from pipelines.build import build_run, build_state, load_generation, palette_for
from pipelines.datasets import build_dataset
from pipelines.train import TrainOptions, train
from pipelines.training.validation import open_validation, validate
from vid2vid.checkpoint import load_checkpoint
from vid2vid.errors import ConfigError
from vid2vid.metrics.image import psnr
from vid2vid.training.trial import generate_trial
from vid2vid.training.validation import Best

CPU = torch.device("cpu")
ALONE = ("image_discriminator=null", "video_discriminator=null")
APART = ("data.frame_range=[0, 5]", "validation={frame_range: [-2, null], every: 2, frames: 3}")
STILL = "generator={kind: pix2pix_unet, width: 4, downsamplings: 2}"
# The tiny generator looks two frames back.
HELD_OUT = ("data.frame_range=[0, 4]", "validation={frame_range: [4, null], every: 2, frames: 3}")


@pytest.fixture
def run(tiny_file):
    def start(*changes, **options):
        changes = (*ALONE, *HELD_OUT, "schedule.clip_length=2", *changes)
        return train(tiny_file, TrainOptions(overrides=changes, device="cpu", **options))

    return start


def opened(tiny_config, *changes):
    config = tiny_config(*ALONE, *changes)
    palette = palette_for(config)
    trained_on = build_dataset(config, palette, device=CPU)
    return open_validation(config, palette, trained_on=trained_on, device=CPU)


def lines(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def scores(folder):
    return {
        line["step"]: line["validation_psnr"] for line in lines(folder) if "validation_psnr" in line
    }


def test_held_out_frames_are_those_of_the_range(tiny_config):
    found = opened(tiny_config, *HELD_OUT)
    # Sequences of 8 and 7 frames, of which the last 4 and 3; two of each are what it starts from.
    assert [(piece.sequence_index, piece.length) for piece in found.pieces] == [(0, 4), (1, 3)]
    clip = found.source.evaluation_clip(0, 0, 1)
    whole = opened(tiny_config, "data.frame_range=[0, 4]", "validation={frame_range: [4, 8]}")
    assert torch.equal(clip.frames, whole.source.evaluation_clip(0, 0, 1).frames)


def test_a_generator_without_a_past_needs_no_frames_to_start_from(tiny_config):
    found = opened(tiny_config, STILL, *APART)
    assert [piece.length for piece in found.pieces] == [2, 2]


def test_sequences_are_spread_over_all_that_are_long_enough(tiny_config):
    one = opened(tiny_config, STILL, *APART, "validation.sequences=1")
    assert [piece.sequence_index for piece in one.pieces] == [0]


def test_without_validation_nothing_is_opened(tiny_config):
    assert opened(tiny_config) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["validation={}"], "not trained on; 8 of 8 of sequence 'one'"),
        (["validation={split: train}"], "not trained on; 8 of 8 of sequence 'one'"),
        (
            ["data.frame_range=[0, 6]", "validation={frame_range: [-3, null]}"],
            "1 of 3 of sequence 'one' are: set data.frame_range and",
        ),
        (
            ["data.frame_range=[0, 6]", "validation={frame_range: [6, null]}"],
            "a sequence of more than 2 frames, which it starts from; the longest of 2 has 2",
        ),
        (["data.height=8", "validation={split: val}"], r"at least 11 pixels .* 8x16"),
    ],
)
def test_what_cannot_be_validated_is_said(tiny_config, changes, said):
    with pytest.raises(ConfigError, match=said):
        opened(tiny_config, *changes)


def test_another_split_of_the_same_files_is_known_by_the_files(tiny_config):
    streams = "{frames: 'train/{sequence}/frames', labels: 'train/{sequence}/labels'}"
    with pytest.raises(ConfigError, match="not trained on; 8 of 8 of sequence 'one'"):
        opened(tiny_config, f"data.layout={streams}", "validation={split: other}")


WORLD = (
    "data={kind: world, height: 16, width: 24, worlds: 3, first_seed: 5, num_frames: 4}",
    "labels={palette: cityscapes}",
)


def test_streets_are_held_out_by_their_seeds(tiny_config):
    found = opened(tiny_config, *WORLD, "validation={sequences: 2, frames: 1}")
    assert [piece.length for piece in found.pieces] == [3, 3]
    names = [found.source.evaluation_clip(index, 0, 1).name for index in (0, 1)]
    assert names == ["world_000008", "world_000009"]  # 5, 6 and 7 are trained on
    with pytest.raises(ConfigError, match="are held out by their seeds: leave both out"):
        opened(tiny_config, *WORLD, "validation={split: val}")


def test_scores_are_means_over_all_generated_frames(tiny_config):
    config = tiny_config(*ALONE, *HELD_OUT)
    palette = palette_for(config)
    run, state = build_run(config, palette, CPU), build_state(config, palette, CPU)
    found = open_validation(config, palette, trained_on=run.dataset, device=CPU)
    values = []
    for piece in found.pieces:
        clip = found.source.evaluation_clip(piece.sequence_index, 0, piece.length)
        trial = generate_trial(clip, run, state.average, scales=1)
        frames = torch.cat([output.frame for output in trial.outputs])
        assert torch.equal(trial.real, clip.frames[2:])
        values += psnr(frames, clip.frames[2:]).tolist()
    assert len(values) == 3  # not the mean of the means of 2 and of 1
    scored = validate(found, run, state.average, scales=1)
    assert scored.psnr == pytest.approx(sum(values) / 3)


def test_a_trial_from_zeros_generates_every_frame(tiny_config):
    config = tiny_config(*ALONE, "training.first_frames=zeros")
    palette = palette_for(config)
    run, state = build_run(config, palette, CPU), build_state(config, palette, CPU)
    trial = generate_trial(run.dataset.evaluation_clip(0, 0, 4), run, state.average, scales=1)
    assert len(trial.outputs) == len(trial.real) == 4


def test_scores_are_logged_and_the_best_checkpoint_is_kept(run):
    result = run("schedule.steps=5", "training.log_every=4", "optimizer.learning_rate=0.01")
    assert [line["step"] for line in lines(result.folder)] == [2, 4, 5]
    found = scores(result.folder)
    assert list(found) == [2, 4, 5]
    assert all("validation_ssim" in line for line in lines(result.folder))
    best = load_checkpoint(result.folder / "best.safetensors", kind="generator")
    assert best.metadata["step"] == max(found, key=lambda step: found[step])
    assert load_generation(result.folder / "best.safetensors", CPU).step in found


def test_the_best_stays_when_the_run_gets_worse(run):
    first = run("schedule.steps=2", "training.ema=0")
    best = (first.folder / "best.safetensors").read_bytes()
    # A step of this size undoes whatever was learnt.
    run("schedule.steps=4", "training.ema=0", "optimizer.learning_rate=10.0")
    found = scores(first.folder)
    assert found[4] < found[2]
    assert (first.folder / "best.safetensors").read_bytes() == best


def test_a_run_that_goes_on_knows_its_best(run, tmp_path):
    # The course does not depend on its length, so that a lengthened run is one that went on.
    changes = ("schedule.constant=1", "schedule.clip_growth=0")
    whole = run("schedule.steps=6", *changes)
    for steps in (4, 6):
        parts = (f"training.output={tmp_path / 'parts'}", f"schedule.steps={steps}")
        halves = run(*changes, *parts)
    assert scores(halves.folder) == scores(whole.folder)
    for name in ("best", "model"):
        ours, theirs = (
            load_checkpoint(folder / f"{name}.safetensors", kind="generator")
            for folder in (halves.folder, whole.folder)
        )
        assert ours.metadata["step"] == theirs.metadata["step"]
        assert all(torch.equal(ours.tensors[key], theirs.tensors[key]) for key in ours.tensors)


def test_validation_does_not_change_what_is_learnt(run, tmp_path):
    with_scores = run("schedule.steps=4")
    without = run("schedule.steps=4", "validation=null", f"training.output={tmp_path / 'without'}")
    ours, theirs = (
        load_checkpoint(each.folder, kind="training").tensors for each in (with_scores, without)
    )
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)
    assert not (without.folder / "best.safetensors").exists()


def test_another_criterion_begins_to_compare_anew(run, caplog):
    first = run("schedule.steps=2")
    assert load_checkpoint(first.folder, kind="training").metadata["best"][0] == 2
    with caplog.at_level(logging.INFO):
        run("schedule.steps=4", "validation.best_by=ssim")
    best = load_checkpoint(first.folder, kind="training").metadata["best"]
    assert best[0] == 4  # whatever it scored
    assert best[2] <= 1  # SSIM, not dB


@pytest.mark.parametrize(
    ("ours", "theirs", "wins"),
    [
        (Best(2, 1, 20.0), None, True),
        (Best(2, 1, 20.0), Best(1, 1, 19.0), True),
        (Best(2, 1, 20.0), Best(1, 1, 20.0), False),
        (Best(2, 2, 18.0), Best(1, 1, 20.0), True),
        (Best(2, 1, float("nan")), Best(1, 1, 20.0), False),
    ],
)
def test_more_scales_win_and_then_the_higher_score(ours, theirs, wins):
    assert ours.beats(theirs) is wins


def test_curves_and_previews_reach_tensorboard(run):
    pytest.importorskip("tensorboard")
    result = run("schedule.steps=2", "training.tensorboard=true", "training.preview_every=2")
    names = [path.name for path in (result.folder / "tensorboard").iterdir()]
    assert any(name.startswith("events.out.tfevents") for name in names)
