"""How a picture is stored: its format, its channels and their depth, without decoding it."""

from pathlib import Path
from typing import NamedTuple

from PIL import Image

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_HEADER_BYTES = 25  # the last one is the bit depth
_WIDE_MODES = ("I", "F")


class Header(NamedTuple):
    """How a picture is stored."""

    format: str  # PNG, JPEG, ... as Pillow names it
    mode: str  # L, P, RGB, RGBA, I;16, ... as Pillow names it
    bits: int  # of one channel: 1, 2, 4, 8, 16 or 32
    num_pictures: int = 1  # pages of a TIFF, moments of an animation

    @property
    def has_alpha(self) -> bool:
        """Whether it has a channel of transparency."""
        return self.mode in ("LA", "PA", "RGBA")


def read_header(path: Path) -> Header | None:
    """Read how a picture is stored; None where it is no picture, which its reader then says."""
    try:
        with Image.open(path) as picture:
            found = Header(
                picture.format or "unknown",
                picture.mode,
                _bits_of_mode(picture.mode),
                getattr(picture, "n_frames", 1),
            )
        with path.open("rb") as file:
            first = file.read(_PNG_HEADER_BYTES)
    except OSError:
        return None
    if first[:8] != _PNG_SIGNATURE or len(first) < _PNG_HEADER_BYTES:
        return found
    return found._replace(bits=first[-1])  # Pillow reduces RGB of 16 bits to 8 without saying so


def _bits_of_mode(mode: str) -> int:
    if mode == "1":
        return 1
    if mode.startswith("I;16"):
        return 16
    return 32 if mode in _WIDE_MODES else 8
