"""Multi-scale PatchGAN discriminators (Isola et al. 2017; Wang et al. 2018, section 3.2)."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from vid2vid.networks.blocks import AnyNorm, initialise, norm_layer
from vid2vid.networks.pyramid import pyramid

LARGEST_FACTOR = 8  # the cap of pix2pix, as a multiple of the first layer
WIDEST_LAYER = 512  # the cap of vid2vid and pix2pixHD
WIDEST_FIRST_LAYER = 64  # official: coarser patch nets are wider, up to this


class DiscriminatorConfig(BaseModel):
    """Widths and depths of a multi-scale patch discriminator."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    width: int = Field(default=64, ge=1)
    """Channels after the first layer of the finest patch network."""
    layers: int = Field(default=3, ge=1, le=6)
    """Halving layers of each patch network (PatchGAN's n)."""
    scales: int = Field(default=2, ge=1, le=6)
    """Patch networks, each on a picture of half the size."""
    norm: AnyNorm = "instance"
    """Normalisation of all layers but the first and the last: `instance` (per sample, affine),
    `instance_plain` (without gains),
    `group`, `none`, or `batch` (pix2pix), beside which convolutions have no bias."""
    spectral: bool = False
    """Spectral normalisation of every convolution."""
    padding: Literal[1, 2] = 2
    """Of every convolution, pixels: 2 as in vid2vid and pix2pixHD, 1 as in pix2pix."""
    widest: int | None = Field(default=WIDEST_LAYER, ge=1)
    """Cap of the channels after the first layer, as in vid2vid and pix2pixHD; null = eight times
    the first layer, as in pix2pix."""
    pixel: bool = False
    """Judge every pixel by itself (pix2pix's `pixel`): 1x1 convolutions, `layers` not used."""
    widening: bool = True
    """Coarser patch networks are wider, up to 64 (vid2vid); false = all alike (pix2pixHD)."""

    @property
    def has_bias(self) -> bool:
        """Whether a convolution beside a norm has a bias, which batch norm would take off again."""
        return self.norm != "batch"

    def first_widths(self) -> list[int]:
        """List the channels after the first layer of each patch network, coarsest first."""
        if not self.widening:
            return [self.width] * self.scales
        largest = max(self.width, WIDEST_FIRST_LAYER)
        return [min(largest, self.width * 2**index) for index in reversed(range(self.scales))]

    def channels(self, width: int) -> list[int]:
        """List the channels after each layer but the last, of a patch network that begins so."""
        cap = width * LARGEST_FACTOR if self.widest is None else self.widest
        return [width, *(min(width * 2**index, cap) for index in range(1, self.layers + 1))]


class PatchDiscriminator(nn.Module):
    """One patch network: a score for every overlapping patch of its input."""

    def __init__(self, channels_in: int, config: DiscriminatorConfig, *, width: int) -> None:
        """Build the stages; `width` stands in for that of the configuration."""
        super().__init__()
        if config.pixel:
            self.stages = _pixel_stages(channels_in, config, width)
            return
        self.stages = nn.ModuleList()
        previous = channels_in
        for index, channels in enumerate(config.channels(width)):
            stride = 2 if index < config.layers else 1
            conv = nn.Conv2d(
                previous,
                channels,
                4,
                stride=stride,
                padding=config.padding,
                bias=config.has_bias or index == 0,
            )
            self.stages.append(_stage(conv, config, has_norm=index > 0))
            previous = channels
        last = nn.Conv2d(previous, 1, 4, padding=config.padding)
        self.stages.append(spectral_norm(last) if config.spectral else last)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """Map 'b c h w' to the output of every stage; the last is the score 'b 1 p q'."""
        outputs: list[Tensor] = []
        for stage in self.stages:
            pictures = stage(pictures)
            outputs.append(pictures)
        return outputs


def _pixel_stages(channels_in: int, config: DiscriminatorConfig, width: int) -> nn.ModuleList:
    """Build the network that sees no neighbourhood: 1x1 convolutions to `width`, twice it, 1."""
    last = nn.Conv2d(2 * width, 1, 1, bias=config.has_bias)  # official too
    return nn.ModuleList(
        [
            _stage(nn.Conv2d(channels_in, width, 1), config, has_norm=False),
            _stage(nn.Conv2d(width, 2 * width, 1, bias=config.has_bias), config, has_norm=True),
            spectral_norm(last) if config.spectral else last,
        ]
    )


def _stage(conv: nn.Conv2d, config: DiscriminatorConfig, *, has_norm: bool) -> nn.Sequential:
    """Build a convolution, its norm where it has one, and LeakyReLU."""
    return nn.Sequential(
        spectral_norm(conv) if config.spectral else conv,
        norm_layer(config.norm, conv.out_channels) if has_norm else nn.Identity(),
        nn.LeakyReLU(0.2, inplace=True),
    )


class MultiScaleDiscriminator(nn.Module):
    """Patch networks on an averaging pyramid.

    `patches[0]` sees the coarsest picture, as in the official checkpoints: when the resolution
    doubles and a network is added at the end, the others stay at their absolute resolution.
    """

    def __init__(self, config: DiscriminatorConfig, channels_in: int) -> None:
        super().__init__()
        self.config = config
        self.patches = nn.ModuleList(
            PatchDiscriminator(channels_in, config, width=width) for width in config.first_widths()
        )

    @property
    def readers(self) -> Sequence[nn.Module]:
        """The parts whose first convolution reads the input."""
        return list(self.patches)

    def initialise(self, seed: int) -> None:
        """Draw every weight anew from `seed`; each patch network has a stream of its own."""
        for index, patch in enumerate(self.patches):
            initialise(patch, seed + index)

    def forward(self, pictures: Tensor, *, unused: int = 0) -> list[list[Tensor]]:
        """Judge pictures at every scale.

        Args:
            pictures: 'b c h w', conditioning and frames on the channel axis.
            unused: finest patch networks to leave out, while training at a coarser resolution.

        Returns:
            The stages of each patch network, finest scale first; the last stage is the score.
        """
        active = max(1, len(self.patches) - unused)
        levels = pyramid(pictures, active)
        stages = [patch(level) for patch, level in zip(self.patches, levels, strict=False)]
        return stages[::-1]
