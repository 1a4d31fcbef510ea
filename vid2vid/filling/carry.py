"""Carry what other frames of a window show into the unknown pixels of each.

Two passes: pixels go on from frame to frame as long as they find what is known, forward in time and
backward. A pixel that both passes reach takes from the nearer frame, or from both where they agree.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from flow.propagate import Link, Origins, follow, own_origins, put_origins
from vid2vid.filling.moments import Moment


class Passes(NamedTuple):
    """Where the unknown pixels of a frame come from, by either pass."""

    past: Origins  # 'n'
    future: Origins  # 'n'

    def found(self) -> Tensor:
        """Tell which pixels some frame shows: 'n' bool."""
        return self.past.found() | self.future.found()


def carry(
    moments: Sequence[Moment], known: Tensor, wanted: range, *, is_loose: bool = False
) -> dict[int, Passes]:
    """Find where the unknown pixels of some frames are shown by others.

    Args:
        moments: of one shot, in order.
        known: 't h w' bool, what may be taken; a moment's own known pixels, as a rule.
        wanted: numbers of the frames in question.
        is_loose: go on along links that are merely plausible.

    Returns:
        By number; frames of origins count from 0 in `moments` too.
    """
    if is_loose:
        moments = [_loosened(moment) for moment in moments]
    past = _sweep(moments, known, range(wanted.stop), wanted=wanted)
    backward = range(len(moments) - 1, wanted.start - 1, -1)
    future = _sweep(moments, known, backward, wanted=wanted)
    return {index: Passes(past[index], future[index]) for index in wanted}


def carry_from(
    moments: Sequence[Moment], start: int, *, steps: Iterable[int]
) -> dict[int, Origins]:
    """Carry the whole of one frame, its unknown pixels filled, to those that follow it.

    Args:
        moments: of one shot.
        start: the frame that is carried.
        steps: the frames that are reached, each a neighbour of the one before it.

    Returns:
        The origins of the unknown pixels of each frame reached, all in the frame `start`.
    """
    shape = moments[start].unknown.shape
    whole = torch.ones(1, dtype=torch.bool).expand(len(moments), *shape)
    origins, before = own_origins(start, whole[start]), start
    reached: dict[int, Origins] = {}
    for index in steps:
        link = _link_to(moments[index], is_past=before < index)
        reached[index] = follow(link, origins, whole, within=moments[before].unknown)
        nothing = own_origins(index, torch.zeros(shape, dtype=torch.bool))
        origins, before = put_origins(nothing, link, reached[index]), index
    return reached


def _sweep(
    moments: Sequence[Moment], known: Tensor, order: range, *, wanted: range
) -> dict[int, Origins]:
    """Carry known pixels in one direction."""
    kept: dict[int, Origins] = {}
    origins: Origins | None = None
    before = order.start
    for index in order:
        moment = moments[index]
        link = moment.past if order.step > 0 else moment.future
        if link is None or origins is None:
            link = _no_link(moment)
            found = _no_origins(len(link.pixels))
        else:
            found = follow(link, origins, known, within=moments[before].unknown)
        origins = put_origins(own_origins(index, known[index]), link, found)
        before = index
        if index in wanted:
            kept[index] = found
    return kept


def _loosened(moment: Moment) -> Moment:
    past, future = (None if each is None else each.loosened() for each in moment[2:])
    return moment._replace(past=past, future=future)


def _link_to(moment: Moment, *, is_past: bool) -> Link:
    link = moment.past if is_past else moment.future
    if link is None:
        raise ValueError("frames must follow each other in one shot to be carried; two do not")
    return link


def _no_link(moment: Moment) -> Link:
    pixels = moment.unknown.flatten().nonzero()[:, 0]
    count = len(pixels)
    nothing = torch.zeros(count, dtype=torch.bool)
    return Link(pixels, torch.zeros(count, 2), trusted=nothing, plausible=nothing)


def _no_origins(count: int) -> Origins:
    return Origins(torch.full((count,), -1), torch.zeros(count, 2))
