"""What the unknown pixels of a frame are made of: which pictures, where in them, in what share."""

from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from flow.propagate import NOWHERE, Origins, fetch
from vid2vid.filling.carry import Passes
from vid2vid.video.levels import HALF_RANGE

AGREEMENT = 0.12
"""Mean difference of two colours, in [-1, 1], below which both are taken: 15 levels of 255. Noise
and half a pixel of drift stay below it, another object does not."""
_NEAR_PX = 9


class Sources(NamedTuple):
    """The pictures that pixels are taken from, by the number that origins call a frame."""

    pictures: list[Tensor]  # 'h w 3' uint8 each
    known: list[Tensor]  # 'h w' bool each

    def add(self, picture: Tensor) -> int:
        """Add a picture, 'h w 3' uint8, of which all is known, and return its number."""
        self.pictures.append(picture)
        self.known.append(torch.ones_like(self.known[0]))
        return len(self.pictures) - 1


class Recipe(NamedTuple):
    """Of the unknown pixels of a frame."""

    first: Origins  # 'n'
    second: Origins  # 'n', where the colour is mixed
    share: Tensor  # 'n' in [0, 1], of the second

    def found(self) -> Tensor:
        """Tell which pixels are made of anything: 'n' bool."""
        return self.first.found()

    def colours(self, sources: Sources, *, offset: tuple[int, int] = (0, 0)) -> Tensor:
        """Fetch the colours, or those that lie beside them in the same pictures.

        Args:
            sources: what they are taken from.
            offset: pixels, (x, y).

        Returns:
            'n 3' in [-1, 1]; of a mixture the one that has a colour; nan where there is none.
        """
        first = _fetch(self.first, sources, offset)
        second = _fetch(self.second, sources, offset)
        share = self.share[:, None]
        mixed = (1 - share) * first + share * second
        alone = torch.where((share == 0) | second.isnan(), first, mixed)
        return torch.where((share > 0) & first.isnan(), second, alone)

    def select(self, pixels: Tensor) -> "Recipe":
        """Give the recipe of some of the pixels, 'm' int64 or 'n' bool."""
        first, second = (
            Origins(part.frame[pixels], part.position[pixels]) for part in (self.first, self.second)
        )
        return Recipe(first, second, self.share[pixels])


def mix(passes: Passes, index: int, sources: Sources, *, unknown: Tensor) -> Recipe:
    """Choose between what came from the past and what from the future.

    Where both agree in colour they are mixed, the nearer in time the more, so that nothing jumps
    when one takes over from the other; elsewhere the nearer is taken.

    Args:
        passes: of a frame's unknown pixels.
        index: of the frame, as origins count.
        sources: what they are taken from.
        unknown: 'h w' bool, the frame's.
    """
    past, future = passes
    ages = [(part.frame - index).abs().float() for part in passes]
    has_past, has_future = past.found(), future.found()
    both = has_past & has_future
    nearer_future = (~has_past & has_future) | (both & (ages[1] < ages[0]))
    share = nearer_future.float()
    if both.any():
        colours = [_fetch(part, sources, (0, 0)) for part in passes]
        gap = (colours[0] - colours[1]).abs().mean(dim=-1)
        agree = both & (_smooth(gap, both & gap.isfinite(), unknown) < AGREEMENT)
        share = torch.where(agree, ages[0] / (ages[0] + ages[1]).clamp(min=1), share)
    second_alone = share == 1
    first = Origins(
        torch.where(second_alone, future.frame, past.frame),
        torch.where(second_alone[:, None], future.position, past.position),
    )
    is_mixed = (share > 0) & (share < 1)
    second = Origins(torch.where(is_mixed, future.frame, NOWHERE), future.position)
    return Recipe(first, second, torch.where(is_mixed, share, 0.0))


def complete(recipe: Recipe, more: Recipe) -> Recipe:
    """Take another recipe where one has nothing."""
    found = recipe.found()
    first, second = (
        Origins(
            torch.where(found, mine.frame, other.frame),
            torch.where(found[:, None], mine.position, other.position),
        )
        for mine, other in zip(recipe[:2], more[:2], strict=True)
    )
    return Recipe(first, second, torch.where(found, recipe.share, more.share))


def plain_recipe(origins: Origins) -> Recipe:
    """Take each pixel from one place."""
    nowhere = Origins(torch.full_like(origins.frame, NOWHERE), origins.position)
    return Recipe(origins, nowhere, torch.zeros(len(origins.frame)))


def _fetch(origins: Origins, sources: Sources, offset: tuple[int, int]) -> Tensor:
    """Fetch colours at origins, moved by an offset: 'n 3' in [-1, 1], nan where there is none."""
    moved = origins.position + torch.tensor(offset, dtype=torch.float32)
    levels = fetch(sources.pictures, sources.known, Origins(origins.frame, moved))
    return (levels / HALF_RANGE - 1).clamp(-1, 1)


def _smooth(values: Tensor, valid: Tensor, unknown: Tensor) -> Tensor:
    """Average 'n' values of the unknown pixels over the valid ones around each."""
    planes: list[np.ndarray] = []
    for each in (torch.where(valid, values, 0.0), valid.float()):
        plane = torch.zeros(unknown.shape)
        plane[unknown] = each
        planes.append(cv2.blur(plane.numpy(), (_NEAR_PX, _NEAR_PX)))
    total = torch.from_numpy(planes[1])[unknown]
    return torch.from_numpy(planes[0])[unknown] / total.clamp(min=1e-6)
