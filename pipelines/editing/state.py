"""What an editing session edits: a class and an object for every pixel, and chosen styles.

A state never changes; every edit makes a new one (`edits`), and `history` keeps what differs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from vid2vid.errors import DataError
from vid2vid.networks.interface import Pooling

Labels = NDArray[np.uint8]
Instances = NDArray[np.int32]
_Id = TypeVar("_Id", bound=np.generic)
Vector = tuple[float, ...]
"""A style, as many numbers as the generator has features."""

STUFF_IDS = 1000
"""Ids below it are of classes without objects; objects of class k have k000 on (Cityscapes)."""


@dataclass(frozen=True, eq=False)
class EditState:
    """A picture that is to be painted."""

    labels: Labels  # 'h w', class ids, 255 = ignore; read-only
    instances: Instances  # 'h w', object ids; read-only
    styles: Mapping[int, Vector]  # by region id; regions without one draw theirs
    pooling: Pooling = "instances"  # what a region is: an instance, or all pixels of a class

    @property
    def regions(self) -> NDArray[np.integer]:
        """What shares one style, 'h w'."""
        return self.instances if self.pooling == "instances" else self.labels


def make_state(
    labels: NDArray[np.integer],
    instances: NDArray[np.integer] | None = None,
    *,
    styles: Mapping[int, Vector] | None = None,
    pooling: Pooling = "instances",
) -> EditState:
    """Make a state of maps, which are copied.

    Args:
        labels: 'h w', class ids, 255 = ignore.
        instances: 'h w', object ids, none negative; None takes every class for one object.
        styles: that were chosen, by region id.
        pooling: what a region is.

    Raises:
        DataError: if the maps are not 'h w', or differ in size.
    """
    instances = labels if instances is None else instances
    if labels.ndim != 2 or labels.shape != instances.shape:
        raise DataError(
            f"labels and instances must be 'h w' of one size; got {labels.shape} and "
            f"{instances.shape}"
        )
    return EditState(
        labels=_frozen(labels.astype(np.uint8)),
        instances=_frozen(instances.astype(np.int32)),
        styles=MappingProxyType(dict(styles or {})),
        pooling=pooling,
    )


def change(state: EditState, mask: NDArray[np.bool_], *, label: int, instance: int) -> EditState:
    """Give the pixels of a mask 'h w' a class and an object."""
    labels, instances = state.labels.copy(), state.instances.copy()
    labels[mask], instances[mask] = label, instance
    return EditState(_frozen(labels), _frozen(instances), state.styles, state.pooling)


def with_maps(state: EditState, labels: Labels, instances: Instances) -> EditState:
    """Take other maps, which must not be written to any more."""
    return EditState(_frozen(labels), _frozen(instances), state.styles, state.pooling)


def with_styles(state: EditState, styles: Mapping[int, Vector]) -> EditState:
    """Take other styles."""
    return EditState(state.labels, state.instances, MappingProxyType(dict(styles)), state.pooling)


def fresh_id(state: EditState, label: int) -> int:
    """Find an instance id for a new object of a class: the lowest that is free, never a used one.

    Those of class k begin at k000, of class 0 at 1000; where a thousand are taken, above all.
    """
    first = max(STUFF_IDS, label * STUFF_IDS)
    own = (state.instances >= first) & (state.instances < first + STUFF_IDS)
    used = {*np.unique(state.instances[own]).tolist(), *state.styles}
    free = (each for each in range(first, first + STUFF_IDS) if each not in used)
    return next(free, None) or max(int(state.instances.max()), *used) + 1


def shared_id(state: EditState, label: int) -> int:
    """Find the instance id that what has no objects shares: that of its class, unless another's."""
    taken = state.labels[state.instances == label]
    return label if (taken == label).all() else fresh_id(state, label)


def _frozen(array: NDArray[_Id]) -> NDArray[_Id]:
    array.flags.writeable = False
    return array
