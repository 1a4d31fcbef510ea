"""Begin a run with the weights of another, also one of another palette."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from pipelines.build import config_of, palette_of
from pipelines.config.run import RunConfig
from pipelines.training.channels import (
    COLOURS,
    Channel,
    class_pairs,
    judged_classes,
    map_channels,
    match_channels,
    unseen_channels,
)
from vid2vid.checkpoint import (
    MODEL_FILE,
    STATE_FILE,
    Checkpoint,
    load_checkpoint,
    part_of,
    split_companions,
)
from vid2vid.errors import CheckpointError
from vid2vid.labels.palettes import Palette
from vid2vid.networks.blocks import POWER_ITERATIONS
from vid2vid.networks.crn import MapConv2d
from vid2vid.networks.discriminator import MultiScaleDiscriminator
from vid2vid.networks.interface import Generator
from vid2vid.networks.segmentation_discriminator import SegmentationDiscriminator
from vid2vid.training.state import TrainingState

LOGGER = logging.getLogger(__name__)

WEIGHT_AXES = 4  # of a convolution: out, in, height, width
PART_DEPTH, MOST_LISTED = 2, 4  # how fresh parts are named, and how many
HEAD_KEY = "head.conv."  # in the names of what paints a picture, a flow or a mask


class Translation(NamedTuple):
    """The channels of an input, in the run that weights come from and in the one that begins."""

    source: Sequence[Channel]
    target: Sequence[Channel]
    matches: Mapping[int, int]  # index in `source` by index in `target`

    @property
    def is_identity(self) -> bool:
        """Whether every channel means what it meant."""
        return list(self.source) == list(self.target)


NO_MAPS = Translation((), (), {})  # of a network that reads no map


def initialise_from(
    source: Path, state: TrainingState, config: RunConfig, *, palette: Palette | None
) -> None:
    """Take the networks of another run as far as the new one has them.

    Patch networks are counted from the coarsest, so each keeps its absolute resolution; what the
    other run did not have starts fresh. Where label classes or other channels of the input differ,
    the weights of those that mean the same are taken, wherever they stand.

    Args:
        source: a run folder, its state.safetensors, or a generator's .safetensors file with the
            discriminators that came along with it, such as an imported one.
        state: at step 0; changed in place.
        config: of the run that begins.
        palette: of its label maps; None without labels.

    Raises:
        CheckpointError: if there is no such run, nothing in it fits, or shapes differ elsewhere.
        DataError: if `training.init_map` is not one of the two palettes.
    """
    saved = _load(source)
    tensors = saved.tensors
    if saved.metadata["kind"] == "generator":
        generator, companions = split_companions(tensors)
        tensors = {f"generator.{key}": tensor for key, tensor in generator.items()} | companions
    if config.generator.kind == "fusion" and config_of(saved).generator.kind != "fusion":
        tensors = {_of_base(name): tensor for name, tensor in tensors.items()}
    translations = _translations(saved, config, palette)
    said: list[str] = []
    for name, network in state.players.trained():
        translation = translations.get(name, NO_MAPS)
        copied = _take(network, part_of(tensors, name), translation, where=saved.path)
        if name == "generator" and not copied:
            raise CheckpointError(
                f"{saved.path} must hold a generator of this kind; nothing in it fits: set "
                "generator as it was there, or training.init_from to null"
            )
        said.append(f"{name} {_share_taken(network, copied)}")
    state.average.load_state_dict(state.players.generator.state_dict())
    LOGGER.info("took from %s: %s%s", source, ", ".join(said), _rest(translations["maps"]))


def _of_base(name: str) -> str:
    """Name a tensor of a still-image generator as that of the base of a fusion."""
    own = "generator.network."
    return f"{own}base.{name.removeprefix(own)}" if name.startswith(own) else name


def _translations(
    saved: Checkpoint, config: RunConfig, palette: Palette | None
) -> dict[str, Translation]:
    """Match what networks read: a map alone, or with what comes after it, by player."""
    before, palette_before = config_of(saved), palette_of(saved)
    classes: dict[str, str] = {}
    if palette is not None and palette_before is not None:
        classes = class_pairs(palette_before, palette, config.training.init_map)
    there, here = map_channels(before, palette_before), map_channels(config, palette)
    judged = (*there, *COLOURS), (*here, *COLOURS)
    pairs = {
        "maps": (there, here),
        "generator": (there + unseen_channels(before), here + unseen_channels(config)),
        "image_discriminator": judged,
        "region_discriminator": judged,
        "segmentation_discriminator": (judged_classes(there), judged_classes(here)),
    }
    return {
        name: Translation(source, target, match_channels(source, target, classes))
        for name, (source, target) in pairs.items()
    }


def _load(source: Path) -> Checkpoint:
    """Read the training state where there is one, else the generator."""
    if source.suffix == ".safetensors":
        is_training = source.name == STATE_FILE
    else:
        is_training = (source / STATE_FILE).is_file() or not (source / MODEL_FILE).is_file()
    return load_checkpoint(source, kind="training" if is_training else "generator")


def _share_taken(network: nn.Module, copied: set[str]) -> str:
    """Say how much of a network was taken, and which of its parts begin fresh."""
    own = network.state_dict().keys()
    if not copied:
        return "fresh"
    if len(copied) == len(own):
        return "whole"
    parts = sorted({".".join(key.split(".")[:PART_DEPTH]) for key in own - copied})
    listed = ", ".join(parts[:MOST_LISTED]) + (", ..." if len(parts) > MOST_LISTED else "")
    return f"{len(copied)} of {len(own)} tensors (fresh: {listed})"


def _take(
    network: nn.Module,
    tensors: Mapping[str, Tensor],
    translation: Translation,
    *,
    where: Path,
) -> set[str]:
    """Copy into a network what it shares with another; return the keys."""
    own = network.state_dict()
    copied: set[str] = set()
    if isinstance(network, Generator):
        tensors = _without_other_heads(tensors, own)
    readers = {} if translation.is_identity else dict(_reading_convolutions(network))
    writes_classes = isinstance(network, SegmentationDiscriminator) and not translation.is_identity
    for key in own.keys() & tensors.keys():
        reader = next((name for name in readers if key.startswith(f"{name}.")), None)
        if writes_classes and key.startswith("head."):
            ours, theirs = (_by_output(each[key]) for each in (own, tensors))
            _copy_channels(ours, theirs, translation, where=f"{where}: {key!r}")
        elif reader is None or key.endswith("bias"):
            _copy(own[key], tensors[key], where=f"{where}: {key!r}")
        elif own[key].ndim == WEIGHT_AXES:
            lead = own[key].shape[1] - _map_channels(readers[reader])
            _copy(own[key][:, :lead], tensors[key][:, :lead], where=f"{where}: {key!r}")
            ours, theirs = own[key][:, lead:], tensors[key][:, lead:]
            _copy_channels(ours, theirs, translation, where=f"{where}: {key!r}")
        else:
            continue
        copied.add(key)
    for convolution in readers.values():
        _settle(convolution)
    return copied


def _without_other_heads(
    tensors: Mapping[str, Tensor], own: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Leave behind heads that stand elsewhere here, or paint another number of pictures."""
    others = [
        key
        for key, tensor in tensors.items()
        if HEAD_KEY in key and (key not in own or own[key].shape[0] != tensor.shape[0])
    ]
    if others:
        listed = ", ".join(sorted({key.rpartition(".conv.")[0] for key in others}))
        LOGGER.info("left behind, as it paints other pictures than this run's: %s", listed)
    return {key: tensor for key, tensor in tensors.items() if key not in others}


