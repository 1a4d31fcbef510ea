"""Invent what no frame shows: on one frame at a time, from which it is carried to the others."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from flow.propagate import Origins, own_origins
from vid2vid.filling.blend import Blender
from vid2vid.filling.carry import carry_from
from vid2vid.filling.inventor import Inventor, invent
from vid2vid.filling.moments import Moment
from vid2vid.filling.recipes import Recipe, Sources, complete, plain_recipe
from vid2vid.video.levels import from_levels, to_levels

SLIT_PX = 3.0
"""Gaps whose every pixel is this near to something are closed by a membrane; nothing is asked."""


def invent_unseen(
    moments: Sequence[Moment],
    recipes: dict[int, Recipe],
    sources: Sources,
    *,
    inventor: Inventor,
    blender: Blender,
) -> set[int]:
    """Fill what recipes leave open, until only slits are left.

    The frame with the most that no other shows is filled first and carried to all the rest, so
    that what stays hidden for long is made up once.

    Args:
        moments: of one shot, in order.
        recipes: by number of the moment, those to be completed; they are replaced.
        sources: what pixels are taken from; the pictures that are invented are added.
        inventor: what makes up pixels.
        blender: what paints the others first.

    Returns:
        The numbers of the moments that pictures were invented for.
    """
    keys: set[int] = set()
    while (key := _largest_gap(moments, recipes)) is not None:
        moment, recipe = moments[key], recipes[key]
        frame = from_levels(moment.rgb)
        painted = blender.paint(frame, recipe, sources, known=~moment.unknown)
        open_ = _open_pixels(moment, recipe)
        picture = invent(inventor, torch.where(open_, 0.0, painted), open_)
        number = sources.add(to_levels(picture))
        pixels = moment.unknown.flatten().nonzero()[:, 0]
        own = own_origins(number, torch.ones_like(moment.unknown))
        invented = Origins(own.frame[pixels], own.position[pixels])
        recipes[key] = complete(recipe, plain_recipe(invented))
        spread(moments, recipes, start=key, number=number)
        keys.add(key)
    return keys


def spread(
    moments: Sequence[Moment], recipes: dict[int, Recipe], *, start: int, number: int
) -> None:
    """Carry a whole picture to where recipes have nothing.

    Args:
        moments: of one shot.
        recipes: by number of the moment; they are replaced.
        start: the moment that the picture is of.
        number: what origins call the picture.
    """
    first, last = min(recipes), max(recipes)
    for steps in (range(start + 1, last + 1), range(start - 1, first - 1, -1)):
        for index, found in carry_from(moments, start, steps=steps).items():
            if index in recipes:
                named = Origins(torch.where(found.found(), number, found.frame), found.position)
                recipes[index] = complete(recipes[index], plain_recipe(named))


def _largest_gap(moments: Sequence[Moment], recipes: Mapping[int, Recipe]) -> int | None:
    """Choose the frame with the most open pixels that are not in slits; the earliest of equals."""
    sizes = {index: _wide_pixels(moments[index], recipe) for index, recipe in recipes.items()}
    key = max(sorted(sizes), key=lambda index: sizes[index])
    return key if sizes[key] > 0 else None


def _open_pixels(moment: Moment, recipe: Recipe) -> Tensor:
    """Mark the pixels that a recipe has nothing for: 'h w' bool."""
    gaps = moment.unknown.clone()
    gaps[moment.unknown] = ~recipe.found()
    return gaps


def _wide_pixels(moment: Moment, recipe: Recipe) -> int:
    """Count the open pixels further than a slit's from anything."""
    if recipe.found().all():
        return 0
    gaps = _open_pixels(moment, recipe).numpy().astype(np.uint8)
    return int((cv2.distanceTransform(gaps, cv2.DIST_L2, 3) > SLIT_PX).sum())
