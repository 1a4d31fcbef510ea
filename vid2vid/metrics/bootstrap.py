"""Bootstrap intervals (Efron 1979): how far a figure would move with other footage of its kind.

What is resampled are units: sequences, or blocks of frames where there is one sequence, since
neighbouring frames say nearly the same.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vid2vid.metrics.statistics import Floats, Statistic

RESAMPLES = 1000
COVERAGE = 0.95
MIN_UNITS = 3


class Interval(NamedTuple):
    """Where a figure lies with a probability of 95 %."""

    low: float
    high: float


def bootstrap(
    units: Floats, statistic: Statistic, *, seed: int, resamples: int = RESAMPLES
) -> Interval | None:
    """Find the interval of a statistic of sums by the percentile method.

    Args:
        units: 'u d', the sums of each unit.
        statistic: a figure '...' from sums '... d'.
        seed: of the resampling; the same seed gives the same interval.
        resamples: how often.

    Returns:
        The interval; None with fewer than three units, which say little about others.
    """
    if len(units) < MIN_UNITS:
        return None
    counts = draw_counts(len(units), seed=seed, resamples=resamples)
    return percentile_interval(statistic(counts.astype(np.float64) @ units))


def draw_counts(num_units: int, *, seed: int, resamples: int) -> NDArray[np.int64]:
    """Draw how often each unit occurs in each resample: 'r u', every row adds up to u."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(num_units, np.full(num_units, 1 / num_units), size=resamples)


def percentile_interval(values: Floats) -> Interval | None:
    """Cut off the outer 5 % of the values 'r'; None where none of them is a number."""
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    tail = 100 * (1 - COVERAGE) / 2
    low, high = np.percentile(known, [tail, 100 - tail])
    return Interval(float(low), float(high))
