"""Undo and redo: what every edit changed, and nothing else, so that there is no limit to it."""

import zlib
from typing import NamedTuple

import numpy as np

from pipelines.editing.state import EditState, Vector, with_maps, with_styles


class Change(NamedTuple):
    """The difference of two states, which leads both ways.

    Of the maps it is the exclusive or within the box of the pixels that differ, which is zero but
    for what was edited, and compresses to little: one stroke on 2048x1024 to some hundred bytes.
    """

    rows: slice
    columns: slice
    labels: bytes
    instances: bytes
    styles: tuple[tuple[int, Vector | None, Vector | None], ...]  # region, before, after

    @property
    def num_bytes(self) -> int:
        """What the maps take."""
        return len(self.labels) + len(self.instances)


def difference(before: EditState, after: EditState) -> Change | None:
    """Find what an edit changed; None where it changed nothing."""
    differs = (before.labels != after.labels) | (before.instances != after.instances)
    rows, columns = (_span(differs.any(axis)) for axis in (1, 0))
    regions = sorted(before.styles.keys() | after.styles.keys())
    styles = tuple(
        (region, before.styles.get(region), after.styles.get(region))
        for region in regions
        if before.styles.get(region) != after.styles.get(region)
    )
    if not (rows.stop or styles):
        return None
    box = rows, columns
    return Change(
        rows,
        columns,
        labels=zlib.compress((before.labels[box] ^ after.labels[box]).tobytes()),
        instances=zlib.compress((before.instances[box] ^ after.instances[box]).tobytes()),
        styles=styles,
    )


def apply_change(state: EditState, change: Change, *, forward: bool) -> EditState:
    """Go from the state before to the one after, or back."""
    box = change.rows, change.columns
    maps = state.labels.copy(), state.instances.copy()
    for each, packed in zip(maps, (change.labels, change.instances), strict=True):
        part = each[box]
        part ^= np.frombuffer(zlib.decompress(packed), each.dtype).reshape(part.shape)
    styles = dict(state.styles)
    for region, before, after in change.styles:
        style = after if forward else before
        if style is None:
            del styles[region]
        else:
            styles[region] = style
    return with_styles(with_maps(state, *maps), styles)


def _span(line: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> slice:
    """Find the first to the last that is true; slice(0, 0) where none is."""
    found = np.flatnonzero(line)
    return slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 0)
