"""A run that begins with the weights of another has those of what means the same."""

import logging

import pytest
import torch
from tiny_runs import tiny_checkpoint, tiny_config

from pipelines.build import build_state, palette_for
from pipelines.training.beginning import initialise_from
from pipelines.training.channels import map_channels
from vid2vid.checkpoint import load_checkpoint
from vid2vid.errors import CheckpointError, DataError

SMALL = {
    "image_discriminator": {"width": 4, "layers": 1, "scales": 2},
    "video_discriminator": {"width": 4, "layers": 1, "scales": 1, "temporal_scales": 1},
}
PALETTE = """
name: {name}
classes: [{classes}]
"""


@pytest.fixture
def palettes(tmp_path):
    """Write two palettes that share classes in another order: {there} and {here}."""
    files = {}
    for name, classes in (("there", ["Road", "car", "tree"]), ("here", ["sky", "CAR", "road"])):
        listed = ", ".join(
            f"{{id: {index}, name: {each}, colour: [{index}, 0, 0]}}"
            for index, each in enumerate(classes)
        )
        files[name] = tmp_path / f"{name}.yaml"
        files[name].write_text(PALETTE.format(name=name, classes=listed))
    return files


def begin(source, **sections):
    """Build a run and let it begin with a checkpoint."""
    config = tiny_config(training={"seed": 5}, **(SMALL | sections))
    palette = palette_for(config)
    state = build_state(config, palette, torch.device("cpu"))
    fresh = {
        f"{name}.{key}": value.clone()
        for name, network in state.players.trained()
        for key, value in network.state_dict().items()
    }
    initialise_from(source, state, config, palette=palette)
    return config, state, fresh


def write(folder, **sections):
    """Write the checkpoints of a run that others begin with."""
    return tiny_checkpoint(folder, **(SMALL | sections))


def weights(state):
    return {
        f"{name}.{key}": value
        for name, network in state.players.trained()
        for key, value in network.state_dict().items()
    }


def of_channel(weight, index, *, channels):
    """Select what one channel of every map weighs."""
    return weight.unflatten(1, (-1, channels))[:, :, index]


def expect_channels(state, fresh, saved, key, *, channels, pairs):
    """Check where the weights of each input channel came from; None = drawn anew."""
    theirs = saved[key].shape[1] * channels // weights(state)[key].shape[1]
    for here, there in pairs.items():
        ours = of_channel(weights(state)[key], here, channels=channels)
        if there is None:
            expected = of_channel(fresh[key], here, channels=channels)
        else:
            expected = of_channel(saved[key], there, channels=theirs)
        assert torch.equal(ours, expected), (key, here)


READERS = ("coarse.label_encoder.0.1.weight", "coarse.foreground_branch.0.1.weight")


def test_channels_of_equal_classes_are_taken_wherever_they_stand(palettes, tmp_path, caplog):
    there = {"palette": str(palettes["there"]), "void": True, "foreground": [1]}
    here = {"palette": str(palettes["here"]), "boundary": "labels", "void": True, "foreground": [1]}
    source = write(tmp_path / "there", labels=there)
    with caplog.at_level(logging.INFO):
        _, state, fresh = begin(source, labels=here)
    saved = load_checkpoint(source, kind="training").tensors
    # sky, CAR, road, void, boundary from Road, car, tree, void
    pairs = {0: None, 1: 1, 2: 0, 3: 3, 4: None}
    for name in READERS:
        expect_channels(state, fresh, saved, f"generator.{name}", channels=5, pairs=pairs)
    judge = "image_discriminator.patches.{}.stages.0.0.weight"
    colours = {5: 4, 6: 5, 7: 6}
    for patch in range(2):
        key = judge.format(patch)
        expect_channels(state, fresh, saved, key, channels=8, pairs=pairs | colours)
    assert (
        "3 of 5 input channels by what they mean; fresh: sky, boundary; left behind: tree"
        in caplog.text
    )


def test_everything_else_is_copied_bit_for_bit(palettes, tmp_path):
    source = write(tmp_path / "there", labels={"palette": str(palettes["there"])})
    _, state, _ = begin(source, labels={"palette": str(palettes["here"])})
    saved, ours = load_checkpoint(source, kind="training").tensors, weights(state)
    judge = "image_discriminator.patches"
    readers = {f"generator.{READERS[0]}", *(f"{judge}.{n}.stages.0.0.weight" for n in (0, 1))}
    rest = ours.keys() - readers
    assert any(key.startswith("video_discriminator_0") for key in rest)
    assert all(torch.equal(ours[key], saved[key]) for key in rest)
    average = state.average.state_dict()
    assert all(torch.equal(average[key], ours[f"generator.{key}"]) for key in average)


def test_the_same_network_gives_the_same_picture_of_what_both_know(palettes, tmp_path):
    """Only classes that both palettes have, then only their order differs."""
    there = {"palette": str(palettes["there"])}
    here = {"palette": str(palettes["here"])}
    source = write(tmp_path / "there", labels=there)
    _, state, _ = begin(source, labels=here)
    _, same, _ = begin(source, labels=there)
    maps = torch.zeros(1, 3, 3, 16, 24)
    maps[:, :, 0, :, :12] = maps[:, :, 1, :, 12:] = 1  # Road, car
    past = [torch.zeros(1, 2, 3, 16, 24)]
    turned = torch.stack([maps[:, :, 2], maps[:, :, 1], maps[:, :, 0]], dim=2)
    expected = same.players.generator(maps, past)[0].frame
    found = state.players.generator(turned, past)[0].frame
    torch.testing.assert_close(found, expected)


