"""Say what the networks of a configuration or checkpoint are and cost, without making them."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import cast

import torch

from pipelines.build import (
    build_players,
    check_trainable,
    config_of,
    palette_for,
    palette_of,
)
from pipelines.config.file import read_config
from pipelines.config.run import RunConfig
from pipelines.training.memory import MemoryEstimate, describe_memory, estimate_memory
from vid2vid.checkpoint import STATE_FILE, load_checkpoint
from vid2vid.controls.config import AnyControl, name_of
from vid2vid.data.augment import Size
from vid2vid.errors import ConfigError
from vid2vid.labels.palettes import Palette
from vid2vid.losses.config import WITHOUT_FEATURES
from vid2vid.networks.cost import count_macs, count_parameters, generator_macs
from vid2vid.networks.fusion import BaseNetwork, FusionGenerator
from vid2vid.networks.interface import Generator
from vid2vid.networks.still import StillGenerator
from vid2vid.training.players import Players


@dataclass(frozen=True)
class NetworkCost:
    """One network."""

    name: str
    parameters: int
    macs: int  # multiply-accumulates for one frame, or one window or box of a discriminator
    height: int  # of what it works on
    width: int


@dataclass(frozen=True)
class Inspection:
    """A configuration or a checkpoint."""

    name: str  # of the run
    palette: str | None  # None without labels
    num_classes: int
    controls: tuple[str, ...]  # each with its channels
    height: int  # of the frames it is trained on
    width: int
    step: int | None  # steps that a checkpoint was trained for; None = a configuration
    networks: tuple[NetworkCost, ...]
    memory: MemoryEstimate | None = None  # of a training step; None = not asked for, or untrainable

    def to_json(self) -> dict[str, object]:
        """Return JSON values."""
        memory = None if self.memory is None else self.memory.to_json()
        return {**asdict(self), "memory": memory}


def inspect(name: str | Path, *, overrides: tuple[str, ...] = ()) -> Inspection:
    """Look at a configuration (a file or a packaged name), a checkpoint or a run folder.

    Args:
        name: a folder or .safetensors file is a checkpoint, anything else a configuration.
        overrides: 'a.b=c' for a configuration.

    Raises:
        Vid2VidError: if there is none or it is not valid.
    """
    path = Path(name).expanduser()
    if not path.is_dir() and path.suffix != ".safetensors":
        config = read_config(name, RunConfig, overrides=overrides)
        palette = palette_for(config)
        return with_memory(inspect_config(config, palette), config, palette)
    kind = "training" if path.name == STATE_FILE else "generator"
    checkpoint = load_checkpoint(path, kind=kind, with_tensors=False)
    config = config_of(checkpoint)
    found = inspect_config(config, palette_of(checkpoint), step=checkpoint.metadata["step"])
    return with_memory(found, config, palette_of(checkpoint))


def with_memory(inspection: Inspection, config: RunConfig, palette: Palette | None) -> Inspection:
    """Add how much memory training takes, where the configuration can be trained."""
    try:
        check_trainable(config)
    except ConfigError:
        return inspection
    return replace(inspection, memory=estimate_memory(config, palette))


def inspect_config(
    config: RunConfig, palette: Palette | None, *, step: int | None = None
) -> Inspection:
    """Count everything, on the meta device: no weight is made, so no memory is needed."""
    # The feature network of the perceptual loss is not trained, and its file may not be there.
    without_features = config.model_copy(
        update={"losses": config.losses.model_copy(update=WITHOUT_FEATURES)}
    )
    with torch.device("meta"):
        players = build_players(without_features, palette)
    size = Size(config.data.height, config.data.width)
    return Inspection(
        name=config.name,
        palette=None if palette is None else palette.name,
        num_classes=0 if palette is None else palette.num_classes,
        controls=tuple(_describe_control(control) for control in config.controls),
        height=size.height,
        width=size.width,
        step=step,
        networks=(*_generator_costs(players.generator, size), *_judge_costs(players, size)),
    )


def _generator_costs(generator: Generator, size: Size) -> Iterator[NetworkCost]:
    """Count each scale, then all of them, at the size that the frames are padded to."""
    height, width = generator.padding(*size, generator.scales).padded_size(*size)
    total = 0
    if isinstance(generator, StillGenerator):
        yield from _still_costs(generator, Size(height, width))
        return
    for scale, network in enumerate(generator.stages):
        halvings = generator.scales - 1 - scale
        own = Size(height >> halvings, width >> halvings)
        macs = generator_macs(generator, height=own.height, width=own.width, scales=scale + 1)
        name = "generator, coarse" if scale == 0 else f"generator, refiner {scale}"
        yield NetworkCost(name, count_parameters(network), macs - total, own.height, own.width)
        total = macs
    yield NetworkCost("generator, total", count_parameters(generator), total, height, width)


def _still_costs(generator: StillGenerator, size: Size) -> Iterator[NetworkCost]:
    """Count the network, then the feature encoder where there is one."""
    macs = generator_macs(generator, height=size.height, width=size.width)
    if isinstance(generator.network, FusionGenerator):
        yield from _fusion_costs(generator.network, macs, size)
        return
    yield NetworkCost("generator", count_parameters(generator.network), macs, *size)
    if generator.encoder is not None:
        photo = torch.empty(1, 3, *size, device="meta")
        macs = count_macs(generator.encoder, lambda ghost: ghost(photo))
        yield NetworkCost("feature encoder", count_parameters(generator.encoder), macs, *size)


def _fusion_costs(network: FusionGenerator, macs: int, size: Size) -> Iterator[NetworkCost]:
    """Count the base with all its passes, then the joint, then both."""
    base, passes = network.base, network.seen.shape[0]
    maps = torch.empty(1, network.seen.shape[1], *size, device="meta")
    once = count_macs(base, lambda ghost: ghost(maps))
    one_more = count_macs(base, lambda ghost: cast("BaseNetwork", ghost).features(maps))
    together = once + (passes - 1) * one_more
    yield NetworkCost("generator, base", count_parameters(base), together, *size)
    yield NetworkCost("generator, joint", count_parameters(network.joint), macs - together, *size)
    yield NetworkCost("generator, total", count_parameters(network), macs, *size)


def _judge_costs(players: Players, size: Size) -> Iterator[NetworkCost]:
    """Count the discriminators, at the size of the frames, or of what boxes are resized to."""
    for name, network in players.trained():
        if network is not players.generator:
            side = players.region_size
            own = Size(side, side) if network is players.region_discriminator else size
            channels = next(p.shape[1] for p in network.parameters() if p.ndim == 4)
            pictures = torch.empty(1, channels, *own, device="meta")
            macs = count_macs(network, lambda ghost, pictures=pictures: ghost(pictures))
            yield NetworkCost(name.replace("_", " "), count_parameters(network), macs, *own)


def _describe_control(control: AnyControl) -> str:
    """Name a control and its channels."""
    return f"{name_of(control)} ({control.channels} channel{'s' * (control.channels > 1)})"


def describe(inspection: Inspection) -> str:
    """Write an inspection as text, one network a line."""
    size = f"{inspection.width}x{inspection.height}"
    sources = list(inspection.controls)
    if inspection.palette is not None:
        sources.insert(0, f"palette {inspection.palette} ({inspection.num_classes} classes)")
    lines = [
        f"{inspection.name}: {', '.join(sources)}, "
        f"frames {size} (width x height)"
        + ("" if inspection.step is None else f", trained for {inspection.step} steps"),
        f"{'network':<24} {'parameters':>12} {'GMACs':>10}  at",
    ]
    lines += [
        f"{network.name:<24} {network.parameters:>12,} {network.macs / 1e9:>10.3f}  "
        f"{network.width}x{network.height}"
        for network in inspection.networks
    ]
    if inspection.memory is not None:
        lines.append(describe_memory(inspection.memory))
    return "\n".join(lines)
