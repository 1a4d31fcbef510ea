"""What is asked of `vid2vid prepare`. Imports no torch."""

from pathlib import Path
from typing import Literal, NamedTuple, cast, get_args

from vid2vid.errors import ConfigError

ControlName = Literal["edges", "grey", "flow", "labels"]
CONTROL_NAMES: tuple[ControlName, ...] = get_args(ControlName)


class PrepareOptions(NamedTuple):
    """Which streams are made of which videos."""

    videos: tuple[Path, ...]  # each a video, a folder of pictures, or a folder of either
    out: Path
    controls: tuple[ControlName, ...] = ("edges",)
    segmenter: Path | None = None  # None = the package's own
    palette: str | None = None  # of a segmenter that does not say
    part: slice = slice(0, None)  # frames of every video
    height: int | None = None  # None = the video's, or as the width demands
    width: int | None = None
    validation: float = 0.1  # share of each shot that is held out, at its end
    device: str | None = None


def parse_controls(text: str) -> tuple[ControlName, ...]:
    """Read names with commas between them.

    Raises:
        ConfigError: if one is unknown or comes twice, or there is none.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    wrong = [name for name in names if name not in CONTROL_NAMES]
    if wrong or not names or len(set(names)) < len(names):
        raise ConfigError(
            f"--control must be some of {','.join(CONTROL_NAMES)}, each once; got {text!r}"
        )
    return tuple(cast(ControlName, name) for name in names)
