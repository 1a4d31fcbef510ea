"""What was measured of every stream, as sums: per unit of the bootstrap, and over time."""

from collections import defaultdict
from typing import NamedTuple

import numpy as np

from pipelines.evaluation.catalogue import Metric
from pipelines.evaluation.options import BLOCK_FRAMES
from vid2vid.metrics.bins import Bins
from vid2vid.metrics.statistics import Floats, slope_sums

_UNITS = 256  # at most; above, neighbouring blocks are put together, which widens no claim
_POINTS = 400  # of a curve over time

Key = tuple[str, str]  # stream and metric


class When(NamedTuple):
    """A frame among all that are evaluated."""

    sequence: int
    frame: int  # in its sequence
    is_only: bool  # whether there is one sequence

    @property
    def unit(self) -> int:
        """The unit of the bootstrap: a sequence, or a block of 16 frames of the only one."""
        return self.frame // BLOCK_FRAMES if self.is_only else self.sequence


class Point(NamedTuple):
    """One point of a curve over time."""

    frame: int
    value: float


class Ledger:
    """Takes figures frame by frame, and keeps a bounded number of sums."""

    def __init__(self, metrics: dict[str, Metric]) -> None:
        self.metrics = metrics
        self._units: dict[Key, Bins] = defaultdict(lambda: Bins(_UNITS))
        self._slopes: dict[Key, Bins] = defaultdict(lambda: Bins(_UNITS))
        self._curves: dict[Key, Bins] = defaultdict(lambda: Bins(_POINTS))
        self._counts: dict[Key, int] = defaultdict(int)

    def note(self, key: Key, when: When, value: float) -> None:
        """Take the value of one frame; one that is not a number is left out."""
        if not np.isfinite(value):
            return
        self.add(key, when, np.array([value, 1.0]))
        if self.metrics[key[1]].drifts:
            self._slopes[key].add(when.unit, slope_sums(float(when.frame), value))

    def add(self, key: Key, when: When, sums: Floats) -> None:
        """Take the sums of one frame, of which the metric's statistic makes a figure."""
        self._units[key].add(when.unit, sums)
        self._counts[key] += 1
        if when.sequence == 0:
            self._curves[key].add(when.frame, sums)

    def add_units(self, key: Key, sums: Floats, *, first: int, count: int) -> None:
        """Take the sums of whole units, 'u d', made of `count` things in all."""
        for offset, row in enumerate(sums):
            self._units[key].add(first + offset, row)
        self._counts[key] += count

    def measured(self) -> list[Key]:
        """List what was measured, in the order of the catalogue."""
        order = list(self.metrics)
        return sorted(self._units, key=lambda key: order.index(key[1]))

    def units(self, key: Key) -> Floats:
        """Give the sums of each unit: 'u d'."""
        return self._units[key].sums

    def slopes(self, key: Key) -> Floats | None:
        """Give the sums of `statistics.slope` of each unit, 'u 5', of a metric that drifts."""
        return self._slopes[key].sums if key in self._slopes else None

    def count(self, key: Key) -> int:
        """Count the frames, or other things, that the figure is made of."""
        return self._counts[key]

    def curve(self, key: Key) -> list[Point]:
        """Give the figure over the time of the first sequence."""
        if key not in self._curves:
            return []
        bins = self._curves[key]
        values = self.metrics[key[1]].statistic(bins.sums)
        pairs = zip(bins.places, values, strict=True)
        return [Point(frame, float(value)) for frame, value in pairs if np.isfinite(value)]
