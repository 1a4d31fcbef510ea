"""The generators of pix2pix: a U-Net and a residual encoder-decoder (Isola et al. 2017)."""

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from vid2vid.networks.blocks import (
    AnyNorm,
    BlockPadding,
    Head,
    Statistics,
    Style,
    Upsampling,
    decoder,
    doubled,
    encoder,
    enlarged,
    residual_blocks,
    style_norm,
)
from vid2vid.networks.dropout import Dropout
from vid2vid.networks.interface import RenderDropout, StillConfig
from vid2vid.networks.recompute import Segment

Colour = Literal["rgb", "lab"]

LARGEST_FACTOR = 8  # 64 -> 512 channels, the cap of the official U-Net
WITHOUT_DROPOUT = 4  # finest levels of the U-Net that never drop features
RESNET_DOWNSAMPLINGS = 2


class Pix2PixConfig(StillConfig):
    """What both generators of pix2pix let choose."""

    enhancers: ClassVar[int] = 0
    features: ClassVar[int] = 0
    encoder: ClassVar[None] = None

    norm: AnyNorm = "batch"
    """`batch` (official, with running statistics), `instance` (per sample), `instance_plain`
    (without gains, official), `group` or `none`."""
    statistics: Statistics = "frame"
    """Of `batch` in rendering: of each `frame` (official), or `running` ones (its --eval)."""
    dropout: float = Field(default=0.5, ge=0, lt=1)
    """Share of the features that training drops where the network drops any (official 0.5)."""
    render_dropout: RenderDropout = "off"
    """Rendering drops nothing (`off`), the same features in all frames (`fixed`), or `each_frame`
    anew (official), but for the frames of a video, which share theirs."""

    colour: Colour = "rgb"
    """rgb = the network paints the frame; lab = its colours alone (a and b of CIE Lab), and the
    lightness is that of the control `{kind: grey, space: lightness}`: colourisation."""

    @property
    def channels_out(self) -> int:
        """Channels that the network paints."""
        return 3 if self.colour == "rgb" else 2

    @property
    def style(self) -> Style:
        """How convolutions are normalised; with batch norm or none they have no bias (official)."""
        has_bias = self.norm not in ("batch", "none")
        return Style(self.norm, bias=has_bias, statistics=self.statistics)


class UNetConfig(Pix2PixConfig):
    """The U-Net of pix2pix."""

    kind: Literal["pix2pix_unet"] = "pix2pix_unet"
    """Its family."""
    width: int = Field(default=64, ge=1)
    """Channels of the finest level; they double down to 8 times as many."""
    downsamplings: int = Field(default=8, ge=2, le=10)
    """Halvings: 8 is the official unet_256, 7 is unet_128. Frames that they do not divide are
    padded; a training size that would have to double is refused."""
    upsampling: Upsampling = "transposed"
    """`transposed` convolution (official), or `resize` and convolve (no checkerboard)."""


class ResNetConfig(Pix2PixConfig):
    """The residual generator of pix2pix."""

    kind: Literal["pix2pix_resnet"] = "pix2pix_resnet"
    """Its family."""
    width: int = Field(default=64, ge=1)
    """Channels after the stem; two halvings make them 4 times as many."""
    blocks: int = Field(default=9, ge=1)
    """Residual blocks: 9 and 6 are the official resnet_9blocks and resnet_6blocks."""
    block_padding: BlockPadding = "reflect"
    """Border of the convolutions in residual blocks: `reflect` (official), `replicate`, `zeros`."""
    upsampling: Upsampling = "transposed"
    """`transposed` convolution (official), or `resize` and convolve (no checkerboard)."""


