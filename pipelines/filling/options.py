"""What can be asked of filling or widening a video, and what it answers. Imports no torch."""

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

from pipelines.parts import read_part
from vid2vid.errors import ConfigError

FlowKind = Literal["dis", "raft"]


@dataclass(frozen=True)
class FillOptions:
    """How a video and its masks are read, what is carried, and how the output is written."""

    dilate: int = 4
    """Pixels by which masks grow before anything else: edges, halos, compression noise."""
    chunk: int = 40
    """Frames that are finished together. Memory grows with it, not with the video."""
    overlap: int = 30
    """Frames before and after them from which pixels are carried."""
    flow: FlowKind = "dis"
    """What finds motion; `raft` needs weights."""
    raft: Path | None = None
    """Weights of torchvision's RAFT; None = torch's cache."""
    device: str | None = None
    """Where RAFT computes; None takes a GPU where there is one."""
    frames: str | None = None
    """Part of the input: A:B, counted from 0, B not included; None = all. Masks likewise."""
    fps: Fraction | None = None
    """Frames per second of pictures; None = 25. A video and a times.csv say it themselves."""
    audio: Literal["copy", "none"] | None = None
    """Whether the sound comes along; None = it does where the output can have sound."""
    codec: str | None = None
    """One of `vid2vid.video.codecs`; None = the suffix's own."""
    crf: int | None = None
    """Constant rate factor of a lossy video, smaller is better; None = 16."""
    lossless: bool = False
    """Write the video without loss: known pixels then are the input's, bit for bit."""

    def __post_init__(self) -> None:
        self.frame_slice()
        for name, value, least in (
            ("dilate", self.dilate, 0),
            ("chunk", self.chunk, 1),
            ("overlap", self.overlap, 0),
        ):
            if value < least:
                raise ConfigError(f"--{name} must be at least {least}; got {value}")
        if self.raft is not None and self.flow != "raft":
            raise ConfigError("--raft is for --flow raft; got --flow dis: leave one out")
        if self.fps is not None and self.fps <= 0:
            raise ConfigError(f"--fps must be above 0; got {self.fps}")

    @property
    def asks_of_video(self) -> bool:
        """Whether anything was asked that pictures do not have."""
        return replace(self, dilate=FillOptions.dilate, device=None) != FillOptions()

    def frame_slice(self) -> slice:
        """Read `frames`.

        Raises:
            ConfigError: if it is no slice of at least one frame.
        """
        return read_part(self.frames)


@dataclass(frozen=True)
class Filled:
    """What was written."""

    path: Path
    num_frames: int
    height: int
    width: int
    seconds: float  # from before the input is opened to the complete output
    num_key_frames: int  # pictures for which the inventor was asked
    carried_share: float  # of the unknown pixels: taken from another frame that shows them
