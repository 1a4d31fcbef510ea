"""How much the colour of one surface point varies over a whole video, wherever it is seen.

One figure for flicker, drift and what has changed when a place is visited again. It needs a world
that names the surface point of every pixel.
"""

import numpy as np
from numpy.typing import NDArray

from vid2vid.metrics.statistics import Floats

GROUPS = 32
"""Into so many groups the points are dealt; the bootstrap resamples groups."""

_CAPACITY = 1 << 18  # points followed at most; 16 MiB a video
_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio (Knuth, volume 3, 6.4)


class SurfaceColours:
    """Follows the colours of surface points, frame by frame, in bounded memory.

    Where there are more points than can be followed, half of them are dropped, chosen by a hash of
    their ids, again and again; what remains is a fair sample.
    """

    def __init__(self, *, capacity: int = _CAPACITY) -> None:
        self._capacity = capacity
        self._ids = np.zeros(0, dtype=np.int64)
        # A row a point: visits, mean of 3 channels, sum of squared deviations over channels.
        self._rows = np.zeros((0, 5))
        self._halvings = 0

    def add(self, ids: NDArray[np.int64], rgb: NDArray[np.uint8]) -> None:
        """Take one frame. A point that covers several pixels is seen with their mean colour.

        Args:
            ids: 'h w', the surface point of each pixel; negative = none.
            rgb: 'h w 3'.

        Raises:
            ValueError: if the sizes differ.
        """
        if ids.shape != rgb.shape[:2]:
            raise ValueError(f"ids must be 'h w' of the frame; got {ids.shape} for {rgb.shape}")
        chosen = (ids >= 0) & self._is_followed(ids)
        seen, where = np.unique(ids[chosen], return_inverse=True)
        if not len(seen):
            return
        counts = np.bincount(where)
        colours = [np.bincount(where, rgb[..., c][chosen] / 255.0) / counts for c in range(3)]
        self._visit(seen, np.stack(colours, axis=1))
        while len(self._ids) > self._capacity:
            self._halvings += 1
            kept = self._is_followed(self._ids)
            self._ids, self._rows = self._ids[kept], self._rows[kept]

    @property
    def num_points(self) -> int:
        """How many points were seen in two frames or more."""
        return int((self._rows[:, 0] > 1).sum())

    def sums(self) -> Floats:
        """Add up each group of points, for `statistics.mean`.

        Returns:
            'g 2': squared deviations from the mean colour of each point, averaged over channels, of
            colours in [0, 1]; and the degrees of freedom.
        """
        again = self._rows[:, 0] > 1
        group = (_mix(self._ids[again]) >> np.uint64(8)).astype(np.int64) % GROUPS
        squares = np.bincount(group, self._rows[again, 4] / 3, minlength=GROUPS)
        freedom = np.bincount(group, self._rows[again, 0] - 1, minlength=GROUPS)
        return np.stack([squares, freedom], axis=1).astype(np.float64)

    def _is_followed(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        return _mix(ids) >> np.uint64(40) & np.uint64((1 << self._halvings) - 1) == 0

    def _visit(self, seen: NDArray[np.int64], colours: Floats) -> None:
        """Update the points that were seen, one visit each (Welford 1962)."""
        new = np.setdiff1d(seen, self._ids, assume_unique=True)
        if len(new):
            ids = np.concatenate([self._ids, new])
            order = np.argsort(ids, kind="stable")
            rows = np.concatenate([self._rows, np.zeros((len(new), 5))])
            self._ids, self._rows = ids[order], rows[order]
        at = np.searchsorted(self._ids, seen)
        rows = self._rows[at]
        rows[:, 0] += 1
        away = colours - rows[:, 1:4]
        rows[:, 1:4] += away / rows[:, :1]
        rows[:, 4] += (away * (colours - rows[:, 1:4])).sum(axis=1)
        self._rows[at] = rows


def _mix(ids: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Hash ids so that every bit depends on all of theirs."""
    mixed = ids.astype(np.uint64) * _MIX
    mixed ^= mixed >> np.uint64(32)
    return mixed * _MIX
