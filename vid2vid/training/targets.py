"""A batch of clips as the step needs it: on the device, at the resolution that is trained."""

from typing import NamedTuple

import torch
from torch import Tensor

from flow.confidence import ReferenceFlow
from vid2vid.data.clips import ClipBatch
from vid2vid.labels.conditioning import Conditioning
from vid2vid.networks.interface import Generator, Pooling
from vid2vid.networks.pyramid import halve


class Targets(NamedTuple):
    """Conditioning and what is to come out of it."""

    conditioning: Tensor  # 'b t k h w'
    frames: Tensor  # 'b t 3 h w', real, [-1, 1]
    references: tuple[ReferenceFlow, ...]  # per temporal scale, 'b t-stride c h w'
    regions: Tensor | None = None  # 'b t h w', ids of what shares one style; None without features
    boxes: Tensor | None = None  # 'b t n 4', px, on the CPU; a row of zeros is no box
    labels: Tensor | None = None  # 'b t h w', uint8 class ids, 255 = ignore; None without labels
    painted: Tensor | None = None  # 'b l 3 h w', first frames of a still-image generator

    def part(self, index: int, parts: int) -> "Targets":
        """Return one of `parts` equal shares of the batch."""
        size = self.frames.shape[0] // parts
        chosen = slice(index * size, (index + 1) * size)
        references = tuple(ReferenceFlow(*(f[chosen] for f in r)) for r in self.references)
        return Targets(
            self.conditioning[chosen],
            self.frames[chosen],
            references,
            *(
                None if each is None else each[chosen]
                for each in (self.regions, self.boxes, self.labels, self.painted)
            ),
        )


def prepare(
    batch: ClipBatch,
    conditioning: Conditioning,
    *,
    device: torch.device,
    halvings: int = 0,
    pooling: Pooling | None = None,
) -> Targets:
    """Move a batch to the device, encode its maps, and shrink all of it `halvings` times.

    Args:
        batch: clips.
        conditioning: encodes their label maps and controls.
        device: where the step runs.
        halvings: of height and width.
        pooling: what shares one style, where the generator has features, which go with no halving.
    """
    labels, instances, pictures = (
        None if part is None else part.to(device)
        for part in (batch.labels, batch.instances, batch.pictures)
    )
    maps = conditioning(labels, instances, pictures)
    regions = {"instances": instances, "labels": labels, None: None}[pooling]
    frames = batch.frames.to(device)
    references = tuple(ReferenceFlow(*(f.to(device) for f in r)) for r in batch.references)
    for _ in range(halvings):
        maps, frames = _halve_clip(maps), _halve_clip(frames)
        references = tuple(_halve_reference(reference) for reference in references)
        # Windows of the averaging lie around every second pixel.
        labels = None if labels is None else labels[..., ::2, ::2]
    boxes = None if batch.boxes is None else batch.boxes / 2**halvings
    return Targets(maps, frames, references, regions, boxes, labels)


def generator_map(generator: Generator, targets: Targets, time: int) -> Tensor:
    """Return the map 'b k h w' that the generator sees of one frame of a clip.

    Where it has features, they are those of the real frame, with the encoder's gradient.
    """
    maps = targets.conditioning[:, time]
    if not generator.features:
        return maps
    if targets.regions is None:
        raise ValueError("a generator with features needs the regions of its targets; got None")
    styles = generator.encode(targets.frames[:, time], targets.regions[:, time])
    return torch.cat([maps, styles], dim=1)


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
