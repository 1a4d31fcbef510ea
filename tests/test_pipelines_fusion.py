"""Fusion through the engine: several named pictures, training in stages, rendering, counting."""

import json
import shutil
import sys

import cv2
import numpy as np
import pytest
import torch
from tiny_runs import file_names, label_folder, pictures, tiny_checkpoint

from pipelines.cli import app as cli
from pipelines.config.file import read_config
from pipelines.config.run import RunConfig
from pipelines.models.inspect import inspect
from pipelines.train import TrainOptions, train
from vid2vid.checkpoint import load_checkpoint
from vid2vid.errors import ConfigError

BASE = {"kind": "pix2pixhd", "width": 4, "downsamplings": 1, "blocks": 1}
FUSION = {"kind": "fusion", "base": BASE, "passes": [["day"], ["night", "depth_of_day"]]}
CONTROLS = [
    {"kind": "picture", "stream": "night"},
    {"kind": "picture", "stream": "day"},
    {"kind": "picture", "stream": "depth_of_day", "channels": 1},
    {"kind": "edges"},
]
ALONE = ("video_discriminator=null", f"controls={json.dumps(CONTROLS)}", "schedule.steps=2")


@pytest.fixture
def run(tiny_file, tmp_path):
    """Train `tiny_file`, with pictures beside its frames, with a generator and changes."""
    for sequence in (tmp_path / "data" / "train").iterdir():
        for stream in ("day", "night", "depth_of_day"):
            shutil.copytree(sequence / "frames", sequence / stream)

    def start(generator, *changes):
        changes = (*ALONE, f"generator={json.dumps(generator)}", *changes)
        return train(tiny_file, TrainOptions(overrides=changes, device="cpu"))

    return start


def tensors(folder):
    return load_checkpoint(folder, kind="training").tensors


def test_a_fusion_trains_and_renders_from_named_pictures(run, tmp_path, monkeypatch):
    done = run(FUSION, "training.ema=0")
    labels = label_folder(tmp_path / "labels", 2, height=13, width=21)
    for index, path in enumerate(sorted(labels.iterdir())):
        cv2.imwrite(str(path), np.full((13, 21), index, np.uint8))
    streams = {}
    for stream in ("day", "night", "depth_of_day", "frames"):
        streams[stream] = tmp_path / stream
        streams[stream].mkdir()
        for name in file_names(labels):
            rng = np.random.default_rng(len(stream))
            cv2.imwrite(str(streams[stream] / name), rng.integers(0, 255, (13, 21, 3), np.uint8))

    def render(out, **changed):
        words = ["vid2vid", "render", str(labels), str(tmp_path / out), "--device", "cpu"]
        words += ["--checkpoint", str(done.folder)]
        for name, place in (streams | changed).items():
            words += ["--control", f"{name}={place}"]
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert not ended.value.code
        return pictures(tmp_path / out)

    plain = render("out")
    assert plain.shape == (2, 13, 21, 3)
    for name in ("day", "night", "depth_of_day"):  # every named picture matters
        other = streams["frames"] if name != "frames" else streams["day"]
        assert (render(f"other_{name}", **{name: other}) != plain).any()


def test_the_base_begins_from_a_still_run_and_stays_fixed_for_its_share(run):
    coarse = run(BASE, "name=coarse")
    begin = (f"training.init_from={coarse.folder}", "schedule.freeze=0.5", "schedule.steps=4")
    frozen = run(FUSION, "name=frozen", *begin, "schedule.freeze=1")
    thawed = run(FUSION, "name=thawed", *begin)
    before = tensors(coarse.folder)
    names = [name for name in before if name.startswith("generator.network.")]
    assert names
    for done, is_fixed in ((frozen, True), (thawed, False)):
        after = tensors(done.folder)
        ours = [name.replace(".network.", ".network.base.") for name in names]
        same = [
            torch.equal(after[own], before[name]) for own, name in zip(ours, names, strict=True)
        ]
        assert all(same) == is_fixed
    joint = [name for name in after if name.startswith("generator.network.joint.")]
    assert joint
    assert len(joint) + len(names) == sum(name.startswith("generator.") for name in after)


def test_a_fusion_goes_on_bit_for_bit(run):
    constant = "schedule.constant=1"
    run(FUSION, constant)
    parts = tensors(run(FUSION, constant, "schedule.steps=4").folder)
    whole = tensors(run(FUSION, constant, "schedule.steps=4", "name=whole").folder)
    assert parts.keys() == whole.keys()
    assert all(torch.equal(parts[name], whole[name]) for name in parts)


def test_base_and_joint_are_counted_apart(tmp_path):
    controls = [{"kind": "picture"}, {"kind": "edges"}]
    fusion = {**FUSION, "passes": [["pictures"], ["edges"]]}
    found = inspect(tiny_checkpoint(tmp_path / "run", generator=fusion, controls=controls))
    base, joint, total = (
        next(each for each in found.networks if each.name == f"generator, {name}")
        for name in ("base", "joint", "total")
    )
    # Two convolutions 3x3 of 4 channels, of 8 and of 4 channels, biases, and a norm's gains.
    assert joint.parameters == 9 * 4 * (8 + 4) + 4 + 4 + 8
    assert joint.macs == 9 * 4 * (8 + 4) * 16 * 24
    assert base.parameters + joint.parameters == total.parameters
    assert base.macs + joint.macs == total.macs


def test_a_pass_that_names_no_control_is_refused(tiny_file):
    changes = (f"generator={json.dumps(FUSION)}", "controls=[{kind: edges}]")
    with pytest.raises(ConfigError, match=r"controls of the run \(edges\); got 'day': add it"):
        read_config(tiny_file, RunConfig, overrides=changes)
