"""From margins to canvases: how a picture of any size grows with a network of one layout.

Two things bind a network: a canvas is larger than its window by a fixed ratio, and it has
learnt to continue a picture for so many pixels, at the scale of the pictures that it was trained
on. So the picture is shrunk first until the widest margin is no wider than what was learnt. Then
either the whole picture is the window of one canvas, of which the margins are cut out, or each side
grows by itself from a strip of its border, as often as it takes.
"""

import math
from typing import Literal, NamedTuple

from vid2vid.errors import ConfigError
from vid2vid.extension.layout import Layout
from vid2vid.extension.margins import Margins

Way = Literal["canvas", "strips"]

LARGEST_WINDOW = 2.0
"""Times a side of the trained window that a whole picture may be and still be one window."""
SMALLEST_SIDE = 16
"""Pixels that a side of a picture must have: four at the bottleneck."""

TOP, RIGHT, BOTTOM, LEFT = range(4)  # of `Margins`
TOLERANCE = 1e-6  # px, of floats that should be whole


class Box(NamedTuple):
    """A rectangle in pixels of the grown picture; the last row and column lie outside."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    def grow(self, margins: Margins) -> "Box":
        """Return the box with more on each side."""
        top, right, bottom, left = margins
        return Box(self.top - top, self.left - left, self.bottom + bottom, self.right + right)

    def beyond(self, other: "Box") -> Margins:
        """Return how far this box reaches beyond another on each side; 0 where it does not."""
        return Margins(
            max(0, other.top - self.top),
            max(0, self.right - other.right),
            max(0, self.bottom - other.bottom),
            max(0, other.left - self.left),
        )

    def shared(self, other: "Box") -> "Box":
        """Return what two boxes that overlap have in common."""
        return Box(
            max(self.top, other.top),
            max(self.left, other.left),
            min(self.bottom, other.bottom),
            min(self.right, other.right),
        )

    def within(self, other: "Box") -> tuple[slice, slice]:
        """Return its rows and columns, counted from the top left corner of another."""
        top, left = self.top - other.top, self.left - other.left
        return slice(top, top + self.height), slice(left, left + self.width)


class Step(NamedTuple):
    """One run of the network."""

    window: Box  # that it sees; rows or columns beyond what is known repeat the border
    canvas: Box  # that it paints
    known: Box  # all that is known afterwards


class Plan(NamedTuple):
    """How a picture grows."""

    height: int  # of the picture while it grows, px
    width: int
    margins: Margins  # likewise
    way: Way
    steps: tuple[Step, ...]

    def describe(self, height: int, width: int) -> str:
        """Say in words how a picture of this height and width grows."""
        shrunk = (
            f"at {self.width}x{self.height} instead of {width}x{height}, "
            if (self.height, self.width) != (height, width)
            else ""
        )
        if self.way == "canvas":
            canvas = self.steps[0].canvas
            return f"{shrunk}as one canvas of {canvas.width}x{canvas.height}, cropped"
        count = len(self.steps)
        return f"{shrunk}strip by strip, in {count} {'strip' if count == 1 else 'strips'}"


def plan_growth(
    height: int, width: int, margins: Margins, *, layout: Layout, scale: float | None = None
) -> Plan:
    """Plan how a picture grows by margins.

    Args:
        height: of the picture, px.
        width: likewise.
        margins: at least one above 0.
        layout: of the network.
        scale: at which the picture grows, above 0 to 1; None = the largest at which no margin is
            wider than what the network has learnt to continue.

    Raises:
        ConfigError: if the network does not continue pictures on one of the sides, or the picture
            is too small.
        ValueError: if no margin is above 0, or the scale is out of its range.
    """
    if margins.is_empty or min(margins) < 0:
        raise ValueError(f"margins must be at least 0 and one of them above; got {margins}")
    if scale is not None and not 0 < scale <= 1:
        raise ValueError(f"scale must be above 0 and at most 1; got {scale}")
    _check(height, width, margins, layout)
    factor = _choose_scale(margins, layout) if scale is None else scale
    factor = min(1.0, max(factor, _smallest(layout) / min(height, width)))
    if factor < 1:
        # Sides of whole multiples, so that windows neither lose nor repeat pixels.
        height, width = (_round(side * factor, layout.multiple) for side in (height, width))
        margins = Margins(*(_shrink(px, factor) for px in margins))
    step = _plan_canvas(height, width, margins, layout)
    if step is not None:
        return Plan(height, width, margins, "canvas", (step,))
    return Plan(height, width, margins, "strips", _plan_strips(height, width, margins, layout))


def _smallest(layout: Layout) -> int:
    return max(SMALLEST_SIDE, layout.multiple)


def _check(height: int, width: int, margins: Margins, layout: Layout) -> None:
    """Refuse sides that were never continued, and pictures of a few pixels.

    Raises:
        ConfigError: saying which.
    """
    beyond = any(px and not reach for px, reach in zip(margins, layout.reach, strict=True))
    if beyond:
        asked = ",".join(map(str, margins))
        raise ConfigError(
            f"margins must lie where the checkpoint continues pictures ({', '.join(layout.sides())}"
            f"; it was trained from {layout.describe()}); got top,right,bottom,left {asked}: give "
            "other margins, or a checkpoint of random windows"
        )
    smallest = _smallest(layout)
    if min(height, width) < smallest:
        raise ConfigError(
            f"a picture must have at least {smallest} pixels on each side to be extended; it is "
            f"{width}x{height}: enlarge it first"
        )


def _choose_scale(margins: Margins, layout: Layout) -> float:
    """Find the scale at which every margin is within reach, rounded up as `_shrink` does."""
    pairs = zip(margins, layout.reach, strict=True)
    return min(1.0 if px <= reach else (reach - 1) / px for px, reach in pairs)


def _shrink(px: int, factor: float) -> int:
    """Scale a margin and round it up, with a pixel to interpolate from."""
    return math.ceil(px * factor - TOLERANCE) + 1 if px else 0


def _round(side: float, multiple: int) -> int:
    """Round to a multiple."""
    return multiple * round(side / multiple)


def _plan_canvas(height: int, width: int, margins: Margins, layout: Layout) -> Step | None:
    """Take the whole picture for the window of one canvas, where that fits."""
    limits = (LARGEST_WINDOW * layout.window_height, LARGEST_WINDOW * layout.window_width)
    was_never = any(px > most for px, most in zip(margins, layout.farthest, strict=True))
    if was_never or height > limits[0] or width > limits[1]:
        return None
    picture = Box(0, 0, height, width)
    side_down, side_right = margins.bottom > margins.top, margins.right > margins.left
    window = _fit(picture, layout, keeps_bottom=side_down, keeps_right=side_right)
    return _place(window, picture, margins, layout)


def _plan_strips(height: int, width: int, margins: Margins, layout: Layout) -> tuple[Step, ...]:
    """Let the sides grow one after the other: left and right first, then the rest at full width."""
    steps: list[Step] = []
    known = Box(0, 0, height, width)
    for side in (LEFT, RIGHT, TOP, BOTTOM):
        left_over = margins[side]
        while left_over:
            step = _plan_strip(known, layout, side=side, wanted=left_over)
            left_over -= step.known.beyond(known)[side]
            known = step.known
            steps.append(step)
    return tuple(steps)


def _plan_strip(known: Box, layout: Layout, *, side: int, wanted: int) -> Step:
    """Let one side grow by what is within reach, from a strip as deep as the trained window."""
    trained = layout.window_height if side in (TOP, BOTTOM) else layout.window_width
    depth = min(trained, known.height if side in (TOP, BOTTOM) else known.width)
    strip = (
        known._replace(bottom=known.top + depth),
        known._replace(left=known.right - depth),
        known._replace(top=known.bottom - depth),
        known._replace(right=known.left + depth),
    )[side]
    window = _fit(strip, layout, keeps_bottom=side == BOTTOM, keeps_right=side == RIGHT)
    seen = window.height if side in (TOP, BOTTOM) else window.width
    reach = layout.reach[side] * seen // trained - known.beyond(window)[side]
    grown = Margins(*(min(wanted, reach) * (each == side) for each in range(4)))
    step = _place(window, known, grown, layout)
    if step is None:  # the reach of a window always fits into its canvas
        raise ValueError(f"a canvas of {layout} must hold {grown} around {window}; it does not")
    return step


def _place(window: Box, known: Box, margins: Margins, layout: Layout) -> Step | None:
    """Put a canvas around a window so that what is known grows by margins; None = it cannot."""
    grown = known.grow(margins)
    top, right, bottom, left = grown.beyond(window)
    needed = Margins(
        0 if margins.bottom and not margins.top else top,
        0 if margins.left and not margins.right else right,
        0 if margins.top and not margins.bottom else bottom,
        0 if margins.right and not margins.left else left,
    )
    found = layout.place(window.height, window.width, needed)
    return None if found is None else Step(window, window.grow(found), grown)


def _fit(box: Box, layout: Layout, *, keeps_bottom: bool, keeps_right: bool) -> Box:
    """Bring the sides of a window to the multiple of the layout.

    Where the canvas is larger than its window the window loses the rest, of which the network then
    paints what is known; elsewhere it gets more, in which the border repeats.

    Args:
        box: what would be seen.
        layout: of the network.
        keeps_bottom: whether the top loses it; a window at the top of its canvas never does.
        keeps_right: whether the left side loses it.
    """
    rows, columns = layout.ratio
    keeps_bottom = keeps_bottom and layout.position != "top"
    down, across = box.height % layout.multiple, box.width % layout.multiple
    if rows == 1:
        box = box.grow(Margins(bottom=-down % layout.multiple))
    else:
        box = box.grow(Margins(top=-down) if keeps_bottom else Margins(bottom=-down))
    if columns == 1:
        return box.grow(Margins(right=-across % layout.multiple))
    return box.grow(Margins(left=-across) if keeps_right else Margins(right=-across))
