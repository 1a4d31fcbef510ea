"""The generators of pix2pixHD: global, and local enhancers on top (Wang et al. 2018, CVPR)."""

from typing import Literal, cast

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from vid2vid.networks.blocks import (
    AnyNorm,
    Head,
    Style,
    Upsampling,
    back,
    decoder,
    doubled,
    encoder,
    front,
    residual_blocks,
)
from vid2vid.networks.feature_encoder import FeatureEncoderConfig
from vid2vid.networks.interface import Pooling, StillConfig
from vid2vid.networks.pyramid import pyramid


class Pix2PixHDConfig(StillConfig):
    """Widths and depths of pix2pixHD."""

    kind: Literal["pix2pixhd"] = "pix2pixhd"
    """Its family."""
    width: int = Field(default=64, ge=1)
    """Channels after the stem of the global generator; enhancer n has width / 2^n."""
    downsamplings: int = Field(default=4, ge=1, le=6)
    """Halvings inside the global generator."""
    blocks: int = Field(default=9, ge=1)
    """Residual blocks of the global generator."""
    widest: int | None = Field(default=None, ge=1)
    """Cap of the channels (1024 in the still-image networks of vid2vid); null = none."""
    enhancers: int = Field(default=0, ge=0, le=4)
    """Local enhancers, each doubling height and width of what the network works at."""
    enhancer_blocks: int = Field(default=3, ge=0)
    """Residual blocks of each enhancer."""
    norm: AnyNorm = "instance"
    """`instance` (per sample, affine), `instance_plain` (without gains, official), `batch`, which
    renders with the statistics gathered in training, `group`, or `none`."""
    spectral: bool = False
    """Spectral normalisation of every convolution but the head's."""
    upsampling: Upsampling = "transposed"
    """`transposed` convolution (official), or `resize` and convolve (no checkerboard)."""
    features: int = Field(default=0, ge=0, le=64)
    """Channels of style features beside the labels; 0 = none."""
    encoder: FeatureEncoderConfig | None = FeatureEncoderConfig()
    """What makes the features of a photo, where there are any; null = no encoder."""
    pooling: Pooling = "instances"
    """What shares one style: every one of the `instances`, or all of a class (`labels`)."""

    @model_validator(mode="after")
    def _widths_divide(self) -> "Pix2PixHDConfig":
        if self.width % 2**self.enhancers:
            raise ValueError(
                f"width must be divisible by {2**self.enhancers} with {self.enhancers} enhancers; "
                f"got {self.width}"
            )
        return self

    @property
    def pools_instances(self) -> bool:
        """Whether styles are those of instances, so that instance maps are needed to learn them."""
        return self.features > 0 and self.pooling == "instances"

    @property
    def style(self) -> Style:
        """How convolutions are normalised and how features grow."""
        return Style(self.norm, self.spectral, self.upsampling, statistics="running")


class GlobalGenerator(nn.Module):
    """A residual encoder-decoder without skip connections (official name: G1)."""

    smallest = 2

    def __init__(self, config: Pix2PixHDConfig, channels_in: int) -> None:
        super().__init__()
        self.size_multiple = 2**config.downsamplings
        self.feature_channels = config.width
        self.trunk = _trunk(config, channels_in)
        self.head = Head(config.width, 3)

    @property
    def stages(self) -> tuple[nn.Module, ...]:
        """The parts that can be trained apart: one."""
        return (self,)

    @property
    def readers(self) -> tuple[nn.Module, ...]:
        """The parts whose first convolution reads the map."""
        return (self.trunk,)

    def forward(self, maps: Tensor) -> Tensor:
        """Map 'b k h w' to a picture 'b 3 h w' in [-1, 1]; sizes divide by `size_multiple`."""
        return self.paint(self.features(maps))

    def features(self, maps: Tensor) -> Tensor:
        """Map 'b k h w' to what the head paints from, 'b c h w' of `feature_channels`."""
        return self.trunk(maps)

    def paint(self, features: Tensor) -> Tensor:
        """Map those features to a picture 'b 3 h w' in [-1, 1]."""
        return torch.tanh(self.head(features))


class Enhancer(nn.Module):
    """One finer scale (official name: G2): its input at half its size, added to the coarser."""

    def __init__(
        self, channels_in: int, *, width: int, blocks: int, style: Style, has_head: bool
    ) -> None:
        super().__init__()
        self.front = front(channels_in, width, style)
        self.back = back(width, blocks, style)
        self.head = Head(width, 3) if has_head else None

    def forward(self, maps: Tensor, coarser: Tensor) -> Tensor:
        """Map 'b k h w' and features 'b 2w h/2 w/2' to features 'b w h w'."""
        return self.back(self.front(maps) + coarser)


class LocalEnhancer(nn.Module):
    """The global generator without its head, and enhancers on top, the finest with a head.

    Its trunk has the names and shapes of a `GlobalGenerator`'s of the same `width`, so that it can
    begin from one that was trained at a smaller size.
    """

    smallest = 2

    def __init__(self, config: Pix2PixHDConfig, channels_in: int) -> None:
        super().__init__()
        self.size_multiple = 2 ** (config.downsamplings + config.enhancers)
        self.feature_channels = config.width // 2**config.enhancers
        self.trunk = _trunk(config, channels_in)
        self.enhancers = nn.ModuleList(
            Enhancer(
                channels_in,
                width=config.width // 2**number,
                blocks=config.enhancer_blocks,
                style=config.style,
                has_head=number == config.enhancers,
            )
            for number in range(1, config.enhancers + 1)
        )

    @property
    def stages(self) -> tuple[nn.Module, ...]:
        """The parts that can be trained apart, coarsest first."""
        return (self.trunk, *self.enhancers)

    @property
    def readers(self) -> tuple[nn.Module, ...]:
        """The parts whose first convolution reads the map, coarsest first: all of them."""
        return self.stages

    def forward(self, maps: Tensor) -> Tensor:
        """Map 'b k h w' to a picture 'b 3 h w' in [-1, 1]; sizes divide by `size_multiple`."""
        return self.paint(self.features(maps))

    def features(self, maps: Tensor) -> Tensor:
        """Map 'b k h w' to what the head paints from, 'b c h w' of `feature_channels`."""
        levels = pyramid(maps, len(self.stages))
        features = self.trunk(levels[0])
        for enhancer, level in zip(self.enhancers, levels[1:], strict=True):
            features = enhancer(level, features)
        return features

    def paint(self, features: Tensor) -> Tensor:
        """Map those features to a picture 'b 3 h w' in [-1, 1]."""
        finest = cast("Enhancer", self.enhancers[-1])
        return torch.tanh(cast("Head", finest.head)(features))


def _trunk(config: Pix2PixHDConfig, channels_in: int) -> nn.Sequential:
    """Build the global generator up to its last features: encoder, blocks, decoder in a row."""
    widths = doubled(config.width, config.downsamplings, widest=config.widest)
    return nn.Sequential(
        nn.Sequential(*encoder(channels_in, widths, config.style)),
        residual_blocks(widths[-1], config.blocks, config.style),
        nn.Sequential(*decoder(widths, config.style)),
    )
