"""Features of the frames of each stream, and the set distances that are made of them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pipelines.evaluation.ledger import When
from pipelines.evaluation.options import REAL
from vid2vid.metrics.bootstrap import Interval
from vid2vid.metrics.distance import (
    Features,
    FeatureSample,
    frechet_distance,
    frechet_interval,
    kernel_distance,
    kernel_interval,
    kernel_sums,
)
from vid2vid.metrics.learned import CLIP_FRAMES, resize_for_i3d

if TYPE_CHECKING:
    from pipelines.evaluation.judging import Instruments

_GRID = 4  # cells a side over which the segmenter's features are averaged
_CAPACITY = 4096  # vectors kept of a stream

# Of each kind of feature, the Fréchet and the kernel distance; FVD has no kernel partner here.
KINDS = {"segmenter": ("fd_seg", "kd_seg"), "inception": ("fid", "kid"), "i3d": ("fvd", None)}


class SetFigure(NamedTuple):
    """A distance between two sets."""

    value: float
    interval: Interval | None
    num_vectors: int  # of the smaller set


class FeatureBook:
    """Keeps features of the systems' and the real frames, a bounded number of each."""

    def __init__(self, streams: tuple[str, ...], instruments: "Instruments", *, seed: int) -> None:
        self._streams = streams
        self._inception, self._i3d = instruments.inception, instruments.i3d
        self._seed = seed
        self._samples: dict[tuple[str, str], FeatureSample] = {}
        self._clips: list[Tensor] = []

    def add_segmented(self, features: Tensor, when: When) -> None:
        """Take the segmenter's features of one frame, 's d h w'."""
        pooled = F.adaptive_avg_pool2d(features.float(), _GRID).flatten(2)
        for stream, cells in zip(self._streams, pooled, strict=True):
            self._add(("segmenter", stream), cells.T, when)

    def add_frames(self, frames: Tensor, when: When) -> None:
        """Take one frame of each stream, 's 3 h w', for the networks that look at frames alone."""
        if self._inception is not None:
            for stream, frame in zip(self._streams, frames, strict=True):
                self._add(("inception", stream), self._inception(frame)[None], when)
        if self._i3d is not None:
            self._clips.append(resize_for_i3d(frames).cpu())
            if len(self._clips) == CLIP_FRAMES:
                clips = torch.stack(self._clips, dim=1)
                self._clips.clear()
                for stream, clip in zip(self._streams, clips, strict=True):
                    self._add(("i3d", stream), self._i3d(clip)[None], when)

    def end_sequence(self) -> None:
        """Drop a clip that is not whole."""
        self._clips.clear()

    def distances(self, stream: str) -> dict[str, SetFigure]:
        """Measure how far a system's set is from the real one, by metric."""
        return self._measure(
            lambda kind: (self._features(kind, stream), self._features(kind, REAL)), paired=True
        )

    def halves(self) -> dict[str, SetFigure]:
        """Measure how far the two halves of the real set are from each other, by metric."""
        return self._measure(lambda kind: _halve(self._features(kind, REAL)), paired=False)

    def _measure(
        self, pick: Callable[[str], tuple[Features | None, Features | None]], *, paired: bool
    ) -> dict[str, SetFigure]:
        found: dict[str, SetFigure] = {}
        for kind, (frechet, kernel) in KINDS.items():
            one, other = pick(kind)
            if one is None or other is None or min(len(one.units), len(other.units)) < 2:
                continue
            count = min(len(one.units), len(other.units))
            interval = frechet_interval(one, other, seed=self._seed, paired=paired)
            found[frechet] = SetFigure(frechet_distance(one, other), interval, count)
            if kernel is None:
                continue
            sums = kernel_sums(one, other, seed=self._seed, paired=paired)
            interval = kernel_interval(sums, seed=self._seed)
            found[kernel] = SetFigure(kernel_distance(sums), interval, count)
        return found

    def _features(self, kind: str, stream: str) -> Features | None:
        sample = self._samples.get((kind, stream))
        return None if sample is None else sample.features()

    def _add(self, key: tuple[str, str], vectors: Tensor, when: When) -> None:
        # The same seed for all streams: what is kept of them is of the same frames.
        if key not in self._samples:
            self._samples[key] = FeatureSample(capacity=_CAPACITY, seed=self._seed)
        self._samples[key].add(vectors.double().cpu().numpy(), when.unit)


def _halve(features: Features | None) -> tuple[Features | None, Features | None]:
    """Cut a set between two units, so that no unit is in both halves."""
    if features is None or len(np.unique(features.units)) < 2:
        return None, None
    is_late = features.units >= np.median(np.unique(features.units))
    return tuple(Features(features.vectors[x], features.units[x]) for x in (~is_late, is_late))  # pyright: ignore[reportReturnType]
