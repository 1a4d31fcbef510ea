"""Irregular holes, drawn at random: blotches of noise (Pathak et al. 2016, section 3.2)."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

RESOLUTION = 0.06  # cells of noise for a pixel (released code of Pathak et al. 2016)
SHARES = (0.2, 0.3)  # between which the masked area lies (likewise)
_BORDER = 2  # cells on every side that are cut off: the cubic filter reads beyond a cell
_CELLS = 1 / RESOLUTION  # px a cell


def draw_irregular(
    height: int,
    width: int,
    *,
    rng: np.random.Generator,
    shares: tuple[float, float] = SHARES,
) -> NDArray[np.bool_]:
    """Draw blotches: uniform noise, some 17 px a cell, enlarged with a cubic filter and cut off.

    The released code cuts at 0.25 and draws again until the area is right, which at a large size
    never happens; here the area is drawn, and the noise cut at the value that gives it.

    Args:
        height: of the mask, px.
        width: likewise.
        rng: draws the area, the place of the cells, and their values.
        shares: least and largest masked area, in (0, 1).

    Returns:
        'h w', True = unknown.

    Raises:
        ValueError: if a size is not above 0, or the shares are not growing in (0, 1).
    """
    if min(height, width) < 1 or not 0 < shares[0] <= shares[1] < 1:
        raise ValueError(
            "a hole must be drawn in at least 1x1 px, its shares growing in (0, 1); "
            f"got height {height}, width {width}, shares {shares}"
        )
    share = rng.uniform(*shares)
    top, left = rng.integers(0, math.floor(_CELLS), 2).tolist()
    cells = [math.ceil(side * RESOLUTION) + 1 + 2 * _BORDER for side in (height, width)]
    noise = rng.random(cells, dtype=np.float32)
    large = (round(cells[1] * _CELLS), round(cells[0] * _CELLS))
    smooth = cv2.resize(noise, large, interpolation=cv2.INTER_CUBIC)
    first = round(_BORDER * _CELLS)
    rows = slice(first + top, first + top + height)
    columns = slice(first + left, first + left + width)
    values = smooth[rows, columns]
    count = max(1, round(share * height * width))
    return values <= np.partition(values, count - 1, axis=None)[count - 1]
