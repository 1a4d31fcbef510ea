"""Draw people from their key points: limbs, fingers and faces, each in its colour."""

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from vid2vid.controls.config import PoseConfig
from vid2vid.controls.points import Points
from vid2vid.controls.skeletons import (
    BODY,
    FACE,
    FACE_COLOUR,
    FACE_LINES,
    FINGER_COLOURS,
    FINGERS,
    LEFT_HAND,
    RIGHT_HAND,
    SKELETONS,
    Colour,
)

Canvas = NDArray[np.uint8]

SHIFT = 4  # bits of a pixel that OpenCV's lines are placed by
FARTHEST_PX = 1 << 15  # beyond it OpenCV's fixed point overflows; no line of a picture goes there
_FINE = 1 / 3  # width of fingers and faces against limbs, as in vid2vid

_HANDS_AND_FACE = ("left_hand", "right_hand", "face")


def draw_people(
    people: Points,
    control: PoseConfig,
    *,
    size: tuple[int, int],
    dropped: frozenset[str] = frozenset(),
) -> Canvas:
    """Draw all people of one frame on black; who comes later lies on top.

    Args:
        people: 'n 137 3' in pixels of the picture that is drawn.
        control: skeleton, parts, thresholds, width.
        size: (height, width) of the picture.
        dropped: parts that are left out, from `sample_drops`.

    Returns:
        'h w 3' uint8, RGB.
    """
    canvas = np.zeros((*size, 3), dtype=np.uint8)
    width = control.line_width * size[0]
    for person in people:
        body = confident(person[BODY], control.body_confidence)
        for name, limb in zip(_limb_names(control), SKELETONS[control.skeleton].limbs, strict=True):
            if name not in dropped:
                draw_line(canvas, body[list(limb.joints)], limb.colour, width=width)
        if control.face and "face" not in dropped:
            face = confident(person[FACE], control.face_confidence)
            for line in FACE_LINES:
                _draw_chain(canvas, face[list(line)], FACE_COLOUR, width=width * _FINE)
        for name, part in (("left_hand", LEFT_HAND), ("right_hand", RIGHT_HAND)):
            if control.hands and name not in dropped:
                hand = confident(person[part], control.hand_confidence)
                for finger, colour in zip(FINGERS, FINGER_COLOURS, strict=True):
                    _draw_chain(canvas, hand[list(finger)], colour, width=width * _FINE)
    return canvas


def sample_drops(rng: np.random.Generator, control: PoseConfig) -> frozenset[str]:
    """Draw which limbs, hands and faces are left out of a clip, of all people alike."""
    names = (*_limb_names(control), *_HANDS_AND_FACE)
    drawn = rng.random(len(names))
    return frozenset(name for name, value in zip(names, drawn, strict=True) if value < control.drop)


def draw_line(canvas: Canvas, points: Points, colour: Colour, *, width: float) -> None:
    """Join two points, 'p 3', where both were found; anti-aliased, at least one pixel wide."""
    if (points[:, 2] <= 0).any() or (np.abs(points[:, :2]) > FARTHEST_PX).any():
        return
    (x0, y0), (x1, y1) = np.round(points[:, :2] * (1 << SHIFT)).astype(int).tolist()
    thickness = max(1, round(width))
    cv2.line(canvas, (x0, y0), (x1, y1), colour, thickness, cv2.LINE_AA, SHIFT)


def _draw_chain(canvas: Canvas, points: Points, colour: Colour, *, width: float) -> None:
    """Join each point to the next."""
    for pair in pairwise(points):
        draw_line(canvas, np.stack(pair), colour, width=width)


def _limb_names(control: PoseConfig) -> Sequence[str]:
    """Name each limb by its joints."""
    skeleton = SKELETONS[control.skeleton]
    return ["-".join(skeleton.joints[j] for j in limb.joints) for limb in skeleton.limbs]


def confident(points: Points, threshold: float) -> Points:
    """Mark points '... 3' below a confidence as missing."""
    kept = points.copy()
    kept[kept[..., 2] < threshold, 2] = 0
    return kept
