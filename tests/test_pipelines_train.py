import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import cv2
import pytest
import torch

from pipelines.build import load_generation, palette_for
from pipelines.config.file import read_config
from pipelines.config.run import RunConfig
from pipelines.train import TrainOptions, _stop_requests, train
from pipelines.training.beginning import initialise_from
from vid2vid.checkpoint import load_checkpoint, save_checkpoint
from vid2vid.errors import CheckpointError, ConfigError, DataError

ROOT = Path(__file__).parent.parent
ALONE = ("image_discriminator=null", "video_discriminator=null")


@pytest.fixture
def run(tiny_file):
    """Train `tiny_file` with changes as on the command line."""

    def start(*changes, **options):
        return train(tiny_file, TrainOptions(overrides=changes, device="cpu", **options))

    return start


def steps_logged(folder):
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["step"] for line in lines]


def tensors(folder):
    return load_checkpoint(folder, kind="training").tensors


def assert_equal_bits(folder, other):
    ours, theirs = tensors(folder), tensors(other)
    assert ours.keys() == theirs.keys()
    assert [key for key in ours if not torch.equal(ours[key], theirs[key])] == []


def wait_for_lines(folder, count):
    """Wait until so many steps are logged."""
    log = folder / "metrics.jsonl"
    while not (log.is_file() and log.read_text().count("\n") >= count):
        time.sleep(0.002)


def signal_at(number, folder=None, *, lines=0):
    """Send this process a signal once the run listens, and so many steps are logged."""
    before = signal.getsignal(number)

    def wait():
        while signal.getsignal(number) is before:
            time.sleep(0.002)
        if lines:
            wait_for_lines(folder, lines)
        os.kill(os.getpid(), number)

    threading.Thread(target=wait, daemon=True).start()


# One run


def test_a_run_leaves_checkpoints_configuration_metrics_and_previews(run, tiny_config):
    result = run("training.preview_every=2")
    assert (result.step, result.total_steps) == (4, 4)
    assert sorted(path.name for path in result.folder.iterdir()) == [
        "config.yaml",
        "metrics.jsonl",
        "model.safetensors",
        "previews",
        "state.safetensors",
    ]
    assert steps_logged(result.folder) == [1, 2, 3, 4]
    previews = sorted(path.name for path in (result.folder / "previews").iterdir())
    assert previews == ["000002.png", "000004.png"]
    written = read_config(result.folder / "config.yaml", RunConfig)
    assert written == tiny_config("training.preview_every=2")


def test_the_log_names_every_term(run):
    result = run()
    line = json.loads((result.folder / "metrics.jsonl").read_text().splitlines()[0])
    assert {"pixel", "flow", "warp", "generated_warp", "image_gan", "video_0_gan"} <= line.keys()
    assert line["learning_rate"] == 2e-4


@pytest.mark.parametrize(
    "changes",
    [
        ("generator.flow=false",),
        ("generator.refiners=1", "schedule.refine_at=[0.5]", "schedule.freeze=0.25"),
        ("training.first_frames=zeros", "losses.occlusion=1"),
        ("training.first_frames=real", "losses.adversarial=hinge"),
        ("labels.void=true", "labels.boundary=labels", "labels.foreground=[1]"),
        ("data.workers=1",),
        ("data.height=13", "data.width=15"),
        (*ALONE, "reference_flow.check=photometric"),
        ("training.checkpoint_activations=true", "generator.spectral=true"),
        (
            "region_discriminator={width: 4, layers: 1, scales: 1, size: 16, "
            "regions: {labels: [1], smallest: 4}}",
        ),
    ],
    ids=str,
)
def test_every_kind_of_run_trains_and_renders(run, changes):
    result = run("schedule.steps=2", *changes)
    assert result.step == 2
    assert load_generation(result.folder, torch.device("cpu")).step == 2


def test_previews_are_of_a_sequence_that_is_long_enough(run, tmp_path):
    folder = tmp_path / "data" / "train" / "one"
    for stream in ("frames", "labels"):
        for index in range(2, 8):
            (folder / stream / f"{index:03d}.png").unlink()
    changes = ("data.stride=[2, 2]", "schedule.clip_length=1", "schedule.clip_length_max=1")
    result = run("schedule.steps=1", *changes, "video_discriminator=null")
    picture = cv2.imread(str(result.folder / "previews" / "000001.png"))
    assert picture.shape == (18 + 2 * 16, 6 * 16, 3)


