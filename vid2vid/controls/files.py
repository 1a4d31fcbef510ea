"""Stored pictures of controls: what a file or video frame holds, its resizing, its range.

A stored picture is kept as it was read, 'h w' or 'h w c', until its clip is cut: uint8 levels,
float32 depth already in [-1, 1], or float32 flow in px.
"""

from collections.abc import Sequence
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
from vid2vid.controls.config import (
    AnyControl,
    DensePoseConfig,
    DepthConfig,
    FlowControlConfig,
    LandmarksConfig,
    LowResolutionConfig,
    PoseConfig,
    Stored,
)
from vid2vid.controls.derived import enlarge, scale_flow
from vid2vid.controls.points import LANDMARK_SUFFIXES, OPENPOSE_SUFFIXES
from vid2vid.data.augment import Picture, Resize, Size, resize_frame, resize_ids
from vid2vid.errors import DataError
from vid2vid.video.reading import IMAGE_SUFFIXES, read_image

_DEPTH_MODES = ("I", "I;16", "I;16B", "I;16L")  # Pillow's, of 16-bit grey
_PARTS = 24  # of DensePose
READABLE_CHANNELS = (1, 3)  # of pictures in files


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
        case _:
            return from_colours(control, read_image(path))


def from_colours(control: Stored, rgb: Picture) -> Picture:
    """Take a picture 'h w 3' uint8 as a control's own: its light, 'h w', where it has one channel.

    Raises:
        ValueError: if no picture holds as many channels as the control has.
    """
    if control.channels not in READABLE_CHANNELS:
        raise ValueError(f"a picture has 1 or 3 channels; got a control of {control.channels}")
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY) if control.channels == 1 else rgb


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


def first_size(path: Path) -> Size:
    """Read the size of an array in a file, without the rest of it.

    Raises:
        DataError: if it holds none.
    """
    if path.suffix == ".flo":
        return Size(*_read_flow(path).shape[:2])
    return Size(*_load(path, mmap=True).shape[-2:])


def _read_flow(path: Path) -> Picture:
    """Read a flow, 'h w 2', px."""
    if path.suffix == ".npy":
        flow = _load(path)
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
    if path.suffix == ".npy":
        metres = _load(path)
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


def _load(path: Path, *, mmap: bool = False) -> NDArray[np.float32]:
    """Read a .npy file of numbers."""
    try:
        array = np.load(path, mmap_mode="r" if mmap else None, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"an array was needed; {path} cannot be read: write it again") from error
    if not np.issubdtype(array.dtype, np.number) or array.ndim < 2:
        raise DataError(
            f"an array of numbers 'h w' or '2 h w' was needed; {path} holds {array.dtype} "
            f"{array.shape}: write it again"
        )
    return array


def _resize_vectors(flow: Picture, size: Size) -> Picture:
    """Resize 'h w 2', its vectors with it."""
    vectors = torch.from_numpy(np.ascontiguousarray(flow.transpose(2, 0, 1)))[None]
    return resize_flow(vectors, size)[0].permute(1, 2, 0).numpy()


def _enlarge(picture: Picture, size: Size, *, control: LowResolutionConfig) -> Picture:
    """Enlarge as the control says; what is larger already is shrunk as photographs are."""
    if picture.shape[0] >= size.height and picture.shape[1] >= size.width:
        return resize_frame(picture, size)
    return enlarge(picture, size, control)


def check_readable(controls: Sequence[AnyControl]) -> None:
    """Check that files can hold the pictures of every control.

    Raises:
        DataError: naming the first that no file holds.
    """
    for control in controls:
        is_picture = not isinstance(control, (FlowControlConfig, LandmarksConfig))
        if is_picture and control.channels not in READABLE_CHANNELS:
            raise DataError(
                f"the control '{control.kind}' takes pictures of {control.channels} channels; "
                "files hold 1 or 3: give them to vid2vid.rollout.rollout in Python"
            )
