"""Read a sequence frame by frame: generated, real, its controls, labels, and what a world knows."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipelines.evaluation.ledger import When
from pipelines.evaluation.sources import Footage
from pipelines.evaluation.worlds import Truth, read_truth
from vid2vid.data.pairing import Source
from vid2vid.data.store import FrameStore, MapReader
from vid2vid.metrics.controls import even_stretch, perturb, shuffle_in_time
from vid2vid.video.levels import from_levels, to_levels

_CACHE_BYTES = 0  # each picture is needed once


class Moment(NamedTuple):
    """One frame of everything."""

    when: When
    frames: Tensor  # 'n 3 h w' in [-1, 1]: the systems, then real, shuffled, perturbed
    labels: Tensor | None  # 'h w' uint8, 255 = ignore
    truth: Truth | None  # of a world


class Readings(NamedTuple):
    """How a sequence is read."""

    reader: MapReader | None  # of label maps; None leaves them out
    seed: int
    device: torch.device


def read_moments(
    footage: Footage, sequence: int, readings: Readings, *, is_only: bool
) -> Iterator[Moment]:
    """Read a sequence; memory does not grow with its length.

    Raises:
        DataError: if a label map or a file of the world does not fit.
        VideoError: if a frame cannot be read.
    """
    store = FrameStore(readings.reader or NoLabels(), max_bytes=_CACHE_BYTES)

    def read(source: Source) -> NDArray[np.uint8]:
        return store.frames([source], footage.size)[0]

    def to_frame(rgb: NDArray[np.uint8]) -> Tensor:
        return from_levels(torch.from_numpy(np.ascontiguousarray(rgb)).to(readings.device))

    seed = readings.seed + 7919 * sequence
    shuffled = shuffle_in_time(
        map(read, footage.real.sources),
        seed=seed,
        together=even_stretch(footage.num_frames),
    )
    for index, pair in enumerate(shuffled):  # of whole levels: many are held
        generated = [to_frame(read(system.sources[index])) for system in footage.systems]
        real, other = map(to_frame, pair)
        perturbed = perturb(real, seed=(readings.seed, sequence, index))
        # Like all others, of whole levels: what is kept of it for longer strides is the same.
        perturbed = from_levels(to_levels(perturbed))
        labels = None
        if footage.labels is not None and readings.reader is not None:
            ids = store.labels([footage.labels.sources[index]], footage.size)[0]
            labels = torch.from_numpy(np.ascontiguousarray(ids)).to(readings.device)
        yield Moment(
            When(sequence, index, is_only),
            torch.stack([*generated, real, other, perturbed]),
            labels,
            read_truth(footage.world, index, readings.device) if footage.world else None,
        )


class NoLabels:
    """Stands where labels are not read."""

    def from_image(self, path: str | Path) -> NDArray[np.uint8]:
        """Refuse."""
        raise ValueError(f"labels are not read here; got {path}")

    def from_colours(self, rgb: NDArray[np.uint8], where: str) -> NDArray[np.uint8]:
        """Refuse."""
        raise ValueError(f"labels are not read here; got {rgb.shape} of {where}")
