"""The key tables: against the lists of the specification, and what does not fit them."""

from pathlib import Path

import pytest
import torch

from vid2vid.errors import CheckpointError
from vid2vid.legacy.discriminators import discriminator_layers
from vid2vid.legacy.files import OfficialFile
from vid2vid.legacy.layers import Layer, adopt, release
from vid2vid.legacy.pix2pix import unet_layers
from vid2vid.legacy.pix2pixhd import feature_layers, hd_layers, mend_encoder, read_encoder
from vid2vid.legacy.sequential import generator_layers
from vid2vid.networks.generator import GeneratorConfig, SequentialGenerator

LAYERS = [Layer("a", "x.0", "conv"), Layer("b", "x.1", "norm")]
OWN = {
    "a.weight": torch.zeros(4, 3, 1, 1),
    "a.bias": torch.zeros(4),
    "b.weight": torch.zeros(4),
    "b.bias": torch.zeros(4),
}
THEIRS = {
    "x.0.weight": torch.rand(4, 3, 1, 1),
    "x.0.bias": torch.rand(4),
    "x.1.weight": torch.rand(4),
    "x.1.bias": torch.rand(4),
    "x.1.running_mean": torch.rand(4),
    "x.1.running_var": torch.rand(4),
}
FILE = Path("latest_net_G.pth")


def file_of(tensors: dict[str, torch.Tensor]) -> OfficialFile:
    return OfficialFile(FILE, tensors)


def without(*keys: str) -> dict[str, torch.Tensor]:
    return {key: tensor for key, tensor in THEIRS.items() if key not in keys}


def test_statistics_are_left_behind_and_gains_kept():
    found = adopt(LAYERS, THEIRS, OWN, where=FILE)
    assert found.keys() == OWN.keys()
    assert torch.equal(found["b.weight"], THEIRS["x.1.weight"])


def test_a_norm_without_gains_becomes_the_identity():
    found = adopt(LAYERS, without("x.1.weight", "x.1.bias"), OWN, where=FILE)
    assert (found["b.weight"] == 1).all()
    assert (found["b.bias"] == 0).all()


def test_statistics_come_along_where_ours_has_them():
    own = OWN | {f"b.{name}": torch.zeros(4) for name in ("running_mean", "running_var")}
    own["b.num_batches_tracked"] = torch.tensor(5)
    found = adopt(LAYERS, THEIRS, own, where=FILE)
    assert torch.equal(found["b.running_var"], THEIRS["x.1.running_var"])
    assert found["b.num_batches_tracked"] == 0  # missing in files of torch 0.4


@pytest.mark.parametrize("key", ["x.0.weight", "x.0.bias", "x.1.bias"])
def test_a_missing_key_is_named(key):
    with pytest.raises(CheckpointError, match=f"must hold '{key}'; it does not"):
        adopt(LAYERS, without(key), OWN, where=FILE)


def test_a_key_that_is_left_over_is_named():
    with pytest.raises(CheckpointError, match=r"holds 'y\.weight', which the network"):
        adopt(LAYERS, {**THEIRS, "y.weight": torch.zeros(1)}, OWN, where=FILE)


def test_a_tensor_of_another_shape_is_named():
    with pytest.raises(CheckpointError, match=r"'x\.0\.bias' must be \(4,\) .* it is \(5,\)"):
        adopt(LAYERS, {**THEIRS, "x.0.bias": torch.zeros(5)}, OWN, where=FILE)


def test_learnt_gains_need_batch_norm():
    ours = adopt(LAYERS, THEIRS, OWN, where=FILE)
    assert release(LAYERS, ours, norm="batch", where="it").keys() == {
        *THEIRS,
        "x.1.num_batches_tracked",
    }
    with pytest.raises(CheckpointError, match=r"'b' has learnt gains.*--norm batch"):
        release(LAYERS, ours, norm="instance", where="it")


def test_a_learnt_bias_without_norm_needs_instance_norm():
    layers = [Layer("a", "x.0", "unbiased")]
    with pytest.raises(CheckpointError, match="'a' has learnt a bias"):
        release(layers, {**OWN, "a.bias": torch.ones(4)}, norm="batch", where="it")
    assert release(layers, OWN, norm="batch", where="it").keys() == {"x.0.weight"}


def official_keys(layers: list[Layer], shapes: dict[str, torch.Tensor], norm) -> set[str]:
    """Name the tensors of an official file of these layers."""
    return set(release(layers, shapes, norm=norm, where="it"))


def fresh(config: GeneratorConfig, channels: int, foreground: tuple[int, ...]):
    network = SequentialGenerator(config, conditioning_channels=channels, foreground=foreground)
    return network.state_dict()


SMALL = """
indv_down.1 .2 .4 .5 .7 .8
indv_res.0.conv_block.1 .2 .5 .6
indv_res.1.conv_block.1 .2 .5 .6
indv_res.2.conv_block.1 .2 .5 .6
indv_up.0 .1 .3 .4
indv_final.1
model_down_seg.1 .2 .4 .5 .7 .8
model_down_seg.10.conv_block.1 .2 .5 .6
model_down_seg.11.conv_block.1 .2 .5 .6
model_down_img.1 .2 .4 .5 .7 .8
model_down_img.10.conv_block.1 .2 .5 .6
model_down_img.11.conv_block.1 .2 .5 .6
model_res_img.0.conv_block.1 .2 .5 .6
model_res_flow.0.conv_block.1 .2 .5 .6
model_up_img.0 .1 .3 .4
model_up_flow.0 .1 .3 .4
model_final_img.1
model_final_flow.1
model_final_w.1
"""
SMALL_FINE = """
indv_down.1 .2 .4 .5
indv_up.0.conv_block.1 .2 .5 .6
indv_up.1 .2
indv_final.1
model_down_seg.1 .2 .4 .5
model_down_img.1 .2 .4 .5
model_up_img.0.conv_block.1 .2 .5 .6
model_up_img.1 .2
model_up_flow.0.conv_block.1 .2 .5 .6
model_up_flow.1 .2
model_final_img.1
model_final_flow.1
model_final_w.1
"""