def test_boxes_of_objects_are_found_in_training_clips(run):
    regions = "{width: 4, layers: 1, scales: 1, size: 16, regions: {labels: [1], smallest: 4}}"
    result = run(f"region_discriminator={regions}", "schedule.steps=1")
    line = json.loads((result.folder / "metrics.jsonl").read_text())
    assert line["region_boxes"] == 1  # there is one square
    assert line["region_gan"] > 0
    assert any(key.startswith("region_discriminator.patches") for key in tensors(result.folder))


# Going on


def test_the_same_command_after_the_end_does_nothing(run, caplog):
    first = run()
    before = (first.folder / "state.safetensors").read_bytes()
    with caplog.at_level(logging.INFO):
        again = run()
    assert again == first
    assert "already at step 4 of 4: nothing to do" in caplog.text
    assert (first.folder / "state.safetensors").read_bytes() == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_run_goes_on_to_the_same_bits(run, tmp_path, number):
    folder = tmp_path / "runs" / "tiny"
    signal_at(number, folder, lines=2)
    with pytest.raises(KeyboardInterrupt, match=r"stopped at step \d+ of 12; everything is in"):
        run("schedule.steps=12")
    stopped = load_checkpoint(folder, kind="training").metadata["step"]
    assert 2 <= stopped < 12
    assert load_checkpoint(folder, kind="generator").metadata["step"] == stopped
    assert run("schedule.steps=12").step == 12
    assert steps_logged(folder) == list(range(1, 13))
    whole = run("schedule.steps=12", f"training.output={tmp_path / 'whole'}")
    assert_equal_bits(folder, whole.folder)


def test_a_stopped_run_logs_its_last_steps_too(run, tmp_path):
    signal_at(signal.SIGTERM, tmp_path / "runs" / "tiny", lines=1)
    with pytest.raises(KeyboardInterrupt) as stopped:
        run("schedule.steps=14", "training.log_every=5")
    step = int(re.findall(r"stopped at step (\d+)", str(stopped.value))[0])
    assert steps_logged(tmp_path / "runs" / "tiny")[-1] == step


def kill_at(tiny_file, options, *, lines):
    """Train in a process of its own, and kill it once so many steps are logged."""
    program = f"from pipelines.train import *; train({str(tiny_file)!r}, {options})"
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, env=environment) as process:
        wait_for_lines(tiny_file.parent / "runs" / "tiny", lines)
        process.kill()


def test_a_killed_run_goes_on_to_the_same_bits(run, tiny_file, tmp_path):
    folder, changes = tmp_path / "runs" / "tiny", ("schedule.steps=9",)
    options = TrainOptions([*changes, "training.checkpoint_every=2"], device="cpu")
    kill_at(tiny_file, options, lines=5)
    assert load_checkpoint(folder, kind="training").metadata["step"] in {4, 6, 8}
    run(*changes)
    assert steps_logged(folder) == list(range(1, 10))
    whole = run(*changes, f"training.output={tmp_path / 'whole'}")
    assert_equal_bits(folder, whole.folder)


def test_minutes_become_steps_once_and_a_killed_run_goes_on_to_the_same_bits(
    run, tiny_file, tmp_path
):
    folder = tmp_path / "runs" / "tiny"
    changes = (*ALONE, "schedule.constant=1", "schedule.clip_growth=0")
    kill_at(tiny_file, TrainOptions(changes, minutes=0.03, device="cpu"), lines=12)
    saved = load_checkpoint(folder, kind="training").metadata
    assert saved["step"] == 11
    assert saved["total_steps"] > 11
    result = run(*changes, minutes=5.0)  # what was fixed holds
    assert result.step == result.total_steps == saved["total_steps"]
    steps = f"schedule.steps={saved['total_steps']}"
    whole = run(*changes, steps, f"training.output={tmp_path / 'whole'}")
    assert_equal_bits(folder, whole.folder)


def test_a_run_keeps_the_length_that_a_command_gave_it(run, tiny_file):
    assert run(*ALONE, "schedule.steps=5").total_steps == 5
    assert run(*ALONE).total_steps == 5  # the file says 4
    assert run(*ALONE, "schedule.steps=6").step == 6
    tiny_file.write_text(tiny_file.read_text().replace("steps: 4", "steps: 7"))
    assert run(*ALONE).step == 7


def test_the_steps_of_the_file_lengthen_a_run_of_minutes_when_they_are_asked_for(run):
    fixed = run(*ALONE, minutes=0.001).total_steps
    assert run(*ALONE, "schedule.steps=20").total_steps == 20 != fixed
    assert run(*ALONE, minutes=0.001).total_steps == 20


