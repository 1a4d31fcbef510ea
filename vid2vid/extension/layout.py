"""What canvases a network was trained for, and where a window may lie in one."""

import math
from fractions import Fraction
from typing import Literal, NamedTuple

from vid2vid.extension.margins import Margins

Position = Literal["random", "centre", "top"]

HALVINGS = 4  # what the sides of windows and canvases divide by (Wang et al. 2019, FEN and CPN)
SIDES = ("top", "right", "bottom", "left")  # as in `Margins`


class Layout(NamedTuple):
    """The canvas of a network in training, and the known window in it; all sides in px."""

    height: int  # of the canvas
    width: int
    window_height: int
    window_width: int
    position: Position  # of the window: anywhere, in the middle, or at the top in the middle

    @property
    def ratio(self) -> tuple[Fraction, Fraction]:
        """How many times higher and wider than its window a canvas is."""
        return Fraction(self.height, self.window_height), Fraction(self.width, self.window_width)

    @property
    def multiple(self) -> int:
        """What the sides of a window divide by, so that those of its canvas are whole."""
        return HALVINGS * math.lcm(*(each.denominator for each in self.ratio))

    @property
    def reach(self) -> Margins:
        """How far the window was continued on each side.

        Where the window lay anywhere this is half of what was unknown: the mean, since the network
        has rarely seen all of it on one side.
        """
        rows, columns = self.height - self.window_height, self.width - self.window_width
        half = columns // 2
        if self.position == "top":
            return Margins(0, half, rows, half)
        return Margins(rows // 2, half, rows // 2, half)

    @property
    def farthest(self) -> Margins:
        """The most that was ever unknown on each side."""
        if self.position != "random":
            return self.reach
        rows, columns = self.height - self.window_height, self.width - self.window_width
        return Margins(rows, columns, rows, columns)

    def describe(self) -> str:
        """Say in words what the network was trained for, width x height."""
        where = {
            "random": "anywhere in it",
            "centre": "in its middle",
            "top": "at its top",
        }
        return (
            f"{self.window_width}x{self.window_height} to {self.width}x{self.height}, "
            f"the known part {where[self.position]}"
        )

    def sides(self) -> list[str]:
        """Name the sides on which the network continues a picture."""
        return [name for name, px in zip(SIDES, self.reach, strict=True) if px]

    def place(self, height: int, width: int, margins: Margins) -> Margins | None:
        """Find where a window lies in its canvas so that the canvas holds given margins.

        Args:
            height: of the window, px.
            width: likewise.
            margins: that are needed around it.

        Returns:
            The margins of the canvas, none below the needed one and as even as the layout has
            them; None where the canvas is too small, or the window must not lie so.
        """
        rows, columns = self.ratio
        down, across = int(height * (rows - 1)), int(width * (columns - 1))
        vertical = self._split(down, margins.top, margins.bottom, is_row=True)
        horizontal = self._split(across, margins.left, margins.right, is_row=False)
        if vertical is None or horizontal is None:
            return None
        return Margins(vertical[0], horizontal[1], vertical[1], horizontal[0])

    def _split(self, more: int, before: int, after: int, *, is_row: bool) -> tuple[int, int] | None:
        """Split what a canvas adds on one axis into what lies before and after the window."""
        first = 0 if is_row and self.position == "top" else more // 2
        if self.position == "random":
            first = max(min(first, more - after), before)
        fits = before <= first and after <= more - first
        return (first, more - first) if fits else None
