"""The segmentation discriminator and Wasserstein critics through the whole engine."""

import json

import pytest
import torch
from tiny_runs import tiny_checkpoint, tiny_config

from pipelines.build import build_players, build_state, palette_for
from pipelines.config.file import validate_config
from pipelines.config.run import RunConfig
from pipelines.models.inspect import describe, inspect_config
from pipelines.train import TrainOptions, train
from pipelines.training.beginning import initialise_from
from pipelines.training.memory import estimate_memory
from vid2vid.checkpoint import load_checkpoint
from vid2vid.errors import ConfigError
from vid2vid.networks.cost import count_parameters

JUDGE = {"width": 4, "downsamplings": 2}
ALONE = ("image_discriminator=null", "video_discriminator=null")
WITH_LABELS = f"segmentation_discriminator={json.dumps(JUDGE)}"
CRITIC = "losses.adversarial=wasserstein"


@pytest.fixture
def run(tiny_file):
    """Train `tiny_file` with changes."""

    def start(*changes):
        changes = ("schedule.steps=2", "schedule.constant=1", *changes)
        return train(tiny_file, TrainOptions(overrides=changes, device="cpu"))

    return start


def metrics(trained):
    return json.loads((trained.folder / "metrics.jsonl").read_text().splitlines()[-1])


def tensors(trained):
    return load_checkpoint(trained.folder, kind="training").tensors


def differing(first, second):
    assert first.keys() == second.keys()
    return [name for name in first if not torch.equal(first[name], second[name])]


# Configuration


def test_labels_are_needed():
    sections = {"labels": None, "controls": [{"kind": "edges"}], "segmentation_discriminator": {}}
    data = tiny_config().model_dump(mode="json") | sections
    with pytest.raises(ConfigError, match="learns the labels of pixels; labels is null: give it"):
        validate_config(data, RunConfig, where="here")


def test_it_is_enough_to_learn_from():
    nothing = {"pixel": 0.0, "matching": 0.0, "image_gan": 0.0, "video_gan": 0.0}
    config = tiny_config(losses=nothing, segmentation_discriminator=JUDGE)
    players = build_players(config, palette_for(config))
    assert [name for name, _ in players.trained()] == ["generator", "segmentation_discriminator"]
    data = config.model_dump(mode="json")
    data["losses"]["segmentation_gan"] = 0
    with pytest.raises(ConfigError, match=r"compare frames with something.*segmentation_gan"):
        validate_config(data, RunConfig, where="here")


def test_without_its_term_it_is_not_made():
    config = tiny_config(losses={"segmentation_gan": 0}, segmentation_discriminator=JUDGE)
    assert build_players(config, palette_for(config)).segmentation_discriminator is None


def test_a_critic_may_not_mix_samples():
    data = tiny_config(image_discriminator={"norm": "batch"}).model_dump(mode="json")
    data["losses"]["adversarial"] = "wasserstein"
    with pytest.raises(ConfigError, match=r"image_discriminator\.norm 'batch' mixes them"):
        validate_config(data, RunConfig, where="here")


# Training


@pytest.mark.parametrize("judges", [(WITH_LABELS,), (CRITIC,)], ids=["labels", "wasserstein"])
def test_a_run_goes_on_bit_for_bit(run, judges):
    run(*judges)
    parts = run(*judges, "schedule.steps=4")
    whole = run(*judges, "schedule.steps=4", "name=whole")
    assert differing(tensors(parts), tensors(whole)) == []


def test_it_judges_beside_the_others_with_refiners_in_parts_and_in_bfloat16(run):
    done = run(
        WITH_LABELS,
        "generator.refiners=1",
        "generator.refiner_blocks=1",
        "schedule.refine_at=[0.5]",
        "training.batch_size=2",
        "training.accumulation=2",
        "training.precision=bfloat16",
    )
    terms = metrics(done)
    assert {"image_gan", "video_0_gan", "segmentation_gan"} < terms.keys()
    for name in ("accuracy_real", "accuracy_fake", "accuracy_label"):
        assert 0 <= terms[f"segmentation_{name}"] <= 1
    assert terms["segmentation_discriminator_gradient"] > 0


