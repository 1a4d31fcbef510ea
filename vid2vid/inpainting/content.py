"""What a content network says of holes of any place and form, in a picture of any size.

The network sees square windows of the size that it was trained at. One of the form `centre` needs
its hole in their middle, so every window is laid around the box of one hole, and scaled so that the
box is as large as it was in training (Yang et al. 2017; the released code shows it for one hole).
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from flow.padding import Padding
from vid2vid.controls.known import blank
from vid2vid.inpainting.masks import Hole, split_holes
from vid2vid.networks.interface import Generator

WINDOW = 2  # times the side of a hole, that a network of the form `whole` is shown of a picture


class ContentNetwork(NamedTuple):
    """A trained content network, and how it was shown holes."""

    generator: Generator  # of kind context_encoder, in evaluation mode
    size: int  # height and width of what it was trained on, px
    hole: int | None  # height and width of the hole in the middle of that, px; None = any holes
    overlap: int  # known pixels around a hole that it paints as well
    fill: tuple[float, float, float]  # red, green and blue of unknown pixels


class _View(NamedTuple):
    """A square window of a picture, which may reach beyond it, px."""

    top: int
    left: int
    side: int

    def padding(self, height: int, width: int) -> Padding:
        """Return how far it reaches beyond a picture."""
        return Padding(
            left=max(0, -self.left),
            right=max(0, self.left + self.side - width),
            top=max(0, -self.top),
            bottom=max(0, self.top + self.side - height),
        )

    def cut(self, picture: Tensor) -> Tensor:
        """Cut '... h w' to '... side side'; beyond the border its pixels go on."""
        padding = self.padding(picture.shape[-2], picture.shape[-1])
        padded = padding.pad(picture)
        top, left = self.top + padding.top, self.left + padding.left
        return padded[..., top : top + self.side, left : left + self.side]


@torch.no_grad()
def predict_content(network: ContentNetwork, picture: Tensor, unknown: Tensor) -> Tensor:
    """Fill the holes of a picture as a content network does: large shapes without texture.

    Holes farther apart than twice the overlap are filled one after the other, the smallest first;
    each sees what came before it.

    Args:
        network: on any device.
        picture: '3 h w', RGB in [-1, 1]; what it holds at unknown pixels counts for nothing.
        unknown: 'h w', bool; True = to be filled.

    Returns:
        '3 h w' in [-1, 1], on the device of `picture`; known pixels bit for bit. The same call
        gives the same bits.

    Raises:
        ValueError: if nothing is known, or the shapes do not fit.
    """
    if unknown.shape != picture.shape[1:] or picture.shape[0] != 3 or bool(unknown.all()):
        raise ValueError(
            "unknown must be 'h w' with the h and w of the picture '3 h w', and leave some known; "
            f"got {tuple(unknown.shape)} for {tuple(picture.shape)}, "
            f"{int(unknown.sum())} pixels unknown"
        )
    canvas, left = blank(picture, unknown, fill=network.fill)[:3], unknown
    holes = split_holes(unknown, apart=2 * network.overlap)
    for hole in sorted(holes, key=lambda hole: int(hole.unknown.sum())):
        painted = _paint(network, canvas, unknown=left, hole=hole)
        canvas = torch.where(hole.unknown, painted, canvas)
        left = left & ~hole.unknown
    return canvas


def _paint(network: ContentNetwork, canvas: Tensor, *, unknown: Tensor, hole: Hole) -> Tensor:
    """Paint a hole of a canvas, whose unknown pixels hold the fill: '3 h w'.

    What is returned is of use in the hole alone.
    """
    size = network.size
    if network.hole is None:
        view = _view_any(hole, size=size, limits=canvas.shape[1:])
        mask = _resize(view.cut(unknown).float(), size) > 0
    else:
        view = _view_middle(hole, enlargement=size / network.hole)
        mask = _resize(view.cut(hole.unknown).float(), size) > 0
        start = (size - network.hole) // 2
        mask[start : start + network.hole, start : start + network.hole] = True
    shown = blank(_resize(view.cut(canvas), size), mask, fill=network.fill)
    device = next(network.generator.parameters()).device
    output = network.generator(shown[None, None].to(device), ())[0]
    return _lay(_resize(output.hallucinated[0].to(canvas), view.side), view, like=canvas)


def _view_middle(hole: Hole, *, enlargement: float) -> _View:
    """Lay a window around the middle of a hole's box, so many times its longer side."""
    side = max(1, round(hole.longest_side * enlargement))
    top, left = ((part.start + part.stop - side) // 2 for part in (hole.rows, hole.columns))
    return _View(top, left, side)


def _view_any(hole: Hole, *, size: int, limits: Sequence[int]) -> _View:
    """Lay a window around a hole's box, within the picture where it can be.

    It is `WINDOW` times the box, at least the trained size, but no larger than the picture is.
    """
    side = max(hole.longest_side, min(max(WINDOW * hole.longest_side, size), *limits))
    top, left = (
        sorted((0, (part.start + part.stop - side) // 2, limit - side))[1]
        for part, limit in zip((hole.rows, hole.columns), limits, strict=True)
    )
    return _View(top, left, side)


def _lay(painted: Tensor, view: _View, *, like: Tensor) -> Tensor:
    """Lay 'c side side' where its window lies in a picture; zeros around it."""
    height, width = like.shape[1:]
    padding = view.padding(height, width)
    inner = padding.crop(painted)
    result = torch.zeros_like(like)
    top, left = max(0, view.top), max(0, view.left)
    result[:, top : top + inner.shape[1], left : left + inner.shape[2]] = inner
    return result


def _resize(pictures: Tensor, side: int) -> Tensor:
    """Bring 'c h w', or a mask 'h w', to a square size; what shrinks is averaged."""
    if pictures.shape[-2:] == (side, side):
        return pictures
    stacked = pictures.reshape(1, -1, *pictures.shape[-2:])
    resized = F.interpolate(stacked, (side, side), mode="bilinear", antialias=True)
    return resized.view(*pictures.shape[:-2], side, side)
