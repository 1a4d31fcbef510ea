"""What a video begins with: given pictures, or frames that a still-image generator paints."""

import logging
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from pipelines.build import Generation, load_generation
from pipelines.painters import SETTING, check_painter, locate_painter
from pipelines.rendering.frames import FrameGenerator
from pipelines.rendering.options import RenderOptions
from vid2vid.data.augment import Size
from vid2vid.errors import ConfigError, VideoError
from vid2vid.video.reading import read_image

LOGGER = logging.getLogger(__name__)


def is_checkpoint(place: Path) -> bool:
    """Tell a checkpoint (a .safetensors file or a run folder) from a picture."""
    return place.is_dir() or place.suffix == ".safetensors"


def warn_of_zeros(options: RenderOptions, generation: Generation) -> None:
    """Say that a video begins from zeros where the generator has only seen real frames there."""
    history = generation.generator.history
    begins = options.first_frames or _own_painter(options, generation) is not None
    if not history or options.is_still or begins:
        return
    if generation.config.training.first_frames == "real":
        LOGGER.warning(
            "the checkpoint was trained on videos that begin with real frames, and this one begins "
            "from zeros: give it %d with --first-frame",
            history,
        )


def read_first_frames(options: RenderOptions, size: Size) -> list[Tensor]:
    """Read the pictures that were given, 'h w 3' uint8, oldest first.

    Raises:
        VideoError: if one cannot be read or has another size than the output.
    """
    paths = [path for path in options.first_frames if not is_checkpoint(path)]
    pictures = [read_image(path) for path in paths]
    for path, picture in zip(paths, pictures, strict=True):
        height, width = picture.shape[:2]
        if (height, width) != size:
            raise VideoError(
                f"a first frame must have the size of the output, {size.width}x{size.height} "
                f"(width x height); {path} is {width}x{height}: resize it"
            )
    return [torch.from_numpy(picture) for picture in pictures]


def open_painter(
    options: RenderOptions, generation: Generation, device: torch.device
) -> Generation | None:
    """Load the still-image generator that paints the first frames: one given, or the run's own.

    It sees the same label maps and controls as the video's generator, made into the channels of its
    own conditioning: what it does not take of the labels, such as the boundary, is left out.

    Raises:
        ConfigError: if it is not alone, is no still-image generator, or does not take such maps.
        CheckpointError: if it is no checkpoint.
    """
    checkpoints = [path for path in options.first_frames if is_checkpoint(path)]
    if checkpoints and len(options.first_frames) > 1:
        raise ConfigError(
            "--first-frame takes pictures, or one checkpoint alone, which paints them all; got "
            f"{_listed(options.first_frames)}: leave out all but one kind"
        )
    own = _own_painter(options, generation)
    if checkpoints:
        place, option = checkpoints[0], "--first-frame"
    elif own is not None:
        place, option = locate_painter(own, beside=generation.path), SETTING
    else:
        return None
    painter = load_generation(place, device)
    check_painter(
        painter.config,
        painter.palette,
        generation.config,
        generation.palette,
        option=option,
        place=place,
    )
    return painter


def _own_painter(options: RenderOptions, generation: Generation) -> str | None:
    """Name the checkpoint that the run itself begins videos with, where that is wanted."""
    own = generation.config.first_frames
    if own is None or options.is_still or options.from_zeros or options.first_frames:
        return None
    return own.checkpoint


def make_painter(
    painter: Generation, options: RenderOptions, device: torch.device
) -> FrameGenerator:
    """Make what paints the first frames.

    Raises:
        ConfigError: if it needs instance maps and there are none.
    """
    painter.generator.to(memory_format=torch.channels_last)
    conditioning = painter.conditioning
    if conditioning.boundary == "instances" and options.instances is None:
        if options.boundary is None:
            raise ConfigError(
                f"{painter.path} was trained with instance maps; none were given: pass --instances "
                "FOLDER, or --boundary labels to draw the boundaries between classes instead"
            )
        conditioning = conditioning._replace(boundary=options.boundary)
    styles = painter.styles._replace(seed=options.seed or 0) if painter.generator.features else None
    return FrameGenerator(painter.generator, conditioning, device, styles=styles)


def _listed(paths: Sequence[Path]) -> str:
    return ", ".join(map(str, paths))
