"""Weights of the layers of the perceptual loss that the run finds by itself, once.

The constants of Chen & Koltun were found so for their data, their VGG and their range of pixels:
each layer divided by its own mean over the training set in the middle of the run. Other data, other
features or another range need other constants.
"""

from collections.abc import Mapping
from typing import NamedTuple

WINDOW = 200  # steps that a mean reaches back: frames differ by some 30 %, so it is good to 2 %


class Calibration(NamedTuple):
    """What is known of the layers so far."""

    means: Mapping[str, float] = {}  # running, by term
    steps: int = 0  # that they were taken over
    divisors: Mapping[str, float] = {}  # by term; empty until they are settled

    def observe(self, terms: Mapping[str, float], names: tuple[str, ...]) -> "Calibration":
        """Take in the terms of a step that are to be calibrated, as far as it has them."""
        found = {name: terms[name] for name in names if name in terms}
        if not found or self.divisors:
            return self
        steps = self.steps + 1
        newest = max(1 / steps, 1 / WINDOW)
        means = {
            name: self.means.get(name, 0.0) * (1 - newest) + value * newest
            for name, value in found.items()
        }
        return Calibration(means, steps)

    def is_due(self, progress: float, share: float) -> bool:
        """Tell whether the divisors are to be settled now.

        Args:
            progress: share of the run that is done.
            share: after which they are settled.
        """
        return self.steps > 0 and not self.divisors and progress >= share

    def settle(self) -> "Calibration":
        """Divide by the means from now on; a term that is 0 throughout is left as it is."""
        return self._replace(divisors={name: mean or 1.0 for name, mean in self.means.items()})
