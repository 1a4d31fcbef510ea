"""Preferences of people between two systems, with Wilson's interval."""

from math import sqrt
from typing import NamedTuple

from vid2vid.metrics.bootstrap import Interval

_Z = 1.959963984540054  # the normal quantile of a two-sided 95 %


class Preference(NamedTuple):
    """How often one of two was preferred."""

    wins: int
    total: int
    interval: Interval

    @property
    def share(self) -> float:
        """The share of wins; not a number where nobody chose."""
        return self.wins / self.total if self.total else float("nan")


def preference(wins: int, total: int) -> Preference:
    """Find the share of wins and its 95 % score interval (Wilson 1927).

    Args:
        wins: how often the first was chosen.
        total: how often one of the two was chosen; with 0 the interval is [0, 1].

    Raises:
        ValueError: if there are more wins than choices, or either is negative.
    """
    if not 0 <= wins <= total:
        raise ValueError(f"wins must be 0 to total; got {wins} of {total}")
    if total == 0:
        return Preference(0, 0, Interval(0.0, 1.0))
    share, z2 = wins / total, _Z * _Z
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = _Z / (1 + z2 / total) * sqrt(share * (1 - share) / total + z2 / (4 * total * total))
    return Preference(wins, total, Interval(max(0.0, middle - half), min(1.0, middle + half)))
