"""What was measured of every stream, as sums: per unit of the bootstrap, and over time."""

from collections import defaultdict
from typing import NamedTuple

import numpy as np

from pipelines.evaluation.catalogue import Metric
from pipelines.evaluation.options import BLOCK_FRAMES
from vid2vid.metrics.bins import Bins
from vid2vid.metrics.bootstrap import Interval
from vid2vid.metrics.statistics import Floats, centre_slope_sums, slope_sums

_UNITS = 256  # at most; above, neighbours are put together two by two
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


def joined_units(num_units: int) -> int:
    """Tell how many units of the bootstrap are put together, so that there are no more than 256."""
    joined = 1
    while (num_units - 1) // joined >= _UNITS:
        joined *= 2
    return joined


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
        self._intervals: dict[Key, Interval | None] = {}
        self._slopes_here: dict[Key, Floats] = {}  # of the sequence that is being measured

    def note(self, key: Key, when: When, value: float) -> None:
        """Take the value of one frame; one that is not a number is left out."""
        if not np.isfinite(value):
            return
        self.add(key, when, np.array([value, 1.0]))
        if not self.metrics[key[1]].drifts:
            return
        sums = slope_sums(float(when.frame), value)
        if when.is_only:
            self._slopes[key].add(when.unit, sums)
        else:
            self._slopes_here[key] = self._slopes_here.get(key, np.zeros(5)) + sums

    def end_sequence(self, sequence: int) -> None:
        """Put away what is kept of one of several sequences; drift is within each."""
        for key, sums in self._slopes_here.items():
            self._slopes[key].add(sequence, centre_slope_sums(sums))
        self._slopes_here.clear()

    def add(self, key: Key, when: When, sums: Floats) -> None:
        """Take the sums of one frame, of which the metric's statistic makes a figure."""
        self._units[key].add(when.unit, sums)
        self._counts[key] += 1
        if when.sequence == 0:
            self._curves[key].add(when.frame, sums)

    def add_sequence(
        self,
        key: Key,
        sums: Floats,
        *,
        sequence: int,
        count: int,
        interval: Interval | None = None,
    ) -> None:
        """Take the sums of a whole sequence, made of `count` things.

        Args:
            key: stream and metric.
            sums: 'd', of which the metric's statistic makes a figure.
            sequence: where it stands.
            count: how much it is made of.
            interval: of the figure, where the sequence is the only one and says it itself.
        """
        self._units[key].add(sequence, sums)
        self._counts[key] += count
        self._intervals[key] = interval

    def measured(self) -> list[Key]:
        """List what was measured, in the order of the catalogue."""
        order = list(self.metrics)
        return sorted(self._units, key=lambda key: order.index(key[1]))

    def units(self, key: Key) -> Floats:
        """Give the sums of each unit: 'u d'."""
        return self._units[key].sums

    def interval(self, key: Key) -> Interval | None:
        """Give the interval of a figure of the only sequence that is not made of blocks."""
        return self._intervals.get(key)

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
