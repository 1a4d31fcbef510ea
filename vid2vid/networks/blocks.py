"""The layers that every generator and discriminator is made of (Wang et al. 2018, appendix A)."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import spectral_norm

from vid2vid.networks.dropout import Dropout
from vid2vid.networks.recompute import Segment, run_segment

Norm = Literal["instance", "instance_plain", "group", "none"]
AnyNorm = Literal["instance", "instance_plain", "batch", "group", "none"]
Statistics = Literal["frame", "running"]
Upsampling = Literal["transposed", "resize"]
BlockPadding = Literal["reflect", "replicate", "zeros"]
Initial = Literal["normal", "xavier"]

GROUP_CHANNELS = 16  # channels a group of group norm, as in Wu & He 2018, figure 3
INITIAL_STD = 0.02
POWER_ITERATIONS = 15  # of spectral norm before the first step, torch's own number
PADDINGS: dict[BlockPadding, type[nn.Module]] = {
    "reflect": nn.ReflectionPad2d,
    "replicate": nn.ReplicationPad2d,
    "zeros": nn.ZeroPad2d,
}


class Style(NamedTuple):
    """How convolutions are normalised and how features grow."""

    norm: AnyNorm = "instance"
    spectral: bool = False
    upsampling: Upsampling = "transposed"
    bias: bool = True  # of every convolution but the heads', which always have one
    statistics: Statistics = "frame"  # of the norm `batch`, when it renders
    dropout: float = 0.0  # between the two convolutions of a residual block
    padding: BlockPadding = "reflect"  # of the convolutions in residual blocks


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
        return _normalise_each(features, self.weight, self.bias)


class PlainInstanceNorm(nn.Module):
    """Per-sample normalisation without gains or biases: the official one of pix2pixHD."""

    def forward(self, features: Tensor) -> Tensor:
        """Normalise 'b c h w' over h and w."""
        return _normalise_each(features, None, None)


class BatchNorm(nn.BatchNorm2d):
    """Affine normalisation over the batch, which gathers running statistics in training.

    What it does when it renders is a choice: `frame` takes the statistics of each sample, as the
    test script of pix2pix does, which leaves its networks in training mode with one picture in a
    batch; `running` takes the gathered ones, which is that script's `--eval`.
    """

    def __init__(self, channels: int, *, statistics: Statistics) -> None:
        super().__init__(channels)
        self.statistics = statistics

    def forward(self, input: Tensor) -> Tensor:
        """Normalise 'b c h w'."""
        if self.training or self.statistics == "running":
            return super().forward(input)
        return _normalise_each(input, self.weight, self.bias)


def _normalise_each(features: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    """Normalise each sample of 'b c h w' by itself."""
    if features.shape[0] == 1:
        return F.batch_norm(features, None, None, weight, bias, training=True)
    return F.instance_norm(features, weight=weight, bias=bias)


def norm_layer(norm: AnyNorm, channels: int, *, statistics: Statistics = "frame") -> nn.Module:
    """Build the normalisation named `norm`; only `batch` has a choice of statistics."""
    if norm == "instance":
        return InstanceNorm(channels)
    if norm == "instance_plain":
        return PlainInstanceNorm()
    if norm == "batch":
        return BatchNorm(channels, statistics=statistics)
    if norm == "group":
        groups = max(1, channels // GROUP_CHANNELS)
        while channels % groups:
            groups -= 1
        return nn.GroupNorm(groups, channels)
    return nn.Identity()


def style_norm(style: Style, channels: int) -> nn.Module:
    """Build the normalisation of a style."""
    return norm_layer(style.norm, channels, statistics=style.statistics)


def convolution(
    channels_in: int,
    channels_out: int,
    *,
    kernel: int,
    style: Style,
    stride: int = 1,
    padding: int = 0,
) -> nn.Module:
    """Build a convolution, zeros around it, spectrally normalised where the style says so."""
    layer = nn.Conv2d(
        channels_in, channels_out, kernel, stride=stride, padding=padding, bias=style.bias
    )
    return spectral_norm(layer) if style.spectral else layer


def stem(channels_in: int, channels_out: int, style: Style, *, stride: int = 1) -> Segment:
    """Build ReflectPad 3, Conv 7x7, norm, ReLU.

    With a stride above 1, the kernel has twice as many pixels: what it covers overlaps by half.
    """
    kernel, padding = (7, 3) if stride == 1 else (2 * stride, stride // 2)
    return Segment(
        nn.ReflectionPad2d(padding),
        convolution(channels_in, channels_out, kernel=kernel, style=style, stride=stride),
        style_norm(style, channels_out),
        nn.ReLU(inplace=True),
    )


def down(channels_in: int, channels_out: int, style: Style) -> Segment:
    """Build Conv 3x3 of stride 2, norm, ReLU: half the height and width."""
    return Segment(
        convolution(channels_in, channels_out, kernel=3, style=style, stride=2, padding=1),
        style_norm(style, channels_out),
        nn.ReLU(inplace=True),
    )


def up(channels_in: int, channels_out: int, style: Style) -> Segment:
    """Build twice the height and width, then norm and ReLU.

    `transposed` is the official 3x3 transposed convolution, `resize` what `enlarged` builds.
    """
    layers: list[nn.Module]
    if style.upsampling == "transposed":
        layer = nn.ConvTranspose2d(
            channels_in, channels_out, 3, stride=2, padding=1, output_padding=1, bias=style.bias
        )
        layers = [spectral_norm(layer, dim=1) if style.spectral else layer]
    else:
        layers = list(enlarged(channels_in, channels_out, style))
    return Segment(*layers, style_norm(style, channels_out), nn.ReLU(inplace=True))


def enlarged(channels_in: int, channels_out: int, style: Style) -> nn.Sequential:
    """Build a bilinear doubling of height and width, and Conv 3x3.

    It cannot draw a checkerboard (Odena et al. 2016).
    """
    return nn.Sequential(
        nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
        nn.ReflectionPad2d(1),
        convolution(channels_in, channels_out, kernel=3, style=style),
    )


class ResidualBlock(nn.Module):
    """Two padded 3x3 convolutions beside the identity; no activation after the sum.

    Dropout shares its place with the ReLU, so that the names of weights do not depend on it.
    """

    def __init__(self, channels: int, style: Style) -> None:
        super().__init__()
        relu = nn.ReLU(inplace=True)
        self.body = Segment(
            PADDINGS[style.padding](1),
            convolution(channels, channels, kernel=3, style=style),
            style_norm(style, channels),
            nn.Sequential(relu, Dropout(style.dropout)) if style.dropout else relu,
            PADDINGS[style.padding](1),
            convolution(channels, channels, kernel=3, style=style),
            style_norm(style, channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map 'b c h w' to 'b c h w'."""
        return features + self.body(features)


