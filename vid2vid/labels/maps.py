"""Label maps in memory: ids to channels and boundaries, ids to colours and back."""

import logging
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vid2vid.labels.palettes import ID_IGNORE, Palette

# Measured on CamVid and Cityscapes maps, painted and sent through libx264 yuv420p: in the right
# palette the worst frame has 3 % (480x360) to 5 % (512x256) of its pixels beyond 32 at crf 18, 7 %
# at crf 28 and 10 % at crf 35, all on edges; at 128x64 14 %, 19 % and 27 %.
FAR_COLOUR = 32.0
"""Euclidean RGB distance beyond which a colour is far from a palette."""

# yuv444p crf 0 is off by 3 at most; mixtures of two classes seldom come so near to a third one.
SURE_COLOUR = 4.0
"""Euclidean RGB distance up to which a colour is its class's, whatever stands around it."""

# The same frames read in the palette of the other data set: at least 42 % of each are far, at
# 128x64 37 %, at any crf. Palettes of one data set (camvid and camvid32: 8 to 18 %) are told apart
# by `is_exact` alone.
PLAINLY_FOREIGN = 0.3
"""Share of far pixels above which a frame is plainly in another palette."""

_logger = logging.getLogger(__name__)

_ReadableColours = tuple[tuple[tuple[int, int, int], int], ...]

_TIER_SHIFT = 9  # tiers lie above the largest entry without them, 1 + ID_IGNORE
_ENTRY_MASK = (1 << _TIER_SHIFT) - 1
_TIER_ENDS = np.square([0, SURE_COLOUR, FAR_COLOUR])  # the largest squared distance in each


class Tier(IntEnum):
    """How near a pixel's colour is to the nearest of its palette."""

    EXACT = 0
    SURE = 1  # within SURE_COLOUR
    NEAR = 2  # within FAR_COLOUR
    FAR = 3


class Snapped(NamedTuple):
    """A label map that was read from colours."""

    ids: NDArray[np.uint8]  # 'h w', 255 = ignore
    tiers: NDArray[np.uint8]  # 'h w', a `Tier` each
    far: float  # share of the pixels farther than FAR_COLOUR from every colour of the palette
    exact: bool  # whether every pixel has exactly a colour of the palette


def one_hot(labels: Tensor, num_classes: int, *, void: bool) -> Tensor:
    """Turn a label map into channels, on the device it is on.

    Args:
        labels: 'b t h w' integer ids, 0 to `num_classes` - 1, or 255 = ignore.
        num_classes: k.
        void: whether ignored pixels get a channel of their own, the last one; without it all
            their channels are zero.

    Returns:
        'b t k h w' float32, 0 or 1; k is one more with `void`.

    Raises:
        ValueError: if `labels` has not four axes or is not of integers.
    """
    if labels.ndim != 4 or labels.is_floating_point():
        raise ValueError(
            f"labels must be 'b t h w' integers; got {tuple(labels.shape)} {labels.dtype}"
        )
    if not 1 <= num_classes <= ID_IGNORE:
        raise ValueError(f"num_classes must be 1 to {ID_IGNORE}; got {num_classes}")
    ids = [*range(num_classes), ID_IGNORE] if void else list(range(num_classes))
    channels = torch.tensor(ids, dtype=labels.dtype, device=labels.device)
    return (labels.unsqueeze(2) == channels.view(1, 1, -1, 1, 1)).float()


def boundary(instances: Tensor) -> Tensor:
    """Mark the pixels of which one of the four neighbours belongs to another object.

    Args:
        instances: 'b t h w' integer ids.

    Returns:
        'b t 1 h w' float32, 0 or 1.

    Raises:
        ValueError: if `instances` has not four axes.
    """
    if instances.ndim != 4:
        raise ValueError(f"instances must be 'b t h w'; got {tuple(instances.shape)}")
    edges = torch.zeros(instances.shape, dtype=torch.bool, device=instances.device)
    across = instances[..., :, 1:] != instances[..., :, :-1]
    down = instances[..., 1:, :] != instances[..., :-1, :]
    edges[..., :, 1:] |= across
    edges[..., :, :-1] |= across
    edges[..., 1:, :] |= down
    edges[..., :-1, :] |= down
    return edges.unsqueeze(2).float()


