"""What can be asked of a renderer, and what it answers. Imports no torch, for the command line."""

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

from vid2vid.errors import ConfigError

Dtype = Literal["float32", "bfloat16"]

LARGEST_CRF = 51


@dataclass(frozen=True)
class RenderOptions:
    """How labels are read, frames generated and outputs written."""

    instances: Path | None = None
    """Instance maps: lossless video, folder or glob, paired with the label maps frame by frame."""
    palette: str | None = None
    """Palette that the label maps are in; None = the checkpoint's."""
    map: str | None = None
    """Mapping of their ids to those of the checkpoint's palette: its name or a YAML file."""
    boundary: Literal["labels"] | None = None
    """Draw the boundary from the labels where the checkpoint wants instances and there are none."""
    first_frames: tuple[Path, ...] = ()
    """Pictures that the output begins with, oldest first, at most as many as the history; or one
    checkpoint of a still-image generator, which paints as many."""
    seed: int | None = None
    """Of what is drawn while rendering: styles and dropout; None = 0. Refused where nothing is."""
    style_from: Path | None = None
    """Photo whose style is taken, for a checkpoint with style features."""
    style_labels: Path | None = None
    """Label map of that photo, in the palette of the input."""
    style_instances: Path | None = None
    """Instance map of that photo."""
    is_still: bool = False
    """Generate each frame from zeros, without memory of the ones before it."""
    frames: str | None = None
    """Part of the input: A:B, counted from 0, B not included; None = all."""
    fps: Fraction | None = None
    """Frames per second of pictures; None = 25. A video and a times.csv say it themselves."""
    height: int | None = None
    """Height of the output, px; None = the input's, or what keeps the aspect of `width`."""
    width: int | None = None
    """Width of the output, px; None = the input's, or what keeps the aspect of `height`."""
    codec: str | None = None
    """`libx264`, in .webm `libvpx-vp9`, in .mkv also `ffv1`; None = the suffix's own."""
    crf: int = 16
    """Constant rate factor of a lossy video, 0 to 51, smaller is better."""
    lossless: bool = False
    """Write the video without loss."""
    preview: Path | None = None
    """Video or folder: label maps and frames side by side."""
    save_flow: Path | None = None
    """Folder of .flo files, named as the input's frames; frames without a past have none."""
    save_occlusion: Path | None = None
    """Video or folder: white where the hallucinated pixel was taken."""
    save_hallucinated: Path | None = None
    """Video or folder: what the generator painted by itself."""

    def __post_init__(self) -> None:
        self.frame_slice()
        if self.seed is not None and self.seed < 0:
            raise ConfigError(f"--seed must be at least 0; got {self.seed}")
        if not 0 <= self.crf <= LARGEST_CRF:
            raise ConfigError(f"--crf must be 0 to {LARGEST_CRF}; got {self.crf}")
        if self.fps is not None and self.fps <= 0:
            raise ConfigError(f"--fps must be above 0; got {self.fps}")
        for name, size in (("height", self.height), ("width", self.width)):
            if size is not None and size < 1:
                raise ConfigError(f"--{name} must be at least 1 pixel; got {size}")

    def frame_slice(self) -> slice:
        """Read `frames`.

        Raises:
            ConfigError: if it is no slice of at least one frame.
        """
        if self.frames is None:
            return slice(0, None)
        found = re.fullmatch(r"(\d*):(\d*)", self.frames.strip())
        if found is None:
            raise ConfigError(
                "--frames must be A:B, counted from 0, B not included (10:20, 10: or :20); "
                f"got {self.frames!r}"
            )
        part = slice(int(found[1] or 0), int(found[2]) if found[2] else None)
        if part.stop is not None and part.stop <= part.start:
            raise ConfigError(
                f"--frames A:B must hold a frame, so B must be above A; got {self.frames!r}"
            )
        return part


@dataclass(frozen=True)
class Rendered:
    """What was rendered."""

    path: Path
    num_frames: int
    height: int
    width: int
    seconds: float  # from before the input is opened to the complete output
    extras: tuple[Path, ...] = ()  # preview, flow, occlusion, hallucinated frames, where asked for


class RenderingError(OSError):
    """Input, disk or device failed after the first frame was written. Status 1."""
