"""The layers that every generator and discriminator is made of (Wang et al. 2018, appendix A)."""

from contextlib import nullcontext
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import spectral_norm

Norm = Literal["instance", "group", "none"]
Upsampling = Literal["transposed", "resize"]

GROUP_CHANNELS = 16  # channels a group of group norm, as in Wu & He 2018, figure 3
INITIAL_STD = 0.02
POWER_ITERATIONS = 15  # of spectral norm before the first step, torch's own number


class Style(NamedTuple):
    """How convolutions are normalised and how features grow."""

    norm: Norm = "instance"
    spectral: bool = False
    upsampling: Upsampling = "transposed"


class InstanceNorm(nn.Module):
    """Per-sample affine normalisation, with no running statistics.

    It is what the official BatchNorm weights amount to: they were used with the statistics of one
    frame, in training and in rendering. For one sample batch norm is the same sum and keeps the
    channels-last layout, which `torch.nn.InstanceNorm2d` undoes: on a CPU the convolutions around
    it then run at half the speed.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, features: Tensor) -> Tensor:
        """Normalise 'b c h w' over h and w."""
        if features.shape[0] == 1:
            return F.batch_norm(features, None, None, self.weight, self.bias, training=True)
        return F.instance_norm(features, weight=self.weight, bias=self.bias)


def norm_layer(norm: Norm, channels: int) -> nn.Module:
    """Build the normalisation named `norm`."""
    if norm == "instance":
        return InstanceNorm(channels)
    if norm == "group":
        groups = max(1, channels // GROUP_CHANNELS)
        while channels % groups:
            groups -= 1
        return nn.GroupNorm(groups, channels)
    return nn.Identity()


def convolution(channels_in: int, channels_out: int, *, kernel: int, style: Style) -> nn.Module:
    """Build a convolution without padding, spectrally normalised where the style says so."""
    layer = nn.Conv2d(channels_in, channels_out, kernel)
    return spectral_norm(layer) if style.spectral else layer


def stem(channels_in: int, channels_out: int, style: Style) -> nn.Sequential:
    """Build ReflectPad 3, Conv 7x7, norm, ReLU."""
    return nn.Sequential(
        nn.ReflectionPad2d(3),
        convolution(channels_in, channels_out, kernel=7, style=style),
        norm_layer(style.norm, channels_out),
        nn.ReLU(inplace=True),
    )


def down(channels_in: int, channels_out: int, style: Style) -> nn.Sequential:
    """Build Conv 3x3 of stride 2, norm, ReLU: half the height and width."""
    layer = nn.Conv2d(channels_in, channels_out, 3, stride=2, padding=1)
    return nn.Sequential(
        spectral_norm(layer) if style.spectral else layer,
        norm_layer(style.norm, channels_out),
        nn.ReLU(inplace=True),
    )


def up(channels_in: int, channels_out: int, style: Style) -> nn.Sequential:
    """Build twice the height and width, then norm and ReLU.

    `transposed` is the official 3x3 transposed convolution; `resize` enlarges bilinearly first,
    which cannot draw a checkerboard (Odena et al. 2016).
    """
    layers: list[nn.Module]
    if style.upsampling == "transposed":
        layer = nn.ConvTranspose2d(
            channels_in, channels_out, 3, stride=2, padding=1, output_padding=1
        )
        layers = [spectral_norm(layer, dim=1) if style.spectral else layer]
    else:
        layers = [
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
            nn.ReflectionPad2d(1),
            convolution(channels_in, channels_out, kernel=3, style=style),
        ]
    return nn.Sequential(*layers, norm_layer(style.norm, channels_out), nn.ReLU(inplace=True))


class ResidualBlock(nn.Module):
    """Two padded 3x3 convolutions beside the identity; no activation after the sum."""

    def __init__(self, channels: int, style: Style) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.ReflectionPad2d(1),
            convolution(channels, channels, kernel=3, style=style),
            norm_layer(style.norm, channels),
            nn.ReLU(inplace=True),
            nn.ReflectionPad2d(1),
            convolution(channels, channels, kernel=3, style=style),
            norm_layer(style.norm, channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map 'b c h w' to 'b c h w'."""
        return features + self.body(features)


def residual_blocks(channels: int, count: int, style: Style) -> nn.Sequential:
    """Build `count` residual blocks in a row."""
    return nn.Sequential(*(ResidualBlock(channels, style) for _ in range(count)))


class Head(nn.Module):
    """ReflectPad 3 and Conv 7x7 to a picture, a flow or a mask, in float32 whatever the autocast.

    Frames and flows are sums over many steps: rounding them to bfloat16 (8 bits) at every step
    would show.
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.pad = nn.ReflectionPad2d(3)
        self.conv = nn.Conv2d(channels_in, channels_out, 7)

    def forward(self, features: Tensor) -> Tensor:
        """Map 'b c h w' to 'b k h w', float32, without an activation."""
        # The meta device, on which costs are counted, knows no autocast.
        device = features.device.type
        with nullcontext() if device == "meta" else torch.autocast(device, enabled=False):
            return self.conv(self.pad(features.float()))


def initialise(network: nn.Module, seed: int) -> None:
    """Draw every weight from `seed`: convolutions ~ N(0, 0.02), norm gains ~ N(1, 0.02).

    Biases of convolutions start at 0, heads named `flow_head` at 0 altogether, so that the first
    prediction is "nothing moved" instead of tens of pixels of noise.
    """
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in network.named_parameters():
        if "flow_head" in name or name.endswith("bias"):
            nn.init.zeros_(parameter)
        elif parameter.ndim == 1:
            nn.init.normal_(parameter, 1.0, INITIAL_STD, generator=generator)
        else:
            nn.init.normal_(parameter, 0.0, INITIAL_STD, generator=generator)
    _settle_spectral_norm(network, generator)


@torch.no_grad()
def _settle_spectral_norm(network: nn.Module, generator: torch.Generator) -> None:
    """Draw the singular vectors anew too, which torch drew from its global generator."""
    for module in network.modules():
        if parametrize.is_parametrized(module, "weight"):
            for vector in module.parametrizations.weight.buffers():  # pyright: ignore[reportAttributeAccessIssue]
                nn.init.normal_(vector, generator=generator)
                F.normalize(vector, dim=0, out=vector)
            for _ in range(POWER_ITERATIONS):
                _ = module.weight  # reading it iterates once
