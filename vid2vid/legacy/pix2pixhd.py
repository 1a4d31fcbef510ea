"""pix2pixHD's generator and feature encoder: their architecture and their key tables.

The still-image networks that vid2vid begins a street video with are of this kind too.
"""

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
    step_layers,
)

FACE_KEY = "model_downsample.1.weight"
STEP_KERNEL = 3


class HDArchitecture(NamedTuple):
    """What the file of a generator says of itself, in the words of our configuration."""

    channels_in: int
    width: int
    downsamplings: int
    blocks: int
    enhancers: int
    enhancer_blocks: int
    widest: int | None
    norm: OfficialNorm


class EncoderArchitecture(NamedTuple):
    """What the file of a feature encoder says of itself."""

    features: int
    width: int
    downsamplings: int
    norm: OfficialNorm


def read_hd(file: OfficialFile) -> HDArchitecture:
    """Infer the architecture of a generator from key names and shapes.

    Raises:
        CheckpointError: if a key is missing, or it is vid2vid's network for faces.
    """
    if FACE_KEY in file.tensors:
        raise CheckpointError(
            f"{file.path} is vid2vid's still-image network for faces ({FACE_KEY}), which is not "
            "built here: begin its videos from given pictures instead"
        )
    width, channels_in = shape_of(file, "model.1.weight")[:2]
    depth = count_up(file, "model.{}.weight", first=4, step=3)
    blocks = count_up(file, "model.{}.conv_block.1.weight", first=4 + 3 * depth)
    if not blocks:
        raise CheckpointError(
            f"{file.path} must hold 'model.{4 + 3 * depth}.conv_block.1.weight', the first "
            "residual block of a generator; it does not: is it a feature encoder (*_net_E.pth)?"
        )
    enhancers = count_up(file, "model{}_1.1.weight", first=1)
    bottleneck = shape_of(file, f"model.{1 + 3 * depth}.weight")[0]
    architecture = HDArchitecture(
        channels_in=channels_in,
        width=width,
        downsamplings=depth,
        blocks=blocks,
        enhancers=enhancers,
        enhancer_blocks=count_up(file, "model1_2.{}.conv_block.1.weight"),
        widest=bottleneck if bottleneck < width * 2**depth else None,
        norm="instance",
    )
    table = hd_layers(
        downsamplings=depth,
        blocks=blocks,
        enhancers=enhancers,
        enhancer_blocks=architecture.enhancer_blocks,
    )
    return architecture._replace(norm=norm_of(file, table))


def hd_layers(
    *, downsamplings: int, blocks: int, enhancers: int, enhancer_blocks: int
) -> list[Layer]:
    """Make the table of a generator."""
    first = 4 + 3 * downsamplings
    layers = encoder_layers("network.trunk.0", "model", downsamplings)
    for number in range(blocks):
        layers += block_layers(f"network.trunk.1.{number}", f"model.{first + number}")
    layers += decoder_layers("network.trunk.2", "model", downsamplings, at=first + blocks)
    if not enhancers:
        last = first + blocks + 3 * downsamplings + 1
        return [*layers, head_layer("network.head", "model", last)]
    for number in range(1, enhancers + 1):
        own = f"network.enhancers.{number - 1}"
        layers += encoder_layers(f"{own}.front", f"model{number}_1", 1)
        for block in range(enhancer_blocks):
            layers += block_layers(f"{own}.back.0.{block}", f"model{number}_2.{block}")
        layers += step_layers(f"{own}.back.1", f"model{number}_2", enhancer_blocks)
    finest = f"network.enhancers.{enhancers - 1}.head"
    return [*layers, head_layer(finest, f"model{enhancers}_2", enhancer_blocks + 4)]


def read_encoder(file: OfficialFile) -> EncoderArchitecture:
    """Infer the architecture of a feature encoder from key names and shapes.

    Args:
        file: mended by `mend_encoder`.

    Raises:
        CheckpointError: if a key is missing.
    """
    width = shape_of(file, "model.1.weight")[0]
    depth = _count_steps(file) // 2
    features = shape_of(file, f"model.{6 * depth + 5}.weight")[0]
    return EncoderArchitecture(features, width, depth, norm_of(file, feature_layers(depth)))


def mend_encoder(file: OfficialFile) -> OfficialFile:
    """Give the last convolution of an old encoder its later number: 29 for 28 with 4 halvings."""
    steps = _count_steps(file)
    old, new = f"model.{3 * steps + 4}.", f"model.{3 * steps + 5}."
    if f"{new}weight" in file.tensors:
        return file
    renamed = {
        new + key.removeprefix(old) if key.startswith(old) else key: tensor
        for key, tensor in file.tensors.items()
    }
    return file._replace(tensors=renamed)


def _count_steps(file: OfficialFile) -> int:
    """Count halvings and doublings, whose kernels are 3x3; an old last one, 7x7, may follow."""
    steps = 0
    while (key := f"model.{4 + 3 * steps}.weight") in file.tensors:
        if shape_of(file, key)[-1] != STEP_KERNEL:
            break
        steps += 1
    return steps


def feature_layers(depth: int) -> list[Layer]:
    """Make the table of a feature encoder of `depth` halvings."""
    return [
        *encoder_layers("encoder.layers", "model", depth),
        *decoder_layers("encoder.layers", "model", depth, first=1 + depth, at=4 + 3 * depth),
        head_layer("encoder.head", "model", 6 * depth + 5),
    ]
