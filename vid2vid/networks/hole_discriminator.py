"""A discriminator of what a hole was filled with: one score for the middle of a frame.

After Pathak et al. 2016, "Context Encoders", with the ELU of Yang et al. 2017.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn

from vid2vid.networks.blocks import initialise
from vid2vid.networks.context_encoder import COARSEST, down, widths_to
from vid2vid.networks.recompute import Segment

COLOURS = 3


class HoleDiscriminatorConfig(BaseModel):
    """Width of the discriminator, and how much of a frame it sees."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    width: int = Field(default=64, ge=1)
    """Channels after the first halving; 8 times as many at the end."""
    size: int = Field(default=64, ge=8)
    """Height and width of the middle of a frame that it sees, px: 4 times a power of 2. What a
    content network paints is half the frame for one hole in the middle, else all of it."""

    @property
    def widths(self) -> list[int]:
        """Channels after every halving."""
        halvings = (self.size // COARSEST).bit_length() - 1
        return widths_to(halvings, self.width)

    @model_validator(mode="after")
    def _size_halves(self) -> Self:
        if self.size & (self.size - 1):
            raise ValueError(f"size must be a power of 2, such as 64; got {self.size}")
        return self


class HoleDiscriminator(nn.Module):
    """Halvings of the middle of a frame to 4x4 px, which become one logit."""

    def __init__(self, config: HoleDiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.widths
        first = Segment(nn.Conv2d(COLOURS, widths[0], 4, stride=2, padding=1), nn.ELU())
        stages: list[nn.Module] = [first, *(down(*pair) for pair in pairwise(widths))]
        self.layers = nn.ModuleList([*stages, nn.Conv2d(widths[-1], 1, COARSEST)])

    @property
    def readers(self) -> Sequence[nn.Module]:
        """The parts whose first convolution reads conditioning maps: there is none."""
        return ()

    def initialise(self, seed: int) -> None:
        """Draw every weight anew from `seed`."""
        initialise(self, seed)

    def forward(self, frames: Tensor, *, unused: int = 0) -> list[list[Tensor]]:
        """Judge frames.

        Args:
            frames: 'b 3 h w', [-1, 1], h and w at least the `size` of its configuration.
            unused: there is one scale, which is always used.

        Returns:
            As a patch discriminator of one scale: the output of every layer, the last 'b 1 1 1'.
        """
        del unused
        size, (height, width) = self.config.size, frames.shape[-2:]
        top, left = (height - size) // 2, (width - size) // 2
        features = frames[..., top : top + size, left : left + size]
        outputs: list[Tensor] = []
        for layer in self.layers:
            features = layer(features)
            outputs.append(features)
        return [outputs]
