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
from vid2vid.controls.config import (
    DRAWN,
    STREAMLESS,
    AnyControl,
    Drawn,
    Stored,
    source_of,
)
from vid2vid.controls.pictures import Material, make_pictures
from vid2vid.controls.regions import RegionsConfig, clip_boxes
from vid2vid.data import augment, layout
from vid2vid.data.config import DataConfig
from vid2vid.data.measuring import in_words
from vid2vid.data.starts import ClipStarts
from vid2vid.data.store import FrameStore
from vid2vid.errors import DataError
from vid2vid.labels.files import LabelReader

_BYTES_PER_MB = 2**20
# Beside (seed, step, position): tell these draws from others of the run, and from each other, so
# that what is drawn for the controls moves no clip.
_CLIP_STREAM, _CONTROL_STREAM = 2, 3


class Clip(NamedTuple):
    """Frames of one sequence at a fixed stride, oldest first, with all that belongs to them."""

    frames: Tensor  # 't 3 h w', float32 in [-1, 1]
    labels: Tensor | None  # 't h w', uint8 class ids, 255 = ignore
    instances: Tensor | None  # 't h w', int32 object ids
    references: tuple[ReferenceFlow, ...]  # per flow stride s < t, from frame t to t - s: 't-s ...'
    name: str  # of the sequence
    start: int  # index of the first frame in the sequence
    stride: int  # frames of the sequence from one frame of the clip to the next
    pictures: Tensor | None = None  # 't c h w', float32 in [-1, 1], all controls in their order
    boxes: Tensor | None = None  # 't n 4', px, see `controls.regions`; a row of zeros is no box


class ClipBatch(NamedTuple):
    """Clips of equal length and size, stacked."""

    frames: Tensor  # 'b t 3 h w', float32 in [-1, 1]
    labels: Tensor | None  # 'b t h w', uint8 class ids, 255 = ignore
    instances: Tensor | None  # 'b t h w', int32 object ids
    references: tuple[ReferenceFlow, ...]  # flow 'b t-s 2 h w', confidence 'b t-s 1 h w'
    names: tuple[str, ...]
    starts: tuple[int, ...]
    strides: tuple[int, ...]
    pictures: Tensor | None = None  # 'b t c h w', float32 in [-1, 1], all controls in their order
    boxes: Tensor | None = None  # 'b t n 4', px; a row of zeros is no box


class ClipRequest(NamedTuple):
    """Which clip of a training run is wanted; the last three seed all its randomness."""

    length: int  # frames
    seed: int
    step: int
    position: int  # in the batch, over all processes


def collate(clips: Sequence[Clip]) -> ClipBatch:
    """Stack clips of equal length along a new first axis.

    Raises:
        DataError: if they differ in size.
        ValueError: if only some of them have label maps, instance maps or pictures.
    """
    _check_sizes(clips)
    scales = zip(*(clip.references for clip in clips), strict=True)
    references = (
        ReferenceFlow(*map(torch.stack, zip(*references, strict=True))) for references in scales
    )
    return ClipBatch(
        frames=torch.stack([clip.frames for clip in clips]),
        labels=_stack("label maps", [clip.labels for clip in clips]),
        instances=_stack("instance maps", [clip.instances for clip in clips]),
        references=tuple(references),
        names=tuple(clip.name for clip in clips),
        starts=tuple(clip.start for clip in clips),
        strides=tuple(clip.stride for clip in clips),
        pictures=_stack("pictures", [clip.pictures for clip in clips]),
        boxes=_stack("boxes", [clip.boxes for clip in clips]),
    )


def _check_sizes(clips: Sequence[Clip]) -> None:
    sizes = {augment.Size(*clip.frames.shape[-2:]): clip.name for clip in clips}
    if len(sizes) > 1:
        (size, name), (other, whose), *_ = sizes.items()
        raise DataError(
            f"the clips of a batch must have one size; '{name}' is {in_words(size)}, '{whose}' is "
            f"{in_words(other)}: set training.batch_size to 1, or data.fit to crop or stretch"
        )


def _stack(name: str, parts: Sequence[Tensor | None]) -> Tensor | None:
    """Stack what all clips have, or none."""
    there = [part for part in parts if part is not None]
    if 0 < len(there) < len(parts):
        raise ValueError(
            f"all clips of a batch have {name} or none; {len(there)} of {len(parts)} do"
        )
    return torch.stack(there) if there else None


