"""Carry known pixels along flow, over any distance: as origins, so that nothing is resampled twice.

A hole's pixel takes what the flow leads to in the neighbouring frame. Where that is unknown too,
its own origin is taken over, moved by what the flow points beside it. The colour is fetched once,
from the frame where the chain ends.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

NOWHERE = -1
"""Frame of an origin that is not known."""

_LEAST_WEIGHT = 0.25 - 1e-4  # bilinear, that a known pixel has which a position is rounded to


class Link(NamedTuple):
    """The motion of a frame's unknown pixels to a neighbouring frame."""

    pixels: Tensor  # 'n' int64, y · w + x, of the unknown pixels in the order of the frame
    flow: Tensor  # 'n 2', pixels, (dx, dy), to the neighbouring frame: where to fetch
    trusted: Tensor  # 'n' bool, whether the flow leads forth and back
    plausible: Tensor  # 'n' bool, whether it does so to a few pixels

    def loosened(self) -> "Link":
        """Trust what is plausible."""
        return self._replace(trusted=self.plausible)


class Origins(NamedTuple):
    """Where pixels come from."""

    frame: Tensor  # 'n' int64, which frame; NOWHERE = none
    position: Tensor  # 'n 2', pixels, (x, y), in that frame

    def found(self) -> Tensor:
        """Tell which have one: 'n' bool."""
        return self.frame != NOWHERE


def own_origins(frame: int, known: Tensor) -> Origins:
    """Let every known pixel of a frame, 'h w' bool, be its own origin: 'h·w' of each."""
    height, width = known.shape
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    position = torch.stack((x, y), dim=-1).flatten(0, 1).float()
    is_known = known.flatten()
    return Origins(torch.where(is_known, frame, NOWHERE), position)


def put_origins(origins: Origins, link: Link, found: Origins) -> Origins:
    """Enter what was found for a frame's unknown pixels into the origins of the whole frame."""
    frame, position = origins.frame.clone(), origins.position.clone()
    frame[link.pixels], position[link.pixels] = found.frame, found.position
    return Origins(frame, position)


def follow(link: Link, origins: Origins, known: Tensor, *, within: Tensor) -> Origins:
    """Find the origins of a frame's unknown pixels from those of the frame beside it.

    Args:
        link: to that frame.
        origins: of all its pixels, 'h·w' each.
        known: 't h w' bool, by frame: a chain that drifts off the known pixels of the frame where
            it ends is given up.
        within: 'h w' bool, pixels of the frame beside it to which a link need not be trusted: the
            unknown ones, where both ways are completed, so that a gap between them is the
            completion's and no occlusion.

    Returns:
        'n' of each, for the link's pixels.
    """
    height, width = known.shape[1:]
    x = (link.pixels % width).float() + link.flow[:, 0]
    y = link.pixels.div(width, rounding_mode="floor").float() + link.flow[:, 1]
    target = torch.stack((x, y), dim=-1)
    nearest, is_inside = _nearest(target, height, width)
    place = nearest[:, 1] * width + nearest[:, 0]
    is_allowed = link.trusted | within.flatten()[place]
    position = origins.position[place] + (target - nearest)
    frame = torch.where(is_inside & is_allowed, origins.frame[place], NOWHERE)
    ending, ends_inside = _nearest(position, height, width)
    ends_known = known[frame.clamp(min=0), ending[:, 1], ending[:, 0]] & ends_inside
    return Origins(torch.where(ends_known, frame, NOWHERE), position)


def fetch(images: Sequence[Tensor], known: Sequence[Tensor], origins: Origins) -> Tensor:
    """Sample images between their pixels, from known ones alone.

    By the cubic of Catmull and Rom, which keeps detail, where all 16 pixels around are known, else
    bilinear, weighted over the known ones of 4. A position on a known pixel gives its value.

    Args:
        images: 'h w c' each, of any type, such as the levels of pictures.
        known: 'h w' bool each.
        origins: 'n', of which image, and where in it.

    Returns:
        'n c' float32, in the units of the images; nan where the origin is nowhere, lies outside, or
        has less than a quarter of the bilinear weight on known pixels.
    """
    found = torch.full((len(origins.frame), images[0].shape[-1]), torch.nan)
    for number in origins.frame.unique().tolist():
        if number != NOWHERE:
            chosen = origins.frame == number
            found[chosen] = _fetch_from(images[number], known[number], origins.position[chosen])
    return found


def _fetch_from(image: Tensor, known: Tensor, position: Tensor) -> Tensor:
    """Sample one image at 'n 2'; see `fetch`."""
    height, width = known.shape
    base = position.floor()
    part = position - base
    offsets = torch.arange(-1, 3)
    x = (base[:, :1].long() + offsets).clamp(0, width - 1)
    y = (base[:, 1:].long() + offsets).clamp(0, height - 1)
    places = (y[:, :, None] * width + x[:, None, :]).flatten(1)
    is_known = known.flatten()[places]
    values = image.flatten(0, 1)[places].float()  # 'n 16 c'
    weights = _outer(_linear_weights, part) * is_known
    total = weights.sum(dim=-1)
    linear = torch.einsum("nk,nkc->nc", weights, values) / total.clamp(min=1e-6)[:, None]
    cubic = torch.einsum("nk,nkc->nc", _outer(_cubic_weights, part), values)
    sampled = torch.where(is_known.all(dim=-1)[:, None], cubic, linear)
    is_valid = (total >= _LEAST_WEIGHT) & _nearest(position, height, width)[1]
    return torch.where(is_valid[:, None], sampled, torch.nan)


def _nearest(position: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Round positions to pixels, 'n 2' int64, and tell which lie in the frame."""
    rounded = position.round().long()
    x, y = rounded.unbind(dim=-1)
    is_inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return torch.stack((x.clamp(0, width - 1), y.clamp(0, height - 1)), dim=-1), is_inside


def _outer(weigh: Callable[[Tensor], Tensor], part: Tensor) -> Tensor:
    """Weigh the 16 pixels around a position by the share of the way, 'n 2', to the next: 'n 16'."""
    x_weights, y_weights = (weigh(each) for each in part.unbind(dim=-1))
    return (y_weights[:, :, None] * x_weights[:, None, :]).flatten(1)


def _linear_weights(part: Tensor) -> Tensor:
    nothing = torch.zeros_like(part)
    return torch.stack((nothing, 1 - part, part, nothing), dim=-1)


def _cubic_weights(part: Tensor) -> Tensor:
    square, cube = part**2, part**3
    return torch.stack(
        (
            -0.5 * part + square - 0.5 * cube,
            1 - 2.5 * square + 1.5 * cube,
            0.5 * part + 2 * square - 1.5 * cube,
            -0.5 * square + 0.5 * cube,
        ),
        dim=-1,
    )
