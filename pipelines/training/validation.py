"""Held-out frames of a run: where they come from, and how well they are generated."""

from typing import NamedTuple

import torch

from pipelines.config.run import RunConfig
from pipelines.datasets import open_files, open_world
from vid2vid.data.batches import ClipSource
from vid2vid.data.clips import ClipDataset
from vid2vid.data.config import DataConfig
from vid2vid.errors import ConfigError
from vid2vid.labels.palettes import Palette
from vid2vid.metrics.image import psnr
from vid2vid.metrics.similarity import WINDOW, ssim
from vid2vid.networks.interface import Generator
from vid2vid.training.loop import Run
from vid2vid.training.trial import generate_trial
from vid2vid.training.validation import Scores, ValidationConfig
from vid2vid.world.clips import WorldDataConfig


class Piece(NamedTuple):
    """A run of consecutive frames of one sequence."""

    sequence_index: int
    length: int  # frames, with those that it starts from


class Validation(NamedTuple):
    """What is generated to see how a run does."""

    source: ClipSource
    pieces: tuple[Piece, ...]


def open_validation(
    config: RunConfig, palette: Palette | None, *, trained_on: ClipSource, device: torch.device
) -> Validation | None:
    """Find the held-out frames of a run; None where it asks for no validation.

    A generator with style features is given those of the held-out frame itself, as in training: its
    scores say how well it paints in a known style, not which style it chooses.

    Args:
        config: of the run.
        palette: of its label maps; None without labels.
        trained_on: the clips of the run.
        device: where procedural streets are rendered.

    Raises:
        ConfigError: if they are trained on, too few, or too small to be scored.
        DataError: if they do not fit.
    """
    wanted = config.validation
    if wanted is None:
        return None
    halvings = len(config.schedule.refine_at)  # before the refiners join
    if min(config.data.height, config.data.width) >> halvings < WINDOW:
        raise ConfigError(
            f"validation needs frames of at least {WINDOW << halvings} pixels a side for SSIM; "
            f"data has {config.data.height}x{config.data.width} (height x width): enlarge them, "
            "or set validation to null"
        )
    if isinstance(config.data, DataConfig) and isinstance(trained_on, ClipDataset):
        source = _open_files(config, config.data, wanted, palette=palette)
        _check_apart(source, trained_on)
    elif isinstance(config.data, WorldDataConfig):
        source = open_world(config, _other_streets(config.data, wanted), palette, device=device)
    else:
        raise ValueError(f"clips of files must come from files; got {type(trained_on).__name__}")
    history = config.generator.history
    lengths = source.clip_lengths()
    usable = [index for index, length in enumerate(lengths) if length > history]
    if not usable:
        raise ConfigError(
            f"validation needs a sequence of more than {history} frames, which it starts from; the "
            f"longest of {len(lengths)} has {max(lengths, default=0)}: widen validation.frame_range"
        )
    count = min(wanted.sequences, len(usable))
    chosen = [usable[index * len(usable) // count] for index in range(count)]
    return Validation(
        source,
        tuple(Piece(index, min(lengths[index], history + wanted.frames)) for index in chosen),
    )


def validate(validation: Validation, run: Run, generator: Generator, *, scales: int) -> Scores:
    """Generate the held-out frames, each sequence in one rollout, and score them.

    Args:
        validation: the frames.
        run: how clips are encoded and begin.
        generator: usually the average of the weights.
        scales: spatial scales that run.
    """
    found: list[torch.Tensor] = []
    for piece in validation.pieces:
        clip = validation.source.evaluation_clip(piece.sequence_index, 0, piece.length)
        trial = generate_trial(clip, run, generator, scales=scales)
        frames = torch.cat([output.frame for output in trial.outputs])
        found.append(torch.stack([psnr(frames, trial.real), ssim(frames, trial.real)]).cpu())
    means = torch.cat(found, dim=1).mean(dim=1)
    return Scores(*means.tolist())


def _open_files(
    config: RunConfig, data: DataConfig, wanted: ValidationConfig, *, palette: Palette | None
) -> ClipDataset:
    """Open the sequences that were held out."""
    other = {"split": wanted.split or data.split, "frame_range": wanted.frame_range}
    return open_files(config, data.model_copy(update=other), palette, with_flow=False)


def _check_apart(held_out: ClipDataset, trained_on: ClipDataset) -> None:
    """Check that no held-out frame is trained on.

    Raises:
        ConfigError: if one is.
    """
    # The files tell: in some layouts another split is the same files.
    known = {source for sequence in trained_on.sequences for source in sequence.frames}
    for sequence in held_out.sequences:
        shared = [index for index, source in enumerate(sequence.frames) if source in known]
        if shared:
            raise ConfigError(
                f"validation must be on frames that are not trained on; {len(shared)} of "
                f"{sequence.num_frames} of sequence {sequence.name!r} are: set data.frame_range "
                "and validation.frame_range apart, or validation.split to another"
            )


def _other_streets(data: WorldDataConfig, wanted: ValidationConfig) -> WorldDataConfig:
    """Name the streets after those that are trained on.

    Raises:
        ConfigError: if a part of files was asked for.
    """
    if wanted.split is not None or wanted.frame_range is not None:
        raise ConfigError(
            "validation.split and validation.frame_range are for files; procedural streets are "
            "held out by their seeds: leave both out"
        )
    first = data.first_seed + data.worlds
    return data.model_copy(update={"first_seed": first, "worlds": wanted.sequences})
