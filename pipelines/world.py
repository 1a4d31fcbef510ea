"""Render a procedural street into a folder, with everything that is true of its pixels."""

from pathlib import Path
from typing import NamedTuple

from pipelines.build import choose_device
from pipelines.console import progress
from vid2vid.errors import ConfigError
from vid2vid.world.config import WorldConfig
from vid2vid.world.files import WorldWriter
from vid2vid.world.render import Renderer, World


class WorldOptions(NamedTuple):
    """Which frames of which street."""

    world_seed: int
    style_seed: int
    num_frames: int
    start: int  # number of the first frame
    height: int
    width: int
    config: WorldConfig
    device: str | None = None  # None = a GPU where there is one


def write_world(out: Path, options: WorldOptions) -> Path:
    """Write frames of a street; what was written before Ctrl-C stays, each file whole.

    Args:
        out: folder, new or empty.
        options: which frames.

    Returns:
        The folder.

    Raises:
        ConfigError: if a number is out of range, or the device is not there.
        VideoError: if the folder holds files, or cannot be written.
    """
    if options.num_frames < 1 or options.start < 0 or min(options.height, options.width) < 8:
        raise ConfigError(
            "a world needs at least 1 frame, a start of at least 0, and a height and a width of "
            f"at least 8; got --frames {options.num_frames}, --start {options.start}, --size "
            f"{options.height}x{options.width} (HEIGHTxWIDTH)"
        )
    world = World(options.world_seed, options.style_seed, options.config)
    size = (options.height, options.width)
    renderer = Renderer([world], size, device=choose_device(options.device), offsets=(-1,))
    writer = WorldWriter(out, size)
    try:
        with progress(options.num_frames, "world") as bar:
            for frame in range(options.start, options.start + options.num_frames):
                writer.write(frame, renderer.render(frame))
                bar.advance()
    except BaseException:  # Ctrl-C too
        writer.abort()
        raise
    return writer.close()
