"""Cascaded refinement: a picture grown from a few pixels, one doubling a module.

After Chen & Koltun 2017, "Photographic Image Synthesis with Cascaded Refinement Networks"; widths,
norm and order of channels are those of the released checkpoints.
"""

from typing import ClassVar, Literal, cast

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn

from vid2vid.networks.blocks import Head, Initial, norm_layer
from vid2vid.networks.interface import StillConfig
from vid2vid.networks.recompute import Segment

START_PX = 4  # smallest height of the coarsest module, which is 4x8 for frames of 256x512
EPSILON = 1e-12  # of the layer norm (slim's)
SLOPE = 0.2

CrnNorm = Literal["layer", "instance", "batch"]

# Published widths of the modules 4, 8 ... 1024, in shares of the widest.
SHARES = (1.0, 1.0, 1.0, 1.0, 1.0, 1 / 2, 1 / 2, 1 / 8, 1 / 32)


class PaintedConfig(StillConfig):
    """What the networks of the CRN paper share: several pictures at once."""

    initial: ClassVar[Initial] = "xavier"
    features: ClassVar[int] = 0
    encoder: ClassVar[None] = None

    norm: CrnNorm = "layer"
    """`layer` (published), over channels, height and width together; `instance`, over height and
    width of each channel, which learns a few photographs by heart much faster; or `batch`, which
    renders with the statistics gathered in training, and paints streets that it has not seen better
    (docs/stills.md)."""
    outputs: int = Field(default=1, ge=1, le=32)
    """Pictures k of every map; from 2 on each class of a map learns from the one that paints it
    best, and rendering shows the first, or `--variant` (official 9 at 256)."""


class CRNConfig(PaintedConfig):
    """Height and widths of a cascaded refinement network."""

    kind: Literal["crn"] = "crn"
    """Its family."""
    height: int = Field(default=256, ge=START_PX)
    """Of the frames that it is built for, px: says how many modules there are. The coarsest works
    at 4 px of height or a little more, each other at twice the one before (96: 6, 12, 24, 48, 96).
    Frames of other sizes and any aspect go through it as well."""
    width: int = Field(default=1024, ge=1)
    """Channels of the coarsest modules; finer ones have the published share of it: at 128 and 256
    half, at 512 an eighth, at 1024 a 32nd of it."""
    widths: tuple[int, ...] = ()
    """Channels of every module, coarsest first; () = as `width` says."""

    @property
    def modules(self) -> int:
        """Number of modules."""
        return (self.height // START_PX).bit_length()

    @property
    def enhancers(self) -> int:
        """Modules that can be trained while the coarser ones are fixed: all but the coarsest."""
        return self.modules - 1

    @property
    def module_widths(self) -> tuple[int, ...]:
        """Channels of every module, coarsest first."""
        if self.widths:
            return self.widths
        shares = SHARES + SHARES[-1:] * self.modules
        return tuple(max(1, round(self.width * share)) for share in shares[: self.modules])

    @model_validator(mode="after")
    def _widths_fit(self) -> "CRNConfig":
        if self.widths and len(self.widths) != self.modules:
            raise ValueError(
                f"widths must name {self.modules} modules for a height of {self.height}; got "
                f"{len(self.widths)}"
            )
        if any(width < 1 for width in self.widths):
            raise ValueError(f"widths must be at least 1; got {self.widths}")
        return self


def painting_norm(norm: CrnNorm, channels: int) -> nn.Module:
    """Build a norm with gains and biases by channel."""
    if norm == "layer":
        return nn.GroupNorm(1, channels, eps=EPSILON)
    return norm_layer(norm, channels, statistics="running")


class MapConv2d(nn.Conv2d):
    """A convolution of features with the map behind them, in this order."""

    def __init__(
        self,
        features: int,
        map_channels: int,
        channels_out: int,
        *,
        kernel: int = 3,
        bias: bool = False,
    ) -> None:
        super().__init__(
            features + map_channels, channels_out, kernel, padding=kernel // 2, bias=bias
        )
        self.features = features


def refine(features: int, map_channels: int, channels_out: int, *, norm: CrnNorm) -> Segment:
    """Build two times Conv 3x3, norm, LeakyReLU, on features and a map behind them."""
    return Segment(
        MapConv2d(features, map_channels, channels_out),
        painting_norm(norm, channels_out),
        nn.LeakyReLU(SLOPE, inplace=True),
        nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False),
        painting_norm(norm, channels_out),
        nn.LeakyReLU(SLOPE, inplace=True),
    )


def in_range(pictures: Tensor, *, training: bool) -> Tensor:
    """Clamp what a linear head paints to [-1, 1]; in training it goes on as it is."""
    return pictures if training else pictures.clamp(-1, 1)


class Module(nn.Module):
    """One resolution of the cascade: features of the coarser one, enlarged, and the map."""

    def __init__(
        self,
        features: int,
        map_channels: int,
        channels_out: int,
        *,
        norm: CrnNorm,
        pictures: int = 0,
    ) -> None:
        super().__init__()
        self.body = refine(features, map_channels, channels_out, norm=norm)
        self.head = Head(channels_out, 3 * pictures, kernel=1) if pictures else None

    def forward(self, maps: Tensor, coarser: Tensor | None) -> Tensor:
        """Map 'b k h w' and features 'b c h/2 w/2', None for the coarsest, to features 'b d h w'.

        The finest returns pictures 'b (3 n) h w' instead.
        """
        if coarser is not None:
            size = maps.shape[2:]
            coarser = F.interpolate(coarser, size=size, mode="bilinear", align_corners=True)
            maps = torch.cat([coarser, maps], dim=1)
        features = self.body(maps)
        return features if self.head is None else self.head(features)


class CascadedRefinement(nn.Module):
    """Modules from the coarsest to the finest, each reading the map averaged to its own size.

    The module of a resolution has the same names and shapes whatever comes after it, so that a
    network can begin from one that was trained at half the size; the head goes with the finest.
    """

    smallest = START_PX

    def __init__(self, config: CRNConfig, channels_in: int) -> None:
        super().__init__()
        widths = config.module_widths
        self.size_multiple = 2 ** (len(widths) - 1)
        self.cascade = nn.ModuleList(
            Module(
                coarser,
                channels_in,
                width,
                norm=config.norm,
                pictures=config.outputs if index == len(widths) - 1 else 0,
            )
            for index, (coarser, width) in enumerate(zip((0, *widths), widths, strict=False))
        )

    @property
    def stages(self) -> tuple[nn.Module, ...]:
        """The parts that can be trained apart, coarsest first: the modules."""
        return tuple(self.cascade)

    @property
    def readers(self) -> tuple[nn.Module, ...]:
        """The parts whose first convolution reads the map, coarsest first: all of them."""
        return self.stages

    def forward(self, maps: Tensor) -> Tensor:
        """Map 'b k h w' to pictures 'b (3 n) h w': all reds, all greens, all blues.

        Sizes divide by `size_multiple`. What is rendered is clamped to [-1, 1], what is trained is
        not: there the head is linear.
        """
        height, width = maps.shape[2:]
        features: Tensor | None = None
        for index, module in enumerate(self.cascade):
            factor = 2 ** (len(self.cascade) - 1 - index)
            level = F.adaptive_avg_pool2d(maps, (height // factor, width // factor))
            features = module(level, features)
        return in_range(cast("Tensor", features), training=self.training)
