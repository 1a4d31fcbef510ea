"""Edits: functions from one state to the next, each leaving the first as it was."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.editing.state import (
    EditState,
    Vector,
    change,
    fresh_id,
    shared_id,
    with_styles,
)
from vid2vid.errors import DataError
from vid2vid.labels.palettes import ID_IGNORE

Mask = NDArray[np.bool_]
Point = tuple[float, float]
"""(x, y), px; the middle of the first pixel is (0, 0)."""


class Edited(NamedTuple):
    """A state, and the object that the edit was of."""

    state: EditState
    instance: int


def instance_at(state: EditState, point: Point) -> int:
    """Find the object at a point.

    Raises:
        DataError: if it lies outside the picture.
    """
    x, y = (round(each) for each in point)
    height, width = state.labels.shape
    if not (0 <= x < width and 0 <= y < height):
        raise DataError(
            f"a point (x, y) must lie within the picture, {width}x{height} (width x height); got "
            f"{(x, y)}"
        )
    return int(state.instances[y, x])


def class_of(state: EditState, instance: int) -> int:
    """Find the class of most pixels of an object.

    Raises:
        DataError: if there is no such object.
    """
    return int(np.bincount(state.labels[mask_of(state, instance)]).argmax())


def mask_of(state: EditState, instance: int) -> Mask:
    """Find the pixels of an object, 'h w'.

    Raises:
        DataError: if there are none.
    """
    mask = state.instances == instance
    if not mask.any():
        raise DataError(f"an object must be in the picture to be edited; there is no {instance}")
    return mask


def relabel(state: EditState, instance: int, label: int) -> Edited:
    """Give an object another class, and the id of a new one, so that its style is drawn anew.

    Raises:
        DataError: if there is no such object.
    """
    new = fresh_id(state, label)
    return Edited(change(state, mask_of(state, instance), label=label, instance=new), new)


def add_object(state: EditState, mask: Mask, label: int, *, at: tuple[int, int] = (0, 0)) -> Edited:
    """Add an object.

    Args:
        state: the one before.
        mask: 'h w' of its own size, where the object is.
        label: its class.
        at: (x, y), px, of the upper left corner of the mask; what falls outside is cut off.

    Raises:
        DataError: if all of it falls outside.
    """
    placed = np.zeros(state.labels.shape, bool)
    height, width = state.labels.shape
    left, top = at
    rows, columns = mask.shape[:2]
    inside = (
        slice(max(0, top), min(height, top + rows)),
        slice(max(0, left), min(width, left + columns)),
    )
    if inside[0].start < inside[0].stop and inside[1].start < inside[1].stop:
        source = mask.astype(bool)[
            inside[0].start - top : inside[0].stop - top,
            inside[1].start - left : inside[1].stop - left,
        ]
        placed[inside] = source
    if not placed.any():
        raise DataError(
            f"an object must have a pixel within the picture, {width}x{height} (width x height); "
            f"its mask of {columns}x{rows} has none at {at}: place it elsewhere"
        )
    new = fresh_id(state, label)
    return Edited(change(state, placed, label=label, instance=new), new)


def remove_object(state: EditState, instance: int, label: int | None = None) -> Edited:
    """Remove an object, and fill its place as part of what lies around it.

    Args:
        state: the one before.
        instance: the object.
        label: class to fill with; None = the one of most pixels that touch the object.

    Returns:
        The state, and the object that the place is now part of.

    Raises:
        DataError: if there is no such object, or nothing lies around it.
    """
    mask = mask_of(state, instance)
    grown = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    ring = grown & ~mask
    around = state.labels[ring]
    if label is None:
        known = around[around != ID_IGNORE]
        if not len(known):
            raise DataError(
                f"object {instance} must have a class around it to be filled with; it has none: "
                "name the class to fill with"
            )
        label = int(np.bincount(known).argmax())
    beside = state.instances[ring & (state.labels == label)]
    new = shared_id(state, label) if not len(beside) else _most_common(beside)
    return Edited(change(state, mask, label=label, instance=new), new)


def paint_stroke(
    state: EditState,
    points: Sequence[Point],
    label: int,
    *,
    width: float,
    instance: int | None = None,
) -> Edited:
    """Paint along a line with a round brush: every pixel at most half the width away from it.

    Args:
        state: the one before.
        points: corners of the line, (x, y), px; one alone is a dot.
        label: class to paint with.
        width: of the brush, px.
        instance: object that the stroke becomes a part of. None = the one that it begins in if that
            is of the class, otherwise what all strokes of the class share.

    Raises:
        DataError: if no pixel is painted.
    """
    mask = _brush(points, width, state.labels.shape)
    if not mask.any():
        raise DataError(
            "a stroke must paint a pixel of the picture; this one lies outside or is too thin: "
            "give other points, or a width of at least 1"
        )
    if instance is None:
        x, y = (round(each) for each in points[0])
        begins_inside = 0 <= y < mask.shape[0] and 0 <= x < mask.shape[1]
        if begins_inside and state.labels[y, x] == label:
            instance = int(state.instances[y, x])
        else:
            instance = shared_id(state, label)
    return Edited(change(state, mask, label=label, instance=instance), instance)


def restyle(state: EditState, region: int, style: Vector | None) -> EditState:
    """Choose the style of a region; None leaves it to be drawn."""
    others = {each: own for each, own in state.styles.items() if each != region}
    return with_styles(state, others if style is None else {**others, region: style})


def _most_common(ids: NDArray[np.integer]) -> int:
    found, counts = np.unique(ids, return_counts=True)
    return int(found[counts.argmax()])


def _brush(points: Sequence[Point], width: float, shape: tuple[int, ...]) -> Mask:
    """Find the pixels whose middle is at most half of `width` from a line of at least a point."""
    mask = np.zeros(shape, bool)
    corners = [np.asarray(point, np.float64) for point in points]
    lines = list(pairwise(corners)) if len(corners) > 1 else [(each, each) for each in corners]
    for begin, end in lines:
        low = np.floor(np.minimum(begin, end) - width / 2).astype(int).clip(0)
        high = np.ceil(np.maximum(begin, end) + width / 2).astype(int) + 1
        rows, columns = slice(low[1], max(0, high[1])), slice(low[0], max(0, high[0]))
        part = mask[rows, columns]
        ys, xs = np.indices(part.shape)
        x, y = xs + low[0] - begin[0], ys + low[1] - begin[1]
        (dx, dy), length = end - begin, float(np.square(end - begin).sum())
        along = np.clip((x * dx + y * dy) / length, 0, 1) if length else np.zeros(part.shape)
        part |= np.hypot(x - along * dx, y - along * dy) <= width / 2
    return mask
