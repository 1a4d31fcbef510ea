"""Texture and shapes to begin from: a hole laid with the known windows that are nearest to it.

The texture term on the pixels themselves, minimised in turn over windows and pixels, coarse to fine
(Wexler et al. 2007, "Space-Time Completion of Video"; Kwatra et al. 2005). From a smooth content
alone L-BFGS finds but a weak texture, for the patches nearest to something smooth are smooth.
"""

from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vid2vid.inpainting.masks import shrink_mask
from vid2vid.inpainting.matching import touching
from vid2vid.inpainting.peeling import peel
from vid2vid.inpainting.places import (
    MIDDLE,
    SIZE,
    Gallery,
    Sources,
    improve,
    search,
    take_over,
)
from vid2vid.inpainting.pyramid import enlarge

ROUNDS = (
    6  # of choosing windows and laying them, up to ROUNDS_UP_TO px; finer ones have FINE_ROUNDS
)
ROUNDS_UP_TO = 128
FINE_ROUNDS = 2
EXACT_UP_TO = 72  # px, of the longer side: searched over and over
SHARP_PX = 1.5  # deviation of the votes at what is finer: a mean of whole windows would be smooth
INWARD = 1.2  # times by which a window counts less for every px from the rim (Wexler et al. 2007)
QUANTILE = 0.75  # of the squared distances, which counts as one deviation (Wexler et al. 2007)
SHALLOW = 4.0  # px, from a hole's rim to its middle at the first level: about a window
LEAST_KNOWN = 30  # windows


class Sketch(NamedTuple):
    """A hole filled by voting."""

    picture: Tensor  # '3 h w'
    sources: Sources | None  # None where no window is known


def vote(
    gallery: Gallery,
    sources: Sources,
    *,
    shares: Tensor | None = None,
    spread: float | None = None,
) -> Tensor:
    """Lay the sources' pixels over a hole, and over the known pixels within a window of it.

    Args:
        gallery: 'c h w' each, the picture first.
        sources: of its windows.
        shares: 'm', how much each window counts; None = alike.
        spread: deviation of how much a pixel of a window counts by its distance from the middle,
            px; None = all alike.

    Returns:
        'c h w'; where no window lies, the picture.
    """
    own = gallery[0]
    height, width = sources.wanted.shape
    index = sources.wanted.flatten().nonzero()[:, 0]
    counted = own.new_ones(len(index)) if shares is None else shares
    total = own.new_zeros(own.shape[0] + 1, own.shape[1], own.shape[2])
    for down in range(SIZE):
        for right in range(SIZE):
            far = (down - MIDDLE) ** 2 + (right - MIDDLE) ** 2
            near = 1.0 if spread is None else max(float(np.exp(-far / (2 * spread**2))), 1e-9)
            layer = own.new_zeros(len(total), height * width)
            layer[:-1, index] = _pick(gallery, sources.places, down, right) * (counted * near)
            layer[-1, index] = counted * near
            total[:, down : down + height, right : right + width] += layer.view(-1, height, width)
    weight = total[-1:]
    return torch.where(weight > 0, total[:-1] / weight.clamp_min(1e-30), own)


def begin(gallery: Gallery, unknown: Tensor) -> Sketch:
    """Draw a first sketch, of a hole that is shallow or as shallow as it can be made.

    Args:
        gallery: in [-1, 1], the picture first, its hole filled somehow.
        unknown: 'h w' bool.
    """
    peeled = peel(gallery, unknown)
    if peeled is None:
        return Sketch(gallery[0], None)
    sources = search([peeled, *gallery[1:]], unknown)
    return _settle(Sketch(peeled, sources), gallery, unknown)


def follow(coarse: Sketch, gallery: Gallery, unknown: Tensor) -> Sketch:
    """Take a sketch to a level of twice the size.

    Args:
        coarse: of the level below.
        gallery: of the finer level, the picture first, its hole filled somehow.
        unknown: 'h w' bool.
    """
    if coarse.sources is None:
        return begin(gallery, unknown)
    picture = gallery[0]
    larger = enlarge(coarse.picture, (picture.shape[1], picture.shape[2]))
    filled = torch.where(unknown, larger, picture)
    sources = take_over(coarse.sources, [filled, *gallery[1:]], unknown)
    if sources is None:
        return Sketch(filled, None)
    voted = _vote_in(Sketch(filled, sources), gallery, unknown)
    return _settle(Sketch(voted, sources), gallery, unknown)


