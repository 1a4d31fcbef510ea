"""Style clusters of pix2pixHD: `features_clustered_*.npy`, a pickled dict of arrays.

A pickle is a program. The reader here admits what such a file is made of, dicts, lists, ints,
floats and numpy arrays, and stops at the first other name. Not even numpy's own functions are
called: an array is put together from its bytes, after its type and shape were checked.
"""

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import torch
from numpy.lib import format as npy
from numpy.typing import NDArray
from torch import Tensor

from vid2vid.errors import CheckpointError
from vid2vid.legacy.cluster_pickle import PickledArray, load_restricted
from vid2vid.legacy.faults import FAULTS, reason_of

Styles = dict[int, Tensor]
"""Style vectors 'n c' by class id."""


def read_clusters(path: Path) -> Styles:
    """Read the cluster centres of every class, without running anything.

    Raises:
        CheckpointError: if the file is no .npy of a dict of arrays, or names anything else.
    """
    try:
        # Headers of Python 2 are read, with a warning that says nothing to whoever imports.
        with path.open("rb") as file, warnings.catch_warnings(action="ignore"):
            content = _read_npy(file)
        return {_class_id(label): _rows(value, label) for label, value in content.items()}
    except FAULTS as error:
        raise CheckpointError(
            f"{path} must hold style clusters, a dict of numpy arrays by class id, and nothing "
            f"else; {reason_of(error)}"
        ) from error


def write_clusters(path: Path, styles: Mapping[int, Tensor]) -> None:
    """Write cluster centres as the official program does."""
    plain = {label: rows.detach().cpu().numpy() for label, rows in styles.items()}
    with path.open("wb") as file:
        np.save(file, np.array(plain, dtype=object), allow_pickle=True)


def _read_npy(file: BinaryIO) -> dict[object, object]:
    """Read the header, then the pickle behind it.

    Raises:
        ValueError: if they are not those of a dict.
    """
    version = npy.read_magic(file)
    read_header: Callable[[BinaryIO], tuple[tuple[int, ...], bool, np.dtype[Any]]]
    read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read_header(file)
    if shape != () or dtype != np.dtype(object):
        raise ValueError(f"it holds an array of {dtype} of shape {shape}")
    content: Any = load_restricted(file.read())
    if isinstance(content, PickledArray):
        content = content.only_object()
    if type(content) is not dict:
        raise ValueError(f"it holds a {type(content).__name__}")
    return content


def _class_id(label: object) -> int:
    """Check a key: a plain number, of Python or numpy.

    Raises:
        ValueError: if it is anything else, or below 0.
    """
    if isinstance(label, bool) or not isinstance(label, (int, np.integer)) or label < 0:
        # The text of a nested thing may be endless.
        shown = f"{label!r:.40}" if isinstance(label, (int, float, str)) else type(label).__name__
        raise ValueError(f"its key {shown} is no class id, a number from 0 on")
    return int(label)


def _rows(value: object, label: object) -> Tensor:
    """Check the centres of one class, 'n c'.

    Raises:
        ValueError: if they are no table of numbers.
    """
    rows = value.numbers() if isinstance(value, PickledArray) else _list_rows(value)
    if rows is None or rows.ndim != 2:
        came = f"{rows.dtype} of shape {rows.shape}" if rows is not None else _kind_of(value)
        raise ValueError(
            f"class {label} must have an array of numbers, one row per cluster; it has {came}"
        )
    with np.errstate(over="ignore"):
        plain = rows.astype(np.float32)
    if not np.isfinite(plain).all():
        raise ValueError(f"class {label} has numbers that are not finite")
    return torch.from_numpy(plain)


def _kind_of(value: object) -> str:
    return "an array of object" if isinstance(value, PickledArray) else type(value).__name__


def _list_rows(value: object) -> NDArray[Any] | None:
    """Make an array of a list of rows, lists of numbers or arrays; None where it is none."""
    if type(value) is not list:
        return None
    rows: list[list[float]] = []
    for row in cast("list[object]", value):
        numbers = row.numbers() if isinstance(row, PickledArray) else row
        if isinstance(numbers, np.ndarray) and numbers.ndim == 1:
            numbers = numbers.tolist()
        if type(numbers) is not list or not all(map(_is_number, cast("list[object]", numbers))):
            return None
        rows.append([float(each) for each in cast("list[float]", numbers)])
    return np.array(rows) if len({len(row) for row in rows}) == 1 else None


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating))
