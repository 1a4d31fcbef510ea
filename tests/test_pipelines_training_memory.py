"""The estimate of a step's memory against formulas, and against what a step really takes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_runs import tiny_config

from pipelines.build import build_players, palette_for
from pipelines.config.file import dump_config
from pipelines.models.inspect import inspect
from pipelines.training.dry_run import describe_dry_run, dry_run
from pipelines.training.memory import estimate_memory
from vid2vid.networks.cost import count_parameters
from vid2vid.networks.features import VggFeatures

ROOT = Path(__file__).parent.parent

TOOL = ROOT / "tools" / "training_memory.py"


def estimated(**sections):
    config = tiny_config(**sections)
    return estimate_memory(config, palette_for(config))


def test_weights_gradients_moments_and_average_are_counted():
    config = tiny_config()
    found = estimated()
    players = build_players(config, palette_for(config))
    weights = 4 * sum(count_parameters(network) for _, network in players.trained())
    assert (found.parameters, found.gradients, found.optimiser) == (weights, weights, 2 * weights)
    assert found.average == 4 * count_parameters(players.generator)
    assert found.perceptual == 0
    parts = (weights * 4, found.average, found.clip, found.activations)
    assert found.total == sum(parts)


def test_the_clip_is_the_longest_of_the_run():
    # 2 + 8 frames: 11 classes, RGB, the flow with its confidence to the one before, and a byte of
    # the label map.
    schedule = {"steps": 9, "clip_length": 4, "clip_length_max": 8}
    clip = estimated(schedule=schedule, video_discriminator=None).clip
    assert clip == 4 * 16 * 24 * (10 * (11 + 3) + 9 * 3) + 16 * 24 * 10
    assert (
        estimated(schedule=schedule, training={"batch_size": 2}, video_discriminator=None).clip
        == 2 * clip
    )


def test_the_feature_network_needs_no_file():
    found = estimated(losses={"perceptual": 10.0, "vgg_weights": "/nowhere/vgg19.pth"})
    assert found.perceptual == 4 * (count_parameters(VggFeatures()) + 6)


def test_more_frames_of_backpropagation_take_more_and_recomputing_takes_less():
    plain, longer, frugal = (
        estimated(
            video_discriminator=None,
            image_discriminator=None,
            schedule={"steps": 9, "backprop_frames": frames},
            training={"checkpoint_activations": recompute},
        ).activations
        for frames, recompute in ((2, False), (4, False), (4, True))
    )
    assert 1.7 * plain < longer < 2.1 * plain
    assert frugal < 0.7 * longer


def test_accumulation_takes_the_activations_of_one_part():
    batch = {"batch_size": 2, "precision": "bfloat16"}
    alone = {"image_discriminator": None, "video_discriminator": None}
    whole = estimated(training=batch, **alone)
    parts = estimated(training={**batch, "accumulation": 2}, **alone)
    assert parts.clip == whole.clip
    assert parts.activations < 0.6 * whole.activations


@pytest.mark.parametrize(
    "sections",
    [
        {"generator": {"kind": "pix2pixhd", "width": 4, "features": 3, "pooling": "labels"}},
        {"generator": {"kind": "pix2pix_unet", "width": 4, "downsamplings": 3}},
        {"labels": None, "controls": [{"kind": "edges"}, {"kind": "grey"}]},
        {"data": {"kind": "world", "height": 16, "width": 24}, "labels": {"palette": "cityscapes"}},
    ],
    ids=str,
)
def test_every_kind_of_run_can_be_estimated(sections):
    assert estimated(**sections).activations > 0


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("recompute", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_the_estimate_is_what_a_step_takes_on_the_cpu(tmp_path, recompute):
    config = tiny_config(
        data={"root": "nowhere", "height": 128, "width": 192},  # little beside it is the libraries'
        generator={"width": 16, "downsamplings": 2, "blocks": 2},
        image_discriminator={"width": 16, "layers": 2, "scales": 1},
        video_discriminator=None,
        schedule={"clip_length": 4, "clip_length_max": 4, "backprop_frames": 4},
        training={"checkpoint_activations": recompute},
    )
    (tmp_path / "run.yaml").write_text(dump_config(config))
    done = subprocess.run(
        [sys.executable, TOOL, tmp_path / "run.yaml", "--json"],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert found["estimated"] == pytest.approx(found["measured"], rel=0.1)
    assert found["measured"] > 20e6


def test_inspection_and_dry_run_say_it(tmp_path):
    assert inspect("smoke").memory is not None
    plan = dry_run("smoke")
    assert plan.to_json()["memory"]["total"] == plan.inspection.memory.total
    assert "# a training step takes about" in describe_dry_run(plan)