def test_minutes_are_about_kept(run):
    began = time.monotonic()
    result = run(*ALONE, minutes=0.02)
    assert result.total_steps > 11
    assert time.monotonic() - began < 0.02 * 60 * 5


def test_a_run_that_is_stopped_while_it_measures_is_saved_and_goes_on(run, tmp_path):
    signal_at(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt, match="the number of steps not yet fixed"):
        run(minutes=1.0)
    assert (tmp_path / "runs" / "tiny" / "state.safetensors").exists()
    result = run(minutes=0.02)
    assert result.step == result.total_steps > 11


def test_a_second_signal_stops_at_once_and_handlers_are_put_back():
    before = signal.getsignal(signal.SIGTERM)
    with _stop_requests() as stop:
        signal.raise_signal(signal.SIGTERM)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_run_in_a_thread_leaves_signals_alone(run):
    results = []
    thread = threading.Thread(target=lambda: results.append(run("schedule.steps=1")))
    thread.start()
    thread.join()
    assert results[0].step == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("generator.width=8", r"generator.width 4 -> 8"),
        ("training.seed=5", r"training.seed 0 -> 5"),
        ("image_discriminator=null", r"image_discriminator \{.*\} -> None"),
        ("data.flip=true", r"data.flip False -> True"),
        ("optimizer.betas=[0.9, 0.999]", r"optimizer.betas \[0.5, 0.999\] -> \[0.9, 0.999\]"),
    ],
)
def test_changed_settings_are_refused_by_name(run, change, said):
    run("schedule.steps=1")
    with pytest.raises(ConfigError, match=rf"other settings \({said}\): set them back .*name=NAME"):
        run("schedule.steps=1", change)


def test_settings_that_do_not_change_the_run_may_change(run):
    first = run("schedule.steps=1")
    free = ("data.cache_mb=1", "training.log_every=2", "training.preview_frames=1")
    assert run("schedule.steps=1", *free).step == first.step


def test_what_a_message_advises_against_divergence_can_be_done(run):
    run("schedule.steps=1")
    advice = ("optimizer.learning_rate=1.0e-5", "optimizer.clip_norm=1.0")
    result = run("schedule.steps=2", *advice)
    line = json.loads((result.folder / "metrics.jsonl").read_text().splitlines()[-1])
    assert line["step"] == 2
    assert line["learning_rate"] == 1e-5


def test_a_run_can_be_lengthened(run, caplog):
    run("schedule.steps=1")
    with caplog.at_level(logging.INFO):
        result = run("schedule.steps=3")
    assert (result.step, result.total_steps) == (3, 3)
    assert "the run is now 3 steps long, it was 1" in caplog.text


# Stage after stage

COARSE = (
    "name=coarse",
    "schedule.steps=2",
    "generator.width=8",
    "image_discriminator.width=8",
    "video_discriminator.width=8",
)
FINE = (
    "name=fine",
    "schedule.steps=2",
    "generator.width=8",
    "generator.refiners=1",
    "image_discriminator={width: 4, layers: 1, scales: 2}",
    "video_discriminator={width: 4, layers: 1, scales: 2, temporal_scales: 1}",
    "data.height=32",
    "data.width=32",
)


def begin(source, state, config):
    initialise_from(source, state, config, palette=palette_for(config))


def test_a_refiner_begins_on_what_the_coarse_stage_learnt(run, tiny_state, tiny_config):
    coarse = run(*COARSE)
    _, state = tiny_state(*FINE)
    fresh = state.players.generator.refiners[0].state_dict()
    fresh = {key: value.clone() for key, value in fresh.items()}
    begin(coarse.folder, state, tiny_config(*FINE))
    saved, generator = tensors(coarse.folder), state.players.generator
    for network in (generator, state.average):
        for key, value in network.coarse.state_dict().items():
            assert torch.equal(value, saved[f"generator.coarse.{key}"])
        for key, value in network.refiners[0].state_dict().items():
            assert torch.equal(value, fresh[key])
    # The coarsest patch network keeps its absolute resolution; the finest is new.
    patch = state.players.image_discriminator.patches[0].state_dict()
    assert all(
        torch.equal(value, saved[f"image_discriminator.patches.0.{key}"])
        for key, value in patch.items()
    )


