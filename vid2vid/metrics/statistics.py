"""What is worked out of sums: means, F1, overlap, slopes. All take '... d' and give '...'.

Taking sums lets one function serve a video, a part of it, and its bootstrap resamples.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]


def mean(sums: Floats) -> Floats:
    """Divide the sum by the count.

    Args:
        sums: '... 2', sum and count.
    """
    return _ratio(sums[..., 0], sums[..., 1])


def f1(sums: Floats) -> Floats:
    """Put precision and recall together, their harmonic mean.

    Args:
        sums: '... 4' from `edges.match_edges`: right and all of what was found, right and all of
            what was to be found.

    Returns:
        '...' in [0, 1]; 1 where nothing was to be found and nothing was.
    """
    precision = _ratio(sums[..., 0], sums[..., 1])
    recall = _ratio(sums[..., 2], sums[..., 3])
    is_empty = (sums[..., 1] == 0) & (sums[..., 3] == 0)
    score = _ratio(2 * precision * recall, precision + recall)
    return np.where(is_empty, 1.0, np.nan_to_num(score))


def pixel_accuracy(sums: Floats) -> Floats:
    """Find the share of pixels that were given their class.

    Args:
        sums: '... k·k', a confusion matrix, rows are the true classes.
    """
    matrix = _square(sums)
    return _ratio(np.trace(matrix, axis1=-2, axis2=-1), matrix.sum(axis=(-2, -1)))


def mean_iou(sums: Floats) -> Floats:
    """Average intersection over union over the classes that occur, in truth or prediction.

    Args:
        sums: '... k·k', a confusion matrix, rows are the true classes.
    """
    matrix = _square(sums)
    right = np.diagonal(matrix, axis1=-2, axis2=-1)
    union = matrix.sum(axis=-1) + matrix.sum(axis=-2) - right
    occurs = union > 0
    overlap = np.where(occurs, right / np.where(occurs, union, 1), 0.0)
    return _ratio(overlap.sum(axis=-1), occurs.sum(axis=-1).astype(np.float64))


def slope(sums: Floats) -> Floats:
    """Find the slope of the least-squares line.

    Args:
        sums: '... 5' of points (t, y): their count, Σt, Σy, Σt² and Σty.

    Returns:
        '...', units of y per unit of t.
    """
    count, t, y, tt, ty = np.moveaxis(sums, -1, 0)
    return _ratio(count * ty - t * y, count * tt - t * t)


def slope_sums(time: float, value: float) -> Floats:
    """Make the sums of one point for `slope`: '5'."""
    return np.array([1.0, time, value, time * time, time * value])


def centre_slope_sums(sums: Floats) -> Floats:
    """Count times and values of `slope_sums` '5' from their own means.

    Added up over sequences, these give the slope within sequences: that one is longer or brighter
    than another is no slope.
    """
    count, t, y, tt, ty = sums
    return np.array([count, 0.0, 0.0, tt - t * t / count, ty - t * y / count])


def _square(sums: Floats) -> Floats:
    side = round(sums.shape[-1] ** 0.5)
    return sums.reshape(*sums.shape[:-1], side, side)


def _ratio(over: Floats, under: Floats) -> Floats:
    """Divide; not a number where there is nothing to divide by."""
    is_some = under != 0
    return np.where(is_some, over / np.where(is_some, under, 1), np.nan)
