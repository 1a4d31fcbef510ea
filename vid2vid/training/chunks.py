"""A chunk: a few consecutive generated frames beside their real partners."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from einops import rearrange
from torch import Tensor

from vid2vid.colour import to_lab
from vid2vid.networks.outputs import GeneratorOutput
from vid2vid.training.targets import Targets


class Chunk(NamedTuple):
    """Generated and real frames of a chunk, time folded into the batch axis."""

    output: GeneratorOutput  # every field '(b n) c h w'
    conditioning: Tensor  # '(b n) k h w'
    real: Tensor  # '(b n) 3 h w'
    real_previous: Tensor | None  # '(b n) 3 h w'; None for a generator without a past
    flow: Tensor | None  # '(b n) 2 h w', reference flow; None where it was not estimated
    confidence: Tensor | None  # '(b n) 1 h w', 0 for a frame that was generated without a past
    boxes: Tensor | None = None  # '(b n) m 4', px, on the CPU; a row of zeros is no box
    labels: Tensor | None = None  # '(b n) h w', uint8 class ids, 255 = ignore; None without labels

    @property
    def judged(self) -> Tensor:
        """What was painted, as discriminators see it: frames, or Lab where that was painted."""
        return self.output.frame if self.output.lab is None else self.output.lab

    @property
    def real_judged(self) -> Tensor:
        """The real frames likewise, '(b n) 3 h w'."""
        return self.real if self.output.lab is None else to_lab(self.real)


def pack_chunk(
    outputs: Sequence[GeneratorOutput], targets: Targets, *, start: int, without_past: bool
) -> Chunk:
    """Put the outputs of consecutive frames beside their targets.

    Args:
        outputs: of frames `start`, `start` + 1 ... of the clip.
        targets: the clip.
        start: index of the first of them in the clip; 0 only for a generator without a past.
        without_past: the first of them was generated from zeros, so no flow term applies to it.
    """
    count = len(outputs)
    now, before = slice(start, start + count), slice(start - 1, start - 1 + count)
    fields = [
        None if parts[0] is None else _fold(torch.stack(parts, dim=1))
        for parts in zip(*outputs, strict=True)
    ]
    flow = confidence = None
    has_past = outputs[0].previous is not None
    if targets.references and has_past:
        reference = targets.references[0]
        flow = _fold(reference.flow[:, before])
        trusted = reference.confidence[:, before]
        if without_past:
            trusted = trusted.clone()
            trusted[:, 0] = 0
        confidence = _fold(trusted)
    return Chunk(
        output=GeneratorOutput._make(fields),
        conditioning=_fold(targets.conditioning[:, now]),
        real=_fold(targets.frames[:, now]),
        real_previous=_fold(targets.frames[:, before]) if has_past else None,
        flow=flow,
        confidence=confidence,
        boxes=None if targets.boxes is None else targets.boxes[:, now].flatten(0, 1),
        labels=None if targets.labels is None else targets.labels[:, now].flatten(0, 1),
    )


def _fold(clip: Tensor) -> Tensor:
    """Fold time into the batch axis."""
    return rearrange(clip, "b n ... -> (b n) ...")
