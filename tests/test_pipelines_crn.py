"""Cascaded refinement through the engine: calibration, stages, and several pictures."""

import json
import logging

import pytest
import torch
from pydantic import ValidationError
from tiny_runs import tiny_checkpoint, tiny_config

from pipelines.build import build_generator, build_state, palette_for
from pipelines.models.inspect import inspect
from pipelines.train import TrainOptions, train
from pipelines.training.beginning import initialise_from
from pipelines.training.memory import estimate_memory
from vid2vid.checkpoint import load_checkpoint
from vid2vid.networks.cost import count_parameters
from vid2vid.training.likeness import CALIBRATED_TERMS

ALONE = ("image_discriminator=null", "video_discriminator=null")
SINGLE = ("schedule.clip_length=1", "schedule.clip_length_max=1", "training.log_every=1")
CALIBRATED = (
    "losses.perceptual=1",
    "losses.perceptual_network=segmenter",
    "losses.perceptual_balance=calibrated",
)


def crn(height=8, **changes):
    return {"kind": "crn", "height": height, "width": 4, **changes}


@pytest.fixture
def run(tiny_file):
    """Train `tiny_file` with a cascade and changes."""

    def start(generator, *changes):
        settings = (f"generator={json.dumps(generator)}", "schedule.steps=4", *ALONE, *SINGLE)
        return train(tiny_file, TrainOptions(overrides=(*settings, *changes), device="cpu"))

    return start


def tensors(trained):
    """List the weights of the generator that is trained."""
    saved = load_checkpoint(trained.folder, kind="training").tensors
    return {key: value for key, value in saved.items() if key.startswith("generator.")}


def differing(first, second):
    assert first.keys() == second.keys()
    return {name for name in first if not torch.equal(first[name], second[name])}


