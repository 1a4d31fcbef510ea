"""Find where a video is not one take: cuts, and gaps of many frames.

Two neighbouring frames of one take look alike once the motion between them is undone. A frame does
not follow the one before it where undoing the motion leaves much more than it leaves between the
frames around, or where there is no motion that leads forth and back between the two.
Fades and dissolves, which have no such frame, are not found.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from flow.confidence import reference_flow
from flow.estimators import DIS
from flow.warp import warp
from vid2vid.data.augment import Size, resize_frame
from vid2vid.video.levels import from_levels

LONG_SIDE = 256  # px; frames are shrunk to it first

# Chosen by tools/bench_shots.py on 31 real clips of one take and one with five cuts.
PEAK_RATIO = 2.5
"""How many times larger a residual is than all near it, where a frame does not follow."""
PEAK_RESIDUAL = 0.015
"""Smallest residual of such a frame, as a share of the range of the values."""
NEAR = 3
"""Pairs on either side that a residual is compared with."""
LOST_CONFIDENCE = 0.35
"""Share of trusted pixels at and below which two frames have no motion in common ..."""
LOST_RESIDUAL = 0.05
"""... if the residual is at least this: in the dark, flow is found to be anything."""


class Change(NamedTuple):
    """What changes from a frame to the next; shares of the range of the values, 0 to 1."""

    difference: float  # mean, absolute; 0 = the same picture again
    residual: float  # the same, after the motion was undone
    confidence: float  # share of the pixels whose flow leads forth and back


class ChangeMeter:
    """Measures the change from frame to frame of one video."""

    def __init__(self) -> None:
        self._estimator = DIS("fast")
        self._previous: Tensor | None = None

    def add(self, rgb: NDArray[np.uint8]) -> Change | None:
        """Take the next frame.

        Args:
            rgb: 'h w 3', of any size, the same for all frames.

        Returns:
            The change since the frame before; None for the first.
        """
        height, width = rgb.shape[:2]
        factor = min(1.0, LONG_SIDE / max(height, width))
        size = Size(max(1, round(height * factor)), max(1, round(width * factor)))
        small = np.ascontiguousarray(resize_frame(rgb, size))
        current = from_levels(torch.from_numpy(small))[None]
        previous, self._previous = self._previous, current
        if previous is None:
            return None
        found = reference_flow(self._estimator, current, previous)
        left = current - warp(previous, found.flow)
        return Change(
            difference=float((current - previous).abs().mean()) / 2,
            residual=float(left.abs().mean()) / 2,
            confidence=float(found.confidence.mean()),
        )


def find_breaks(changes: Sequence[Change]) -> list[int]:
    """List the frames that do not follow the one before.

    Args:
        changes: of one video, from its first to its last frame.

    Returns:
        Indices of frames, from 1 on; `changes[0]` leads to frame 1.
    """
    return [index + 1 for index in range(len(changes)) if _is_break(changes, index)]


def find_shots(frames: Iterable[NDArray[np.uint8]]) -> list[range]:
    """Cut a video where a frame does not follow the one before; memory does not grow with frames.

    Args:
        frames: 'h w 3' uint8 RGB, all of one size.

    Returns:
        The frames of each shot, in order; together all of them.
    """
    meter, changes, num_frames = ChangeMeter(), list[Change](), 0
    for rgb in frames:
        num_frames += 1
        if change := meter.add(rgb):
            changes.append(change)
    if not num_frames:
        return []
    bounds = [0, *find_breaks(changes), num_frames]
    return [range(first, end) for first, end in pairwise(bounds)]


def _is_break(changes: Sequence[Change], index: int) -> bool:
    change = changes[index]
    if change.confidence <= LOST_CONFIDENCE and change.residual >= LOST_RESIDUAL:
        return True
    near = [*changes[max(0, index - NEAR) : index], *changes[index + 1 : index + 1 + NEAR]]
    if not near or change.residual < PEAK_RESIDUAL:
        return False
    return change.residual >= PEAK_RATIO * max(other.residual for other in near)
