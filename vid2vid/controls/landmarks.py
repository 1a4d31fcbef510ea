"""Draw a face from its 68 landmarks: curves through them, and how far each pixel is from each."""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline

from vid2vid.controls.drawn_config import NUM_CURVES, LandmarksConfig
from vid2vid.controls.points import Points
from vid2vid.controls.pose import FARTHEST_PX, SHIFT
from vid2vid.controls.skeletons import NUM_LANDMARKS

_FOREHEAD = tuple(range(NUM_LANDMARKS, NUM_LANDMARKS + 15))
_FOREHEAD_SHARE = 2 / 3  # of the chin's height, upside down above the temples, as in vid2vid

CURVES: tuple[tuple[int, ...], ...] = (
    (*range(17), *_FOREHEAD, 0),  # outline
    tuple(range(17, 22)),  # brows
    tuple(range(22, 27)),
    (28, 31),  # nose
    tuple(range(31, 36)),
    (35, 28),
    tuple(range(36, 40)),  # eyes: upper lid, lower lid
    (39, 40, 41, 36),
    tuple(range(42, 46)),
    (45, 46, 47, 42),
    tuple(range(48, 55)),  # lips
    (*range(54, 60), 48),
    tuple(range(60, 65)),
    (*range(64, 68), 60),
)
"""Points that each curve goes through; those from 68 on are the forehead's."""

_ON_CURVE = 64  # levels: of an anti-aliased line, what is darker lies beside it
_STEP_PX = 2.0  # between the corners of a drawn curve


def draw_landmarks(
    faces: Points, control: LandmarksConfig, *, size: tuple[int, int]
) -> NDArray[np.float32]:
    """Draw the faces of one frame; without one, nothing is drawn and everything is far.

    Args:
        faces: 'n 68 3' in pixels of the picture that is drawn.
        control: width, and whether there are distance maps.
        size: (height, width) of the picture.

    Returns:
        'c h w' in [-1, 1]: the curves (1, elsewhere -1), then a distance map of each.
    """
    masks = np.zeros((NUM_CURVES, *size), dtype=np.uint8)
    width = max(1, round(control.line_width * size[0]))
    for face in faces:
        points = add_forehead(face)
        for mask, curve in zip(masks, CURVES, strict=True):
            _draw_curve(mask, points[list(curve)], width=width)
    drawn = masks.max(axis=0, keepdims=True).astype(np.float32) / 127.5 - 1
    if not control.distance_maps:
        return drawn
    reach = control.reach * size[0]
    return np.concatenate([drawn, [_distance_map(mask, reach) for mask in masks]], axis=0)


def add_forehead(face: Points) -> Points:
    """Add a forehead, 15 points: the chin upside down above the temples.

    Args:
        face: '68 3'.

    Returns:
        '83 3', going on from the left temple (16) to the right one (0).
    """
    middle = (face[0, 1] + face[16, 1]) / 2
    forehead = face[15:0:-1].copy()
    forehead[:, 1] = middle - (forehead[:, 1] - middle) * np.float32(_FOREHEAD_SHARE)
    return np.concatenate([face, forehead])


def _draw_curve(mask: NDArray[np.uint8], points: Points, *, width: int) -> None:
    """Draw a smooth curve through points, 'p 3', those that were not found left out."""
    found = points[points[:, 2] > 0, :2].astype(np.float64)
    if len(found) == 0 or (np.abs(found) > FARTHEST_PX).any():
        return
    lengths = np.hypot(*np.diff(found, axis=0).T)
    found = found[np.concatenate([[True], lengths > 0])]  # a point said twice has no direction
    if len(found) < 2:
        return
    way = np.concatenate([[0.0], np.cumsum(lengths[lengths > 0])])
    spline = make_interp_spline(way, found, k=min(3, len(found) - 1))
    corners = spline(np.linspace(0.0, way[-1], 2 + int(way[-1] / _STEP_PX)))
    placed = np.round(corners * (1 << SHIFT)).astype(np.int32)
    cv2.polylines(mask, [placed[:, None]], False, 255, width, cv2.LINE_AA, SHIFT)


def _distance_map(mask: NDArray[np.uint8], reach: float) -> NDArray[np.float32]:
    """Measure the distance from a curve, 'h w': -1 on it, 1 at `reach` and where there is none."""
    away = (mask < _ON_CURVE).astype(np.uint8)
    if away.all():
        return np.ones(mask.shape, dtype=np.float32)
    distance = cv2.distanceTransform(away, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.minimum(distance / np.float32(reach), 1).astype(np.float32) * 2 - 1