def ids_to_colours(ids: NDArray[np.uint8], palette: Palette) -> NDArray[np.uint8]:
    """Paint a label map in the colours of its palette.

    A warning is logged, once per process and set of ids, when ids occur that cannot be read back
    because a lower id has the same colour.

    Args:
        ids: 'h w' uint8 ids of the palette, 255 = ignore.
        palette: The classes.

    Returns:
        'h w 3' uint8 RGB.

    Raises:
        ValueError: if an id is not in the palette.
    """
    if ids.dtype != np.uint8:
        raise ValueError(f"ids must be uint8; got {ids.dtype}")
    occurring = [int(i) for i in np.flatnonzero(np.bincount(ids.ravel(), minlength=256))]
    known = {c.id: c for c in palette.classes}
    foreign = [i for i in occurring if i not in known and i != ID_IGNORE]
    if foreign:
        raise ValueError(f"ids must be those of the palette '{palette.name}'; got {foreign}")
    read = palette.readable_colours
    lost = tuple(
        i for i in occurring if i in known and not known[i].ignore and read[known[i].colour] != i
    )
    if lost:
        _warn_of_lost_ids(palette.name, lost)
    return palette.colour_table[ids]


@lru_cache(maxsize=64)  # so that a video does not warn at every frame
def _warn_of_lost_ids(palette_name: str, ids: tuple[int, ...]) -> None:
    _logger.warning(
        "ids %s of the palette '%s' share a colour with a lower id and will be read back as that "
        "one: write ids instead of colours to keep them",
        list(ids),
        palette_name,
    )


def colours_to_ids(rgb: NDArray[np.uint8], palette: Palette) -> Snapped:
    """Read a label map from colours: each pixel takes the class with the nearest colour.

    Args:
        rgb: 'h w 3' uint8 RGB, exact or with the noise of a codec.
        palette: The classes. Of a repeated colour the lowest id is read.

    Returns:
        The ids, how near each colour is, the share of pixels whose colour is far from all of the
        palette's, and whether all are exact.

    Raises:
        ValueError: if `rgb` is not 'h w 3' uint8.
    """
    entries = _look_up(rgb, palette)
    tiers = (entries >> _TIER_SHIFT).astype(np.uint8)
    far = float(np.count_nonzero(tiers == Tier.FAR)) / max(tiers.size, 1)
    ids = ((entries & _ENTRY_MASK) - 1).astype(np.uint8)
    return Snapped(ids, tiers, far, exact=not tiers.any())


def is_exact(rgb: NDArray[np.uint8], palette: Palette) -> bool:
    """Whether every pixel has exactly a colour of the palette; 'h w 3' uint8 RGB."""
    if (_look_up(rgb[::16, ::16], palette) > _ENTRY_MASK).any():  # decides most frames
        return False
    return not (_look_up(rgb, palette) > _ENTRY_MASK).any()


def _look_up(rgb: NDArray[np.uint8], palette: Palette) -> NDArray[np.uint16]:
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
        raise ValueError(f"rgb must be 'h w 3' uint8; got {rgb.shape} {rgb.dtype}")
    return _snapper(tuple(palette.readable_colours.items())).look_up(rgb)


class _Snapper:
    """Colour to id through a table over all 256^3 colours that fills as colours are met.

    An entry is 0 where the colour was not met yet, otherwise 1 + id plus the tier. The operating
    system hands the 32 MiB out page by page, so that starting is free. Processor time on one core
    for frames of libx264 crf 18: 5 ms for a known 1024x512 frame, 12 ms with new colours, 36 ms
    for the first; 7, 18 and 40 ms for 2048x1024.
    """

    def __init__(self, readable: _ReadableColours) -> None:
        self._colours = np.array([colour for colour, _ in readable], dtype=np.int32)  # 'k 3'
        self._ids = np.array([class_id for _, class_id in readable], dtype=np.uint16)
        self._table = np.zeros(1 << 24, dtype=np.uint16)

    def look_up(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint16]:
        red, green, blue = (rgb[..., c].astype(np.uint32) for c in range(3))
        codes = (red << 16) | (green << 8) | blue
        entries = self._table[codes]
        if not entries.all():
            self._learn(np.unique(codes[entries == 0]))
            entries = self._table[codes]
        return entries

    def _learn(self, codes: NDArray[np.integer]) -> None:
        """Snap colours that were not met before, in blocks that keep the memory small."""
        for block in np.array_split(codes, len(codes) // 65536 + 1):
            rgb = np.stack([block >> 16, (block >> 8) & 255, block & 255], axis=1).astype(np.int32)
            distances = np.square(rgb[:, None] - self._colours[None]).sum(axis=2)
            tiers = np.searchsorted(_TIER_ENDS, distances.min(axis=1))
            self._table[block] = 1 + self._ids[distances.argmin(axis=1)] + (tiers << _TIER_SHIFT)


@lru_cache(maxsize=8)  # 8 x 32 MiB at most, filled only where colours occur
def _snapper(readable: _ReadableColours) -> _Snapper:
    return _Snapper(readable)