def test_a_still_generator_with_noise_learns_from_labels_alone(run):
    generator = {"kind": "pix2pixhd", "width": 4, "downsamplings": 1, "blocks": 1, "noise": 3}
    nothing = ("losses.pixel=0", "losses.matching=0")
    still = ("schedule.clip_length=1", "schedule.clip_length_max=1")
    chosen = (WITH_LABELS, f"generator={json.dumps(generator)}", *ALONE, *nothing, *still)
    first, again = run(*chosen), run(*chosen, "name=again")
    assert differing(tensors(first), tensors(again)) == []
    terms = metrics(first)
    assert "pixel" not in terms
    assert terms["segmentation_gan"] > 0
    assert terms["generator_gradient"] > 0


def test_critics_of_frames_regions_and_windows_are_held_to_a_slope(run):
    where = {"labels": [1], "smallest": 2}
    region = json.dumps({"width": 4, "layers": 1, "scales": 1, "size": 16, "regions": where})
    terms = metrics(run(CRITIC, f"region_discriminator={region}", "training.precision=bfloat16"))
    for name in ("image", "region", "video_0"):
        assert terms[f"{name}_penalty"] > 0
        assert f"{name}_distance" in terms
        assert f"{name}_accuracy_real" not in terms


# Beginning with the weights of another run


def begin(source, **sections):
    config = tiny_config(segmentation_discriminator=JUDGE, training={"seed": 5}, **sections)
    palette = palette_for(config)
    state = build_state(config, palette, torch.device("cpu"))
    judge = state.players.segmentation_discriminator
    fresh = {key: each.clone() for key, each in judge.state_dict().items()}
    initialise_from(source, state, config, palette=palette)
    return judge.state_dict(), fresh


def classes(path, *names):
    listed = ", ".join(f"{{id: {i}, name: {n}, colour: [{i}, 0, 0]}}" for i, n in enumerate(names))
    path.write_text(f"name: {path.stem}\nclasses: [{listed}]")
    return {"palette": str(path)}


def test_another_palette_takes_the_classes_of_equal_name(tmp_path):
    there = classes(tmp_path / "there.yaml", "road", "car", "tree")
    here = classes(tmp_path / "here.yaml", "sky", "car", "road")
    source = tiny_checkpoint(tmp_path / "run", labels=there, segmentation_discriminator=JUDGE)
    ours, fresh = begin(source, labels=here)
    saved = load_checkpoint(source, kind="training").tensors
    for name in ("head.weight", "head.bias"):
        theirs = saved[f"segmentation_discriminator.{name}"]
        expected = [fresh[name][0], theirs[1], theirs[0], theirs[3]]  # the last: generated
        assert torch.equal(ours[name], torch.stack(expected))
    first = "shrink.0.first.parametrizations.weight.original"
    assert torch.equal(ours[first], saved[f"segmentation_discriminator.{first}"])


def test_the_same_palette_takes_everything(tmp_path):
    source = tiny_checkpoint(tmp_path / "run", segmentation_discriminator=JUDGE)
    ours, _ = begin(source)
    saved = load_checkpoint(source, kind="training").tensors
    for name, value in ours.items():
        assert torch.equal(value, saved[f"segmentation_discriminator.{name}"])


def test_a_generator_begins_without_the_noise_that_it_had_not(tmp_path):
    source = tiny_checkpoint(tmp_path / "run")
    config = tiny_config(generator={"noise": 2}, training={"seed": 5})
    palette = palette_for(config)
    state = build_state(config, palette, torch.device("cpu"))
    initialise_from(source, state, config, palette=palette)
    key = "coarse.label_encoder.0.1.weight"
    ours = state.players.generator.state_dict()[key].unflatten(1, (3, 13))
    theirs = load_checkpoint(source, kind="generator").tensors[key].unflatten(1, (3, 11))
    assert torch.equal(ours[:, :, :11], theirs)


# What it costs


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_it_is_counted(precision):
    sections = {"image_discriminator": None, "training": {"precision": precision}}
    without = tiny_config(**sections)
    with_it = tiny_config(**sections, segmentation_discriminator=JUDGE)
    palette = palette_for(without)
    judge = build_players(with_it, palette).segmentation_discriminator
    before, after = (estimate_memory(each, palette) for each in (without, with_it))
    assert after.gradients - before.gradients == 4 * count_parameters(judge)
    assert after.activations > before.activations
    text = describe(inspect_config(with_it, palette))
    assert "segmentation discriminator" in text


def test_the_slope_of_critics_takes_memory():
    plain, critic = (tiny_config(losses={"adversarial": k}) for k in ("hinge", "wasserstein"))
    palette = palette_for(plain)
    before, after = (estimate_memory(each, palette).activations for each in (plain, critic))
    assert after > before
