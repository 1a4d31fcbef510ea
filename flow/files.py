"""Read and write flow in the formats of Middlebury, `.flo`, and of KITTI, `.png`.

`.flo` (Baker et al. 2011) is little endian: the number 202021.25 as float32, which spells "PIEH";
width and height as int32; then dx and dy of each pixel as float32, row by row.

A KITTI flow map (Menze and Geiger 2015) is a PNG of three 16-bit channels: 64 dx + 32768,
64 dy + 32768, and 1 where the flow is known, so that it reaches from -512 px to below 512 px.
"""

import struct
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

_MAGIC = 202021.25
_HEADER = struct.Struct("<fii")
_KITTI_STEPS = 64.0  # per pixel
_KITTI_ZERO = 32768.0


class FlowFileError(ValueError):
    """A file does not hold a flow."""


def read_flo(path: Path | str) -> Tensor:
    """Read a `.flo` file.

    Returns:
        '2 h w', float32, pixels, (dx, dy). Unknown vectors, which the format marks by more than
        1e9, are returned as they are.

    Raises:
        FlowFileError: if the file is not a whole `.flo` file.
        OSError: if it cannot be opened.
    """
    content = Path(path).read_bytes()
    if len(content) < _HEADER.size:
        raise FlowFileError(
            f"a .flo file needs a header of {_HEADER.size} bytes; got {len(content)} in {path}: "
            "the file is cut short, copy it again"
        )
    magic, width, height = _HEADER.unpack_from(content)
    if magic != _MAGIC:
        raise FlowFileError(
            f"a .flo file starts with {_MAGIC}; got {magic:g} in {path}: "
            "give a Middlebury .flo file, little endian"
        )
    expected = _HEADER.size + 8 * width * height
    if width < 1 or height < 1 or len(content) != expected:
        raise FlowFileError(
            f"a .flo file of width {width} and height {height} needs {max(expected, 0)} bytes and "
            f"sizes of at least 1; got {len(content)} bytes in {path}: copy the file again"
        )
    vectors = np.frombuffer(content, dtype="<f4", offset=_HEADER.size).reshape(height, width, 2)
    return torch.from_numpy(vectors.transpose(2, 0, 1).astype(np.float32, order="C"))


def write_flo(path: Path | str, flow: Tensor) -> None:
    """Write a `.flo` file.

    Args:
        path: the file, replaced if it exists.
        flow: '2 h w', pixels, (dx, dy); written as float32.

    Raises:
        ValueError: if `flow` is not '2 h w' of at least one pixel.
        OSError: if the file cannot be written.
    """
    if flow.ndim != 3 or flow.shape[0] != 2 or flow.numel() == 0:
        raise ValueError(
            f"a .flo file holds one flow '2 h w'; got {tuple(flow.shape)} for {path}: "
            "write the flows of a batch one by one"
        )
    height, width = flow.shape[1:]
    vectors = flow.detach().float().cpu().numpy().transpose(1, 2, 0).astype("<f4")
    Path(path).write_bytes(_HEADER.pack(_MAGIC, width, height) + vectors.tobytes())


class KittiFlow(NamedTuple):
    """A flow that is known at some pixels."""

    flow: Tensor  # '2 h w', float32, pixels, (dx, dy); 0 where it is not known
    valid: Tensor  # '1 h w', bool


def read_kitti(path: Path | str) -> KittiFlow:
    """Read a KITTI flow map.

    Raises:
        FlowFileError: if the file is not a PNG of three 16-bit channels.
        OSError: if it cannot be opened.
    """
    content = np.frombuffer(Path(path).read_bytes(), dtype=np.uint8)
    picture = cv2.imdecode(content, cv2.IMREAD_UNCHANGED) if content.size else None
    if picture is None or picture.dtype != np.uint16 or picture.shape[2:] != (3,):
        came = "none" if picture is None else f"{picture.dtype} {picture.shape}"
        raise FlowFileError(
            f"a KITTI flow map is a PNG of three 16-bit channels; got {came} in {path}: give one "
            "of the files of KITTI's flow_occ or flow_noc"
        )
    valid = picture[..., 0] > 0  # OpenCV gives blue, green, red
    steps = picture[..., :0:-1].astype(np.float32)
    vectors = np.where(valid[..., None], (steps - _KITTI_ZERO) / _KITTI_STEPS, 0).astype(np.float32)
    flow = torch.from_numpy(np.ascontiguousarray(vectors.transpose(2, 0, 1)))
    return KittiFlow(flow, torch.from_numpy(valid[None]))


def write_kitti(path: Path | str, flow: Tensor, valid: Tensor | None = None) -> None:
    """Write a KITTI flow map; vectors are rounded to 1/64 px.

    Args:
        path: the file, replaced if it exists.
        flow: '2 h w', pixels, (dx, dy).
        valid: '1 h w', not 0 where the flow is known; everywhere without it.

    Raises:
        ValueError: if the shapes do not fit, or a known vector is not finite or outside the range
            of the format.
        OSError: if the file cannot be written.
    """
    if flow.ndim != 3 or flow.shape[0] != 2 or flow.numel() == 0:
        raise ValueError(
            f"a KITTI flow map holds one flow '2 h w'; got {tuple(flow.shape)} for {path}: write "
            "the flows of a batch one by one"
        )
    if valid is not None and valid.shape != (1, *flow.shape[1:]):
        raise ValueError(
            f"valid must be '1 h w', here {(1, *flow.shape[1:])}; got {tuple(valid.shape)}"
        )
    known = np.ones(flow.shape[1:], dtype=bool) if valid is None else (valid[0] != 0).cpu().numpy()
    vectors = flow.detach().float().cpu().numpy()
    steps = np.round(vectors.transpose(1, 2, 0) * _KITTI_STEPS + _KITTI_ZERO)
    is_held = (steps >= 0) & (steps <= 65535)
    if not is_held[known].all():
        raise ValueError(
            "a KITTI flow map holds -512 px to below 512 px; "
            f"got {vectors[:, known].min():g} to {vectors[:, known].max():g} px for {path}: mark "
            "longer vectors as not valid, or write a .flo file"
        )
    picture = np.zeros((*known.shape, 3), dtype=np.uint16)
    picture[known, 0] = 1
    picture[known, 1:] = steps[known][:, ::-1]
    Path(path).write_bytes(cv2.imencode(".png", picture)[1].tobytes())
