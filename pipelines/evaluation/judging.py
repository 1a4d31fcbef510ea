"""Measure frame by frame, and write what was found into the ledger."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from flow.estimators import DIS, FlowEstimator
from pipelines.evaluation.catalogue import list_metrics, warping_key
from pipelines.evaluation.featuring import FeatureBook
from pipelines.evaluation.footage import Moment
from pipelines.evaluation.ledger import Ledger, When
from pipelines.evaluation.options import BLOCK_FRAMES, CONTROLS, REAL
from vid2vid.metrics import edges
from vid2vid.metrics.adherence import confusion
from vid2vid.metrics.image import contrast, gradient_energy, psnr
from vid2vid.metrics.learned import LPIPS
from vid2vid.metrics.similarity import structural_similarities
from vid2vid.metrics.surface import SurfaceColours, surface_interval
from vid2vid.metrics.temporal import cell_luma, farneback, flicker, flow_difference
from vid2vid.metrics.warping import STRIDES, StepFlow, StrideErrors, lai_confidence
from vid2vid.video.levels import to_levels
from vid2vid.weights.segmenter import LoadedSegmenter

MAX_PSNR = 100.0  # dB, of equal frames; an infinity could not be averaged
_VARIANCE_UNIT = 1e3  # warping error and surface variance are printed in thousandths


class Instruments(NamedTuple):
    """What is measured with, beside what needs nothing."""

    segmenter: LoadedSegmenter | None = None
    raft: FlowEstimator | None = None
    lpips: LPIPS | None = None
    inception: Callable[[Tensor], Tensor] | None = None
    i3d: Callable[[Tensor], Tensor] | None = None


class _Past(NamedTuple):
    """What is kept of the frame before."""

    frames: Tensor  # 'n 3 h w'
    luma: tuple[Tensor, ...]  # of the last one or two frames, newest last


class Judge:
    """Measures the streams of one evaluation, sequence after sequence, in bounded memory."""

    def __init__(self, systems: tuple[str, ...], instruments: Instruments, *, seed: int) -> None:
        """Take the names of the systems, in the order of `Moment.frames`."""
        self.streams = (*systems, *CONTROLS)
        self.ledger = Ledger(list_metrics(STRIDES))
        self.features = FeatureBook(self._with_real(systems), instruments, seed=seed)
        self._instruments = instruments
        self._num_systems = len(systems)
        self._seed = seed
        self._estimators: dict[str, FlowEstimator] = {"dis": DIS()}
        if instruments.raft is not None:
            self._estimators["raft"] = instruments.raft
        self._strides = {name: StrideErrors() for name in (*self._estimators, "known")}
        self._past: _Past | None = None
        self._surfaces = self._new_surfaces()

    @property
    def real_index(self) -> int:
        """Where the real frame stands in `Moment.frames`."""
        return self._num_systems

    def begin_sequence(self) -> None:
        """Forget the past."""
        self._past = None
        self._surfaces = self._new_surfaces()
        for strides in self._strides.values():
            strides.restart()

    @torch.inference_mode()
    def judge(self, moment: Moment) -> NDArray[np.float64]:
        """Measure one frame of all streams.

        Returns:
            The SSIM of each system, 's', by which the worst frames are found.
        """
        similarity = self._judge_frames(moment)
        self._judge_warping(moment)
        self._judge_time(moment)
        if self._instruments.segmenter is not None:
            self._judge_labels(moment, self._instruments.segmenter)
        self.features.add_frames(moment.frames[: self._num_systems + 1], moment.when)
        if moment.truth is not None:
            for surface, frame in zip(self._surfaces, moment.frames, strict=True):
                surface.add(moment.truth.surface, to_levels(frame).cpu().numpy())
        luma = (*(self._past.luma if self._past else ()), cell_luma(moment.frames))[-2:]
        self._past = _Past(moment.frames, luma)
        return similarity[: self._num_systems]

    def end_sequence(self, when: When) -> None:
        """Write down what is only known at the end of a sequence."""
        self.features.end_sequence()
        self.ledger.end_sequence(when.sequence)
        for stream, surface in zip(self.streams, self._surfaces, strict=True):
            sums = surface.sums()
            if sums.num_points == 0:
                continue
            sums = sums._replace(squares=sums.squares * _VARIANCE_UNIT)
            self.ledger.add_sequence(
                (stream, "surface_variance"),
                np.array([sums.squares.sum(), sums.freedom.sum()]),
                sequence=when.sequence,
                count=sums.num_points,
                interval=surface_interval(sums, seed=self._seed) if when.is_only else None,
            )

    def _judge_frames(self, moment: Moment) -> NDArray[np.float64]:
        """Measure each frame against the real one; returns SSIM, 'n'."""
        frames, when = moment.frames, moment.when
        real = frames[self.real_index].expand_as(frames)
        values = {
            "psnr": psnr(frames, real).clamp(max=MAX_PSNR),
            "gradient_ratio": gradient_energy(frames) / gradient_energy(real),
            "contrast_ratio": contrast(frames) / contrast(real),
            "colour_shift": _mean_colour_distance(frames, real),
        }
        if self._instruments.lpips is not None:
            values["lpips"] = self._instruments.lpips(frames.cpu(), real.cpu())
        for name, column in values.items():
            self._note(name, when, column)
        return self._judge_structure(frames, when)

    def _judge_structure(self, frames: Tensor, when: When) -> NDArray[np.float64]:
        """Compare the structure and the edges of each frame with the real one's; returns SSIM."""
        real = frames[self.real_index]
        wanted = edges.canny_edges(real)
        tolerance = edges.edge_tolerance(*wanted.shape)
        similarity: list[float] = []
        for stream, frame in zip(self.streams, frames, strict=True):
            found = structural_similarities(frame, real)
            for name, value in found._asdict().items():
                if value is not None:
                    self.ledger.note((stream, name), when, value)
            similarity.append(found.ssim)
            outline = edges.canny_edges(frame)
            matched = edges.match_edges(outline, wanted, tolerance_px=tolerance)
            self.ledger.add((stream, "canny_f1"), when, matched)
        return np.array(similarity)

    def _judge_warping(self, moment: Moment) -> None:
        """Measure the warping error along every flow there is, over all strides."""
        motions: dict[str, StepFlow | None] = {name: None for name in self._estimators}
        if self._past is not None:
            real, before = (x[self.real_index, None] for x in (moment.frames, self._past.frames))
            for name, estimate in self._estimators.items():
                flow, reverse = estimate(real, before), estimate(before, real)
                motions[name] = StepFlow(flow, lai_confidence(flow, reverse), reverse)
        if moment.truth is not None:
            motions["known"] = moment.truth.motion
        for name, motion in motions.items():
            errors = self._strides[name].step(moment.frames, motion)
            for stride, values in errors.items():
                self._note(warping_key(name, stride), moment.when, values * _VARIANCE_UNIT)

    def _judge_time(self, moment: Moment) -> None:
        """Measure tOF and flicker; the latter belongs to the frame in the middle."""
        if self._past is None:
            return
        pairs = zip(moment.frames, self._past.frames, strict=True)
        flows = [farneback(frame, previous) for frame, previous in pairs]
        for stream, flow in zip(self.streams, flows, strict=True):
            difference = flow_difference(flow, flows[self.real_index])
            self.ledger.note((stream, "tof"), moment.when, difference)
        if len(self._past.luma) == 2:
            before, middle = self._past.luma
            values = flicker(cell_luma(moment.frames), middle, before)
            when = moment.when._replace(frame=moment.when.frame - 1)
            self._note("flicker", when, values)

    def _judge_labels(self, moment: Moment, segmenter: LoadedSegmenter) -> None:
        """Segment the systems' frames and the real one, the ceiling."""
        shown = moment.frames[: self._num_systems + 1]
        logits, features = segmenter.segment(shown)
        self.features.add_segmented(features, moment.when)
        if moment.labels is None:
            return
        unknown = edges.is_unknown(moment.labels)
        wanted = edges.label_edges(moment.labels, ignored=unknown)
        tolerance = edges.edge_tolerance(*wanted.shape)
        streams = self.streams[: self._num_systems + 1]
        for stream, found in zip(streams, logits.argmax(dim=1), strict=True):
            matrix = confusion(found, moment.labels, segmenter.num_classes)
            for key in ("pixel_accuracy", "mean_iou"):
                self.ledger.add((stream, key), moment.when, matrix)
            outline = edges.label_edges(found, ignored=unknown)
            matched = edges.match_edges(outline, wanted, tolerance_px=tolerance)
            self.ledger.add((stream, "boundary_f1"), moment.when, matched)

    def _note(self, name: str, when: When, values: Tensor) -> None:
        for stream, value in zip(self.streams, values.tolist(), strict=True):
            self.ledger.note((stream, name), when, value)

    def _new_surfaces(self) -> list[SurfaceColours]:
        return [SurfaceColours(block_frames=BLOCK_FRAMES) for _ in self.streams]

    @staticmethod
    def _with_real(systems: tuple[str, ...]) -> tuple[str, ...]:
        return (*systems, REAL)


def _mean_colour_distance(frames: Tensor, real: Tensor) -> Tensor:
    """Compare the mean colours: 'n', levels, 0 to 255."""
    means, wanted = (each.mean(dim=(2, 3)) for each in (frames, real))
    return (means - wanted).abs().mean(dim=1) * 127.5
