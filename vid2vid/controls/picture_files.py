"""Any picture or array as a control of kind `picture`: its channels, its alpha, its range.

Grey, colour, palette, transparent, 16-bit and float pictures, TIFF of up to four bands, and .npy
'h w' or 'h w c'. What is stored with 8 bits stays uint8 until its clip is cut; all else becomes
float32 in [-1, 1] when it is read.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vid2vid.controls.config import PictureConfig
from vid2vid.data.augment import Picture, Size
from vid2vid.data.measuring import EXIF_TURN, picture_size
from vid2vid.errors import DataError
from vid2vid.video.reading import read_image

ARRAY_SUFFIX = ".npy"
_TIFF_SUFFIXES = (".tif", ".tiff")
_JPEG_MARK = b"\xff\xd8"
_EXIF_MARKS = (b"eXIf", b"EXIF")  # of PNG and WebP
_FULL: dict[np.dtype[np.generic], int] = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}
_GREY, _COLOUR, _TRANSPARENT = 1, 3, 4


def read_picture(path: Path, control: PictureConfig) -> Picture:
    """Read a picture as the control says.

    Returns:
        'h w' where the control has one channel, else 'h w c': uint8, or float32 in [-1, 1].

    Raises:
        DataError: if it has other channels, alpha that is refused, or values without a range.
        VideoError: if a picture cannot be decoded.
    """
    stored = load_array(path) if path.suffix.lower() == ARRAY_SUFFIX else _decode(path)
    if stored.ndim not in (2, 3):
        raise DataError(
            f"an array must be 'h w' or 'h w c'; {path} holds {stored.shape}: write it again"
        )
    picture = _choose_channels(_lay_on_ground(stored, control, path), control, str(path))
    return to_unit(picture, control, str(path))


def take_channels(rgb: Picture, control: PictureConfig) -> Picture:
    """Take a decoded picture 'h w 3' uint8, such as a frame of a video, as `read_picture` does.

    Raises:
        DataError: if the control has other channels.
    """
    where = "a frame of a video"
    return to_unit(_choose_channels(rgb, control, where), control, where)


def measure_picture(path: Path) -> Size:
    """Read the size of what `read_picture` reads, by its header where it has one.

    Raises:
        DataError: if it cannot be read.
    """
    if path.suffix.lower() == ARRAY_SUFFIX:
        return Size(*load_array(path, mmap=True).shape[:2])
    try:
        return picture_size(path)
    except DataError:
        if path.suffix.lower() not in _TIFF_SUFFIXES:
            raise
        return Size(*_decode(path).shape[:2])  # Pillow does not know every TIFF


def to_unit(picture: Picture, control: PictureConfig, where: str) -> Picture:
    """Bring values into [-1, 1], float32; 8 bits without a range of their own stay as they are.

    Raises:
        DataError: if nothing says what the values mean, or one of them is no number.
    """
    values = control.value_range
    if values is None:
        if picture.dtype == np.uint8:
            return picture
        if picture.dtype not in _FULL:
            raise DataError(
                f"values of type {picture.dtype} need a range; {where} has such and the control "
                f"'{control.stream}' has none: give it value_range, the two values that become -1 "
                "and 1"
            )
        values = (0, _FULL[picture.dtype])
    low, high = values
    unit = (picture.astype(np.float32) - low) * (2 / (high - low)) - 1
    if not np.isfinite(unit).all():
        raise DataError(
            f"a control's values must be numbers; {where} has some that are not (NaN or "
            "infinite): fill them"
        )
    return unit.clip(-1, 1).astype(np.float32)


def of_one_type(pictures: Sequence[Picture]) -> list[Picture]:
    """Bring pictures to one type: all uint8, or all float32 in [-1, 1]."""
    if len({picture.dtype for picture in pictures}) == 1:
        return list(pictures)
    return [
        picture.astype(np.float32) / 127.5 - 1 if picture.dtype == np.uint8 else picture
        for picture in pictures
    ]


def load_array(path: Path, *, mmap: bool = False) -> NDArray[np.float32]:
    """Read a .npy file of numbers.

    Raises:
        DataError: if it holds none, or fewer than two axes.
    """
    try:
        array = np.load(path, mmap_mode="r" if mmap else None, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"an array was needed; {path} cannot be read: write it again") from error
    if not np.issubdtype(array.dtype, np.number) or array.ndim < 2:
        raise DataError(
            f"an array of numbers 'h w', 'h w c' or '2 h w' was needed; {path} holds "
            f"{array.dtype} {array.shape}: write it again"
        )
    return array


def _decode(path: Path) -> Picture:
    """Decode a picture with all its bits and channels, RGB first, upright."""
    try:
        data = path.read_bytes()
    except OSError:
        return read_image(path)  # which says what is wrong
    if data.startswith(_JPEG_MARK):
        return read_image(path)
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if data else None
    if picture is None and path.suffix.lower() in _TIFF_SUFFIXES:
        raise DataError(
            f"a TIFF must be complete and of at most {_TRANSPARENT} bands; {path} cannot be "
            "decoded: write more bands as .npy 'h w c'"
        )
    if picture is None:
        return read_image(path)
    if any(mark in data for mark in _EXIF_MARKS):  # a TIFF is turned already
        if picture.dtype == np.uint8 and picture.shape[2:] in ((), (_COLOUR,)):
            return read_image(path)  # which turns it upright
        _refuse_turned(path)
    match picture.shape[2:]:
        case (3,):
            return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        case (4,):
            return cv2.cvtColor(picture, cv2.COLOR_BGRA2RGBA)
        case _:
            return picture


def _refuse_turned(path: Path) -> None:
    with Image.open(path) as picture:
        turn = picture.getexif().get(EXIF_TURN, 1)
    if turn != 1:
        raise DataError(
            "a picture with more than 8 bits or with alpha must be stored upright; the EXIF data "
            f"of {path} turn it (orientation {turn}): write it again as it is to be seen"
        )


def _lay_on_ground(picture: Picture, control: PictureConfig, path: Path) -> Picture:
    """Take alpha out of a picture 'h w 4' of which colours or their light are wanted."""
    is_transparent = picture.shape[2:] == (_TRANSPARENT,) and _has_alpha(path)
    if not is_transparent or control.channels == _TRANSPARENT:
        return picture
    colours, alpha = picture[..., :_COLOUR], picture[..., _COLOUR:]
    if control.channels == 2:  # light and alpha
        return np.concatenate([_light(colours)[..., None], alpha], axis=2)
    full = _FULL.get(picture.dtype)
    if control.alpha == "drop":
        return np.ascontiguousarray(colours)
    if control.alpha == "refuse" or full is None:
        raise DataError(
            f"the control '{control.stream}' takes pictures without alpha; {path} has it: write it "
            "without, or set the control's alpha to drop, black or white, or its channels to 4"
        )
    ground = 0 if control.alpha == "black" else full
    share = alpha.astype(np.float64) / full
    return np.rint(colours * share + ground * (1 - share)).astype(picture.dtype)


def _has_alpha(path: Path) -> bool:
    """Tell alpha from a fourth band."""
    if path.suffix.lower() == ARRAY_SUFFIX:
        return False
    if path.suffix.lower() not in _TIFF_SUFFIXES:
        return True
    try:
        with Image.open(path) as picture:
            return picture.mode == "RGBA"
    except OSError:  # not one that Pillow knows
        return False


def _choose_channels(picture: Picture, control: PictureConfig, where: str) -> Picture:
    """Give a picture the channels of the control: its own, the light of colours, grey as RGB.

    Raises:
        DataError: if it has others.
    """
    channels = 1 if picture.ndim == 2 else picture.shape[2]
    if channels == control.channels:
        return picture[..., 0] if picture.ndim == 3 and channels == 1 else picture
    if (channels, control.channels) == (_COLOUR, _GREY):
        return _light(picture)
    if (channels, control.channels) == (_GREY, _COLOUR):
        return np.repeat(picture.reshape(*picture.shape[:2], 1), _COLOUR, axis=2)
    raise DataError(
        f"the control '{control.stream}' takes pictures of {control.channels} channels; {where} "
        f"has {channels}: set the control's channels to that, or write it with as many, as "
        ".npy 'h w c'"
    )


def _light(colours: Picture) -> Picture:
    """Return the light of 'h w 3' RGB, as OpenCV weighs it."""
    source = colours if colours.dtype in _FULL else colours.astype(np.float32)
    return cv2.cvtColor(np.ascontiguousarray(source), cv2.COLOR_RGB2GRAY)
