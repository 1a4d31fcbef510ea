"""Join two pictures: an SRN continues each towards the other, and one canvas is painted of both.

The features of either window are expanded on a canvas of its own; across the gap one set is faded
into the other, and the second network paints the whole: known, unknown, known.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from vid2vid.controls.known import blank
from vid2vid.errors import ConfigError
from vid2vid.extension.growing import enclose, mark_margins, resize
from vid2vid.extension.layout import HALVINGS, Layout
from vid2vid.extension.margins import Margins
from vid2vid.extension.planning import SMALLEST_SIDE
from vid2vid.inpainting.blending import blend
from vid2vid.networks.srn import SRN

Fill = tuple[float, float, float]


class Joint(NamedTuple):
    """How the strips on either side of a gap are seen; all px."""

    strip: int  # width of each strip, in the pictures
    small_height: int  # what the strips and the gap become before the network sees them
    small_strip: int
    small_gap: int


class Joiner:
    """Joins pictures with one network."""

    def __init__(self, network: SRN, layout: Layout, *, fill: Fill) -> None:
        """Keep a network.

        Args:
            network: its input has nothing but the control `known`.
            layout: that it was trained for.
            fill: red, green and blue of unknown pixels, as in its training.
        """
        self._network, self._layout, self._fill = network, layout, fill

    def plan(self, height: int, width: int, gap: int) -> Joint:
        """Plan how two pictures of one height are joined.

        Args:
            height: of both, px.
            width: of the narrower one.
            gap: between them, at least `HALVINGS`.

        Raises:
            ConfigError: if the network does not continue pictures to both sides, or they are small.
        """
        layout = self._layout
        reach = min(layout.reach.left, layout.reach.right) // HALVINGS * HALVINGS
        if not reach:
            raise ConfigError(
                "joining two pictures needs a checkpoint that continues them to the left and to "
                f"the right; this one was trained from {layout.describe()}: give another one"
            )
        smallest = max(SMALLEST_SIDE, layout.multiple)
        if min(height, width) < smallest or gap < HALVINGS:
            raise ConfigError(
                f"pictures must have at least {smallest} pixels on each side to be joined, and the "
                f"gap {HALVINGS}; the narrower one is {width}x{height}, the gap {gap}: enlarge them"
            )
        small_gap = min(gap // HALVINGS * HALVINGS, reach)
        scale = small_gap / gap
        strip = min(layout.window_width, int(width * scale) // layout.multiple * layout.multiple)
        strip = max(strip, layout.multiple)
        small_height = layout.multiple * max(1, round(height * scale / layout.multiple))
        return Joint(min(width, round(strip / scale)), small_height, strip, small_gap)

    @torch.no_grad()
    def join(self, left: Tensor, right: Tensor, gap: int) -> Tensor:
        """Join two pictures.

        Args:
            left: '3 h w', RGB in [-1, 1], on the device of the network.
            right: '3 h w', of the same height.
            gap: between the pictures, px.

        Returns:
            '3 h w+gap+w' in [-1, 1]; both pictures are in it bit for bit.

        Raises:
            ConfigError: as `plan`.
        """
        height, strip = left.shape[1], min(left.shape[2], right.shape[2])
        joint = self.plan(height, strip, gap)
        strip = joint.strip
        near = (left[:, :, -strip:], right[:, :, :strip])
        size = (joint.small_height, joint.small_strip)
        painted = self._paint(resize(near[0], size), resize(near[1], size), joint.small_gap)
        known = _put_together(*near, gap)
        unknown = torch.zeros(known.shape[1:], dtype=torch.bool, device=known.device)
        unknown[:, strip : strip + gap] = True
        whole = blend(known, resize(painted, (height, known.shape[2])), unknown)
        return torch.cat([left, whole[:, :, strip : strip + gap], right], dim=2)

    def _paint(self, left: Tensor, right: Tensor, gap: int) -> Tensor:
        """Paint strip, gap and strip of two strips of one size: '3 h strip+gap+strip'."""
        height, strip = left.shape[1:]
        ahead = self._layout.place(height, strip, Margins(right=gap))
        behind = self._layout.place(height, strip, Margins(left=gap))
        if ahead is None or behind is None:  # the reach of a window always fits into its canvas
            raise ValueError(f"a canvas of {self._layout} must hold {gap} px beside {strip}")
        first = self._expand(left, ahead)[..., ahead.left : ahead.left + strip + gap]
        second = self._expand(right, behind)[..., behind.left - gap : behind.left + strip]
        share = (torch.arange(gap, device=left.device) + 0.5) / gap
        faded = torch.lerp(first[..., strip:], second[..., :gap], share)
        expanded = torch.cat([first[..., :strip], faded, second[..., gap:]], dim=3)
        around = Margins(top=ahead.top, bottom=ahead.bottom)
        canvas = enclose(_put_together(left, right, gap), around)
        unknown = mark_margins(height, 2 * strip + gap, around).to(left.device)
        unknown[:, strip : strip + gap] = True
        maps = blank(canvas, unknown, fill=self._fill)[None]
        painted = self._network.context(expanded, maps, maps[:, 3:])[0]
        return painted[:, around.top : around.top + height]

    def _expand(self, window: Tensor, margins: Margins) -> Tensor:
        """Make the features of one window's canvas, 'b c h w'."""
        unknown = mark_margins(window.shape[1], window.shape[2], margins).to(window.device)
        maps = blank(enclose(window, margins), unknown, fill=self._fill)[None]
        return self._network.expand(maps[:, :3], maps[:, 3:])


def _put_together(left: Tensor, right: Tensor, gap: int) -> Tensor:
    """Put two pictures side by side with a gap of 0 between them."""
    return torch.cat([left, left.new_zeros(*left.shape[:2], gap), right], dim=2)
