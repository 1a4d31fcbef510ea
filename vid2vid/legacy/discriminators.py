"""The official discriminators: their architecture and their key tables.

Three layouts of keys are known: `scale0_layer0.0 ...`, of networks that were trained with feature
matching; `layer0.0 ...`, without it; and `model.0 ...` of pix2pix, a single patch network. In all
of them number 0 sees the coarsest picture, as in ours.
"""

import re
from typing import Literal, NamedTuple

from vid2vid.errors import CheckpointError
from vid2vid.legacy.files import OfficialFile, count_up, norm_of, shape_of
from vid2vid.legacy.layers import Layer, LayerKind, OfficialNorm

KeyLayout = Literal["scales", "flat", "single", "pixel"]

# The first convolution of each patch network.
_FIRST = {"scales": "scale{}_layer0.0", "flat": "layer{}.0", "single": "model.0"}


class DiscriminatorArchitecture(NamedTuple):
    """What the file of a discriminator says of itself."""

    layout: KeyLayout
    channels_in: int
    width: int  # after the first layer of the finest patch network
    layers: int  # halving layers
    scales: int
    norm: OfficialNorm


def read_discriminator(file: OfficialFile) -> DiscriminatorArchitecture:
    """Infer the architecture of a discriminator from key names and shapes.

    Raises:
        CheckpointError: if the keys follow none of the known layouts.
    """
    layout = key_layout(file)
    if layout == "pixel":
        width, channels = shape_of(file, "net.0.weight")[:2]
        scales = layers = 1
    else:
        scales = 1 if layout == "single" else count_up(file, f"{_FIRST[layout]}.weight")
        finest = f"{_FIRST[layout].format(scales - 1)}.weight"
        width, channels = shape_of(file, finest)[:2]
        layers = _count_layers(file, layout)
        if layers < 1:
            raise CheckpointError(
                f"{file.path} must hold at least three convolutions a patch network; beside "
                f"{finest!r} it has {layers + 1}: is it whole?"
            )
    table = discriminator_layers(layout, scales=scales, layers=layers)
    return DiscriminatorArchitecture(layout, channels, width, layers, scales, norm_of(file, table))


def key_layout(file: OfficialFile) -> KeyLayout:
    """Tell which layout the keys of a discriminator follow.

    Raises:
        CheckpointError: if none.
    """
    firsts: dict[KeyLayout, str] = {
        "scales": "scale0_layer0.0.weight",
        "flat": "layer0.0.weight",
        "single": "model.0.weight",
        "pixel": "net.0.weight",
    }
    for layout, key in firsts.items():
        if key in file.tensors:
            return layout
    raise CheckpointError(
        f"{file.path} must hold a discriminator, with one of {', '.join(firsts.values())}; its "
        f"first key is {min(file.tensors)!r}"
    )


def _count_layers(file: OfficialFile, layout: KeyLayout) -> int:
    """Count the halving layers of a patch network: all convolutions but the last two."""
    if layout == "scales":
        return count_up(file, "scale0_layer{}.0.weight") - 2
    prefix = "model" if layout == "single" else "layer0"
    pattern = re.compile(rf"{prefix}\.\d+\.weight")
    found = [key for key in file.tensors if pattern.fullmatch(key)]
    return sum(file.tensors[key].ndim == 4 for key in found) - 2


def discriminator_layers(layout: KeyLayout, *, scales: int, layers: int) -> list[Layer]:
    """Make the table of a discriminator.

    Args:
        layout: of the official keys.
        scales: patch networks.
        layers: halving layers of each; two more convolutions follow.
    """
    table: list[Layer] = []
    for scale in range(scales):
        for stage in range(layers + 2):
            table += _stage(layout, scale=scale, stage=stage, last=layers + 1)
    return table


def _stage(layout: KeyLayout, *, scale: int, stage: int, last: int) -> list[Layer]:
    """List the layers of one stage; the first has no norm, the last is a convolution alone."""
    ours = f"patches.{scale}.stages.{stage}"
    if layout == "scales":
        conv, norm = f"scale{scale}_layer{stage}.0", f"scale{scale}_layer{stage}.1"
    else:
        at = 3 * stage - 1 if stage else 0
        prefix = {"flat": f"layer{scale}", "single": "model", "pixel": "net"}[layout]
        conv, norm = f"{prefix}.{at}", f"{prefix}.{at + 1}"
    if stage == last:
        return [Layer(ours, conv, "unbiased" if layout == "pixel" else "conv")]
    if stage == 0:
        return [Layer(f"{ours}.0", conv, "conv")]
    # pix2pix leaves out the bias of a convolution that BatchNorm follows.
    kind: LayerKind = "unbiased" if layout in ("single", "pixel") else "conv"
    return [Layer(f"{ours}.0", conv, kind), Layer(f"{ours}.1", norm, "norm")]
