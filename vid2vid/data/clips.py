"""Clips of a data set for training: sampled and augmented, the same in every run.

Everything random about a clip follows from `(seed, step, position)` alone.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from flow.confidence import ReferenceFlow, reference_flow
from flow.estimators import FlowEstimator
from vid2vid.data import augment, layout
from vid2vid.data.config import DataConfig
from vid2vid.data.starts import ClipStarts
from vid2vid.data.store import FrameStore
from vid2vid.labels.files import LabelReader

_BYTES_PER_MB = 2**20
_CLIP_STREAM = 2  # beside (seed, step, position): tells these draws from others of the run


class Clip(NamedTuple):
    """Frames of one sequence at a fixed stride, oldest first, with all that belongs to them."""

    frames: Tensor  # 't 3 h w', float32 in [-1, 1]
    labels: Tensor  # 't h w', uint8 class ids, 255 = ignore
    instances: Tensor | None  # 't h w', int32 object ids
    references: tuple[ReferenceFlow, ...]  # per flow stride s < t, from frame t to t - s: 't-s ...'
    name: str  # of the sequence
    start: int  # index of the first frame in the sequence
    stride: int  # frames of the sequence from one frame of the clip to the next


class ClipBatch(NamedTuple):
    """Clips of equal length and size, stacked."""

    frames: Tensor  # 'b t 3 h w', float32 in [-1, 1]
    labels: Tensor  # 'b t h w', uint8 class ids, 255 = ignore
    instances: Tensor | None  # 'b t h w', int32 object ids
    references: tuple[ReferenceFlow, ...]  # flow 'b t-s 2 h w', confidence 'b t-s 1 h w'
    names: tuple[str, ...]
    starts: tuple[int, ...]
    strides: tuple[int, ...]


class ClipRequest(NamedTuple):
    """Which clip of a training run is wanted; the last three seed all its randomness."""

    length: int  # frames
    seed: int
    step: int
    position: int  # in the batch, over all processes


def collate(clips: Sequence[Clip]) -> ClipBatch:
    """Stack clips of equal length along a new first axis.

    Raises:
        ValueError: if only some of them have instance maps.
    """
    instances = [clip.instances for clip in clips if clip.instances is not None]
    if 0 < len(instances) < len(clips):
        raise ValueError(
            f"all clips of a batch have instance maps or none; {len(instances)} of {len(clips)} do"
        )
    scales = zip(*(clip.references for clip in clips), strict=True)
    references = (
        ReferenceFlow(*map(torch.stack, zip(*references, strict=True))) for references in scales
    )
    return ClipBatch(
        frames=torch.stack([clip.frames for clip in clips]),
        labels=torch.stack([clip.labels for clip in clips]),
        instances=torch.stack(instances) if instances else None,
        references=tuple(references),
        names=tuple(clip.name for clip in clips),
        starts=tuple(clip.start for clip in clips),
        strides=tuple(clip.stride for clip in clips),
    )


class ClipDataset:
    """Cuts clips out of sequences. May be sent to other processes."""

    def __init__(
        self,
        sequences: Sequence[layout.Sequence],
        config: DataConfig,
        *,
        reader: LabelReader,
        flow: FlowEstimator | None = None,
        flow_check: Literal["forward_backward", "photometric", "none"] = "forward_backward",
        flow_strides: tuple[int, ...] = (1,),
        with_instances: bool = True,
    ) -> None:
        """Take the sequences to cut from.

        Args:
            sequences: from `find_sequences`.
            config: size, augmentation, stride and cache.
            reader: turns files into label maps of the palette.
            flow: finds the reference flow; None = clips carry none.
            flow_check: how its confidence is found, see `reference_flow`.
            flow_strides: distances in frames of the clip over which it is found.
            with_instances: whether instance maps are read where the sequences have them.

        Raises:
            ValueError: if there is no sequence.
        """
        self.sequences = tuple(sequences)
        self.config = config
        self._flow = flow
        self._flow_check: Literal["forward_backward", "photometric", "none"] = flow_check
        self._flow_strides = flow_strides
        self._with_instances = with_instances
        self._store = FrameStore(reader, max_bytes=config.cache_mb * _BYTES_PER_MB)
        self._starts = ClipStarts(self.sequences, config.stride)

    def clip(self, request: ClipRequest) -> Clip:
        """Cut and augment the clip that `request` stands for.

        A sequence is drawn in proportion to the number of clips that start in it.

        Raises:
            DataError: if no sequence is long enough, or a label map does not fit the palette.
            VideoError: if a picture cannot be read.
        """
        rng = np.random.default_rng((request.seed, request.step, request.position, _CLIP_STREAM))
        place = self._starts.draw(rng, request.length)
        sequence = self.sequences[place.sequence_index]
        augmentation = augment.sample_augmentation(rng, self.config, sequence.size)
        return self._load(sequence, place.frames, augmentation)

    def evaluation_clip(self, sequence_index: int, start: int, length: int) -> Clip:
        """Cut a clip at the smallest stride without varying it: centred, unmirrored.

        Raises:
            ValueError: if the sequence has not so many frames from `start` on.
        """
        sequence, stride = self.sequences[sequence_index], self.config.stride[0]
        frames = range(start, start + (length - 1) * stride + 1, stride)
        if start < 0 or length < 1 or frames[-1] >= sequence.num_frames:
            raise ValueError(
                f"sequence '{sequence.name}' has {sequence.num_frames} frames; got start {start}, "
                f"length {length} at stride {stride}"
            )
        return self._load(sequence, frames, augment.centred(self.config, sequence.size))

    @property
    def workers(self) -> int:
        """Loading processes."""
        return self.config.workers

    def clip_lengths(self) -> list[int]:
        """List how many frames a clip of each whole sequence has, at the smallest stride."""
        return [(s.num_frames - 1) // self.config.stride[0] + 1 for s in self.sequences]

    def check_length(self, length: int) -> None:
        """Check that clips of `length` frames can be cut; warn, once, of sequences too short.

        Raises:
            DataError: if no sequence is long enough.
        """
        self._starts.check(length)

    def _load(
        self, sequence: layout.Sequence, frames: range, augmentation: augment.Augmentation
    ) -> Clip:
        size = augment.base_size(self.config, sequence.size)
        kept = slice(frames.start, frames.stop, frames.step)
        photographs = self._store.frames(sequence.frames[kept], size)
        tensor = torch.from_numpy(augment.apply_to_frames(photographs, augmentation))
        labels = self._store.labels(sequence.labels[kept], size)
        instances = None
        if self._with_instances and sequence.instances is not None:
            maps = self._store.instances(sequence.instances[kept], size)
            instances = torch.from_numpy(augment.apply_to_instances(maps, augmentation))
        return Clip(
            frames=tensor,
            labels=torch.from_numpy(augment.apply_to_labels(labels, augmentation)),
            instances=instances,
            references=self._references(tensor),
            name=sequence.name,
            start=frames.start,
            stride=frames.step,
        )

    def _references(self, frames: Tensor) -> tuple[ReferenceFlow, ...]:
        if self._flow is None:
            return ()
        return tuple(
            reference_flow(self._flow, frames[s:], frames[:-s], check=self._flow_check)
            for s in self._flow_strides
            if s < len(frames)
        )
