"""Boxes around faces and hands of people, by their key points.

A box is (left, top, right, bottom) in pixels, edges of pixels, so that a whole frame is
(0, 0, width, height).
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vid2vid.controls.points import Points
from vid2vid.controls.skeletons import FACE, LEFT_HAND, NUM_LANDMARKS, RIGHT_HAND, Skeleton

Part = Literal["face", "hands"]

Boxes = NDArray[np.float32]
"""'n 4', or one of them, '4'."""

Place = NDArray[np.float64]
"""'2': x, y."""

# As OpenPose's face detector from key points: a face is three times as wide as its eyes are apart,
# and twice as wide as its ears.
EYES_TO_FACE, EARS_TO_FACE = 3.0, 2.0
# As OpenPose's hand detector (Simon et al. 2017): a third of the forearm beyond the wrist, and one
# and a half times as long.
BEYOND_WRIST, FOREARM_TO_HAND = 0.33, 1.5


def part_boxes(points: Points, part: Part, skeleton: Skeleton | None) -> Boxes:
    """Box the faces or the hands of people.

    Where a person has no points of its face or of a hand, they are guessed from those of the body.

    Args:
        points: 'n p 3': x, y, confidence; 0 = not found. 137 points of a person, or 68 landmarks.
        part: what is boxed.
        skeleton: the body model of the points; None: they are landmarks of a face, without hands.

    Returns:
        'n 4': one box for each face or hand that can be told.
    """
    if skeleton is None:
        ranges = [slice(0, NUM_LANDMARKS)] if part == "face" else []
    else:
        ranges = [FACE] if part == "face" else [LEFT_HAND, RIGHT_HAND]
    found: list[Boxes] = []
    for person in points:
        for side, chosen in zip(("left", "right"), ranges, strict=False):
            box = _around(person[chosen])
            if box is None and skeleton is not None:
                joints = {
                    name: person[index, :2].astype(np.float64)
                    for index, name in enumerate(skeleton.joints)
                    if person[index, 2] > 0
                }
                box = _guess_face(joints) if part == "face" else _guess_hand(joints, side)
            if box is not None:
                found.append(box)
    return np.array(found, dtype=np.float32).reshape(-1, 4)


def _around(points: Points) -> Boxes | None:
    """Box the points 'p 3' that were found; None for fewer than three."""
    there = points[points[:, 2] > 0, :2]
    if len(there) < 3:
        return None
    # The centre of the first pixel is at (0, 0), its edge half a pixel before.
    return np.concatenate([there.min(axis=0), there.max(axis=0)]).astype(np.float32) + 0.5


def _guess_face(joints: dict[str, Place]) -> Boxes | None:
    """Box a face by eyes and ears; None where neither pair was found."""
    sides: list[float] = []
    centres: list[Place] = []
    for name, factor in (("eye", EYES_TO_FACE), ("ear", EARS_TO_FACE)):
        pair = [joints[key] for key in (f"left_{name}", f"right_{name}") if key in joints]
        if len(pair) == 2:
            sides.append(factor * float(np.linalg.norm(pair[0] - pair[1])))
            centres.append((pair[0] + pair[1]) / 2)
    if not sides:
        return None
    return _box_at(sum(centres, np.zeros(2)) / len(centres), max(sides))


def _guess_hand(joints: dict[str, Place], side: str) -> Boxes | None:
    """Box a hand by wrist and elbow; None where one of them was not found."""
    wrist, elbow = joints.get(f"{side}_wrist"), joints.get(f"{side}_elbow")
    if wrist is None or elbow is None:
        return None
    length = float(np.linalg.norm(wrist - elbow))
    return _box_at(wrist + BEYOND_WRIST * (wrist - elbow), FOREARM_TO_HAND * length)


def _box_at(centre: Place, side: float) -> Boxes:
    """Box a square around a point, '2'."""
    return np.concatenate([centre - side / 2, centre + side / 2]).astype(np.float32) + 0.5
