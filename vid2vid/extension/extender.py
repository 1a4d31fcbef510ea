"""A network that continues pictures, at work on pictures of any size, with any mask."""

import torch
from torch import Tensor

from vid2vid.extension.growing import Painter, enclose, enlarge, follow, mark_margins, resize
from vid2vid.extension.layout import Layout
from vid2vid.extension.margins import Margins
from vid2vid.extension.planning import Plan, plan_growth
from vid2vid.extension.rectangle import largest_rectangle
from vid2vid.inpainting.blending import blend


class Extender:
    """Continues pictures beyond what is known of them; an `Inventor`."""

    def __init__(self, paint: Painter, layout: Layout, *, scale: float | None = None) -> None:
        """Keep what continues a window.

        Args:
            paint: the network.
            layout: what it was trained for.
            scale: at which pictures grow; None = chosen for each, see `plan_growth`.
        """
        self._paint, self.layout, self._scale = paint, layout, scale

    def plan(self, height: int, width: int, margins: Margins) -> Plan:
        """Plan how a picture of a size grows.

        Raises:
            ConfigError: if the network does not continue pictures there, or it is too small.
        """
        return plan_growth(height, width, margins, layout=self.layout, scale=self._scale)

    def extend(self, picture: Tensor, margins: Margins) -> Tensor:
        """Let a picture grow.

        Args:
            picture: '3 h w', RGB in [-1, 1].
            margins: at least one above 0.

        Returns:
            '3 top+h+bottom left+w+right' in [-1, 1]; inside the margins it is `picture`, bit for
            bit.

        Raises:
            ConfigError: as `plan`.
        """
        height, width = picture.shape[1:]
        plan = self.plan(height, width, margins)
        if (plan.height, plan.width) == (height, width):
            return follow(plan, picture, self._paint)
        grown = follow(plan, resize(picture, (plan.height, plan.width)), self._paint)
        painted = enlarge(plan, grown, margins, height=height, width=width)
        unknown = mark_margins(height, width, margins).to(picture.device)
        return blend(enclose(picture, margins), painted, unknown)

    def __call__(self, picture: Tensor, unknown: Tensor) -> Tensor:
        """Fill whatever is unknown; see `Inventor`.

        The largest known rectangle grows to the size of the picture; what else is known is laid on
        top, and what was painted is fitted to it.

        Raises:
            ConfigError: if the network does not continue pictures on a side of that rectangle.
            ValueError: if nothing is known.
        """
        if not unknown.any():
            return picture
        rows, columns = largest_rectangle(~unknown.cpu().numpy())
        if rows.start == rows.stop:
            raise ValueError("an extension needs known pixels to begin from; all are unknown")
        margins = Margins.around((rows, columns), *unknown.shape)
        painted = self.extend(picture[:, rows, columns], margins)
        if torch.equal(unknown, mark_margins(*_sides(rows, columns), margins).to(unknown.device)):
            return painted
        return blend(picture, painted, unknown)


def _sides(rows: slice, columns: slice) -> tuple[int, int]:
    return rows.stop - rows.start, columns.stop - columns.start
