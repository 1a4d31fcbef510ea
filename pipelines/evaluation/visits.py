"""Palindrome error: both visits of every frame of a video that goes 1 ... N ... 1."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from pipelines.evaluation.footage import NoLabels, Readings
from pipelines.evaluation.ledger import Ledger, When
from pipelines.evaluation.options import PERTURBED, REAL, SHUFFLED
from pipelines.evaluation.sources import Footage
from vid2vid.data.pairing import Source, Stream
from vid2vid.data.store import FrameStore
from vid2vid.metrics.controls import even_stretch, perturb, shuffle_in_time
from vid2vid.video.levels import from_levels, to_levels

KEY = "palindrome"

_TOGETHER = 16  # frames read in one go: a video decodes from a key frame on


class Visit(NamedTuple):
    """A frame that was shown twice."""

    frame: int
    there: NDArray[np.uint8]  # 'h w 3'
    back: NDArray[np.uint8]


def read_visits(stream: Stream) -> Iterator[Visit]:
    """Read a video rendered from label maps 1 ... N ... 1, of 2 N - 1 frames, from both ends."""
    count = len(stream.sources) // 2
    there, back = stream.sources[:count], stream.sources[count + 1 :][::-1]
    for start in range(0, count, _TOGETHER):
        part = slice(start, start + _TOGETHER)
        pictures = _read(stream, there[part]), _read(stream, back[part][::-1])[::-1]
        for offset, (one, other) in enumerate(zip(*pictures, strict=True)):
            yield Visit(start + offset, one, other)


def note_visits(ledger: Ledger, system: str, visits: Iterator[Visit], *, where: When) -> None:
    """Measure how far the two visits of each frame are apart."""
    for visit in visits:
        when = where._replace(frame=visit.frame)
        ledger.note((system, KEY), when, _distance(visit.there, visit.back))


def note_control_visits(
    ledger: Ledger, footage: Footage, readings: Readings, *, where: When
) -> None:
    """Measure the controls: a real video driven there and back is the same both times."""
    store = FrameStore(NoLabels(), max_bytes=0)
    reals = (store.frames([source], footage.size)[0] for source in footage.real.sources)
    together = even_stretch(footage.num_frames)
    shuffled = shuffle_in_time(reals, seed=readings.seed, together=together)
    for index, (real, other) in enumerate(shuffled):
        if index == footage.num_frames - 1:
            return
        when = where._replace(frame=index)
        frame = from_levels(torch.from_numpy(np.ascontiguousarray(real)))
        seeds = [(readings.seed, where.sequence, index, visit) for visit in range(2)]
        there, back = (to_levels(perturb(frame, seed=seed)).numpy() for seed in seeds)
        ledger.note((REAL, KEY), when, 0.0)
        ledger.note((SHUFFLED, KEY), when, _distance(real, other))
        ledger.note((PERTURBED, KEY), when, _distance(there, back))


def _read(stream: Stream, sources: tuple[Source, ...]) -> list[NDArray[np.uint8]]:
    store = FrameStore(NoLabels(), max_bytes=0)
    return store.frames(sources, stream.size)


def _distance(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Average the absolute difference, levels."""
    return float(np.abs(one.astype(np.int16) - other.astype(np.int16)).mean())
