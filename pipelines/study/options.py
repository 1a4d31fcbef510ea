"""What can be asked of a study. Imports no torch, for the command line."""

from dataclasses import dataclass
from pathlib import Path

from pipelines.parts import read_part
from vid2vid.errors import ConfigError

SHORTEST_SECONDS, LONGEST_SECONDS = 0.125, 8.0


@dataclass(frozen=True)
class StudyOptions:
    """What is compared, and how it is shown."""

    first: Path
    """Frames of system A: a video, a folder or glob of pictures, a folder of such, a .txt list."""
    second: Path
    """Frames of system B, likewise."""
    out: Path
    """Folder for the page and its key."""
    reference: Path | None = None
    """Real frames, shown above each pair; None = the pair alone."""
    frames: str | None = None
    """Part of every sequence: A:B, counted from 0, B not included; None = all. What holds just as
    many frames as the part, as a rendering of it does, is taken for it."""
    pairs: int = 40
    """Pairs that are compared, sentinels not counted."""
    clip_frames: int = 16
    """Frames of each clip that is shown in a loop; 1 = stills."""
    display_seconds: float | None = None
    """How long a pair is shown, 0.125 to 8; None = until the answer."""
    height: int | None = None
    """Height at which each clip is shown, CSS pixels; None = that of its frames, or what fits."""
    question: str = "Which video looks more realistic?"
    """What people are asked."""
    seed: int = 0
    """Of the clips, their order and their sides."""

    def __post_init__(self) -> None:
        read_part(self.frames)
        for name, value in (("--pairs", self.pairs), ("--clip-frames", self.clip_frames)):
            if value < 1:
                raise ConfigError(f"{name} must be at least 1; got {value}")
        if self.height is not None and self.height < 16:
            raise ConfigError(f"--height must be at least 16 pixels; got {self.height}")
        seconds = self.display_seconds
        if seconds is not None and not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
            raise ConfigError(
                f"--display must be {SHORTEST_SECONDS} to {LONGEST_SECONDS:g} seconds, or left out "
                f"for no limit; got {seconds:g}"
            )
