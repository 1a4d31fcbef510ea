import json

import pytest
import torch
from torchvision.models.vgg import cfgs, make_layers

from pipelines.build import (
    build_conditioning,
    build_state,
    choose_device,
    load_generation,
    palette_for,
)
from pipelines.datasets import flow_strides
from pipelines.train import TrainOptions, train
from vid2vid.errors import CheckpointError, ConfigError


def build(config):
    return build_state(config, palette_for(config), torch.device("cpu"))


def names(state):
    return [name for name, _ in state.players.trained()]


def test_a_state_has_players_optimisers_and_an_average(tiny_config):
    state = build(tiny_config())
    assert names(state) == ["generator", "image_discriminator", "video_discriminator_0"]
    assert list(state.optimizers) == names(state)
    ours, average = state.players.generator.state_dict(), state.average.state_dict()
    assert all(torch.equal(ours[key], average[key]) for key in ours)
    assert not state.average.training
    assert (state.step, state.total_steps) == (0, None)


def test_weights_follow_from_the_seed(tiny_config):
    first, second, other = (build(tiny_config(f"training.seed={seed}")) for seed in (1, 1, 2))
    for (_, one), (_, two), (_, three) in zip(
        first.players.trained(), second.players.trained(), other.players.trained(), strict=True
    ):
        pairs = list(zip(one.parameters(), two.parameters(), strict=True))
        assert all(torch.equal(a, b) for a, b in pairs)
        pairs = zip(one.parameters(), three.parameters(), strict=True)
        assert any(not torch.equal(a, b) for a, b in pairs)


def test_a_discriminator_whose_terms_have_weight_0_is_not_made(tiny_config):
    assert names(build(tiny_config("losses.matching=0", "losses.image_gan=0"))) == [
        "generator",
        "video_discriminator_0",
    ]
    assert names(build(tiny_config("losses.matching=0", "losses.video_gan=0"))) == [
        "generator",
        "image_discriminator",
    ]


REGIONS = "region_discriminator={width: 4, layers: 1, regions: {labels: [%d]}}"


def test_a_region_discriminator_is_made_where_its_terms_count(tiny_config):
    assert "region_discriminator" in names(build(tiny_config(REGIONS % 1)))
    off = ("losses.region_gan=0", "losses.matching=0")
    assert "region_discriminator" not in names(build(tiny_config(REGIONS % 1, *off)))


def test_regions_of_no_class_are_refused(tiny_config):
    said = r"regions.labels must hold ids of palette 'two' \(0 to 1\); got \[7\]"
    with pytest.raises(ConfigError, match=said):
        build(tiny_config(REGIONS % 7))


def test_there_is_a_video_discriminator_for_every_temporal_scale(tiny_config):
    changes = ("video_discriminator.temporal_scales=2", "schedule.clip_length_max=7")
    config = tiny_config(*changes)
    assert names(build(config))[2:] == ["video_discriminator_0", "video_discriminator_1"]
    assert flow_strides(config) == (1, 3)


def test_the_perceptual_loss_needs_its_weights(tiny_config, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(ConfigError, match=r"there is no .*: put vgg19-dcbb9e9d.pth there"):
        build(tiny_config("losses.perceptual=10"))


def test_the_perceptual_loss_is_a_term_where_its_weights_are(tiny_file, tmp_path):
    layers = make_layers(cfgs["D"], batch_norm=False).state_dict()
    torch.save({f"features.{key}": value for key, value in layers.items()}, tmp_path / "vgg.pth")
    vgg = ["losses.perceptual=10", "losses.vgg=vgg16", f"losses.vgg_weights={tmp_path}/vgg.pth"]
    result = train(tiny_file, TrainOptions([*vgg, "schedule.steps=1"], device="cpu"))
    line = json.loads((result.folder / "metrics.jsonl").read_text())
    assert line["perceptual"] > 0
    assert "pixel" not in line


def test_foreground_must_be_classes_of_the_palette(tiny_config):
    config = tiny_config("labels.foreground=[1, 2]")
    with pytest.raises(ConfigError, match=r"ids of palette 'two' \(0 to 1\); got \[2\]"):
        build_conditioning(config, palette_for(config))


def test_a_checkpoint_rebuilds_its_own_generator(tiny_file):
    result = train(tiny_file, TrainOptions(["schedule.steps=1", "labels.void=true"]))
    generation = load_generation(result.folder, torch.device("cpu"))
    assert generation.step == 1
    assert generation.palette.name == "two"
    assert generation.conditioning.channels == 3
    assert generation.config.labels.void
    assert not generation.generator.training
    assert not any(p.requires_grad for p in generation.generator.parameters())


def test_a_training_state_is_no_rendering_checkpoint(tiny_file):
    result = train(tiny_file, TrainOptions(["schedule.steps=1"]))
    with pytest.raises(CheckpointError, match=r"give model\.safetensors instead"):
        load_generation(result.folder / "state.safetensors", torch.device("cpu"))


def test_device_is_the_one_that_is_there_or_named():
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert choose_device(None).type == expected
    assert choose_device("cpu").type == "cpu"


@pytest.mark.parametrize("name", ["toaster", "cuda:99"])
def test_a_device_that_is_not_there_is_named(name):
    with pytest.raises(ConfigError, match=f"--device must be one of cpu.*; got '{name}'"):
        choose_device(name)
