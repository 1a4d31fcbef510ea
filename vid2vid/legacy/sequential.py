"""vid2vid's generators G0, G1 ...: their architecture and their key tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

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
from vid2vid.networks.generator import GeneratorConfig

COARSE_KEY = "model_down_seg.1.weight"


class SequentialArchitecture(NamedTuple):
    """What the files of a sequential generator say of themselves."""

    config: GeneratorConfig
    frame_channels: int  # conditioning channels of one frame: labels or pictures, and boundary
    has_foreground: bool
    norm: OfficialNorm


def read_sequential(networks: Mapping[str, OfficialFile], *, where: Path) -> SequentialArchitecture:
    """Infer widths, depths and branches from key names and shapes.

    Args:
        networks: files by official name; those that are no generators are passed over.
        where: their folder, for messages.

    Raises:
        CheckpointError: if a scale or a key is missing, or the numbers are no architecture.
    """
    refiners = _finer(networks, where)
    coarse = networks["G0"]
    channels = shape_of(coarse, COARSE_KEY)[1]
    history = shape_of(coarse, "model_down_img.1.weight")[1] // 3
    if history < 1 or channels % (history + 1):
        raise CheckpointError(
            f"{coarse.path}: the {channels} channels of model_down_seg.1 must be as many for each "
            f"of {history + 1} frames (model_down_img.1 sees {history} of them): is it of this "
            "kind?"
        )
    try:
        config = _read_config(coarse, refiners, history=history)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"])) or "the generator"
        raise CheckpointError(
            f"{coarse.path} describes a generator that is not built here: {place}: "
            f"{fault['msg'].removeprefix('Value error, ')}"
        ) from error
    has_foreground = "indv_final.1.weight" in coarse.tensors
    return SequentialArchitecture(
        config=config,
        frame_channels=channels // (history + 1),
        has_foreground=has_foreground,
        norm=norm_of(coarse, coarse_layers(config, foreground=has_foreground)),
    )


def _read_config(
    coarse: OfficialFile, refiners: Sequence[OfficialFile], *, history: int
) -> GeneratorConfig:
    """Count layers and channels."""
    depth = count_up(coarse, "model_down_seg.{}.weight", first=4, step=3)
    before = "model_down_seg.{}.conv_block.1.weight"
    blocks = count_up(coarse, before, first=4 + 3 * depth)
    blocks += count_up(coarse, "model_res_img.{}.conv_block.1.weight")
    refined = GeneratorConfig().refiner_blocks
    if refiners:
        refined = count_up(refiners[0], "model_up_img.{}.conv_block.1.weight")
    return GeneratorConfig(
        width=shape_of(coarse, COARSE_KEY)[0],
        downsamplings=depth,
        blocks=blocks,
        refiners=len(refiners),
        refiner_blocks=refined,
        history=history,
        flow="model_final_flow.1.weight" in coarse.tensors,
    )


def _finer(networks: Mapping[str, OfficialFile], where: Path) -> list[OfficialFile]:
    """List G1, G2 ... in order.

    Raises:
        CheckpointError: if there is no generator, or one between others is missing.
    """
    scales = sorted(int(name[1:]) for name in networks if name[:1] == "G" and name[1:].isdigit())
    if not scales:
        raise CheckpointError(
            f"{where} must hold the generators of vid2vid, *_net_G0.pth and on; it has "
            f"{', '.join(sorted(networks))}: is it another --arch?"
        )
    missing = [scale for scale in range(scales[-1]) if scale not in scales]
    if missing:
        raise CheckpointError(
            f"{where} must hold every scale from G0 to G{scales[-1]}; G{missing[0]} is missing"
        )
    return [networks[f"G{scale}"] for scale in scales[1:]]


def generator_layers(config: GeneratorConfig, *, foreground: bool) -> dict[str, list[Layer]]:
    """Make the table of every official generator file, by its name."""
    tables = {"G0": coarse_layers(config, foreground=foreground)}
    for scale in range(1, config.refiners + 1):
        tables[f"G{scale}"] = refiner_layers(config, scale=scale, foreground=foreground)
    return tables


def coarse_layers(config: GeneratorConfig, *, foreground: bool) -> list[Layer]:
    """Make the table of G0."""
    depth, after = config.downsamplings, config.blocks // 2
    before = config.blocks - after
    layers: list[Layer] = []
    for ours, theirs in (("label", "seg"), ("frame", "img")):
        layers += encoder_layers(f"coarse.{ours}_encoder", f"model_down_{theirs}", depth)
        for number in range(before):
            layers += block_layers(
                f"coarse.{ours}_encoder.{1 + depth + number}",
                f"model_down_{theirs}.{4 + 3 * depth + number}",
            )
    branches = {"image": "img", "flow": "flow"} if config.flow else {"image": "img"}
    for ours, theirs in branches.items():
        branch = f"coarse.{ours}_branch"
        for number in range(after):
            layers += block_layers(f"{branch}.{number}", f"model_res_{theirs}.{number}")
        layers += decoder_layers(branch, f"model_up_{theirs}", depth, first=after)
    layers += _heads("coarse", flow=config.flow)
    if foreground:
        branch, first = "coarse.foreground_branch", 1 + depth
        layers += encoder_layers(branch, "indv_down", depth)
        for number in range(config.blocks):
            layers += block_layers(f"{branch}.{first + number}", f"indv_res.{number}")
        layers += decoder_layers(branch, "indv_up", depth, first=first + config.blocks)
        layers.append(head_layer("coarse.foreground_head", "indv_final", 1))
    return layers


def refiner_layers(config: GeneratorConfig, *, scale: int, foreground: bool) -> list[Layer]:
    """Make the table of G1, G2 ..."""
    own = f"refiners.{scale - 1}"
    encoders = {"label_encoder": "model_down_seg", "frame_encoder": "model_down_img"}
    branches = {"image_branch": "model_up_img"}
    if config.flow:
        branches["flow_branch"] = "model_up_flow"
    if foreground:
        encoders["foreground_encoder"] = "indv_down"
        branches["foreground_branch"] = "indv_up"
    layers: list[Layer] = []
    for ours, theirs in encoders.items():
        layers += encoder_layers(f"{own}.{ours}", theirs, 1)
    for ours, theirs in branches.items():
        for number in range(config.refiner_blocks):
            layers += block_layers(f"{own}.{ours}.0.{number}", f"{theirs}.{number}")
        layers += step_layers(f"{own}.{ours}.1", theirs, config.refiner_blocks)
    layers += _heads(own, flow=config.flow)
    if foreground:
        layers.append(head_layer(f"{own}.foreground_head", "indv_final", 1))
    return layers


def _heads(own: str, *, flow: bool) -> list[Layer]:
    """List the heads of one scale but the foreground's."""
    heads = {"image_head": "model_final_img"}
    if flow:
        heads |= {"flow_head": "model_final_flow", "occlusion_head": "model_final_w"}
    return [head_layer(f"{own}.{ours}", theirs, 1) for ours, theirs in heads.items()]
