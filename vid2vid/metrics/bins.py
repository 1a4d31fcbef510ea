"""Sums over time in a fixed number of bins, so that memory does not grow with the video."""

import numpy as np

from vid2vid.metrics.statistics import Floats


class Bins:
    """Adds vectors into bins by an index; when the bins run out, neighbours are put together.

    Every statistic here is a function of sums (a mean of a sum and a count, an intersection over
    union of a confusion matrix), so that what is kept for a bin is a vector of sums.
    """

    def __init__(self, capacity: int) -> None:
        """Make empty bins, each one index wide at first.

        Raises:
            ValueError: if there are fewer than 2.
        """
        if capacity < 2:
            raise ValueError(f"capacity must be at least 2 bins; got {capacity}")
        self.width = 1
        """How many indices a bin holds."""
        self._capacity = capacity
        self._sums: list[Floats | None] = []

    def add(self, index: int, values: Floats) -> None:
        """Add 'd' to the bin of `index`."""
        while index // self.width >= self._capacity:
            self._merge()
        place = index // self.width
        self._sums.extend([None] * (place + 1 - len(self._sums)))
        before = self._sums[place]
        self._sums[place] = values.astype(np.float64) if before is None else before + values

    @property
    def sums(self) -> Floats:
        """Sums of the bins that hold something, in the order of the indices: 'u d'."""
        return np.stack([each for each in self._sums if each is not None])

    @property
    def places(self) -> list[int]:
        """First index of each bin of `sums`."""
        return [k * self.width for k, each in enumerate(self._sums) if each is not None]

    def _merge(self) -> None:
        """Make every bin twice as wide."""
        self.width *= 2
        pairs = [self._sums[k : k + 2] for k in range(0, len(self._sums), 2)]
        self._sums = [_add([each for each in pair if each is not None]) for pair in pairs]


def _add(sums: list[Floats]) -> Floats | None:
    return np.sum(sums, axis=0) if sums else None
