"""The pixels of lossy label video whose colour is a mixture: which class they take.

Chroma is stored for blocks of 2x2 pixels (4:2:0) and blurred by quantisation, so that the colour of
a boundary pixel lies between those of its neighbours, often near a third class. Its luma is its
own, and its class is most often one that surely stands near it.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vid2vid.labels.maps import Snapped, Tier
from vid2vid.labels.palettes import Palette

# BT.709: full-range Y, Cb, Cr of R, G, B. With BT.601 no share of wrong pixels changes by a tenth.
_TO_YCBCR = np.array(
    [[0.2126, 0.7152, 0.0722], [-0.1146, -0.3854, 0.5], [0.5, -0.4542, -0.0458]], dtype=np.float32
)

# Chosen on every third map of CamVid at 480x360 and on Cityscapes at 512x256 and 1024x512, crf 18
# and 28 (tools/bench_label_video.py measures the outcome); twice or half of each changes little.
_LUMA_WEIGHT = 10.0  # of squared luma differences to squared chroma differences
_RADIUS = 2  # px, of the window in which neighbours are asked; chroma mixes one or two pixels away
_MIN_SUPPORT = 3  # of 8 neighbours that make a near colour sure: less may be a chance mixture
_NEIGHBOUR_BONUS = 300.0  # for each sure neighbour of the class
_ABSENT_COST = 20_000.0  # of a class that surely stands somewhere in the frame, but not near
_ABSENT_NEAREST_COST = 2_000.0  # likewise, where it is the nearest and not far: a thin pole
_BLOCK = 16_384  # pixels that are resolved at once, which bounds the memory


class _Classes(NamedTuple):
    """The readable colours of a palette, and a dense index of their ids."""

    colours: NDArray[np.float32]  # 'n 3', weighted Y, Cb, Cr
    norms: NDArray[np.float32]  # 'n', their squared lengths
    owners: NDArray[np.intp]  # 'n', class index of each colour
    ids: NDArray[np.uint8]  # 'm', id of each class index
    of_id: NDArray[np.uint16]  # '256', class index of each id

    @property
    def nobody(self) -> int:
        """The class index of pixels that are not sure."""
        return len(self.ids)


def resolve_mixed(rgb: NDArray[np.uint8], snapped: Snapped, palette: Palette) -> NDArray[np.uint8]:
    """Give the pixels of mixed colour a class of their sure neighbours, chosen mostly by luma.

    A pixel is sure, and keeps its class, where its colour is within `SURE_COLOUR` of it, or within
    `FAR_COLOUR` and three of the eight pixels around it agree. The others take the class with the
    least weighted distance, less a bonus for each sure pixel of the class within two pixels, plus
    a cost where there is none.

    Args:
        rgb: 'h w 3' uint8 RGB.
        snapped: what `colours_to_ids` made of it.
        palette: the same as there.

    Returns:
        'h w' uint8 ids, 255 = ignore; those of `snapped` where nothing is sure or all is.
    """
    classes = _classes(tuple(palette.readable_colours.items()))
    index = classes.of_id[snapped.ids]
    sure = _find_sure(index, snapped.tiers, nobody=classes.nobody)
    ids = snapped.ids.copy()
    doubtful = np.flatnonzero(~sure)
    if not len(doubtful) or not sure.any():
        return ids
    sure_index = np.where(sure, index, np.uint16(classes.nobody))
    absent = np.bincount(sure_index.ravel(), minlength=classes.nobody + 1)[:-1] == 0
    counts = _count_neighbours(sure_index, doubtful, num_classes=classes.nobody)
    for positions, near_by in counts:
        costs = np.where(near_by > 0, -_NEIGHBOUR_BONUS * near_by, _ABSENT_COST)
        own = index.ravel()[positions]
        lone = np.flatnonzero(
            (snapped.tiers.ravel()[positions] == Tier.NEAR)
            & (near_by[np.arange(len(own)), own] == 0)
        )
        costs[lone, own[lone]] = _ABSENT_NEAREST_COST
        costs[:, absent] = np.inf
        pixels = _weighted(rgb.reshape(-1, 3)[positions])
        # Of |x - c|² the part |x|² is the same for all candidates.
        distances = classes.norms - 2 * pixels @ classes.colours.T
        chosen = (distances + costs[:, classes.owners]).argmin(axis=1)
        ids.ravel()[positions] = classes.ids[classes.owners[chosen]]
    return ids


def _find_sure(
    index: NDArray[np.uint16], tiers: NDArray[np.uint8], *, nobody: int
) -> NDArray[np.bool_]:
    """Tell which pixels keep their class: 'h w'."""
    height, width = index.shape
    padded = np.pad(np.where(tiers < Tier.FAR, index, np.uint16(nobody)), 1, constant_values=nobody)
    support = np.zeros((height, width), dtype=np.uint8)
    for down, right in np.ndindex(3, 3):
        if (down, right) != (1, 1):
            support += padded[down : down + height, right : right + width] == index
    return (tiers <= Tier.SURE) | ((tiers == Tier.NEAR) & (support >= _MIN_SUPPORT))


def _count_neighbours(
    sure_index: NDArray[np.uint16], positions: NDArray[np.intp], *, num_classes: int
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
    """Count, in blocks of `positions`, the sure pixels of each class around them: 'p', 'p m'."""
    width = sure_index.shape[1]
    padded = np.pad(sure_index, _RADIUS, constant_values=num_classes)
    steps = np.arange(-_RADIUS, _RADIUS + 1)
    offsets = (steps[:, None] * padded.shape[1] + steps).ravel()
    for start in range(0, len(positions), _BLOCK):
        block = positions[start : start + _BLOCK]
        rows, columns = np.divmod(block, width)
        centres = (rows + _RADIUS) * padded.shape[1] + columns + _RADIUS
        around = padded.ravel()[centres[:, None] + offsets].astype(np.intp)
        cells = around + (num_classes + 1) * np.arange(len(block))[:, None]
        counts = np.bincount(cells.ravel(), minlength=len(block) * (num_classes + 1))
        yield block, counts.reshape(len(block), -1)[:, :num_classes].astype(np.float32)


def _weighted(rgb: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn 'n 3' RGB into Y, Cb, Cr whose squared distances are weighted."""
    weights = np.sqrt(np.array([_LUMA_WEIGHT, 1, 1], dtype=np.float32))
    return rgb.astype(np.float32) @ (_TO_YCBCR * weights[:, None]).T


@lru_cache(maxsize=8)
def _classes(readable: tuple[tuple[tuple[int, int, int], int], ...]) -> _Classes:
    colours = _weighted(np.array([colour for colour, _ in readable], dtype=np.float32))
    ids, owners = np.unique([class_id for _, class_id in readable], return_inverse=True)
    of_id = np.full(256, len(ids), dtype=np.uint16)
    of_id[ids] = np.arange(len(ids))
    return _Classes(colours, np.square(colours).sum(axis=1), owners, ids.astype(np.uint8), of_id)
