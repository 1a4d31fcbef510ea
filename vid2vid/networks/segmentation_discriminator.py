"""A discriminator that sorts every pixel of a frame into its label or into "generated".

A U-Net of residual blocks with spectral normalisation (OASIS: Schönfeld et al. 2021).
It sees frames alone: the labels are what it is asked for.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from flow.padding import pad_to_multiple
from vid2vid.networks.blocks import initialise

COLOURS = 3


class SegmentationDiscriminatorConfig(BaseModel):
    """Widths and depths of the segmentation discriminator, and its consistency loss."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    width: int = Field(default=128, ge=2)
    """Channels after the first halving; they double with every second halving."""
    downsamplings: int = Field(default=6, ge=1, le=8)
    """Halvings to the bottleneck, and doublings back."""
    widest: int = Field(default=512, ge=2)
    """Cap of the channels."""
    label_mix: float = Field(default=10.0, ge=0)
    """Weight of LabelMix: a frame put together from real and generated segments is to be judged as
    they are; 0 = none."""

    def channels(self) -> list[int]:
        """List the channels after each halving."""
        return [min(self.width * 2 ** (i // 2), self.widest) for i in range(self.downsamplings)]


class SegmentationDiscriminator(nn.Module):
    """Logits of N label classes and, last, of "generated", for every pixel."""

    def __init__(self, config: SegmentationDiscriminatorConfig, num_classes: int) -> None:
        super().__init__()
        self.config = config
        self.num_classes = num_classes
        down = config.channels()
        self.shrink = nn.ModuleList(
            ResidualDown(fine, coarse, is_first=index == 0)
            for index, (fine, coarse) in enumerate(pairwise([COLOURS, *down]))
        )
        up = [*reversed(down[:-1]), config.width // 2]
        skipped = [0, *reversed(down[:-1])]  # channels that a halving hands across
        inputs = [own + other for own, other in zip([down[-1], *up[:-1]], skipped, strict=True)]
        self.grow = nn.ModuleList(ResidualUp(*pair) for pair in zip(inputs, up, strict=True))
        self.head = nn.Conv2d(up[-1], num_classes + 1, 1)

    @property
    def readers(self) -> Sequence[nn.Module]:
        """The parts whose first convolution reads conditioning maps: there is none."""
        return ()

    def initialise(self, seed: int) -> None:
        """Draw every weight anew from `seed`.

        The head alone is not held by spectral norm: drawn small, as elsewhere, it makes features
        grow a hundredfold before anything else is learnt.
        """
        initialise(self, seed, initial="xavier")

    def forward(self, frames: Tensor) -> Tensor:
        """Map 'b 3 h w' in [-1, 1] to logits 'b k+1 h w'; any size."""
        height, width = frames.shape[-2:]
        padding = pad_to_multiple(height, width, 2**self.config.downsamplings)
        features, skips = padding.pad(frames), list[Tensor]()
        for block in self.shrink:
            features = block(features)
            skips.append(features)
        skips.pop()
        for index, block in enumerate(self.grow):
            features = block(torch.cat([features, skips.pop()], dim=1) if index else features)
        return padding.crop(self.head(F.leaky_relu(features, 0.2)))


class ResidualDown(nn.Module):
    """Two 3x3 convolutions beside a 1x1 convolution, then half the height and width."""

    def __init__(self, channels_in: int, channels_out: int, *, is_first: bool) -> None:
        """Build the block; the first one reads pictures, which are not rectified."""
        super().__init__()
        self.is_first = is_first
        self.first, self.second, self.skip = _convolutions(channels_in, channels_out)

    def forward(self, features: Tensor) -> Tensor:
        """Map 'b c h w' to 'b d h/2 w/2'."""
        own = self.first(features if self.is_first else F.leaky_relu(features, 0.2))
        own = F.avg_pool2d(self.second(F.leaky_relu(own, 0.2)), 2)
        # Averaging and a 1x1 convolution may change places; the smaller one comes cheaper.
        return own + self.skip(F.avg_pool2d(features, 2))


class ResidualUp(nn.Module):
    """Twice the height and width, then two 3x3 convolutions beside a 1x1 convolution."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.first, self.second, self.skip = _convolutions(channels_in, channels_out)

    def forward(self, features: Tensor) -> Tensor:
        """Map 'b c h w' to 'b d 2h 2w'."""
        own = self.first(_enlarge(F.leaky_relu(features, 0.2)))
        own = self.second(F.leaky_relu(own, 0.2))
        return own + _enlarge(self.skip(features))


def _convolutions(channels_in: int, channels_out: int) -> list[nn.Module]:
    """Build the two 3x3 convolutions of a block and the 1x1 beside them."""
    pairs = ((channels_in, 3), (channels_out, 3), (channels_in, 1))
    return [
        spectral_norm(nn.Conv2d(channels, channels_out, kernel, padding=kernel // 2))
        for channels, kernel in pairs
    ]


def _enlarge(features: Tensor) -> Tensor:
    """Double height and width, every pixel four times."""
    return F.interpolate(features, scale_factor=2, mode="nearest")
