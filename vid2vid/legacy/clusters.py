"""Style clusters of pix2pixHD: `features_clustered_*.npy`, a pickled dict of arrays.

A pickle is a program. The reader here admits what such a file is made of, dicts, lists, numbers and
numpy arrays, and stops at the first other name.
"""

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import torch
from numpy.lib import format as npy
from numpy.typing import NDArray
from torch import Tensor

from vid2vid.errors import CheckpointError

Styles = dict[int, Tensor]
"""Style vectors 'n c' by class id."""

_NUMBERS = "fiu"  # kinds of numpy dtype

# All that reading a damaged or foreign pickle raises once names are restricted.
_FAULTS = (
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    OSError,
    OverflowError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
)

_ARRAY = "numpy.ndarray"  # stands for the class, which nothing may call


def read_clusters(path: Path) -> Styles:
    """Read the cluster centres of every class, without running anything.

    Raises:
        CheckpointError: if the file is no .npy of a dict of arrays, or names anything else.
    """
    try:
        with path.open("rb") as file:
            content = _read_npy(file)
    except _FAULTS as error:
        raise CheckpointError(
            f"{path} must hold style clusters, a dict of numpy arrays by class id, and nothing "
            f"else; {' '.join(str(error).split())}"
        ) from error
    return {int(label): _rows(value, label, path) for label, value in content.items()}


def write_clusters(path: Path, styles: Mapping[int, Tensor]) -> None:
    """Write cluster centres as the official program does."""
    plain = {label: rows.detach().cpu().numpy() for label, rows in styles.items()}
    with path.open("wb") as file:
        np.save(file, np.array(plain, dtype=object), allow_pickle=True)


def _read_npy(file: BinaryIO) -> Mapping[Any, Any]:
    """Read the header, then the pickle behind it."""
    version = npy.read_magic(file)
    read_header: Callable[[BinaryIO], tuple[tuple[int, ...], bool, np.dtype[Any]]]
    read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read_header(file)
    if shape != () or dtype != np.dtype(object):
        raise ValueError(f"it holds an array of {dtype} of shape {shape}")
    content = _Unpickler(file, encoding="latin1").load()
    content = content.item() if isinstance(content, np.ndarray) else content
    if not isinstance(content, Mapping):
        raise ValueError(f"it holds a {type(content).__name__}")
    return content


def _rows(value: object, label: object, path: Path) -> Tensor:
    """Check the centres of one class, 'n c'."""
    rows = np.asarray(value) if isinstance(value, (np.ndarray, list)) else None
    if rows is None or rows.ndim != 2 or rows.dtype.kind not in _NUMBERS:
        came = type(value).__name__ if rows is None else f"{rows.dtype} of shape {rows.shape}"
        raise CheckpointError(
            f"{path}: class {label} must have an array of numbers, one row per cluster; it has "
            f"{came}"
        )
    return torch.from_numpy(rows.astype(np.float32))


class _Unpickler(pickle.Unpickler):
    """Knows the names of which numpy makes an array, each in a version of our own."""

    def find_class(self, module: str, name: str, /) -> Any:  # noqa: ANN401
        known = _ADMITTED.get((module.replace("numpy._core", "numpy.core"), name))
        if known is None:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, so it was not opened")
        return known

    def persistent_load(self, pid: object, /) -> Any:  # noqa: ANN401
        raise pickle.UnpicklingError("it refers to something outside of itself")


def _make_array(kind: object, shape: object, code: object) -> NDArray[Any]:
    """Make the empty array that the pickle then fills."""
    if kind is not _ARRAY or shape != (0,):
        raise pickle.UnpicklingError("it asks for an array of another kind")
    return np.ndarray((0,), dtype=np.int8)


def _view_array(
    content: bytes, dtype: np.dtype[Any], shape: tuple[int, ...], order: Literal["C", "F"]
) -> NDArray[Any]:
    """Make an array of bytes, as pickles of protocol 5 do."""
    return np.frombuffer(content, dtype=dtype).reshape(shape, order=order)


def _make_dtype(code: str, *_: object) -> np.dtype[Any]:
    """Make the type of numbers, or of the dict itself."""
    dtype = np.dtype(code)
    if dtype.kind not in _NUMBERS + "O":
        raise pickle.UnpicklingError(f"it asks for an array of {dtype}")
    return dtype


def _make_number(dtype: np.dtype[Any], content: bytes) -> object:
    """Make a numpy number."""
    if dtype.kind not in _NUMBERS:
        raise pickle.UnpicklingError(f"it asks for a number of type {dtype}")
    return np.frombuffer(content, dtype=dtype, count=1)[0]


def _encode(text: str, encoding: str) -> bytes:
    """Turn text into bytes, as pickles of protocol 2 do."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"it asks for text in {encoding}")
    return text.encode("latin1")


_ADMITTED: dict[tuple[str, str], object] = {
    ("numpy", "ndarray"): _ARRAY,
    ("numpy", "dtype"): _make_dtype,
    ("numpy.core.multiarray", "_reconstruct"): _make_array,
    ("numpy.core.multiarray", "scalar"): _make_number,
    ("numpy.core.numeric", "_frombuffer"): _view_array,
    ("_codecs", "encode"): _encode,
}
