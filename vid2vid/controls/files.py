"""Stored pictures of controls: what a file or video frame holds, its resizing, its range.

A stored picture is kept as it was read, 'h w' or 'h w c', until its clip is cut: uint8 levels,
float32 flow in px, or float32 already in [-1, 1], as depth and pictures of more than 8 bits.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from flow.files import FlowFileError, read_flo
from flow.resize import resize_flow
from vid2vid.colour import to_lab
from vid2vid.controls.config import (
    AnyControl,
    DensePoseConfig,
    DepthConfig,
    EdgesConfig,
    FlowControlConfig,
    GreyConfig,
    LandmarksConfig,
    LowResolutionConfig,
    PictureConfig,
    PoseConfig,
    Stored,
)
from vid2vid.controls.derived import enlarge, scale_flow
from vid2vid.controls.picture_files import (
    ARRAY_SUFFIX,
    load_array,
    measure_picture,
    read_picture,
    take_channels,
)
from vid2vid.controls.points import LANDMARK_SUFFIXES, OPENPOSE_SUFFIXES
from vid2vid.data.augment import Picture, Resize, Size, resize_frame, resize_ids
from vid2vid.data.measuring import picture_size
from vid2vid.errors import DataError
from vid2vid.video.reading import IMAGE_SUFFIXES, read_image

_DEPTH_MODES = ("I", "I;16", "I;16B", "I;16L")  # Pillow's, of 16-bit grey
_PARTS = 24  # of DensePose

# Levels that are neither black nor white: 76 to 100 % of a photograph (9 videos of 6 sources), at
# most 24 % of its Canny edges shrunk to half, 0 % of them after JPEG of quality 75.
_BETWEEN = (32, 224)
_LARGEST_BETWEEN = 0.5


def suffixes_of(control: AnyControl) -> frozenset[str]:
    """List the suffixes of the files that a control's stream is made of."""
    match control:
        case PoseConfig():
            return OPENPOSE_SUFFIXES
        case LandmarksConfig():
            return LANDMARK_SUFFIXES
        case FlowControlConfig():
            return frozenset({".flo", ".npy"})
        case DepthConfig():
            return frozenset({".png", ".npy"})
        case PictureConfig():
            return IMAGE_SUFFIXES | {ARRAY_SUFFIX}
        case _:
            return IMAGE_SUFFIXES


def may_be_video(control: AnyControl) -> bool:
    """Tell whether a control's stream may be a video file, whose values are not exact."""
    exact = (DensePoseConfig, DepthConfig, FlowControlConfig, PoseConfig, LandmarksConfig)
    return not isinstance(control, exact)


def read_stored(control: Stored, path: Path) -> Picture:
    """Read one stored picture.

    Raises:
        DataError: if it is not of the control's kind.
        VideoError: if a picture cannot be read.
    """
    match control:
        case FlowControlConfig():
            return _read_flow(path)
        case DepthConfig():
            return _read_depth(path, control)
        case PictureConfig():
            return read_picture(path, control)
        case _:
            return from_colours(control, read_image(path), str(path))


def from_colours(control: Stored, rgb: Picture, where: str = "a frame of a video") -> Picture:
    """Take a picture 'h w 3' uint8 as a control's own: its light, 'h w', where it has one channel.

    Args:
        control: What the picture is of.
        rgb: Of a file, or a frame of a video.
        where: File for the message.

    Raises:
        DataError: if no picture holds as many channels as the control has, or a photograph is
            given for edges.
    """
    if isinstance(control, PictureConfig):
        return take_channels(rgb, control)
    picture = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY) if control.channels == 1 else rgb
    if isinstance(control, EdgesConfig):
        _refuse_photograph(picture, control, where)
    return picture


def _refuse_photograph(grey: Picture, control: EdgesConfig, where: str) -> None:
    """Raise where a picture 'h w' uint8 shows no drawn edges."""
    share = np.count_nonzero((grey >= _BETWEEN[0]) & (grey < _BETWEEN[1])) / max(grey.size, 1)
    if share > _LARGEST_BETWEEN:
        raise DataError(
            f"the control '{control.stream}' takes pictures of edges, white on black; {share:.0%} "
            f"of the pixels of {where} are grey, so that it is a photograph: give the edges that "
            "vid2vid prepare draws of it, or train with 'stream: null', which finds them in "
            "photographs"
        )


def resizer_of(control: Stored) -> Resize:
    """Choose how a stored picture is brought to another size."""
    match control:
        case FlowControlConfig():
            return _resize_vectors
        case DensePoseConfig():  # its values are coordinates and a part: means mean nothing
            return resize_ids
        case LowResolutionConfig():
            return partial(_enlarge, control=control)
        case _:
            return resize_frame