def residual_blocks(channels: int, count: int, style: Style) -> nn.Sequential:
    """Build `count` residual blocks in a row."""
    return nn.Sequential(*(ResidualBlock(channels, style) for _ in range(count)))


def doubled(width: int, times: int, *, widest: int | None = None) -> list[int]:
    """List `width` and its `times` doublings, none above `widest`."""
    widths = [width * 2**index for index in range(times + 1)]
    return widths if widest is None else [min(widest, each) for each in widths]


def encoder(
    channels_in: int, widths: Sequence[int], style: Style, *, stride: int = 1
) -> list[nn.Module]:
    """List the stem to `widths[0]` channels, of a stride, and a halving to each width after it."""
    return [
        stem(channels_in, widths[0], style, stride=stride),
        *(down(fine, coarse, style) for fine, coarse in pairwise(widths)),
    ]


def decoder(widths: Sequence[int], style: Style) -> list[nn.Module]:
    """List the doublings from `widths[-1]` channels back to `widths[0]`."""
    return [up(coarse, fine, style) for coarse, fine in pairwise(reversed(widths))]


def front(channels_in: int, width: int, style: Style) -> nn.Sequential:
    """Build what a finer scale sees its input with: the stem and one halving, to 2 x `width`."""
    return nn.Sequential(*encoder(channels_in, doubled(width, 1), style))


def back(width: int, blocks: int, style: Style) -> nn.Sequential:
    """Build what a finer scale paints with: residual blocks at 2 x `width`, and one doubling."""
    return nn.Sequential(residual_blocks(2 * width, blocks, style), up(2 * width, width, style))


def full_precision(device: torch.device) -> AbstractContextManager[object]:
    """Switch autocast off for a block of code."""
    # The meta device, on which costs are counted, has no autocast of its own.
    return torch.autocast("cpu" if device.type == "meta" else device.type, enabled=False)


class Head(nn.Module):
    """Padding and convolution to a picture, a flow or a mask, in float32 whatever the autocast.

    Frames and flows are sums over many steps: rounding them to bfloat16 (8 bits) at every step
    would show.
    """

    recompute = False

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        *,
        kernel: int = 7,
        padding: BlockPadding = "reflect",
    ) -> None:
        super().__init__()
        self.pad = PADDINGS[padding](kernel // 2)
        self.conv = nn.Conv2d(channels_in, channels_out, kernel)

    def forward(self, features: Tensor) -> Tensor:
        """Map 'b c h w' to 'b k h w', float32, without an activation."""
        if self.recompute:
            return run_segment(self, self._convolve, features)
        return self._convolve(features)

    def _convolve(self, features: Tensor) -> Tensor:
        with full_precision(features.device):
            return self.conv(self.pad(features.float()))


def initialise(network: nn.Module, seed: int, *, initial: Initial = "normal") -> None:
    """Draw every weight from `seed`: convolutions ~ N(0, 0.02), norm gains ~ N(1, 0.02).

    Biases of convolutions start at 0, heads named `flow_head` at 0 altogether, so that the first
    prediction is "nothing moved" instead of tens of pixels of noise. With `xavier` convolutions are
    uniform after Glorot & Bengio 2010, and gains are 1.
    """
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in network.named_parameters():
        if "flow_head" in name or name.endswith("bias"):
            nn.init.zeros_(parameter)
        elif initial == "xavier":
            _draw_xavier(parameter, generator)
        elif parameter.ndim == 1:
            nn.init.normal_(parameter, 1.0, INITIAL_STD, generator=generator)
        else:
            nn.init.normal_(parameter, 0.0, INITIAL_STD, generator=generator)
    _settle_spectral_norm(network, generator)


def _draw_xavier(parameter: nn.Parameter, generator: torch.Generator) -> None:
    """Draw a convolution after Glorot & Bengio 2010; gains of norms are 1."""
    if parameter.ndim == 1:
        nn.init.ones_(parameter)
    else:
        nn.init.xavier_uniform_(parameter, generator=generator)


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
