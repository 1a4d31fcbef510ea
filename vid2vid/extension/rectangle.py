"""The largest known rectangle of a picture, from which the rest of it is continued."""

import numpy as np
from numpy.typing import NDArray


def largest_rectangle(known: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Find the largest rectangle of which every pixel is known.

    Row by row: over every pixel stands a column of known ones; the widest rectangle of its height
    ends where one of its rows does. So each row costs a few operations on whole rows.

    Args:
        known: 'h w'.

    Returns:
        Its rows and columns; both empty where nothing is known.
    """
    width = known.shape[1]
    columns = np.arange(width)
    heights, lefts, rights = np.zeros(width, int), np.zeros(width, int), np.full(width, width)
    best, found = 0, (slice(0, 0), slice(0, 0))
    for row, is_known in enumerate(known):
        begins = np.maximum.accumulate(np.where(is_known, 0, columns + 1))
        ends = np.minimum.accumulate(np.where(is_known, width, columns)[::-1])[::-1]
        heights = np.where(is_known, heights + 1, 0)
        lefts = np.where(is_known, np.maximum(lefts, begins), 0)
        rights = np.where(is_known, np.minimum(rights, ends), width)
        areas = heights * (rights - lefts)
        column = int(areas.argmax())
        if areas[column] > best:
            best = int(areas[column])
            top = row + 1 - int(heights[column])
            found = slice(top, row + 1), slice(int(lefts[column]), int(rights[column]))
    return found
