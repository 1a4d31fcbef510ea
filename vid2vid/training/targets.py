"""A batch of clips as the step needs it: on the device, at the resolution that is trained."""

from typing import NamedTuple

import torch
from torch import Tensor

from flow.confidence import ReferenceFlow
from vid2vid.data.clips import ClipBatch
from vid2vid.labels.conditioning import Conditioning
from vid2vid.networks.pyramid import halve


class Targets(NamedTuple):
    """Conditioning and what is to come out of it."""

    conditioning: Tensor  # 'b t k h w'
    frames: Tensor  # 'b t 3 h w', real, [-1, 1]
    references: tuple[ReferenceFlow, ...]  # per temporal scale, 'b t-stride c h w'

    def part(self, index: int, parts: int) -> "Targets":
        """Return one of `parts` equal shares of the batch."""
        size = self.frames.shape[0] // parts
        chosen = slice(index * size, (index + 1) * size)
        references = tuple(ReferenceFlow(*(f[chosen] for f in r)) for r in self.references)
        return Targets(self.conditioning[chosen], self.frames[chosen], references)


def prepare(
    batch: ClipBatch, conditioning: Conditioning, *, device: torch.device, halvings: int = 0
) -> Targets:
    """Move a batch to the device, encode its labels, and shrink all of it `halvings` times."""
    instances = None if batch.instances is None else batch.instances.to(device)
    maps = conditioning(batch.labels.to(device), instances)
    frames = batch.frames.to(device)
    references = tuple(ReferenceFlow(*(f.to(device) for f in r)) for r in batch.references)
    for _ in range(halvings):
        maps, frames = _halve_clip(maps), _halve_clip(frames)
        references = tuple(_halve_reference(reference) for reference in references)
    return Targets(maps, frames, references)


def _halve_clip(clip: Tensor) -> Tensor:
    """Halve height and width of 'b t c h w'."""
    return halve(clip.flatten(0, 1)).unflatten(0, clip.shape[:2])


def _halve_reference(reference: ReferenceFlow) -> ReferenceFlow:
    """Halve grid and vectors; a pixel is trusted when all that it was made of are."""
    lead = reference.flow.shape[:2]
    confidence = halve(reference.confidence.flatten(0, 1))
    # With the filter of the frames, so that flow and frames stay on the same pixel centres.
    flow = halve(reference.flow.flatten(0, 1)) / 2
    trusted = (confidence > 1 - 1e-3).to(flow.dtype)
    return ReferenceFlow(flow.unflatten(0, lead), trusted.unflatten(0, lead))
