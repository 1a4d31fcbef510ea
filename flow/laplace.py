"""Laplace's equation on the pixels of a mask: what membranes and seamless blending solve."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

OFFSETS = ((1, 0), (0, 1), (-1, 0), (0, -1))
"""Of a pixel's neighbours, (x, y)."""

# What touches nothing known is held at 0 by a weight that nothing else notices.
_HOLD = 1e-9


class Neighbours(NamedTuple):
    """Of the unknown pixels, those on one side of them."""

    inner: NDArray[np.int64]  # numbers of the unknown pixels whose neighbour is unknown
    other: NDArray[np.int64]  # numbers of those neighbours
    rim: NDArray[np.int64]  # numbers of the unknown pixels whose neighbour is known
    beside: NDArray[np.int64]  # flat indices of those neighbours in the frame


class Laplace:
    """The equation on a mask, factorised once for any number of right sides.

    Unknown pixels are numbered in the order of the frame. Across the edge of the frame, and towards
    pixels that are neither unknown nor known, nothing flows.
    """

    def __init__(self, unknown: Mask, known: Mask) -> None:
        """List the neighbours and factorise.

        Args:
            unknown: 'h w', what is solved for.
            known: 'h w', what it hangs on.
        """
        count = int(unknown.sum())
        self._count = count
        self.sides = tuple(_neighbours(unknown, known, offset) for offset in OFFSETS)
        degree = np.full(count, _HOLD)
        for side in self.sides:
            degree += np.bincount(side.inner, minlength=count)
            degree += np.bincount(side.rim, minlength=count)
        row = np.concatenate([side.inner for side in self.sides])
        column = np.concatenate([side.other for side in self.sides])
        links = sparse.csc_matrix((np.full(len(row), -1.0), (row, column)), shape=(count, count))
        matrix = (links + sparse.diags(degree)).tocsc()
        self._factors = None
        if count:
            options = {"SymmetricMode": True}
            self._factors = splu(matrix, permc_spec="MMD_AT_PLUS_A", options=options)

    def solve(self, right: Array) -> Array:
        """Solve for 'k n' right sides; a right side of 0 gives exactly 0."""
        if self._factors is None or not right.any():
            return np.zeros_like(right)
        return self._factors.solve(np.ascontiguousarray(right.T)).T

    def membrane(self, values: Array) -> Array:
        """Interpolate between the known pixels of 'k h w' values: 'k n' for the unknown ones."""
        right = np.zeros((len(values), self._count))
        for side in self.sides:
            for plane, total in zip(values, right, strict=True):
                total += np.bincount(side.rim, plane.flat[side.beside], minlength=self._count)
        return self.solve(right)


def _neighbours(unknown: Mask, known: Mask, offset: tuple[int, int]) -> Neighbours:
    height, width = unknown.shape
    number = np.full(unknown.shape, -1, np.int64)
    number[unknown] = np.arange(int(unknown.sum()))
    y, x = np.nonzero(unknown)
    x_beside, y_beside = x + offset[0], y + offset[1]
    inside = (x_beside >= 0) & (x_beside < width) & (y_beside >= 0) & (y_beside < height)
    own: NDArray[Any] = np.flatnonzero(inside)
    beside = (y_beside * width + x_beside)[inside]
    is_inner, is_rim = unknown.flat[beside], known.flat[beside]
    return Neighbours(own[is_inner], number.flat[beside[is_inner]], own[is_rim], beside[is_rim])