def _map_channels(convolution: nn.Conv2d) -> int:
    """Count the input channels of a convolution that are of maps; features come before them."""
    before = convolution.features if isinstance(convolution, MapConv2d) else 0
    return convolution.in_channels - before


def _copy(target: Tensor, source: Tensor, *, where: str) -> None:
    """Copy a whole tensor.

    Raises:
        CheckpointError: if it has another shape.
    """
    if target.shape != source.shape:
        raise CheckpointError(
            f"{where} must be {tuple(target.shape)} to begin this run; it is "
            f"{tuple(source.shape)}: was it trained with other widths?"
        )
    target.copy_(source)


def _by_output(parameter: Tensor) -> Tensor:
    """View a weight 'o i h w' or a bias 'o' of an output as one whose channels are on axis 1."""
    return parameter[None] if parameter.ndim == 1 else parameter.transpose(0, 1)


def _copy_channels(target: Tensor, source: Tensor, translation: Translation, *, where: str) -> None:
    """Copy the input channels that mean the same, of every map in the window.

    Args:
        target: 'o (m k) h w', m maps of k channels.
        source: 'o (m l) h w'.
        translation: of k channels from l.
        where: for the message.

    Raises:
        CheckpointError: if anything but the number of channels differs.
    """
    theirs, ours = len(translation.source), len(translation.target)
    maps = target.shape[1] // ours
    fitting = (target.shape[0], maps * theirs, *target.shape[2:])
    if source.shape != fitting:
        raise CheckpointError(
            f"{where} must be {fitting} to begin this run, {maps} maps of {theirs} channels; it is "
            f"{tuple(source.shape)}: was it trained with other widths or another history?"
        )
    split, whole = source.unflatten(1, (maps, theirs)), target.unflatten(1, (maps, ours))
    for here, there in translation.matches.items():
        whole[:, :, here].copy_(split[:, :, there])


def _reading_convolutions(network: nn.Module) -> Iterator[tuple[str, nn.Conv2d]]:
    """Yield the convolutions that read the input, by their names."""
    names = {id(module): name for name, module in network.named_modules()}
    if isinstance(network, Generator | MultiScaleDiscriminator):
        for part in network.readers:
            first = next(module for module in part.modules() if isinstance(module, nn.Conv2d))
            yield names[id(first)], first


def _settle(convolution: nn.Conv2d) -> None:
    """Let spectral norm find the singular vectors of weights that were put together."""
    if parametrize.is_parametrized(convolution, "weight"):
        with torch.no_grad():
            for _ in range(POWER_ITERATIONS):
                _ = convolution.weight  # reading it iterates once


def _rest(maps: Translation) -> str:
    """Name the channels of a map that were not taken over, on either side."""
    taken = set(maps.matches.values())
    left = [str(each) for index, each in enumerate(maps.source) if index not in taken]
    fresh = [str(each) for index, each in enumerate(maps.target) if index not in maps.matches]
    said = [f"{len(maps.matches)} of {len(maps.target)} input channels by what they mean"]
    said += [f"fresh: {', '.join(fresh)}"] * bool(fresh)
    said += [f"left behind: {', '.join(left)}"] * bool(left)
    return "" if maps.is_identity else "; ".join(["", *said])
