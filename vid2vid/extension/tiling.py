"""Margins that let a picture grow by the ratio that a network was trained for, again and again."""

from vid2vid.extension.layout import Layout
from vid2vid.extension.margins import Margins


def own_margins(layout: Layout, height: int, width: int) -> Margins:
    """Find the margins with which a picture becomes as much larger as a canvas than its window.

    Args:
        layout: of the network.
        height: of the picture, px.
        width: likewise.

    Returns:
        Margins as even as the layout has them.
    """
    rows, columns = layout.ratio
    down, across = int(height * (rows - 1)), int(width * (columns - 1))
    top = 0 if layout.position == "top" else down // 2
    return Margins(top, across - across // 2, down - top, across // 2)
