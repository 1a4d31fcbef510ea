"""pix2pix's generators: their architecture and their key tables."""

from typing import NamedTuple

from vid2vid.errors import CheckpointError
from vid2vid.legacy.files import OfficialFile, count_up, norm_of, shape_of
from vid2vid.legacy.layers import (
    Layer,
    OfficialNorm,
    block_layers,
    decoder_layers,
    encoder_layers,
    head_layer,
    without_bias,
)

UNET_KEY = "model.model.0.weight"
RESNET_DEPTH = 2  # halvings


class UNetArchitecture(NamedTuple):
    """What the file of a U-Net says of itself; dropout leaves no trace in it."""

    channels_in: int
    width: int
    downsamplings: int
    norm: OfficialNorm


class ResNetArchitecture(NamedTuple):
    """What the file of a residual generator says of itself."""

    channels_in: int
    width: int
    blocks: int
    dropout: bool
    norm: OfficialNorm


def read_unet(file: OfficialFile) -> UNetArchitecture:
    """Infer the architecture of a U-Net from key names and shapes.

    Raises:
        CheckpointError: if a key is missing, or it paints anything but colour.
    """
    width, channels_in = shape_of(file, UNET_KEY)[:2]
    _check_colour(shape_of(file, "model.model.3.weight")[1], file)
    depth = 1
    while f"{_level(depth)}.1.weight" in file.tensors:
        depth += 1
    return UNetArchitecture(channels_in, width, depth, norm_of(file, unet_layers(depth)))


def _level(number: int) -> str:
    """Name the Sequential of a level of the U-Net; the finest is 0."""
    return "model.model" + "".join(f".{1 if depth == 0 else 3}.model" for depth in range(number))


def unet_layers(depth: int) -> list[Layer]:
    """Make the table of a U-Net of `depth` halvings."""
    layers: list[Layer] = []
    for level in range(depth):
        theirs, own = _level(level), f"network.shrink.{level}"
        layers.append(Layer(f"{own}.1", f"{theirs}.{1 if level else 0}", "unbiased"))
        if 0 < level < depth - 1:
            layers.append(Layer(f"{own}.2", f"{theirs}.2", "norm"))
    for level in range(depth - 1, 0, -1):
        # The innermost level has neither a child nor a norm before it.
        theirs, own = _level(level), f"network.grow.{level - 1}"
        at = 3 if level == depth - 1 else 5
        layers.append(Layer(f"{own}.1", f"{theirs}.{at}", "unbiased"))
        layers.append(Layer(f"{own}.2", f"{theirs}.{at + 1}", "norm"))
    return [*layers, Layer("network.last", "model.model.3", "conv")]


def read_resnet(file: OfficialFile) -> ResNetArchitecture:
    """Infer the architecture of a residual generator from key names and shapes.

    Raises:
        CheckpointError: if a key is missing, or it paints anything but colour.
    """
    width, channels_in = shape_of(file, "model.1.weight")[:2]
    first = 4 + 3 * RESNET_DEPTH
    blocks = count_up(file, "model.{}.conv_block.1.weight", first=first)
    if not blocks:
        raise CheckpointError(
            f"{file.path} must have residual blocks from model.{first} on, after two halvings, as "
            "those of pix2pix have; it has none there: is it another --arch?"
        )
    dropout = has_dropout(file)
    _check_colour(shape_of(file, f"model.{first + blocks + 7}.weight")[0], file)
    norm = norm_of(file, resnet_layers(blocks, dropout=dropout))
    return ResNetArchitecture(channels_in, width, blocks, dropout, norm)


def has_dropout(file: OfficialFile) -> bool:
    """Tell whether dropout has moved the second convolution of the residual blocks."""
    second = file.tensors.get("model.10.conv_block.6.weight")
    return second is not None and second.ndim > 1


def resnet_layers(blocks: int, *, dropout: bool) -> list[Layer]:
    """Make the table of a residual generator."""
    first = 4 + 3 * RESNET_DEPTH
    layers = encoder_layers("network.encoder", "model", RESNET_DEPTH)
    for number in range(blocks):
        theirs = f"model.{first + number}"
        layers += block_layers(f"network.blocks.{number}", theirs, dropout=dropout)
    layers += decoder_layers("network.decoder", "model", RESNET_DEPTH, at=first + blocks)
    last = first + blocks + 3 * RESNET_DEPTH + 1
    return [*without_bias(layers), head_layer("network.head", "model", last)]


def _check_colour(channels: int, file: OfficialFile) -> None:
    if channels != 3:
        raise CheckpointError(
            f"{file.path} must paint frames of 3 channels; it paints {channels}, such as a colour "
            "space of its own, which is not built here"
        )
