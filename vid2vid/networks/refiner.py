"""A refiner: the generator of a finer scale, on top of the features of the coarser one."""

from torch import Tensor, nn

from vid2vid.networks.blocks import Head, Style, back, front
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
        self.label_encoder = front(window_channels, width, style)
        self.frame_encoder = front(3 * history, width, style)
        self.image_branch = back(width, blocks, style)
        self.image_head = Head(width, 3)
        if has_flow:
            self.flow_branch = back(width, blocks, style)
            self.flow_head = Head(width, 2)
            self.occlusion_head = Head(width, 1)
        if has_foreground:
            self.foreground_encoder = front(window_channels, foreground_width, style)
            self.foreground_branch = back(foreground_width, blocks, style)
            self.foreground_head = Head(foreground_width, 3)

    @property
    def readers(self) -> list[nn.Module]:
        """The parts whose first convolution reads the window."""
        return [self.label_encoder, *([self.foreground_encoder] if self.has_foreground else [])]

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
