"""Draw where a clip starts: every place that a clip fits in is equally likely at first."""

import logging
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from torch.utils.data import get_worker_info

from vid2vid.data import layout
from vid2vid.errors import DataError

_logger = logging.getLogger(__name__)


class Place(NamedTuple):
    """Where a clip lies."""

    sequence_index: int
    frames: range  # indices in the sequence


class ClipStarts:
    """Knows which sequences are long enough for a clip length, and draws places in them."""

    def __init__(self, sequences: Sequence[layout.Sequence], stride: tuple[int, int]) -> None:
        """Take the sequences and the smallest and largest stride.

        Raises:
            ValueError: if there is no sequence.
        """
        if not sequences:
            raise ValueError("sequences must hold at least one sequence; got none")
        self._sequences = tuple(sequences)
        self._stride = stride
        self._ends: dict[int, npt.NDArray[np.int64]] = {}

    def draw(self, rng: np.random.Generator, length: int) -> Place:
        """Draw a sequence, in proportion to the clips that start in it, then a stride and a start.

        Raises:
            DataError: if no sequence is long enough.
        """
        ends = self._cumulative(length)
        sequence_index = int(np.searchsorted(ends, rng.integers(ends[-1]), side="right"))
        num_frames = self._sequences[sequence_index].num_frames
        low, high = self._stride
        gaps = length - 1
        high = min(high, (num_frames - 1) // gaps) if gaps else low
        stride = int(rng.integers(low, high + 1))
        start = int(rng.integers(num_frames - gaps * stride))
        return Place(sequence_index, range(start, start + gaps * stride + 1, stride))

    def check(self, length: int) -> None:
        """Check that clips of `length` frames fit; warn, once, of the sequences too short.

        Raises:
            DataError: if no sequence is long enough.
            ValueError: if `length` is not positive.
        """
        self._cumulative(length)

    def _cumulative(self, length: int) -> npt.NDArray[np.int64]:
        """Return, for each sequence, how many clips start in it or in one before it."""
        if length < 1:
            raise ValueError(f"length must be at least 1; got {length}")
        if length not in self._ends:
            needed = (length - 1) * self._stride[0] + 1
            self._complain(length, needed)
            counts = [max(0, s.num_frames - needed + 1) for s in self._sequences]
            self._ends[length] = np.cumsum(counts)
        return self._ends[length]

    def _complain(self, length: int, needed: int) -> None:
        short = [s for s in self._sequences if s.num_frames < needed]
        if len(short) == len(self._sequences):
            longest = max(short, key=lambda s: s.num_frames)
            raise DataError(
                f"clips of length {length} at stride {self._stride[0]} need {needed} frames; the "
                f"longest of {len(short)} sequences, '{longest.name}', has {longest.num_frames}: "
                "lower the clip length or add longer sequences"
            )
        if short and get_worker_info() is None:
            _logger.warning(
                "clips of length %d at stride %d need %d frames; skipping %d of %d sequences, "
                "which have fewer: %s",
                *(length, self._stride[0], needed, len(short), len(self._sequences)),
                ", ".join(f"'{s.name}'" for s in short),
            )
