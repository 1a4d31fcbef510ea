"""Boxes around parts of a frame that are judged by themselves: objects, faces, hands.

A box is (left, top, right, bottom) in pixels, edges of pixels, so that a whole frame is
(0, 0, width, height). Found boxes are made square, as the crops that a discriminator sees are.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from vid2vid.controls.config import DRAWN, AnyControl, Drawn, PoseConfig
from vid2vid.controls.parts import Boxes, Part, part_boxes
from vid2vid.controls.pictures import Material, move_points
from vid2vid.controls.points import Points
from vid2vid.controls.pose import confident
from vid2vid.controls.skeletons import (
    BODY,
    FACE,
    LEFT_HAND,
    RIGHT_HAND,
    SKELETONS,
    Skeleton,
)
from vid2vid.data.augment import Augmentation


class RegionsConfig(BaseModel):
    """Which parts of a frame are boxed."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    labels: tuple[int, ...] = ()
    """Class ids whose objects are boxed: by instance where clips have instance maps, else by
    connected area."""
    parts: tuple[Part, ...] = ()
    """`face`, `hands`: of the people of a `pose` control, or the face of `landmarks`."""
    margin: float = Field(default=0.25, ge=0.0, le=2.0)
    """Added on every side, as a share of the longer side of the box."""
    smallest: int = Field(default=12, ge=2)
    """Boxes whose longer side is shorter are left out, px, before the margin."""
    most: int = Field(default=4, ge=1, le=64)
    """Boxes of one frame; the largest are kept."""


class Surroundings(NamedTuple):
    """What boxes of one frame are found in; None where it is not there."""

    height: int
    width: int
    labels: NDArray[np.uint8] | None = None  # 'h w', class ids
    instances: NDArray[np.int32] | None = None  # 'h w', object ids
    people: Sequence[tuple[Points, Skeleton | None]] = ()  # moved with the frame; None: landmarks


def clip_boxes(
    config: RegionsConfig | None,
    controls: Sequence[AnyControl],
    material: Material,
    *,
    augmentation: Augmentation,
    labels: Tensor | None,
) -> Tensor | None:
    """Find the boxes of a clip: of its label maps and of the key points of its controls.

    Args:
        config: what is boxed; None: nothing.
        controls: of the configuration, key points among them.
        material: what their pictures are made of.
        augmentation: what is done to the clip.
        labels: 't h w', already cut.

    Returns:
        't n 4', see `find_boxes`.
    """
    if config is None:
        return None
    people = [
        (
            [_drawn_points(each, control) for each in move_points(control, material, augmentation)],
            SKELETONS[control.skeleton] if isinstance(control, PoseConfig) else None,
        )
        for control in controls
        if isinstance(control, DRAWN)
    ]
    instances = material.instances
    count = len(labels) if labels is not None else len(people[0][0])
    frames = [
        Surroundings(
            *augmentation.keep,
            labels=None if labels is None else labels[time].numpy(),
            instances=None if instances is None else instances[time].numpy(),
            people=[(points[time], skeleton) for points, skeleton in people],
        )
        for time in range(count)
    ]
    return find_boxes(config, frames)


def _drawn_points(points: Points, control: Drawn) -> Points:
    """Take points for missing that are not drawn either: those of too little confidence."""
    if not isinstance(control, PoseConfig):
        return points
    kept = points.copy()
    for part, threshold in (
        (BODY, control.body_confidence),
        (FACE, control.face_confidence),
        (LEFT_HAND, control.hand_confidence),
        (RIGHT_HAND, control.hand_confidence),
    ):
        kept[:, part] = confident(points[:, part], threshold)
    return kept


def check_regions(
    config: RegionsConfig, controls: Sequence[AnyControl], *, has_labels: bool
) -> None:
    """Check that boxes can be found.

    Raises:
        ValueError: if nothing says where.
    """
    if not config.labels and not config.parts:
        raise ValueError(
            "region_discriminator.regions must name something to box; labels and parts are empty: "
            "give labels class ids, or parts such as [face, hands]"
        )
    if config.labels and not has_labels:
        raise ValueError(
            "region_discriminator.regions.labels needs label maps; labels is null: leave it out"
        )
    kinds = {control.kind for control in controls}
    able = {"face": {"pose", "landmarks"}, "hands": {"pose"}}
    for part in config.parts:
        if not kinds & able[part]:
            raise ValueError(
                f"region_discriminator.regions.parts {part!r} needs a control of kind "
                f"{' or '.join(sorted(able[part]))}; controls has "
                f"{', '.join(sorted(kinds)) or 'none'}: add one, or leave it out"
            )


def find_boxes(config: RegionsConfig, frames: Sequence[Surroundings]) -> Tensor:
    """Find the boxes of the frames of a clip.

    Returns:
        't n 4' float32, n = `config.most`, the largest first; a row of zeros is no box.
    """
    result = torch.zeros(len(frames), config.most, 4)
    for time, frame in enumerate(frames):
        found = [
            box
            for box in _candidates(config, frame)
            if max(_sides(box)) >= config.smallest and _is_inside(box, frame)
        ]
        found.sort(key=lambda box: -max(_sides(box)))
        for index, box in enumerate(found[: config.most]):
            square = _square(box, frame, margin=config.margin)
            result[time, index] = torch.from_numpy(square)
    return result


def _candidates(config: RegionsConfig, frame: Surroundings) -> Iterator[Boxes]:
    """Yield all boxes of a frame, '4' each, of any size."""
    if frame.labels is not None:
        for label in config.labels:
            yield from label_boxes(frame.labels == label, frame.instances)
    for points, skeleton in frame.people:
        for part in config.parts:
            yield from part_boxes(points, part, skeleton)


def label_boxes(chosen: NDArray[np.bool_], instances: NDArray[np.int32] | None) -> Boxes:
    """Box the objects of a class.

    Args:
        chosen: 'h w', where the class is.
        instances: 'h w', object ids; None takes every connected area (8 neighbours) for an object.

    Returns:
        'n 4', in no order.
    """
    mask = chosen.astype(np.uint8)
    if instances is None:
        count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        rectangles = [stats[index, :4] for index in range(1, count)]
    else:
        rectangles = [
            cv2.boundingRect((chosen & (instances == number)).astype(np.uint8))
            for number in np.unique(instances[chosen])
        ]
    boxes = np.array(rectangles, dtype=np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return boxes


def _sides(box: Boxes) -> tuple[float, float]:
    return float(box[2] - box[0]), float(box[3] - box[1])


def _is_inside(box: Boxes, frame: Surroundings) -> bool:
    """Tell whether the middle of a box is in the frame; a crop may have left the part outside."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return bool(0 <= x <= frame.width and 0 <= y <= frame.height)


def _square(box: Boxes, frame: Surroundings, *, margin: float) -> Boxes:
    """Widen a box to a square with a margin, moved into the frame, and cut where it is larger."""
    side = max(_sides(box)) * (1 + 2 * margin)
    square = np.empty(4, dtype=np.float32)
    for axis, limit in enumerate((frame.width, frame.height)):
        length = min(side, limit)
        start = (box[axis] + box[axis + 2] - length) / 2
        square[axis] = min(max(start, 0.0), limit - length)
        square[axis + 2] = square[axis] + length
    return square