class UNet(nn.Module):
    """Halvings to a bottleneck and back, each level handing its features across.

    `shrink[i]` and `grow[i]` belong to level i, the finest being 0. In the official code an
    in-place LeakyReLU changes what is handed across; the ReLU that it is read with undoes that.
    """

    smallest = 1

    def __init__(self, config: UNetConfig, channels_in: int) -> None:
        super().__init__()
        depth = config.downsamplings
        style = config.style._replace(upsampling=config.upsampling)
        widths = doubled(config.width, depth - 1, widest=LARGEST_FACTOR * config.width)
        self.size_multiple = 2**depth
        self.feature_channels = 2 * widths[0]
        self.shrink = nn.ModuleList(
            _shrink(
                widths[level - 1] if level else channels_in,
                widths[level],
                style=style,
                is_finest=level == 0,
                has_norm=0 < level < depth - 1,
            )
            for level in range(depth)
        )
        self.grow = nn.ModuleList(
            _grow(
                widths[level] * (1 if level == depth - 1 else 2),
                widths[level - 1],
                style=style,
                dropout=config.dropout if WITHOUT_DROPOUT <= level < depth - 1 else 0.0,
            )
            for level in range(1, depth)
        )
        self.last = _double(2 * widths[0], config.channels_out, style._replace(bias=True))

    @property
    def stages(self) -> tuple[nn.Module, ...]:
        """The parts that can be trained apart: one."""
        return (self,)

    @property
    def readers(self) -> tuple[nn.Module, ...]:
        """The parts whose first convolution reads the map: the first halving."""
        return (self.shrink[0],)

    def forward(self, maps: Tensor) -> Tensor:
        """Map 'b k h w' to 'b c h w' in [-1, 1], c = `channels_out`; h, w divisible by 2^levels."""
        return self.paint(self.features(maps))

    def features(self, maps: Tensor) -> Tensor:
        """Map 'b k h w' to what the last layer paints from, 'b c h/2 w/2' of `feature_channels`."""
        levels: list[Tensor] = []
        for shrink in self.shrink:
            maps = shrink(maps)
            levels.append(maps)
        features = levels.pop()
        for grow in reversed(self.grow):
            features = torch.cat([levels.pop(), grow(features)], dim=1)
        return features

    def paint(self, features: Tensor) -> Tensor:
        """Map those features to what `forward` returns."""
        return torch.tanh(self.last(torch.relu(features)).float())


def _shrink(
    channels_in: int, channels_out: int, *, style: Style, is_finest: bool, has_norm: bool
) -> Segment:
    """Build LeakyReLU, Conv 4x4 of stride 2, norm."""
    return Segment(
        nn.Identity() if is_finest else nn.LeakyReLU(0.2),
        nn.Conv2d(channels_in, channels_out, 4, stride=2, padding=1, bias=style.bias),
        style_norm(style, channels_out) if has_norm else nn.Identity(),
    )


def _grow(channels_in: int, channels_out: int, *, style: Style, dropout: float) -> Segment:
    """Build ReLU, twice the height and width, norm, dropout."""
    return Segment(
        nn.ReLU(),
        _double(channels_in, channels_out, style),
        style_norm(style, channels_out),
        Dropout(dropout) if dropout else nn.Identity(),
    )


def _double(channels_in: int, channels_out: int, style: Style) -> nn.Module:
    """Build twice the height and width: a transposed Conv 4x4, or resizing and Conv 3x3."""
    if style.upsampling == "transposed":
        return nn.ConvTranspose2d(
            channels_in, channels_out, 4, stride=2, padding=1, bias=style.bias
        )
    return enlarged(channels_in, channels_out, style)


class ResNetGenerator(nn.Module):
    """Two halvings, residual blocks, two doublings (Johnson et al. 2016)."""

    smallest = 2
    size_multiple = 2**RESNET_DOWNSAMPLINGS

    def __init__(self, config: ResNetConfig, channels_in: int) -> None:
        super().__init__()
        style = config.style._replace(
            upsampling=config.upsampling, dropout=config.dropout, padding=config.block_padding
        )
        widths = doubled(config.width, RESNET_DOWNSAMPLINGS)
        self.encoder = nn.Sequential(*encoder(channels_in, widths, style))
        self.blocks = residual_blocks(widths[-1], config.blocks, style)
        self.decoder = nn.Sequential(*decoder(widths, style))
        self.feature_channels = config.width
        self.head = Head(config.width, config.channels_out)

    @property
    def stages(self) -> tuple[nn.Module, ...]:
        """The parts that can be trained apart: one."""
        return (self,)

    @property
    def readers(self) -> tuple[nn.Module, ...]:
        """The parts whose first convolution reads the map."""
        return (self.encoder,)

    def forward(self, maps: Tensor) -> Tensor:
        """Map 'b k h w' to 'b c h w' in [-1, 1], c = `channels_out`; h and w divisible by 4."""
        return self.paint(self.features(maps))

    def features(self, maps: Tensor) -> Tensor:
        """Map 'b k h w' to what the head paints from, 'b c h w' of `feature_channels`."""
        return self.decoder(self.blocks(self.encoder(maps)))

    def paint(self, features: Tensor) -> Tensor:
        """Map those features to what `forward` returns."""
        return torch.tanh(self.head(features))
