"""The layers that both networks of an SRN are made of: zeros around, ELU after each."""

from collections.abc import Sequence
from typing import Literal

from torch import nn

from vid2vid.networks.blocks import norm_layer

LayerNorm = Literal["none", "group"]


class Layers:
    """Lists the layers of both networks, all normalised alike."""

    def __init__(self, norm: LayerNorm, dilations: Sequence[int]) -> None:
        """Keep what all layers share: what stands before every ELU, and how far they see."""
        self._norm: LayerNorm = norm
        self._dilations = dilations

    def activate(self, channels: int) -> list[nn.Module]:
        """List the normalisation, if there is one, and ELU."""
        norms = [] if self._norm == "none" else [norm_layer(self._norm, channels)]
        return [*norms, nn.ELU(inplace=True)]

    def layer(
        self,
        channels_in: int,
        channels_out: int,
        *,
        kernel: int = 3,
        stride: int = 1,
        step: int = 1,
    ) -> list[nn.Module]:
        """List a convolution with zeros around it, whose taps are `step` px apart, and ELU."""
        padding = step * (kernel // 2)
        conv = nn.Conv2d(
            channels_in, channels_out, kernel, stride=stride, padding=padding, dilation=step
        )
        return [conv, *self.activate(channels_out)]

    def grow(self, channels_in: int, channels_out: int) -> list[nn.Module]:
        """List a doubling by nearest pixels, and a layer."""
        return [nn.Upsample(scale_factor=2, mode="nearest"), *self.layer(channels_in, channels_out)]

    def dilated(self, channels: int) -> list[nn.Module]:
        """List layers that see farther and farther."""
        steps = self._dilations
        return [each for step in steps for each in self.layer(channels, channels, step=step)]
