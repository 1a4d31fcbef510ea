"""Frozen layers that textures are compared by: VGG19's, or those of a segmenter's encoder."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vid2vid.networks.features import VggFeatures
from vid2vid.networks.segmenter import Segmenter

CAFFE_SCALE = 57.4
"""Levels of 255 to one unit of torchvision's normalised pixels: 255 times the mean deviation. The
published weights are for networks that take levels; activations grow with their input."""


class Layers(NamedTuple):
    """Layers one after the other, and which of them are looked at."""

    modules: Sequence[nn.Module]
    taps: tuple[int, ...]  # of which outputs are returned, rising
    mean: tuple[float, float, float]  # subtracted from pixels in [0, 1], by channel
    deviation: tuple[float, float, float]  # and divided by


class FixedNorm(nn.Module):
    """What a group norm does, with the statistics of one picture: the same for all its parts."""

    def __init__(self, scale: Tensor, shift: Tensor) -> None:
        super().__init__()
        self.register_buffer("scale", scale)
        self.register_buffer("shift", shift)
        self.scale: Tensor
        self.shift: Tensor

    def forward(self, features: Tensor) -> Tensor:
        """Scale and shift 'b c h w' by channel."""
        return torch.addcmul(self.shift, features, self.scale)


class FeatureStack(nn.Module):
    """Features of a picture, 'c h w' each, finest first."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, layers: Layers) -> None:
        """Keep the layers up to the last that is looked at; nothing of them is trained.

        Args:
            layers: convolutions, poolings, norms and activations that each take one tensor.
        """
        super().__init__()
        self._source = layers
        self.layers = nn.ModuleList(layers.modules[: layers.taps[-1] + 1])
        self.taps = layers.taps
        for name, value in (("mean", layers.mean), ("deviation", layers.deviation)):
            self.register_buffer(name, torch.tensor(value).view(1, 3, 1, 1))
        self.strides, self.reach = _measure(self.layers, self.taps)
        self.requires_grad_(requires_grad=False)

    @property
    def multiple(self) -> int:
        """Pixels to one of the coarsest features: windows begin at multiples of it."""
        return self.strides[-1]

    def forward(self, picture: Tensor) -> list[Tensor]:
        """Map '3 h w' in [-1, 1] to features of each tap.

        A picture whose sides are no multiples of the coarsest stride goes on with its last pixels.
        """
        features = ((self.pad(picture)[None] + 1) / 2 - self.mean) / self.deviation
        found: list[Tensor] = []
        for index, layer in enumerate(self.layers):
            features = layer(features)
            if index in self.taps:
                found.append(features[0])
        return found

    def pad(self, planes: Tensor) -> Tensor:
        """Let 'c h w' go on to the right and below, up to a multiple of the coarsest stride."""
        right, below = (-side % self.multiple for side in (planes.shape[2], planes.shape[1]))
        return F.pad(planes[None], (0, right, 0, below), mode="replicate")[0]

    def shrink(self, unknown: Tensor) -> list[Tensor]:
        """Bring a mask to the sizes of the taps: a cell that holds an unknown pixel is unknown."""
        padded = self.pad(unknown[None].float())
        return [F.max_pool2d(padded, stride)[0] > 0 for stride in self.strides]

    @torch.no_grad()
    def fitted(self, picture: Tensor, unknown: Tensor) -> "FeatureStack":
        """Replace group norms by what they do to the known part of a picture.

        A window of a picture then has the features that it has within the picture, which a group
        norm's mean over all of it forbids. Without group norms the stack itself.
        """
        if not any(isinstance(layer, nn.GroupNorm) for layer in self.layers):
            return self
        features = ((self.pad(picture)[None] + 1) / 2 - self.mean) / self.deviation
        known = 1 - self.pad(unknown[None].float())[None]
        layers: list[nn.Module] = []
        for layer in self.layers:
            layers.append(
                _fix(layer, features, known) if isinstance(layer, nn.GroupNorm) else layer
            )
            features = layers[-1](features)
            known = F.adaptive_avg_pool2d(known, features.shape[2:])
        fitted = FeatureStack(self._source._replace(modules=layers)).to(picture.device)
        return fitted.eval()


def vgg_layers(network: VggFeatures, taps: Sequence[int]) -> Layers:
    """Lay the stages of a VGG end to end.

    Args:
        network: with torchvision's layers.
        taps: stages that are looked at, from 0: 2 is relu3_1 and 3 is relu4_1.
    """
    modules = [layer for stage in network.stages for layer in _parts(stage)]
    ends = [edge - 1 for edge in network.edges[1:]]
    mean, deviation = (
        (float(each[0]), float(each[1]), float(each[2]))
        for each in (network.mean.flatten(), network.std.flatten())
    )
    return Layers(modules, tuple(ends[tap] for tap in taps), mean, deviation)


def segmenter_layers(segmenter: Segmenter, taps: Sequence[int]) -> Layers:
    """Lay the encoder of a segmenter end to end.

    Args:
        segmenter: which takes frames in [-1, 1].
        taps: levels that are looked at, from 0, of half the size each.
    """
    modules = _parts(segmenter.stem)
    ends = [len(modules) - 1]
    for level in segmenter.shrink:
        modules += [nn.MaxPool2d(2), *_parts(level)]
        ends.append(len(modules) - 1)
    half = (0.5, 0.5, 0.5)
    return Layers(modules, tuple(ends[tap] for tap in taps), half, half)


def _parts(stage: nn.Module) -> list[nn.Module]:
    """List the layers of a sequence; what overwrites its input would overwrite a feature."""
    return [nn.ReLU() if isinstance(layer, nn.ReLU) else layer for layer in stage.children()]


def _fix(norm: nn.GroupNorm, features: Tensor, known: Tensor) -> FixedNorm:
    """Compute what a group norm multiplies and adds, from the known part of 'b c h w'."""
    channels, groups = norm.num_channels, norm.num_groups
    total = known.sum().clamp_min(1e-6)
    by_channel = (features * known).sum(dim=(0, 2, 3)) / total
    mean = by_channel.view(groups, -1).mean(dim=1).repeat_interleave(channels // groups)
    centred = features - mean.view(1, -1, 1, 1)
    spread = (centred.square() * known).sum(dim=(0, 2, 3)) / total
    variance = spread.view(groups, -1).mean(dim=1).repeat_interleave(channels // groups)
    scale = norm.weight.detach() * torch.rsqrt(variance + norm.eps)
    shift = norm.bias.detach() - mean * scale
    return FixedNorm(scale.view(1, -1, 1, 1), shift.view(1, -1, 1, 1))


def _measure(layers: nn.ModuleList, taps: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
    """Find the stride of every tap, and how far the last looks around a pixel, px."""
    stride, reach = 1, 0
    strides: list[int] = []
    for index, layer in enumerate(layers):
        if isinstance(layer, nn.Conv2d):
            reach += stride * (layer.kernel_size[0] // 2)
        elif isinstance(layer, (nn.MaxPool2d, nn.AvgPool2d)):
            reach, stride = reach + stride, stride * 2
        if index in taps:
            strides.append(stride)
    return tuple(strides), reach