def to_range(control: Stored, pictures: Picture, *, flipped: bool = False) -> Tensor:
    """Bring stored pictures of a clip, already cut, into the range of all controls.

    Args:
        control: what they are.
        pictures: 't h w' or 't h w c', resized, cropped, and mirrored where `flipped`.
        flipped: whether they were mirrored.

    Returns:
        't c h w' float32 in [-1, 1].
    """
    stacked = pictures[..., None] if pictures.ndim == 3 else pictures
    values = torch.from_numpy(np.ascontiguousarray(stacked.transpose(0, 3, 1, 2), dtype=np.float32))
    match control:
        case FlowControlConfig():
            sign = values.new_tensor([-1.0 if flipped else 1.0, 1.0])
            return scale_flow(values * sign[:, None, None], control)
        case DepthConfig():
            return values.clamp(-1, 1)
        case DensePoseConfig():
            return torch.cat([values[:, :2] / 127.5, values[:, 2:] * (2 / _PARTS)], dim=1) - 1
        case PictureConfig() if pictures.dtype != np.uint8:
            return values.clamp(-1, 1)
        case GreyConfig(space="lightness"):
            return to_lab((values / 127.5 - 1).expand(-1, 3, -1, -1))[:, :1]
        case _:
            return values / 127.5 - 1


def normalise_depth(depth: NDArray[np.floating], control: DepthConfig) -> NDArray[np.float32]:
    """Bring metres to [-1, 1]: `near` is 1, `far` and what is not known (0, not a number) -1."""
    metres = np.nan_to_num(depth.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    metres = np.where(metres > 0, metres, control.far).clip(control.near, control.far)
    if control.inverse:
        share = (1 / metres - 1 / control.far) / (1 / control.near - 1 / control.far)
    else:
        share = (control.far - metres) / (control.far - control.near)
    return (share * 2 - 1).astype(np.float32)


def sizer_of(control: AnyControl) -> Callable[[Path], Size]:
    """Choose how the size of what a file of a control holds is read, without the rest of it."""
    match control:
        case PictureConfig():
            return measure_picture
        case FlowControlConfig() | DepthConfig():
            return _measure_array
        case _:
            return picture_size


def _measure_array(path: Path) -> Size:
    """Read the size of a flow or depth map."""
    match path.suffix.lower():
        case ".flo":
            return Size(*_read_flow(path).shape[:2])
        case ".npy":
            return Size(*load_array(path, mmap=True).shape[-2:])
        case _:
            return picture_size(path)


def _read_flow(path: Path) -> Picture:
    """Read a flow, 'h w 2', px."""
    if path.suffix.lower() == ".npy":
        flow = load_array(path)
    else:
        try:
            flow = read_flo(path).numpy()
        except (FlowFileError, OSError) as error:
            raise DataError(str(error)) from error
    if flow.ndim != 3 or flow.shape[0] != 2:
        raise DataError(f"a flow must be '2 h w'; {path} holds {flow.shape}: write it again")
    return np.ascontiguousarray(flow.transpose(1, 2, 0), dtype=np.float32)


def _read_depth(path: Path, control: DepthConfig) -> Picture:
    """Read a depth map, 'h w' in [-1, 1]."""
    if path.suffix.lower() == ".npy":
        metres = load_array(path)
        if metres.ndim != 2:
            raise DataError(f"depth must be 'h w'; {path} holds {metres.shape}: write it again")
        return normalise_depth(metres, control)
    try:
        with Image.open(path) as picture:
            if picture.mode not in _DEPTH_MODES:
                raise DataError(
                    f"depth must be a 16-bit grey PNG; {path} has mode '{picture.mode}': write the "
                    "distances with 16 bits, or use a control of kind picture"
                )
            levels = np.asarray(picture).astype(np.float32)
    except OSError as error:
        raise DataError(f"a depth map was needed; {path} cannot be read ({error})") from error
    return normalise_depth(levels * np.float32(control.unit), control)


def _resize_vectors(flow: Picture, size: Size) -> Picture:
    """Resize 'h w 2', its vectors with it."""
    vectors = torch.from_numpy(np.ascontiguousarray(flow.transpose(2, 0, 1)))[None]
    return resize_flow(vectors, size)[0].permute(1, 2, 0).numpy()


def _enlarge(picture: Picture, size: Size, *, control: LowResolutionConfig) -> Picture:
    """Enlarge as the control says; what is larger already is shrunk as photographs are."""
    if picture.shape[0] >= size.height and picture.shape[1] >= size.width:
        return resize_frame(picture, size)
    return enlarge(picture, size, control)