def test_the_finer_stage_trains_and_goes_on(run):
    coarse = run(*COARSE)
    changes = (*FINE, f"training.init_from={coarse.folder}", "schedule.freeze=0.5")
    fine = run(*changes)
    ours, theirs = tensors(fine.folder), tensors(coarse.folder)
    moved = [
        k for k in theirs if k.startswith("generator.") and not torch.equal(ours[k], theirs[k])
    ]
    assert moved
    assert run(*changes, "schedule.steps=3").step == 3


def test_a_stage_of_other_widths_is_refused(run, tiny_state, tiny_config):
    coarse = run(*COARSE)
    changes = (*FINE, "generator.width=16")
    _, state = tiny_state(*changes)
    with pytest.raises(
        CheckpointError, match=r"must be \(.*\) to begin this run; it is \(.*other widths"
    ):
        begin(coarse.folder, state, tiny_config(*changes))


def test_a_stage_without_anything_that_fits_is_refused(tiny_state, tiny_config, tmp_path):
    _, state = tiny_state()
    config = tiny_config()
    said = {"config": config.model_dump(mode="json"), "palette": None}
    metadata = {"kind": "training", **said}
    save_checkpoint(tmp_path / "state.safetensors", {"a": torch.ones(1)}, metadata)
    with pytest.raises(CheckpointError, match="nothing in it fits"):
        begin(tmp_path, state, config)


def test_a_generator_of_another_kind_is_refused(run, tiny_state, tiny_config):
    other = run(*COARSE)
    changes = ("generator={kind: pix2pixhd, width: 4, downsamplings: 1, blocks: 1}",)
    _, state = tiny_state(*changes)
    with pytest.raises(CheckpointError, match="must hold a generator of this kind"):
        begin(other.folder, state, tiny_config(*changes))


def test_what_is_taken_and_what_begins_fresh_is_said(run, tiny_state, tiny_config, caplog):
    coarse = run(*COARSE)
    _, state = tiny_state(*FINE)
    with caplog.at_level("INFO"):
        begin(coarse.folder, state, tiny_config(*FINE))
    assert "(fresh: refiners.0)" in caplog.text
    assert "video_discriminator_0 8 of 16 tensors (fresh: patches.1)" in caplog.text


def test_a_run_that_goes_on_does_not_begin_again(run, tmp_path):
    coarse = run(*COARSE)
    changes = ("name=next", *COARSE[1:])
    begun = run(*changes, f"training.init_from={coarse.folder}")
    before = tensors(begun.folder)
    gone = f"training.init_from={tmp_path / 'gone'}"  # is not even looked for
    assert run(*changes, gone).step == 2
    after = tensors(begun.folder)
    assert all(torch.equal(after[key], before[key]) for key in before)


def test_a_stage_that_is_not_there_is_named(run, tmp_path):
    with pytest.raises(CheckpointError, match=r"there is no .*nowhere"):
        run(f"training.init_from={tmp_path / 'nowhere'}")


# What the user can mend


def test_data_that_is_not_there_is_asked_for_and_leaves_no_folder(run, tmp_path):
    with pytest.raises(ConfigError, match=r"there is no /nowhere\. get it, or point to it"):
        run("data.root=/nowhere", "fetch=get it")
    assert not (tmp_path / "runs").exists()


def test_an_output_that_is_no_folder_is_named(run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"training.output must be a folder .*file/tiny: .*: set"):
        run(f"training.output={tmp_path / 'file'}")


def test_clips_longer_than_the_data_are_refused_before_the_first_step(run, tmp_path):
    with pytest.raises(DataError, match="lower the clip length or add longer sequences"):
        run("schedule.clip_length=7", "schedule.clip_length_max=7")
    assert not (tmp_path / "runs").exists()


def test_clips_grow_to_what_the_data_has_and_this_is_said(run, caplog):
    with caplog.at_level(logging.INFO):
        run("schedule.clip_length_max=28", "schedule.clip_growth=0.25", *ALONE)
    assert "clips grow to 6 frames, not 28: the longest sequence has 8" in caplog.text


def test_minutes_do_not_lengthen_a_run_that_has_its_steps_and_it_says_so(run, caplog):
    caplog.set_level("INFO")
    run("schedule.steps=2")
    assert run("schedule.steps=2", minutes=1.0).step == 2
    assert "--minutes is not used: the run has 2 steps" in caplog.text


def test_data_too_short_for_a_video_discriminator_is_refused(run):
    changes = ("video_discriminator.temporal_scales=2", "schedule.clip_length_max=28")
    with pytest.raises(ConfigError, match="must have clips of 7 generated frames; the data allows"):
        run(*changes)
