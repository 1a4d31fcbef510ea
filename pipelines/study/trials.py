"""Choose the trials of a study: which clips, in which order, on which side, and the sentinels."""

from typing import NamedTuple

import numpy as np

from vid2vid.data.pairing import Stream

SENTINELS_PER_PAIR = 0.1
MIN_SENTINELS = 2

_SENTINELS = (("a", "damaged"), ("damaged", "b"), ("damaged", "a"), ("b", "damaged"))


class Trial(NamedTuple):
    """One pair as it is shown; left and right are `a`, `b`, or `damaged` in a sentinel."""

    sequence: int
    start: int  # frame
    left: str
    right: str

    @property
    def is_sentinel(self) -> bool:
        """Whether there is a right answer, by which attention is checked."""
        return "damaged" in (self.left, self.right)


def choose_trials(lengths: list[int], *, pairs: int, clip_frames: int, seed: int) -> list[Trial]:
    """Choose trials: starts are spread over all footage, the order is random.

    Each system stands left in half of the pairs. A sentinel shows a clip beside a damaged copy of
    itself; there is one for ten pairs and at least two, balanced in system and side by themselves.

    Args:
        lengths: frames of each sequence.
        pairs: how many compare the two systems.
        clip_frames: of each clip; a shorter sequence is shown whole.
        seed: the same gives the same study.
    """
    generator = np.random.default_rng(seed)
    sentinels = max(MIN_SENTINELS, round(SENTINELS_PER_PAIR * pairs))
    starts = [
        (sequence, start)
        for sequence, length in enumerate(lengths)
        for start in range(max(1, length - clip_frames + 1))
    ]
    total = pairs + sentinels
    # One start from each of equal stretches of the footage, so that it is covered evenly.
    edges = np.linspace(0, len(starts), total + 1)
    drawn = [starts[min(int(generator.uniform(*e)), len(starts) - 1)] for e in _ranges(edges)]
    generator.shuffle(drawn)
    # Of an odd number of pairs, a draw says which system stands left once more.
    flips = (np.arange(pairs) + generator.integers(2)) % 2
    sides = [("b", "a") if flip else ("a", "b") for flip in flips]
    sides += [_SENTINELS[k % len(_SENTINELS)] for k in range(sentinels)]
    trials = [
        Trial(int(sequence), int(start), *pair)
        for (sequence, start), pair in zip(drawn, sides, strict=True)
    ]
    return [trials[int(k)] for k in generator.permutation(total)]


def clip_length(stream: Stream, clip_frames: int) -> int:
    """Find how many frames a clip of a sequence has."""
    return min(clip_frames, len(stream.sources))


def _ranges(edges: np.ndarray) -> list[tuple[float, float]]:
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
