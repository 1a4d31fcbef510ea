"""What can be asked of extending and morphing, and what they answer. Imports no torch."""

import re
from dataclasses import dataclass, field
from fractions import Fraction

from pipelines.filling.options import FillOptions
from pipelines.rendering.options import PictureFormat
from vid2vid.errors import ConfigError
from vid2vid.extension.margins import Margins, margins_to_aspect

_ASPECT = re.compile(r"(\d+(?:\.\d+)?)(?:[:/](\d+(?:\.\d+)?))?")


def parse_margins(text: str) -> Margins:
    """Read TOP,RIGHT,BOTTOM,LEFT in pixels.

    Raises:
        ConfigError: if there are not four whole numbers, one of them above 0.
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 4 or not all(part.isdecimal() for part in parts) or not any(map(int, parts)):
        raise ConfigError(
            "--margins must be TOP,RIGHT,BOTTOM,LEFT in pixels, one of them above 0; got "
            f"{text!r}: write such as 0,107,0,107"
        )
    return Margins(*map(int, parts))


def parse_aspect(text: str) -> Fraction:
    """Read an aspect, width by height: 16:9, 16/9, 1.85.

    Raises:
        ConfigError: if it is none, or not above 0.
    """
    found = _ASPECT.fullmatch(text.strip())
    sides = [Fraction(side or 1) for side in found.groups()] if found else [Fraction(0)]
    if not all(sides):
        raise ConfigError(f"--to must be WIDTH:HEIGHT, such as 16:9 or 1.85; got {text!r}")
    return sides[0] / sides[1]


@dataclass(frozen=True)
class ExtendOptions:
    """How far pictures grow, and how they are read and written."""

    margins: Margins | None = None
    """What is added on each side, px."""
    aspect: Fraction | None = None
    """Width by height of the result, which grows as far as it must; None = by `margins`."""
    tile: int | None = None
    """So many times the result is extended again: by `margins`, else by what the checkpoint was
    trained for. Textures go on so. None = once."""
    scale: float | None = None
    """At which a picture grows, above 0 to 1; None = the largest at which no margin is wider than
    what the checkpoint has learnt to continue, and 1 with `tile`."""
    format: PictureFormat | None = None
    """Of the pictures in a folder; None = png."""
    quality: int | None = None
    """Of JPEG and WebP, 1 to 100; None = 95, and WebP without loss."""
    video: FillOptions = field(default_factory=FillOptions)
    """How a video is read and written."""

    def __post_init__(self) -> None:
        given = [self.margins is not None, self.aspect is not None]
        if all(given) or not (any(given) or self.tile):
            raise ConfigError(
                "how far to extend must be said by --to or --margins, or by --tile alone; got "
                f"{'both --to and --margins' if all(given) else 'none of them'}: such as --to 16:9"
            )
        if self.tile is not None and self.tile < 1:
            raise ConfigError(f"--tile must be at least 1; got {self.tile}")
        if self.tile is not None and self.aspect is not None:
            raise ConfigError(
                "--tile repeats an extension, and what has the aspect of --to does not grow again: "
                "use --margins, or leave --to or --tile out"
            )
        if self.scale is not None and not 0 < self.scale <= 1:
            raise ConfigError(f"--scale must be above 0 and at most 1; got {self.scale:g}")
        if self.quality is not None and not 1 <= self.quality <= 100:
            raise ConfigError(f"--quality must be 1 to 100; got {self.quality}")

    @property
    def growing_scale(self) -> float | None:
        """The scale at which pictures grow; None = chosen for each."""
        return 1.0 if self.scale is None and self.tile is not None else self.scale

    def margins_for(self, height: int, width: int, *, pixel_aspect: Fraction) -> Margins | None:
        """Find the margins of a picture; None where the checkpoint is to say.

        Args:
            height: of the picture, px.
            width: likewise.
            pixel_aspect: width of a pixel through its height.
        """
        if self.aspect is None:
            return self.margins
        return margins_to_aspect(height, width, self.aspect / pixel_aspect)