def layer_names(text: str) -> set[str]:
    """Spell out 'a.1 .2' as a.1, a.2."""
    names: set[str] = set()
    for line in text.split("\n"):
        words = line.split()
        for word in words:
            stem = words[0].rpartition(".")[0]
            names.add(stem + word if word.startswith(".") else word)
    return names


def test_small_generators_have_the_official_keys():
    config = GeneratorConfig(width=8, downsamplings=2, blocks=3, refiners=1, refiner_blocks=1)
    tables, ours = generator_layers(config, foreground=True), fresh(config, 6, (1,))
    for name, text in (("G0", SMALL), ("G1", SMALL_FINE)):
        keys = official_keys(tables[name], ours, "batch")
        assert {key.rpartition(".")[0] for key in keys} == layer_names(text)
    count = sum(
        tensor.numel()
        for key, tensor in release(tables["G0"], ours, norm="batch", where="it").items()
        if "running" not in key and "tracked" not in key
    )
    assert count == 222_897


@pytest.mark.parametrize(
    ("depth", "has_foreground", "num_keys"), [(3, True, 533), (2, True, 491), (3, False, 356)]
)
def test_full_generators_have_as_many_keys_as_the_official_ones(depth, has_foreground, num_keys):
    config = GeneratorConfig(width=8, downsamplings=depth, refiners=2)
    foreground = (26,) if has_foreground else ()
    tables = generator_layers(config, foreground=has_foreground)
    ours = fresh(config, 36, foreground)
    assert len(official_keys(tables["G0"], ours, "batch")) == num_keys
    for finer in ("G1", "G2"):
        assert len(official_keys(tables[finer], ours, "batch")) == (197 if foreground else 132)


def test_pix2pixhd_has_the_official_keys():
    local = hd_layers(downsamplings=4, blocks=9, enhancers=1, enhancer_blocks=3)
    convs = [layer.theirs for layer in local if layer.kind == "conv"]
    assert 2 * len(convs) == 74
    assert {"model.34", "model1_1.4", "model1_2.2.conv_block.5", "model1_2.7"} <= set(convs)
    whole = hd_layers(downsamplings=4, blocks=9, enhancers=0, enhancer_blocks=3)
    convs = [layer.theirs for layer in whole if layer.kind == "conv"]
    assert 2 * len(convs) == 56
    assert convs[-1] == "model.38"
    two = hd_layers(downsamplings=4, blocks=9, enhancers=2, enhancer_blocks=3)
    heads = [layer.theirs for layer in two if layer.theirs.endswith("_2.7")]
    assert heads == ["model2_2.7"]


def test_the_feature_encoder_has_the_official_keys_and_the_old_ones_are_mended():
    convs = [layer.theirs for layer in feature_layers(4) if layer.kind == "conv"]
    assert [int(name.removeprefix("model.")) for name in convs] == [
        *(1, 4, 7, 10, 13),
        *(16, 19, 22, 25, 29),
    ]
    tensors = {f"{name}.weight": torch.zeros(2, 2, 3, 3) for name in convs[:-1]}
    old = {**tensors, "model.28.weight": torch.zeros(3, 2, 7, 7), "model.28.bias": torch.zeros(3)}
    mended = mend_encoder(file_of(old))
    assert {"model.29.weight", "model.29.bias"} <= mended.tensors.keys()
    assert read_encoder(mended).features == 3
    assert mend_encoder(mended) is mended


def test_the_u_net_has_the_official_keys():
    convs = [layer.theirs for layer in unet_layers(8) if layer.kind != "norm"]
    level = "model.model" + ".1.model" + ".3.model" * 6
    assert convs[0] == "model.model.0"
    assert convs[1] == "model.model.1.model.1"
    assert {f"{level}.1", f"{level}.3", "model.model.1.model.5"} <= set(convs)
    assert convs[-1] == "model.model.3"
    norms = [layer.theirs for layer in unet_layers(8) if layer.kind == "norm"]
    assert f"{level}.4" in norms
    assert len(norms) == 6 + 7


@pytest.mark.parametrize(
    ("layout", "prefix", "numbers"),
    [("flat", "layer1", (0, 2, 5, 8, 11)), ("single", "model", (0, 2, 5, 8, 11))],
)
def test_flat_discriminators_have_the_official_keys(layout, prefix, numbers):
    table = discriminator_layers(layout, scales=2 if layout == "flat" else 1, layers=3)
    convs = {layer.theirs for layer in table if layer.kind != "norm"}
    norms = {layer.theirs for layer in table if layer.kind == "norm"}
    assert {f"{prefix}.{number}" for number in numbers} <= convs
    assert {f"{prefix}.{number}" for number in (3, 6, 9)} <= norms


def test_the_pixel_discriminator_has_the_official_keys():
    table = discriminator_layers("pixel", scales=1, layers=1)
    assert [layer.theirs for layer in table] == ["net.0", "net.2", "net.3", "net.5"]
