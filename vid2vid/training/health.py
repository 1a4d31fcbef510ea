"""Signs that a run goes wrong before a number stops being one, in sentences that say what to do."""

from collections import defaultdict, deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from statistics import median
from typing import NamedTuple

import torch
from torch import Tensor, nn

# In 24 runs on driving video the median of 30 steps was never above 2.6 times that of the 200
# before it, and no mean of 10 steps above 4.5 times.
GROWTH = 10.0
RECENT_STEPS, EARLIER_STEPS, FEWEST_STEPS = 10, 200, 50
WINNING = 0.97  # share of patches, real and generated, that a discriminator is right about
WINNING_STEPS = 500
QUIET_STEPS = 1000  # between two warnings of the same kind about the same thing
HEAD_CHANNELS = 3  # at most, of a picture, a flow or a mask


class _Seen(NamedTuple):
    """Values of one quantity, newest last."""

    earlier: deque[float]
    recent: deque[float]


class Health:
    """Looks at every step, and speaks up when something has gone wrong for a while.

    What it has seen is not kept over a restart of the run: it begins to look anew.
    """

    def __init__(self) -> None:
        self._seen: defaultdict[str, _Seen] = defaultdict(
            lambda: _Seen(deque(maxlen=EARLIER_STEPS), deque(maxlen=RECENT_STEPS))
        )
        self._right: defaultdict[str, deque[float]] = defaultdict(
            lambda: deque(maxlen=WINNING_STEPS)
        )
        self._said: dict[str, int] = {}  # step of the last warning

    def look(self, terms: dict[str, float], *, step: int) -> list[str]:
        """Take in what one step reported, and return the warnings that are due.

        Args:
            terms: by name; of interest are those that end in `_gradient`, `_activation` and
                `_accuracy_real` with its `_accuracy_fake`.
            step: number of steps that were taken.
        """
        found = {**self._growth(terms), **self._winners(terms)}
        due = {
            key: text
            for key, text in found.items()
            if step - self._said.get(key, -QUIET_STEPS) >= QUIET_STEPS
        }
        self._said |= dict.fromkeys(due, step)
        return [f"step {step}: {text}" for text in due.values()]

    def _growth(self, terms: dict[str, float]) -> dict[str, str]:
        """Find what has grown out of all proportion to its own past."""
        found: dict[str, str] = {}
        for name, value in terms.items():
            if not name.endswith(("_gradient", "_activation")):
                continue
            seen = self._seen[name]
            if len(seen.recent) == RECENT_STEPS:
                seen.earlier.append(seen.recent[0])
            seen.recent.append(value)
            if len(seen.earlier) < FEWEST_STEPS:
                continue
            before, now = median(seen.earlier), median(seen.recent)
            if now > GROWTH * before > 0:
                found[name] = (
                    f"{name} has grown from {before:.3g} to {now:.3g} (medians of "
                    f"{len(seen.earlier)} and {RECENT_STEPS} steps): the run may be about to "
                    "diverge; stop it, lower optimizer.learning_rate or set optimizer.clip_norm, "
                    "and run the same command again to go on from the last checkpoint"
                )
        return found

    def _winners(self, terms: dict[str, float]) -> dict[str, str]:
        """Find discriminators that have been right about nearly everything for long."""
        found: dict[str, str] = {}
        for key, real in terms.items():
            name = key.removesuffix("_accuracy_real")
            if name == key:
                continue
            right = self._right[name]
            right.append(min(real, terms[f"{name}_accuracy_fake"]))
            if len(right) == WINNING_STEPS and sum(right) / WINNING_STEPS >= WINNING:
                found[key] = (
                    f"the {name} discriminator has told real from generated for {WINNING_STEPS} "
                    f"steps ({sum(right) / WINNING_STEPS:.0%} right): the generator learns little "
                    f"from it; lower optimizer.discriminator_rate{_remedy(name)}, or make the "
                    "discriminator smaller"
                )
        return found


def _remedy(name: str) -> str:
    """Name what helps against a discriminator of patches alone."""
    return "" if name == "segmentation" else ", raise losses.matching"


class HeadMeter:
    """Measures what the heads of a generator give before it is squashed into a picture."""

    def __init__(self) -> None:
        self._sizes: list[Tensor] = []

    def measure(self, module: nn.Module, inputs: object, output: Tensor) -> None:
        """Take in the output of one head; a forward hook."""
        del module, inputs
        self._sizes.append(output.detach().abs().mean())

    def take(self) -> dict[str, float]:
        """Return the mean absolute output since the last call."""
        if not self._sizes:
            return {}
        mean = torch.stack(self._sizes).float().mean().item()
        self._sizes.clear()
        return {"generator_activation": mean}


@contextmanager
def watch_heads(generator: nn.Module) -> Generator[HeadMeter]:
    """Measure every head of a generator for a while: its convolutions to at most 3 channels."""
    meter = HeadMeter()
    handles = [head.register_forward_hook(meter.measure) for head in _heads(generator)]
    try:
        yield meter
    finally:
        for handle in handles:
            handle.remove()


def _heads(generator: nn.Module) -> Iterator[nn.Module]:
    """List the convolutions that paint."""
    for module in generator.modules():
        is_convolution = isinstance(module, (nn.Conv2d, nn.ConvTranspose2d))
        if is_convolution and module.out_channels <= HEAD_CHANNELS:
            yield module
