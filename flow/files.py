"""Read and write flow in the Middlebury format, `.flo` (Baker et al. 2011).

Little endian: the number 202021.25 as float32, which spells "PIEH"; width and height as int32;
then dx and dy of each pixel as float32, row by row.
"""

import struct
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

_MAGIC = 202021.25
_HEADER = struct.Struct("<fii")


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
