"""From a configuration to objects: networks, conditioning, and with `datasets` a whole run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from pipelines.config.controls import pass_channels
from pipelines.config.file import validate_config
from pipelines.config.known import known_channel
from pipelines.config.pictures import lightness_channel
from pipelines.config.run import RunConfig
from pipelines.datasets import build_dataset
from pipelines.judges import add_judges, check_ids
from pipelines.painters import SETTING, check_maps, check_painter
from vid2vid.checkpoint import Checkpoint, load_checkpoint, load_weights, split_companions
from vid2vid.controls.config import count_channels
from vid2vid.errors import CheckpointError, ConfigError
from vid2vid.first_frames import Painter
from vid2vid.labels.conditioning import Conditioning
from vid2vid.labels.palettes import Palette, load_palette
from vid2vid.networks.context_encoder import ContextEncoderConfig
from vid2vid.networks.generator import GeneratorConfig, SequentialGenerator
from vid2vid.networks.interface import Generator
from vid2vid.networks.recompute import recompute_activations
from vid2vid.networks.still import StillGenerator
from vid2vid.styles import Styles
from vid2vid.training.loop import Run
from vid2vid.training.players import Players
from vid2vid.training.state import TrainingState, make_optimizers
from vid2vid.weights.features import load_features, load_mrf_features


class Generation(NamedTuple):
    """What rendering needs of a checkpoint."""

    generator: Generator
    conditioning: Conditioning
    palette: Palette | None  # None without labels
    config: RunConfig
    step: int
    styles: Styles  # of every class, for a generator with features; its tables may be empty
    path: Path  # of the file


def build_conditioning(config: RunConfig, palette: Palette | None) -> Conditioning:
    """Make the encoder of label maps and controls.

    Raises:
        ConfigError: if a foreground label is no class of the palette.
    """
    pictures, labels = count_channels(config.controls), config.labels
    if palette is None or labels is None:
        return Conditioning(0, pictures=pictures)
    check_ids("labels.foreground", labels.foreground, palette)
    return Conditioning(palette.num_classes, labels.void, labels.boundary, pictures)


def build_generator(config: RunConfig, palette: Palette | None) -> Generator:
    """Make the generator of a configuration, its weights not yet drawn."""
    network = config.generator
    maps = build_conditioning(config, palette).channels
    channels = maps + network.features + network.beside
    if isinstance(network, GeneratorConfig):
        return SequentialGenerator(
            network, conditioning_channels=channels, foreground=config.foreground
        )
    first = maps - count_channels(config.controls)
    return StillGenerator(
        network,
        conditioning_channels=channels,
        passes=pass_channels(network, config.controls, first),
        lightness=lightness_channel(network, config.controls, first),
        known=known_channel(config.controls, first),
    )


def build_players(config: RunConfig, palette: Palette | None) -> Players:
    """Make every network that plays, its weights drawn from the seed.

    A discriminator whose terms all have weight 0 is not made.
    """
    generator = build_generator(config, palette)
    generator.initialise(config.training.seed)
    if config.training.checkpoint_activations:
        recompute_activations(generator)
    players = Players(generator)
    players.classes = 0 if palette is None else palette.num_classes
    if isinstance(config.generator, ContextEncoderConfig):
        players.overlap = config.generator.overlap
    channels = build_conditioning(config, palette).channels
    add_judges(players, config, palette, channels=channels)
    if config.losses.perceptual:
        players.features = load_features(config.losses)
    if config.losses.mrf:
        players.mrf_features = load_mrf_features(config.losses)
    return players


def build_state(config: RunConfig, palette: Palette | None, device: torch.device) -> TrainingState:
    """Make the players, their optimisers and the average, at step 0."""
    players = build_players(config, palette)
    average = build_generator(config, palette)
    average.load_state_dict(players.generator.state_dict())
    average.requires_grad_(requires_grad=False).eval()
    for _, network in (*players.trained(), ("average", average)):
        # Convolutions run about twice as fast in this layout, on the CPU and in bfloat16 on a GPU.
        network.to(device).to(memory_format=torch.channels_last)
    for features in (players.features, players.mrf_features):
        if features is not None:
            features.to(device)
    return TrainingState(players, average, make_optimizers(players, config.optimizer))


def check_trainable(config: RunConfig) -> None:
    """Refuse a configuration that renders but cannot be trained.

    Raises:
        ConfigError: saying why.
    """
    if config.generator.features and config.generator.encoder is None:
        raise ConfigError(
            "generator.features are learnt with an encoder; generator.encoder is null: give it a "
            "section, or set generator.features to 0"
        )


def build_run(config: RunConfig, palette: Palette | None, device: torch.device) -> Run:
    """Make everything of a run that does not change from step to step."""
    return Run(
        dataset=build_dataset(config, palette, device=device),
        conditioning=build_conditioning(config, palette),
        device=device,
        losses=config.losses,
        optimizer=config.optimizer,
        training=config.training,
        painter=build_painter(config, palette, device),
    )


def build_painter(
    config: RunConfig, palette: Palette | None, device: torch.device
) -> Painter | None:
    """Load what paints the first frames of training clips, where a run wants that.

    Raises:
        CheckpointError: if there is none or it does not fit.
        ConfigError: if it takes other maps than the run has.
    """
    wanted = config.first_frames
    if wanted is None or not wanted.train:
        return None
    found = load_generation(wanted.checkpoint, device)
    check_painter(
        found.config, found.palette, config, palette, option=SETTING, place=wanted.checkpoint
    )
    check_maps(found.config, config, place=wanted.checkpoint)
    styles = found.styles if found.generator.features else None
    return Painter(found.generator, found.conditioning, styles)


def config_of(checkpoint: Checkpoint) -> RunConfig:
    """Read back the configuration that a checkpoint carries."""
    data: dict[str, Any] = checkpoint.metadata["config"]
    return validate_config(data, RunConfig, where=str(checkpoint.path))


def palette_of(checkpoint: Checkpoint) -> Palette | None:
    """Read back the palette that a checkpoint carries; None without labels."""
    kept = checkpoint.metadata["palette"]
    return None if kept is None else Palette.model_validate(kept)


def load_generation(path: Path | str, device: torch.device) -> Generation:
    """Rebuild the generator of a checkpoint, strictly.

    Args:
        path: a file or a run folder.
        device: where it will run.

    Raises:
        CheckpointError: if there is none or it does not fit.
    """
    checkpoint = load_checkpoint(path, kind="generator")
    config, palette = config_of(checkpoint), palette_of(checkpoint)
    generator = build_generator(config, palette)
    own, companions = split_companions(checkpoint.tensors)
    load_weights(generator, own, where=checkpoint.path)
    generator.requires_grad_(requires_grad=False)
    return Generation(
        generator=generator.eval().to(device),
        conditioning=build_conditioning(config, palette),
        palette=palette,
        config=config,
        step=checkpoint.metadata["step"],
        styles=_load_styles(companions, generator, device, where=checkpoint.path),
        path=checkpoint.path,
    )


def _load_styles(
    companions: Mapping[str, Tensor], generator: Generator, device: torch.device, *, where: Path
) -> Styles:
    """Gather the tables of styles.

    Raises:
        CheckpointError: if one has not the generator's number of features.
    """
    tables: dict[int, Tensor] = {}
    for key, table in companions.items():
        group, _, rest = key.partition(".")
        if group != "styles":
            continue
        if table.ndim != 2 or table.shape[1] != generator.features:
            raise CheckpointError(
                f"{where}: {key!r} must have {generator.features} columns, the features of the "
                f"generator; it is {tuple(table.shape)}"
            )
        tables[int(rest)] = table.float().to(device)
    return Styles(generator.features, tables)


def palette_for(config: RunConfig) -> Palette | None:
    """Load the palette that a configuration names; None without labels."""
    return None if config.labels is None else load_palette(config.labels.palette)


def training_palette(config: RunConfig) -> Palette | None:
    """Load the palette of a run that will be trained; None without labels.

    Raises:
        ConfigError: if the configuration renders but cannot be trained.
    """
    check_trainable(config)
    return palette_for(config)


def choose_device(name: str | None) -> torch.device:
    """Turn `--device` into a device: the named one, else a GPU where there is one.

    Raises:
        ConfigError: if the named device is not there.
    """
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        here = "cpu, cuda" if torch.cuda.is_available() else "cpu"
        raise ConfigError(f"--device must be one of {here}; got {name!r}") from error
    return device
