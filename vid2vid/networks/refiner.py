"""A refiner: the generator of a finer scale, on top of the features of the coarser one."""

from torch import Tensor, nn

from vid2vid.networks.blocks import Head, Style, down, residual_blocks, stem, up
from vid2vid.networks.outputs import ScaleFeatures


class Refiner(nn.Module):
    """One finer scale (official name: G1, G2 ...; Wang et al. 2018, appendix A).

    Works at half its resolution, where the features of the coarser scale live: both are added, and
    flow and occlusion are predicted anew, not refined.
    """

    def __init__(
        self,
        *,
        window_channels: int,
        history: int,
        width: int,
        foreground_width: int,
        blocks: int,
        style: Style,
        has_flow: bool,
        has_foreground: bool,
    ) -> None:
        super().__init__()
        self.has_flow = has_flow
        self.has_foreground = has_foreground
        self.label_encoder = _half(window_channels, width, style)
        self.frame_encoder = _half(3 * history, width, style)
        self.image_branch = _double(width, blocks, style)
        self.image_head = Head(width, 3)
        if has_flow:
            self.flow_branch = _double(width, blocks, style)
            self.flow_head = Head(width, 2)
            self.occlusion_head = Head(width, 1)
        if has_foreground:
            self.foreground_encoder = _half(window_channels, foreground_width, style)
            self.foreground_branch = _double(foreground_width, blocks, style)
            self.foreground_head = Head(foreground_width, 3)

    def forward(self, window: Tensor, past: Tensor, coarser: ScaleFeatures) -> ScaleFeatures:
        """Encode at this resolution, add the coarser features, decode every branch.

        Args:
            window: 'b (t k) h w', conditioning maps, oldest first.
            past: 'b (l 3) h w', past frames of this scale, oldest first, [-1, 1].
            coarser: features of the scale below, 'b c h/2 w/2'.
        """
        encoded = self.label_encoder(window) + self.frame_encoder(past)
        flow = foreground = None
        if coarser.flow is not None:
            flow = self.flow_branch(encoded + coarser.flow)
        if coarser.foreground is not None:
            foreground = self.foreground_branch(
                self.foreground_encoder(window) + coarser.foreground
            )
        return ScaleFeatures(self.image_branch(encoded + coarser.image), flow, foreground)


def _half(channels_in: int, width: int, style: Style) -> nn.Sequential:
    """Build the stem and one halving."""
    return nn.Sequential(stem(channels_in, width, style), down(width, 2 * width, style))


def _double(width: int, blocks: int, style: Style) -> nn.Sequential:
    """Build residual blocks at half resolution and one doubling."""
    return nn.Sequential(residual_blocks(2 * width, blocks, style), up(2 * width, width, style))
