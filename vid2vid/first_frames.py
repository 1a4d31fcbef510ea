"""The frames that a video begins with, painted by a still-image generator.

A sequential generator sees the frames before the one that it generates; of the first ones there are
none. A still-image generator of the same labels and controls can paint them.
"""

from typing import NamedTuple

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from vid2vid.data.clips import ClipBatch
from vid2vid.labels.conditioning import Conditioning
from vid2vid.labels.palettes import ID_IGNORE
from vid2vid.networks.interface import Generator
from vid2vid.networks.pyramid import halve
from vid2vid.rollout import rollout
from vid2vid.styles import Styles, StyleSource


class FirstFramesConfig(BaseModel):
    """What paints the frames that a video begins with."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    checkpoint: str
    """Run folder or .safetensors file of a still-image generator of the same labels and controls.
    Rendering begins with what it paints, unless `--first-frame` says otherwise. Relative paths
    start at the working directory; where there is nothing, rendering looks for that name beside the
    run folder of its own checkpoint, so that a folder of runs can be moved."""
    train: bool = False
    """Training clips that would start from zeros (`training.first_frames`) start from what it
    paints, as rendering will."""

    def check(self, *, history: int, first_frames: str) -> None:
        """Check that the run has a use for it.

        Raises:
            ValueError: saying what has none.
        """
        if not history:
            raise ValueError(
                "first_frames begins videos whose frames see those before; generator.kind is that "
                "of a still-image generator, which sees none: set first_frames to null"
            )
        if self.train and first_frames == "real":
            raise ValueError(
                "first_frames.train is for clips that do not start from real frames; "
                "training.first_frames is 'real': set it to mixed, or first_frames.train to false"
            )


class Inputs(NamedTuple):
    """What some frames are painted from, as it is read."""

    labels: Tensor | None  # 'b t h w', integer class ids, 255 = ignore
    instances: Tensor | None  # 'b t h w', integer object ids
    pictures: Tensor | None  # 'b t c h w', [-1, 1], all controls


class Painter(NamedTuple):
    """A still-image generator with what makes its maps."""

    network: Generator
    conditioning: Conditioning
    styles: Styles | None = None  # of a network with style features

    @torch.no_grad()
    def begin(self, batch: ClipBatch, *, count: int, halvings: int, seed: int) -> Tensor:
        """Paint the first frames of clips as rendering would.

        Args:
            batch: clips, anywhere.
            count: frames from the beginning of each.
            halvings: of height and width, after painting.
            seed: of dropout, noise and styles.

        Returns:
            'b l 3 h w', [-1, 1], where the network lies.
        """
        device = next(self.network.parameters()).device
        inputs = Inputs(
            *(
                None if part is None else part[:, :count].to(device)
                for part in (batch.labels, batch.instances, batch.pictures)
            )
        )
        self.network.reseed(seed)
        styles = None if self.styles is None else self.styles._replace(seed=seed)
        maps = encode_inputs(self.conditioning, inputs, styles=styles, generator=self.network)
        frames = torch.stack(
            [output.frame for output in rollout(self.network, maps.unbind(1))], dim=1
        )
        for _ in range(halvings):
            frames = halve(frames.flatten(0, 1)).unflatten(0, frames.shape[:2])
        return frames


def encode_inputs(
    conditioning: Conditioning,
    inputs: Inputs,
    *,
    styles: StyleSource | None,
    generator: Generator,
) -> Tensor:
    """Make the maps that a generator sees, with the styles of every region where it has any.

    Args:
        conditioning: of the generator.
        inputs: on one device.
        styles: where they come from; None for a generator without style features.
        generator: says what shares one style.

    Returns:
        'b t k h w'.
    """
    labels, instances, pictures = inputs
    maps = conditioning(labels, instances, pictures)
    if styles is None:
        return maps
    if labels is None:  # no pixel has a class
        lead = (*maps.shape[:2], *maps.shape[3:])
        labels = torch.full(lead, ID_IGNORE, device=maps.device)
    by_instance = instances is not None and generator.pooling == "instances"
    regions = instances if instances is not None and by_instance else labels
    painted = styles.paint(labels.flatten(0, 1), regions.flatten(0, 1))
    return torch.cat([maps, painted.unflatten(0, maps.shape[:2])], dim=2)