def test_palettes_of_the_package_match_by_its_mapping(tmp_path, caplog):
    source = write(tmp_path / "city", labels={"palette": "cityscapes"})
    with caplog.at_level(logging.INFO):
        _, state, fresh = begin(source, labels={"palette": "camvid"})
    saved = load_checkpoint(source, kind="training").tensors
    # Pavement continues sidewalk, Bicyclist the rider.
    pairs = {4: 8, 10: 25}
    expect_channels(state, fresh, saved, f"generator.{READERS[0]}", channels=11, pairs=pairs)
    assert "11 of 11 input channels by what they mean; left behind: unlabeled" in caplog.text


def test_spectral_norm_knows_the_weights_that_were_put_together(palettes, tmp_path):
    spectral = {"width": 4, "downsamplings": 1, "blocks": 2, "spectral": True}
    labels = {name: {"palette": str(file)} for name, file in palettes.items()}
    source = write(tmp_path / "there", labels=labels["there"], generator=spectral)
    _, state, _ = begin(source, labels=labels["here"], generator=spectral)
    convolution = state.players.generator.coarse.label_encoder[0][1].eval()
    largest = torch.linalg.matrix_norm(convolution.weight.flatten(1), ord=2)
    assert largest.item() == pytest.approx(1, abs=0.05)


def test_controls_match_by_their_kind(tmp_path, caplog):
    edges, grey = {"kind": "edges"}, {"kind": "grey"}
    source = write(tmp_path / "there", labels=None, controls=[edges, grey])
    with caplog.at_level(logging.INFO):
        _, state, fresh = begin(source, controls=[grey])
    saved = load_checkpoint(source, kind="training").tensors
    pairs = {0: None, 11: 1}
    expect_channels(state, fresh, saved, f"generator.{READERS[0]}", channels=12, pairs=pairs)
    assert "left behind: edges 0" in caplog.text


@pytest.mark.parametrize(
    "generator",
    [
        {"kind": "pix2pix_unet", "width": 4, "downsamplings": 3},
        {"kind": "pix2pix_resnet", "width": 4, "blocks": 1},
        {"kind": "pix2pixhd", "width": 4, "downsamplings": 1, "blocks": 1, "enhancers": 1},
        {"kind": "pix2pixhd", "width": 4, "downsamplings": 1, "blocks": 1, "features": 2},
    ],
    ids=str,
)
def test_every_kind_of_generator_begins_with_another_palette(palettes, tmp_path, generator):
    labels = {name: {"palette": str(file)} for name, file in palettes.items()}
    sections = {"generator": generator, "video_discriminator": None}
    source = write(tmp_path / "there", labels=labels["there"], **sections)
    config, state, fresh = begin(source, labels=labels["here"], **sections)
    saved, channels = load_checkpoint(source, kind="training").tensors, 3 + state.average.features
    assert len(map_channels(config, palette_for(config))) == 3
    network = state.players.generator
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    readers = [
        next(p for p in part.parameters() if p.ndim == 4 and p.shape[1] == channels)
        for part in network.readers
    ]
    pairs = {0: None, 1: 1, 2: 0} | {3 + n: 3 + n for n in range(network.features)}
    for weight in readers:
        key = f"generator.{names[id(weight)]}"
        expect_channels(state, fresh, saved, key, channels=channels, pairs=pairs)


def test_a_folder_that_only_renders_gives_its_generator(tmp_path):
    source = write(tmp_path / "there")
    (source / "state.safetensors").unlink()
    _, state, _ = begin(source)
    saved = load_checkpoint(source, kind="generator").tensors
    ours = state.players.generator.state_dict()
    assert all(torch.equal(ours[key], saved[key]) for key in saved)


def test_other_widths_are_refused(palettes, tmp_path):
    labels = {name: {"palette": str(file)} for name, file in palettes.items()}
    wide = {"width": 8, "downsamplings": 1, "blocks": 2}
    source = write(tmp_path / "there", labels=labels["there"], generator=wide)
    with pytest.raises(CheckpointError, match=r"must be \(.*\) to begin this run.*other widths"):
        begin(source, labels=labels["here"])


def test_another_history_is_refused(palettes, tmp_path):
    labels = {name: {"palette": str(file)} for name, file in palettes.items()}
    longer = {"width": 4, "downsamplings": 1, "blocks": 2, "history": 3}
    source = write(tmp_path / "there", labels=labels["there"], generator=longer)
    with pytest.raises(CheckpointError, match=r"to begin this run"):
        begin(source, labels=labels["here"])


def test_a_mapping_that_fits_neither_palette_is_refused(palettes, tmp_path):
    source = write(tmp_path / "there", labels={"palette": str(palettes["there"])})
    config = tiny_config(
        **SMALL,
        labels={"palette": str(palettes["here"])},
        training={"init_map": "camvid32-to-camvid"},
    )
    palette = palette_for(config)
    state = build_state(config, palette, torch.device("cpu"))
    with pytest.raises(DataError, match="init_map must lead between the palettes 'there' and"):
        initialise_from(source, state, config, palette=palette)
