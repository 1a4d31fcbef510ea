"""Fusion: one still-image network, run once per picture, its features joined to one picture.

What users of pix2pixHD asked for who have several pictures of what is to be painted, or a picture
beside labels (https://github.com/NVIDIA/pix2pixHD/issues/224). There is no paper: the joint below
is ours.
"""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from vid2vid.networks.blocks import Style, convolution, style_norm
from vid2vid.networks.interface import StillConfig
from vid2vid.networks.pix2pix import ResNetConfig, ResNetGenerator, UNet, UNetConfig
from vid2vid.networks.pix2pixhd import GlobalGenerator, LocalEnhancer, Pix2PixHDConfig
from vid2vid.networks.recompute import Segment

BaseNetwork = UNet | ResNetGenerator | GlobalGenerator | LocalEnhancer
BaseConfig = UNetConfig | ResNetConfig | Pix2PixHDConfig


class FusionConfig(StillConfig):
    """A base network, and which pictures each of its passes sees."""

    enhancers: ClassVar[int] = 1  # the joint is trained apart while the base is fixed
    features: ClassVar[int] = 0
    encoder: ClassVar[None] = None

    kind: Literal["fusion"] = "fusion"
    """Its family."""
    base: Annotated[BaseConfig, Field(discriminator="kind")]
    """The network that every pass runs, with the same weights: `pix2pix_unet`, `pix2pix_resnet` or
    `pix2pixhd`. `training.init_from` takes them from a run of such a generator."""
    passes: tuple[tuple[str, ...], ...] = Field(min_length=2)
    """Names of the controls that each pass sees: [[day], [night]]. All passes see the labels and
    the controls that are not named here; the pictures of the others are 0 for them."""

    @model_validator(mode="after")
    def _passes_are_pictures(self) -> "FusionConfig":
        if not all(self.passes):
            raise ValueError(
                f"passes must each name a control; got {[list(names) for names in self.passes]}"
            )
        return self

    @model_validator(mode="after")
    def _base_is_plain(self) -> "FusionConfig":
        if self.base.features:
            raise ValueError(
                f"base.features must be 0, for passes share no styles; got {self.base.features}"
            )
        for name in ("noise", "position"):
            if given := getattr(self.base, name):
                raise ValueError(
                    f"base.{name} must be 0; got {given}: set generator.{name}, which every pass "
                    "sees"
                )
        return self


class Joint(nn.Module):
    """The mean of the passes' features, and what two convolutions over all of them add to it."""

    def __init__(self, channels: int, passes: int, style: Style) -> None:
        super().__init__()
        self.body = Segment(
            nn.ReflectionPad2d(1),
            convolution(passes * channels, channels, kernel=3, style=style),
            style_norm(style, channels),
            nn.ReLU(inplace=True),
            nn.ReflectionPad2d(1),
            convolution(channels, channels, kernel=3, style=style),
        )

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Map 'b c h w' of each pass to 'b c h w'."""
        mean = torch.stack(list(features)).mean(0)
        return mean + self.body(torch.cat(list(features), dim=1))


class FusionGenerator(nn.Module):
    """Runs a base network once per pass, joins its last features, and paints with its head."""

    seen: Tensor

    def __init__(self, config: FusionConfig, base: BaseNetwork, seen: Tensor) -> None:
        """Take the base network.

        Args:
            config: of the fusion.
            base: reads maps of k channels.
            seen: 'p k', 1 where a pass sees a channel of the map, else 0.
        """
        super().__init__()
        self.size_multiple, self.smallest = base.size_multiple, base.smallest
        self.base = base
        style = config.base.style
        self.joint = Joint(base.feature_channels, len(config.passes), style)
        self.register_buffer("seen", seen, persistent=False)

    @property
    def stages(self) -> tuple[nn.Module, ...]:
        """The parts that can be trained apart: the base, and the joint on top."""
        return (self.base, self.joint)

    @property
    def readers(self) -> Sequence[nn.Module]:
        """The parts whose first convolution reads the map: those of the base."""
        return self.base.readers

    def forward(self, maps: Tensor) -> Tensor:
        """Map 'b k h w' to a picture 'b 3 h w' in [-1, 1]; sizes divide by `size_multiple`."""
        passes = [self.base.features(maps * seen.view(-1, 1, 1)) for seen in self.seen]
        return self.base.paint(self.joint(passes))


def seen_channels(passes: Sequence[Sequence[int]], channels: int) -> Tensor:
    """Mark what each pass sees: 'p k', 1 = seen.

    Args:
        passes: channels of the pictures of each pass; those in none of them are seen by all.
        channels: k of the map.
    """
    seen = torch.ones(len(passes), channels)
    for number in range(len(passes)):
        others = {channel for own in passes for channel in own} - set(passes[number])
        seen[number, sorted(others)] = 0
    return seen


def check_passes(config: FusionConfig, controls: Sequence[str]) -> None:
    """Check that passes name controls of the run.

    Raises:
        ValueError: naming the first that is none.
    """
    unknown = [name for names in config.passes for name in names if name not in controls]
    if unknown:
        there = ", ".join(controls) or "none"
        raise ValueError(
            f"generator.passes must name controls of the run ({there}); got '{unknown[0]}': add it "
            "to controls, or name another"
        )
