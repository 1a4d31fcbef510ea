"""Fill the frames of one window: carry, invent, blend."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from vid2vid.filling.blend import Blender, close_gaps
from vid2vid.filling.carry import carry
from vid2vid.filling.inventor import Inventor
from vid2vid.filling.keyframes import invent_unseen, spread
from vid2vid.filling.moments import Moment
from vid2vid.filling.recipes import Recipe, Sources, complete, mix
from vid2vid.video.levels import from_levels, quantise


class FilledFrame(NamedTuple):
    """A frame with nothing unknown left."""

    rgb: Tensor  # 'h w 3' uint8, known pixels as they were
    carried: int  # unknown pixels that other frames show
    unknown: int  # pixels that were unknown
    invented: bool  # whether the inventor was asked for this frame


def fill_window(
    moments: Sequence[Moment],
    wanted: range,
    *,
    inventor: Inventor,
    blender: Blender,
    before: Tensor | None = None,
) -> list[FilledFrame]:
    """Fill some frames of a window with the help of all.

    Args:
        moments: of one shot, in order.
        wanted: which are filled, numbers in `moments`.
        inventor: what makes up pixels.
        blender: what paints.
        before: 'h w 3' uint8, the frame before the first wanted one where that was filled already.

    Returns:
        The wanted frames.
    """
    known = [~moment.unknown for moment in moments]
    sources = Sources([moment.rgb for moment in moments], known)
    recipes = _carried(moments, wanted, sources, is_loose=False)
    if before is not None:
        spread(moments, recipes, start=wanted.start - 1, number=sources.add(before))
    for index, recipe in _carried(moments, wanted, sources, is_loose=True).items():
        recipes[index] = complete(recipes[index], recipe)
    carried = {index: int(recipe.found().sum()) for index, recipe in recipes.items()}
    keys = invent_unseen(moments, recipes, sources, inventor=inventor, blender=blender)
    filled: list[FilledFrame] = []
    for index in wanted:
        rgb = _paint(moments[index], recipes[index], sources, blender=blender)
        count = int(moments[index].unknown.sum())
        filled.append(FilledFrame(rgb, carried[index], count, index in keys))
    return filled


def _carried(
    moments: Sequence[Moment], wanted: range, sources: Sources, *, is_loose: bool
) -> dict[int, Recipe]:
    """Make recipes of what other frames show."""
    known = torch.stack(sources.known[: len(moments)])
    passes = carry(moments, known, wanted, is_loose=is_loose)
    return {
        index: mix(passes.pop(index), index, sources, unknown=moments[index].unknown)
        for index in wanted
    }


def _paint(moment: Moment, recipe: Recipe, sources: Sources, *, blender: Blender) -> Tensor:
    """Paint one frame; its known pixels are copied, not computed."""
    known = ~moment.unknown
    painted = blender.paint(from_levels(moment.rgb), recipe, sources, known=known)
    gaps = moment.unknown.clone()
    gaps[moment.unknown] = ~recipe.found()
    painted = close_gaps(painted, gaps)
    rgb = moment.rgb.clone()
    rgb[moment.unknown] = quantise(painted).permute(1, 2, 0)[moment.unknown]
    return rgb
