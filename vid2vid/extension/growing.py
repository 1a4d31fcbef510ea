"""Let a picture grow as it was planned: canvas by canvas, then back to its own size."""

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from vid2vid.extension.margins import Margins
from vid2vid.extension.planning import Box, Plan, Step
from vid2vid.inpainting.blending import blend


class Painter(Protocol):
    """Anything that continues a window."""

    def __call__(self, window: Tensor, margins: Margins) -> Tensor:
        """Paint the canvas of a window.

        Args:
            window: '3 h w', [-1, 1].
            margins: of the canvas around it.

        Returns:
            '3 top+h+bottom left+w+right', [-1, 1].
        """
        ...


def enclose(picture: Tensor, margins: Margins) -> Tensor:
    """Lay a picture into a grown one that is 0 elsewhere.

    Args:
        picture: 'c h w' of any dtype.
        margins: around it.

    Returns:
        'c top+h+bottom left+w+right'.
    """
    top, right, bottom, left = margins
    return F.pad(picture, (left, right, top, bottom))


def mark_margins(height: int, width: int, margins: Margins) -> Tensor:
    """Mark what is unknown of a grown picture.

    Args:
        height: of the picture inside, px.
        width: likewise.
        margins: around it.

    Returns:
        'h w' bool of the grown picture: True in the margins.
    """
    unknown = torch.ones(margins.grown_size(height, width), dtype=torch.bool)
    unknown[margins.window(height, width)] = False
    return unknown


def resize(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """Bring a picture to a height and width by cubics over whole areas.

    Args:
        picture: '3 h w', [-1, 1]; one of that size is returned as it is.
        size: height and width, px.
    """
    if picture.shape[1:] == size:
        return picture
    resized = F.interpolate(picture[None], size, mode="bicubic", antialias=True)[0]
    return resized.clamp(-1, 1)


def follow(plan: Plan, picture: Tensor, paint: Painter) -> Tensor:
    """Let a picture grow step by step.

    Args:
        plan: of its size.
        picture: '3 h w', [-1, 1].
        paint: continues windows.

    Returns:
        '3 top+h+bottom left+w+right'; inside the margins it is `picture`.
    """
    grown = enclose(picture, plan.margins)
    known = Box(0, 0, plan.height, plan.width)
    for step in plan.steps:
        seen = _read(grown, step.window, within=known, origin=plan.margins)
        canvas = paint(seen, step.canvas.beyond(step.window)).to(grown)
        _lay(canvas, step, grown, known=known, origin=plan.margins)
        known = step.known
    return grown


def enlarge(plan: Plan, grown: Tensor, margins: Margins, *, height: int, width: int) -> Tensor:
    """Bring a picture that has grown at another scale to the scale of the original.

    Args:
        plan: that it grew by, with margins a little wider than needed.
        grown: '3 h w', what `follow` made.
        margins: of the result around the original.
        height: of the original, px.
        width: likewise.

    Returns:
        '3 top+height+bottom left+width+right', interpolated by cubics; the original lies in it
        where `margins` say, to a fraction of a pixel.
    """
    rows = _sources(height, (margins.top, margins.bottom), plan.height, plan.margins.top)
    columns = _sources(width, (margins.left, margins.right), plan.width, plan.margins.left)
    # grid_sample counts from -1 at the outer edge of the first pixel to 1 at that of the last.
    down = (2 * rows + 1) / grown.shape[1] - 1
    across = (2 * columns + 1) / grown.shape[2] - 1
    size = (len(down), len(across))
    grid = torch.stack([across.expand(*size), down[:, None].expand(*size)], dim=-1)
    found = F.grid_sample(
        grown[None],
        grid[None].to(grown),
        mode="bicubic",
        padding_mode="border",
        align_corners=False,
    )
    return found[0].clamp(-1, 1)


def _sources(side: int, more: tuple[int, int], small: int, before: int) -> Tensor:
    """Find for every pixel along one axis where it lies in the small picture, in its pixels."""
    pixels = torch.arange(-more[0], side + more[1], dtype=torch.float64)
    return (pixels + 0.5) * small / side - 0.5 + before


def _read(grown: Tensor, window: Box, *, within: Box, origin: Margins) -> Tensor:
    """Cut a window out; rows and columns beyond what is known repeat its border."""
    rows = torch.arange(window.top, window.bottom).clamp(within.top, within.bottom - 1)
    columns = torch.arange(window.left, window.right).clamp(within.left, within.right - 1)
    rows, columns = (each.to(grown.device) for each in (rows, columns))
    return grown[:, (rows + origin.top)[:, None], columns + origin.left]


def _lay(canvas: Tensor, step: Step, grown: Tensor, *, known: Box, origin: Margins) -> None:
    """Take from a canvas what is new, fitted to what is known.

    A small SRN after 750 steps on 57 photographs, on ten others, 64x64 in the middle of 128x128:
    15.4 dB in the unknown part fitted by Poisson's equation, 14.7 dB feathered over 24 px, 14.4 dB
    by bands, 14.2 dB as it was painted.
    """
    area = step.canvas.shared(step.known)
    new = torch.ones(area.height, area.width, dtype=torch.bool, device=grown.device)
    new[known.shared(area).within(area)] = False
    place = area.within(Box(-origin.top, -origin.left, 0, 0))
    grown[:, *place] = blend(grown[:, *place], canvas[:, *area.within(step.canvas)], new)
