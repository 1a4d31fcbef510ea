"""How pictures are written: format, bits and quality, as far as the output can have them."""

from pathlib import Path

from pipelines.rendering.options import RenderOptions
from vid2vid.errors import ConfigError
from vid2vid.video.pictures import PICTURE_SUFFIXES

_WITH_QUALITY = (".jpg", ".jpeg", ".webp")


def is_folder(out: Path) -> bool:
    """Tell whether an output is a folder of pictures."""
    return out.is_dir() or not out.suffix


def check_pictures(options: RenderOptions, out: Path) -> None:
    """Refuse what the format of the output cannot hold.

    Raises:
        ConfigError: naming the option.
    """
    suffix = out.suffix.lower()
    if is_folder(out):
        suffix = f".{options.format or 'png'}"
    elif options.format is not None:
        raise ConfigError(
            f"--format is for a folder of pictures; {out} says its format itself: leave it out"
        )
    if options.bits == 16 and suffix != ".png":
        raise ConfigError(f"--bits 16 is for PNG; {out} would hold {suffix}: write .png instead")
    if options.quality is not None and suffix not in _WITH_QUALITY:
        what = f"{suffix}, which has no loss" if suffix in PICTURE_SUFFIXES else "a video"
        raise ConfigError(
            f"--quality is for JPEG and WebP; {out} would be {what}: leave it out, write .jpg or "
            ".webp, or use --crf for a video"
        )
