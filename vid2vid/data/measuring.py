"""The size of a picture, as its header says it, and of one half of two pictures side by side."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from PIL import Image

from vid2vid.data.augment import Picture, Size
from vid2vid.errors import DataError

Side = Literal["left", "right"]

EXIF_TURN = 0x0112  # the tag Orientation; 5 to 8 lie on their side


def measure(
    name: str,
    paths: Sequence[Path],
    *,
    size_of: Callable[[Path], Size] | None = None,
    side: Side | None = None,
    mixed: bool = False,
) -> tuple[Size, ...]:
    """Read the sizes of the pictures of a stream.

    Args:
        name: of the stream.
        paths: at least one.
        size_of: reads the size of a file; None = of a picture, upright.
        side: the half of each picture that is meant.
        mixed: whether they may differ.

    Returns:
        One of each picture; one alone where all have it.

    Raises:
        DataError: if they differ and must not, one cannot be read, or has no two equal halves.
    """
    read = size_of or picture_size
    first = _half(read(paths[0]), side, paths[0])
    sizes = [first]
    for path in paths[1:]:
        sizes.append(_half(read(path), side, path))
        if sizes[-1] != first and not mixed:
            raise DataError(
                f"the {name} of a sequence must have one size; {paths[0]} is {in_words(first)}, "
                f"{path} is {in_words(sizes[-1])}: resize them or split the sequence"
            )
    return tuple(sizes) if len(set(sizes)) > 1 else (first,)


def picture_size(path: Path) -> Size:
    """Read the size of a picture as it is shown, without decoding it.

    Raises:
        DataError: if it cannot be read.
    """
    try:
        with Image.open(path) as picture:
            size = Size(picture.height, picture.width)
            # `read_image` turns pictures upright. A PNG would be decoded to look for the tag, and
            # Pillow gives the size of a TIFF as turned.
            is_stored = picture.format not in ("PNG", "TIFF")
            is_turned = is_stored and picture.getexif().get(EXIF_TURN, 1) >= 5
            return Size(*size[::-1]) if is_turned else size
    except OSError as error:
        raise DataError(f"a picture was needed; {path} cannot be read ({error}): replace it") from (
            error
        )


def cut_half(picture: Picture, side: Side | None) -> Picture:
    """Cut the left or right half out of 'h (2 w)' or 'h (2 w) c'; None leaves it whole."""
    middle = picture.shape[1] // 2
    match side:
        case None:
            return picture
        case "left":
            return picture[:, :middle]
        case "right":
            return picture[:, middle:]


def in_words(size: Size) -> str:
    """Say a size as every message does."""
    return f"{size.width}x{size.height} (width x height)"


def _half(size: Size, side: Side | None, path: Path) -> Size:
    if side is None:
        return size
    if size.width % 2:
        raise DataError(
            f"two pictures side by side must have one width; {path} is {in_words(size)}, which has "
            "no two equal halves: write it again, or set layout to another"
        )
    return Size(size.height, size.width // 2)
