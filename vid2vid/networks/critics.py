"""Two critics of a frame whose unknown part was generated: of that part, and of the whole.

After Wang et al. 2019, "Wide-Context Semantic Image Extrapolation", section 3.4, and the released
code: strided convolutions without normalisation, for a Wasserstein loss with gradient penalty.
"""

from itertools import pairwise
from typing import Literal

import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from vid2vid.networks.blocks import initialise

COLOURS = 3
CONTEXT_HALVINGS, GLOBAL_HALVINGS = 3, 4
SLOPE = 0.2  # of LeakyReLU

Scope = Literal["both", "context", "global"]
PenaltyMask = Literal["binary", "rsv", "none"]


class CriticsConfig(BaseModel):
    """Width of both critics, which of them there are, and where their slope is held at 1."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    width: int = Field(default=64, ge=1)
    """Channels after the first layer of either."""
    scope: Scope = "both"
    """`context`, which scores the neighbourhood of every unknown pixel, `global`, which scores a
    frame as a whole and is tied to its size, or `both`."""
    gp_mask: PenaltyMask = "binary"
    """What the slope is multiplied with where losses.gradient_penalty holds it at 1: unknown = 1
    and known = 0 (`binary`, SRN's code), the weights of losses.spatial rsv (`rsv`, SRN's paper), or
    nothing (`none`)."""


def _halvings(widths: tuple[int, ...]) -> list[nn.Module]:
    """List the layers of which each halves height and width, odd ones rounded up."""
    layers: list[nn.Module] = []
    for channels_in, channels_out in pairwise((COLOURS, *widths)):
        conv = nn.Conv2d(channels_in, channels_out, 5, stride=2, padding=2)
        layers += [conv, nn.LeakyReLU(SLOPE, inplace=True)]
    return layers


class ContextCritic(nn.Module):
    """A score for every patch of a frame; those with unknown pixels count."""

    def __init__(self, config: CriticsConfig) -> None:
        super().__init__()
        width = config.width
        self.layers = nn.Sequential(
            *_halvings((width, 2 * width, 4 * width)), nn.Conv2d(4 * width, 1, 3, padding=1)
        )

    def initialise(self, seed: int) -> None:
        """Draw every weight anew from `seed`."""
        initialise(self, seed, initial="xavier")

    def forward(self, frames: Tensor) -> Tensor:
        """Map 'b 3 h w' in [-1, 1] to a score for every patch, 'b 1 p q', p and q = h/8 and w/8."""
        return self.layers(frames)

    def score(self, frames: Tensor, mask: Tensor) -> Tensor:
        """Score what is unknown of frames: 'b 1', float32; `mask` is 'b 1 h w', 1 = unknown."""
        return masked_mean(self(frames).float(), shrink_mask(mask))


class GlobalCritic(nn.Module):
    """One score for a whole frame, which has the size that the critic was made for."""

    def __init__(self, config: CriticsConfig, *, height: int, width: int) -> None:
        super().__init__()
        first = config.width
        widths = (first, 2 * first, 4 * first, 2 * first)
        cells = _shrunk(height, GLOBAL_HALVINGS) * _shrunk(width, GLOBAL_HALVINGS)
        self.layers = nn.Sequential(
            *_halvings(widths), nn.Flatten(), nn.Linear(widths[-1] * cells, 1)
        )

    def initialise(self, seed: int) -> None:
        """Draw every weight anew from `seed`."""
        initialise(self, seed, initial="xavier")

    def forward(self, frames: Tensor) -> Tensor:
        """Map 'b 3 h w' in [-1, 1] to a score each, 'b 1'."""
        return self.layers(frames)

    def score(self, frames: Tensor, mask: Tensor) -> Tensor:
        """Score whole frames: 'b 1', float32, whatever the mask is."""
        del mask
        return self(frames).float()


Critic = ContextCritic | GlobalCritic


def _shrunk(side: int, halvings: int) -> int:
    """Halve a side so often, rounding up."""
    return -(-side // 2**halvings)


def shrink_mask(mask: Tensor) -> Tensor:
    """Bring a mask 'b 1 h w' to the patches of the context critic: 1 = has an unknown pixel."""
    for _ in range(CONTEXT_HALVINGS):
        mask = F.max_pool2d(mask, 2, ceil_mode=True)
    return mask


def masked_mean(scores: Tensor, mask: Tensor) -> Tensor:
    """Average scores 'b 1 p q' where the mask 'b 1 p q' is 1: 'b 1', 0 where it is 1 nowhere."""
    return (scores * mask).sum(dim=(2, 3)) / mask.sum(dim=(2, 3)).clamp(min=1)