def halvings_to_begin(unknown: Tensor) -> int:
    """Count halvings until a hole is shallow, while enough is known around it.

    Args:
        unknown: 'h w' bool.
    """
    count, mask = 0, unknown
    while float(_depths(mask).max()) > SHALLOW:
        size = (-(-mask.shape[0] // 2), -(-mask.shape[1] // 2))
        if min(size) < 2 * SIZE:
            break
        mask = shrink_mask(mask, size)
        if int((~touching(mask, SIZE)).sum()) < LEAST_KNOWN:
            break
        count += 1
    return count


def draw_near(
    picture: Tensor, content: Tensor, unknown: Tensor, *, pull: float, broad: int
) -> Tensor:
    """Move the broad colours of a hole towards those of the content.

    Args:
        picture: '3 h w'.
        content: '3 h w'.
        unknown: 'h w' bool, what may change.
        pull: how far, 0 to 1.
        broad: px, over which colours are averaged; odd.
    """
    if not pull:
        return picture
    mask = unknown[None].float()
    apart = torch.cat([(content - picture) * mask, mask])
    blurred = F.avg_pool2d(apart[None], broad, 1, broad // 2)[0]
    return torch.where(unknown, picture + pull * blurred[:3] / blurred[3:].clamp_min(0.1), picture)


def breadth(unknown: Tensor) -> int:
    """Find how broad the colours of a hole are: as far as its middle is from the rim, px, odd."""
    return 2 * int(_depths(unknown).max() / 2) + 1


def _settle(drawn: Sketch, gallery: Gallery, unknown: Tensor) -> Sketch:
    """Choose windows and lay them in turn."""
    longest, chance = max(unknown.shape), torch.Generator().manual_seed(0)
    for _ in range(ROUNDS if longest <= ROUNDS_UP_TO else FINE_ROUNDS):
        rooms = [drawn.picture, *gallery[1:]]
        if longest <= EXACT_UP_TO or drawn.sources is None:
            sources = search(rooms, unknown)
        else:
            sources = improve(rooms, drawn.sources, chance)
        if sources is None:
            break
        drawn = drawn._replace(sources=sources)
        drawn = drawn._replace(picture=_vote_in(drawn, gallery, unknown))
    return drawn


def _vote_in(drawn: Sketch, gallery: Gallery, unknown: Tensor) -> Tensor:
    """Lay the sources over a hole: those that are near count, and those near the rim."""
    sources = drawn.sources
    if sources is None:
        return drawn.picture
    rooms = [drawn.picture, *gallery[1:]]
    rows, columns = sources.wanted.nonzero().T + MIDDLE
    inward = INWARD ** -_depths(unknown)[rows, columns]
    sample = sources.apart[:: 1 + len(sources.apart) // 100_000]
    deviation = torch.quantile(sample, QUANTILE).clamp_min(1e-4)
    near = torch.exp(-sources.apart / (2 * deviation)).clamp_min(1e-6)
    spread = SHARP_PX if max(unknown.shape) > EXACT_UP_TO else None
    voted = vote(rooms, sources, shares=(near * inward).clamp_min(1e-12), spread=spread)
    return torch.where(unknown, voted, drawn.picture)


def _pick(gallery: Gallery, places: Tensor, down: int, right: int) -> Tensor:
    """Pick the pixel so far down and right in every window: 'c m'."""
    number, rows, columns = places[:, 0], places[:, 1] + down, places[:, 2] + right
    if len(gallery) == 1:
        return gallery[0][:, rows, columns]
    pixels = gallery[0].new_empty(gallery[0].shape[0], len(places))
    for each in number.unique().tolist():
        own = number == each
        pixels[:, own] = gallery[each][:, rows[own], columns[own]]
    return pixels


def _depths(unknown: Tensor) -> Tensor:
    """Measure how far every pixel is from what is known: 'h w', px; 0 where it is known."""
    mask = np.pad(unknown.cpu().numpy().astype(np.uint8), 1, mode="edge")
    distances = cv2.distanceTransform(mask, cv2.DIST_L2, 5)[1:-1, 1:-1]
    return torch.from_numpy(distances.copy()).to(unknown.device)