def lines(trained):
    text = (trained.folder / "metrics.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_divisors_are_the_means_of_the_steps_before_and_logged(run, caplog):
    with caplog.at_level(logging.INFO):
        logged = lines(run(crn(outputs=2), *CALIBRATED, "losses.calibrate_at=0.75"))
    assert [step for step, line in enumerate(logged) if "perceptual_5_divisor" in line] == [3]
    for name in CALIBRATED_TERMS:
        mean = sum(line[name] for line in logged[:3]) / 3
        assert logged[3][f"{name}_divisor"] == pytest.approx(mean)
    assert "from step 4 on terms are divided by their means: perceptual_pixels" in caplog.text


def test_calibration_weighs_the_steps_after_it(run):
    early, never = (
        run(crn(), *CALIBRATED, f"losses.calibrate_at={share}", f"name=at{share}")
        for share in (0.5, 1.0)
    )
    assert differing(tensors(early), tensors(never))
    first, second = lines(early), lines(never)
    assert [line["perceptual_5"] for line in first[:2]] == [
        line["perceptual_5"] for line in second[:2]
    ]
    # Divided by its own mean, a gradient of features of about 0.1 grows about tenfold.
    assert first[2]["generator_gradient"] > 2 * second[2]["generator_gradient"]


def test_a_cascade_grows_and_keeps_its_coarser_modules(run, caplog):
    small = run(crn(outputs=3), "losses.pixel=1", "name=small")
    frozen = ("schedule.freeze=1", "schedule.freeze_except=1", "training.ema=0")
    with caplog.at_level(logging.INFO):
        large = run(crn(16), "name=large", f"training.init_from={small.folder}", *frozen)
    assert "other pictures than this run's: network.cascade.1.head" in caplog.text
    ours, theirs = tensors(large), tensors(small)
    kept = [key for key in theirs if "head" not in key]
    assert len(kept) == 2 * 6
    assert all(torch.equal(ours[key], theirs[key]) for key in kept)


def test_all_but_the_finest_modules_stay_fixed_as_long_as_asked(run):
    start = tensors(run(crn(32), "name=start", "optimizer.learning_rate=1.0e-30"))
    for share, fixed in (("1", {"0", "1"}), ("0.5", set())):
        frozen = ("schedule.freeze_except=2", f"schedule.freeze={share}", f"name=to{share}")
        ends = tensors(run(crn(32), "optimizer.learning_rate=0.01", *frozen))
        moved = {key for key in ends if (ends[key] - start[key]).abs().max() > 1e-6}
        assert {"0", "1", "2", "3"} - {key.split(".")[3] for key in moved} == fixed


def test_a_head_of_another_number_of_pictures_is_drawn_anew_and_said(run, caplog):
    nine = run(crn(outputs=9), "name=nine")
    with caplog.at_level(logging.INFO):
        begin = (f"training.init_from={nine.folder}", "optimizer.learning_rate=1.0e-30")
        one = run(crn(), "name=one", *begin)
    assert "other pictures than this run's: network.cascade.1.head" in caplog.text
    ours, theirs = tensors(one), tensors(nine)
    assert {key for key in ours if ours[key].shape != theirs[key].shape} == {
        "generator.network.cascade.1.head.conv.bias",
        "generator.network.cascade.1.head.conv.weight",
    }
    assert all(torch.equal(ours[key], theirs[key]) for key in ours if "head" not in key)


def test_weights_of_a_class_are_found_behind_the_features(tmp_path):
    palettes = {}
    for name, classes in (("there", ["road", "car", "tree"]), ("here", ["sky", "car", "road"])):
        listed = ", ".join(
            f"{{id: {index}, name: {each}, colour: [{index}, 0, 0]}}"
            for index, each in enumerate(classes)
        )
        palettes[name] = tmp_path / f"{name}.yaml"
        palettes[name].write_text(f"{{name: {name}, classes: [{listed}]}}")
    alone = {"image_discriminator": None, "video_discriminator": None, "generator": crn()}
    source = tiny_checkpoint(tmp_path / "run", labels={"palette": str(palettes["there"])}, **alone)
    config = tiny_config(labels={"palette": str(palettes["here"])}, training={"seed": 5}, **alone)
    palette = palette_for(config)
    state = build_state(config, palette, torch.device("cpu"))
    key = "network.cascade.1.body.0.weight"
    fresh = state.players.generator.state_dict()[key].clone()
    initialise_from(source, state, config, palette=palette)
    ours = state.players.generator.state_dict()[key]
    theirs = load_checkpoint(source, kind="generator").tensors[key]
    assert ours.shape[1] == 4 + 3
    for channel, origin in {0: 0, 3: 3, 5: 5, 6: 4}.items():  # features, then car and road
        assert torch.equal(ours[:, channel], theirs[:, origin])
    assert torch.equal(ours[:, 4], fresh[:, 4])  # sky


def test_frozen_modules_take_no_gradient_no_moments_and_fewer_activations():
    alone = {"image_discriminator": None, "video_discriminator": None, "generator": crn(16)}
    single = {"steps": 9, "clip_length": 1, "clip_length_max": 1}
    config = tiny_config(schedule={**single, "freeze": 1.0}, **alone)
    whole, frozen = (
        estimate_memory(each, palette_for(each))
        for each in (tiny_config(schedule=single, **alone), config)
    )
    finest = build_generator(config, palette_for(config)).stages[-1]
    assert frozen.gradients == 4 * count_parameters(finest)
    assert frozen.parameters == whole.parameters
    assert frozen.activations < whole.activations


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"generator": crn(outputs=2), "losses": {"pixel": 0}}, "generator.outputs above 1 learn"),
        (
            {"generator": crn(), "schedule": {"freeze": 0.5, "freeze_except": 2}},
            "schedule.freeze_except must be at most 1",
        ),
        (
            {"generator": {"kind": "full_resolution"}, "schedule": {"freeze": 0.5}},
            "the generator has none",
        ),
    ],
    ids=["variants", "freeze_except", "no modules"],
)
def test_what_would_do_nothing_is_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        tiny_config(**changes)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("crn_256", 97_875_483), ("crn_512", 98_622_851), ("crn_1024", 98_674_531)],
)
def test_published_configurations_have_the_published_counts(name, parameters):
    (generator, *judges) = inspect(name).networks
    assert generator.parameters == parameters
    assert not judges