class ClipDataset:
    """Cuts clips out of sequences. May be sent to other processes."""

    def __init__(
        self,
        sequences: Sequence[layout.Sequence],
        config: DataConfig,
        *,
        reader: LabelReader | None,
        controls: tuple[AnyControl, ...] = (),
        flow: FlowEstimator | None = None,
        flow_check: Literal["forward_backward", "photometric", "none"] = "forward_backward",
        flow_strides: tuple[int, ...] = (1,),
        with_instances: bool = True,
        regions: RegionsConfig | None = None,
    ) -> None:
        """Take the sequences to cut from.

        Args:
            sequences: from `find_sequences`.
            config: size, augmentation, stride and cache.
            reader: turns files into label maps of the palette; None = clips have none.
            controls: whose pictures clips have.
            flow: finds the reference flow; None = clips carry none.
            flow_check: how its confidence is found, see `reference_flow`.
            flow_strides: distances in frames of the clip over which it is found.
            with_instances: whether instance maps are read where the sequences have them.
            regions: what clips carry boxes of; None = they carry none.

        Raises:
            ValueError: if there is no sequence.
        """
        self.sequences = tuple(sequences)
        self.config = config
        self._flow = flow
        self._flow_check: Literal["forward_backward", "photometric", "none"] = flow_check
        self._flow_strides = flow_strides
        self._with_instances = with_instances
        self._with_labels = reader is not None
        self._controls = controls
        self._regions = regions
        self._store = FrameStore(reader, max_bytes=config.cache_mb * _BYTES_PER_MB)
        self._starts = ClipStarts(self.sequences, config.stride)

    def clip(self, request: ClipRequest) -> Clip:
        """Cut and augment the clip that `request` stands for.

        A sequence is drawn in proportion to the number of clips that start in it.

        Raises:
            DataError: if no sequence is long enough, or a label map does not fit the palette.
            VideoError: if a picture cannot be read.
        """
        own = (request.seed, request.step, request.position)
        rng = np.random.default_rng((*own, _CLIP_STREAM))
        place = self._starts.draw(rng, request.length)
        sequence = self.sequences[place.sequence_index]
        augmentation = augment.sample_augmentation(rng, self.config, sequence.size)
        control_rng = np.random.default_rng((*own, _CONTROL_STREAM))
        return self._load(sequence, place.frames, augmentation, control_rng=control_rng)

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
        self,
        sequence: layout.Sequence,
        frames: range,
        augmentation: augment.Augmentation,
        *,
        control_rng: np.random.Generator | None = None,
    ) -> Clip:
        size = augment.base_size(self.config, sequence.size)
        kept = slice(frames.start, frames.stop, frames.step)
        photographs = self._store.frames(sequence.frames[kept], size)
        tensor = torch.from_numpy(augment.apply_to_frames(photographs, augmentation))
        labels = instances = None
        if self._with_labels and sequence.labels is not None:
            maps = self._store.labels(sequence.labels[kept], size)
            labels = torch.from_numpy(augment.apply_to_labels(maps, augmentation))
        if self._with_instances and sequence.instances is not None:
            maps = self._store.instances(sequence.instances[kept], size)
            instances = torch.from_numpy(augment.apply_to_instances(maps, augmentation))
        material = Material(
            canvas=sequence.size,
            stored={
                source_of(control): self._stored(control, sequence, kept, size=size)
                for control in self._controls
                if not isinstance(control, STREAMLESS) and control.stream is not None
            },
            frames=tensor,
            instances=instances,
        )
        return Clip(
            frames=tensor,
            labels=labels,
            instances=instances,
            references=self._references(tensor),
            name=sequence.name,
            start=frames.start,
            stride=frames.step,
            pictures=make_pictures(self._controls, material, augmentation, rng=control_rng),
            boxes=clip_boxes(
                self._regions,
                self._controls,
                material,
                augmentation=augmentation,
                labels=labels,
            ),
        )

    def _stored(
        self, control: Stored | Drawn, sequence: layout.Sequence, kept: slice, *, size: augment.Size
    ) -> Sequence[augment.Picture | None]:
        """Read what a control's own stream holds of a clip."""
        sources = sequence.controls[source_of(control)][kept]
        if isinstance(control, DRAWN):
            return self._store.points(control, [each for each in sources if each is not None])
        return self._store.stored(control, sources, size)

    def _references(self, frames: Tensor) -> tuple[ReferenceFlow, ...]:
        if self._flow is None:
            return ()
        return tuple(
            reference_flow(self._flow, frames[s:], frames[:-s], check=self._flow_check)
            for s in self._flow_strides
            if s < len(frames)
        )
