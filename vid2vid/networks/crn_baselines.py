"""The two networks that the CRN paper trains with its own loss beside its own network.

After their description in Chen & Koltun 2017: an encoder-decoder with skip connections, and a
network that keeps full resolution throughout. Their code was never published; norm, activation,
output and initial weights are those of the cascade, so that the architecture alone differs.
"""

from itertools import pairwise
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from vid2vid.networks.blocks import Head, doubled, full_precision
from vid2vid.networks.crn import SLOPE, CrnNorm, PaintedConfig, in_range, painting_norm, refine
from vid2vid.networks.recompute import Segment


class EncoderDecoderConfig(PaintedConfig):
    """A U-Net of the cascade's layers."""

    enhancers: ClassVar[int] = 0

    kind: Literal["encoder_decoder"] = "encoder_decoder"
    """Its family."""
    width: int = Field(default=64, ge=1)
    """Channels of the finest level; they double with every halving (Ronneberger et al. 2015)."""
    widest: int = Field(default=1024, ge=1)
    """Cap of the channels."""
    downsamplings: int = Field(default=6, ge=1, le=10)
    """Halvings: 6 go down to 4x8 for frames of 256x512, where the cascade begins."""


class FullResolutionConfig(PaintedConfig):
    """A context aggregation network: dilated convolutions at the size of the frame."""

    enhancers: ClassVar[int] = 0

    kind: Literal["full_resolution"] = "full_resolution"
    """Its family."""
    width: int = Field(default=32, ge=1)
    """Channels of every layer (32 in the CAN32 of Chen, Xu & Koltun 2017)."""
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 1)
    """Distance of the pixels that each 3x3 convolution reads (Yu & Koltun 2016)."""


class EncoderDecoder(nn.Module):
    """Halvings to a bottleneck and back, the features of each level handed across."""

    smallest = 1

    def __init__(self, config: EncoderDecoderConfig, channels_in: int) -> None:
        super().__init__()
        widths = doubled(config.width, config.downsamplings, widest=config.widest)
        self.size_multiple = 2**config.downsamplings
        self.stem = refine(0, channels_in, widths[0], norm=config.norm)
        self.shrink = nn.ModuleList(
            refine(0, fine, coarse, norm=config.norm) for fine, coarse in pairwise(widths)
        )
        self.grow = nn.ModuleList(
            refine(coarse, fine, fine, norm=config.norm) for fine, coarse in pairwise(widths)
        )
        self.head = Head(widths[0], 3 * config.outputs, kernel=1)

    @property
    def stages(self) -> tuple[nn.Module, ...]:
        """The parts that can be trained apart: one."""
        return (self,)

    @property
    def readers(self) -> tuple[nn.Module, ...]:
        """The parts whose first convolution reads the map."""
        return (self.stem,)

    def forward(self, maps: Tensor) -> Tensor:
        """Map 'b k h w' to pictures 'b (3 n) h w', as the cascade does."""
        levels = [self.stem(maps)]
        for shrink in self.shrink:
            levels.append(shrink(F.avg_pool2d(levels[-1], 2)))
        features = levels.pop()
        for grow in reversed(self.grow):
            fine = levels.pop()
            features = F.interpolate(
                features, size=fine.shape[2:], mode="bilinear", align_corners=True
            )
            features = grow(torch.cat([features, fine], dim=1))
        return in_range(self.head(features), training=self.training)


class FullResolution(nn.Module):
    """Layers that see farther and farther, all of them at the size of the frame."""

    smallest = 1
    size_multiple = 1

    def __init__(self, config: FullResolutionConfig, channels_in: int) -> None:
        super().__init__()
        channels = (channels_in, *(config.width for _ in config.dilations))
        self.layers = nn.Sequential(
            *(
                _dilated(*pair, dilation=dilation, norm=config.norm)
                for pair, dilation in zip(pairwise(channels), config.dilations, strict=True)
            )
        )
        self.head = Head(channels[-1], 3 * config.outputs, kernel=1)

    @property
    def stages(self) -> tuple[nn.Module, ...]:
        """The parts that can be trained apart: one."""
        return (self,)

    @property
    def readers(self) -> tuple[nn.Module, ...]:
        """The parts whose first convolution reads the map."""
        return (self.layers,)

    def forward(self, maps: Tensor) -> Tensor:
        """Map 'b k h w' to pictures 'b (3 n) h w', as the cascade does."""
        return in_range(self.head(self.layers(maps)), training=self.training)


class DilatedConv2d(nn.Conv2d):
    """A convolution of pixels some distance apart; on a CPU in float32 whatever the autocast.

    There torch 2.15 spoils memory in the gradient of such weights in bfloat16, channels last and
    with a number of channels such as 24: not a number, or the end of the process.
    """

    def __init__(self, channels_in: int, channels_out: int, *, dilation: int) -> None:
        super().__init__(
            channels_in, channels_out, 3, padding=dilation, dilation=dilation, bias=False
        )

    def forward(self, input: Tensor) -> Tensor:
        """Map 'b c h w' to 'b d h w'."""
        if input.device.type != "cpu":
            return super().forward(input)
        with full_precision(input.device):
            return super().forward(input.float())


def _dilated(channels_in: int, channels_out: int, *, dilation: int, norm: CrnNorm) -> Segment:
    """Build Conv 3x3 of pixels some distance apart, norm, LeakyReLU."""
    return Segment(
        DilatedConv2d(channels_in, channels_out, dilation=dilation),
        painting_norm(norm, channels_out),
        nn.LeakyReLU(SLOPE, inplace=True),
    )
