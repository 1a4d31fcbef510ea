"""How far a picture grows on each side: margins in pixels, and from an aspect to margins."""

from fractions import Fraction
from typing import NamedTuple, Self


class Margins(NamedTuple):
    """Pixels that a picture grows by on each side, clockwise from the top."""

    top: int = 0
    right: int = 0
    bottom: int = 0
    left: int = 0

    @property
    def vertical(self) -> int:
        """What the height grows by."""
        return self.top + self.bottom

    @property
    def horizontal(self) -> int:
        """What the width grows by."""
        return self.left + self.right

    @property
    def is_empty(self) -> bool:
        """Whether nothing grows."""
        return not any(self)

    def grown_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the height and width of a picture that has grown."""
        return height + self.vertical, width + self.horizontal

    def window(self, height: int, width: int) -> tuple[slice, slice]:
        """Return where in the grown picture the one of this height and width lies."""
        return slice(self.top, self.top + height), slice(self.left, self.left + width)

    @classmethod
    def around(cls, window: tuple[slice, slice], height: int, width: int) -> Self:
        """Return the margins of a window in a picture of this height and width."""
        rows, columns = window
        return cls(rows.start, width - columns.stop, height - rows.stop, columns.start)


def margins_to_aspect(height: int, width: int, aspect: Fraction) -> Margins:
    """Find the margins with which a picture gets an aspect; it grows and is never cropped.

    What is added is split evenly between two sides; of an odd rest, the right or the bottom side
    gets the pixel more. Where the side that grows is even it stays so: the result is the even
    number next to the exact one, as most video has it.

    Args:
        height: of the picture, px.
        width: likewise.
        aspect: width by height, such as 16/9, of square pixels.

    Returns:
        Margins, all 0 where the picture has the aspect already, to the nearest pixel.

    Raises:
        ValueError: if a size or the aspect is not above 0.
    """
    if min(height, width) < 1 or aspect <= 0:
        raise ValueError(
            "height, width and aspect must be above 0; "
            f"got height {height}, width {width}, aspect {aspect}"
        )
    if Fraction(width, height) < aspect:
        more = _nearest(height * aspect, width) - width
        return Margins(left=more // 2, right=more - more // 2)
    more = _nearest(width / aspect, height) - height
    return Margins(top=more // 2, bottom=more - more // 2)


def _nearest(exact: Fraction, side: int) -> int:
    """Round the size that `side` grows to, which is not less than it."""
    step = 2 if side % 2 == 0 else 1
    return max(side, step * round(exact / step))
