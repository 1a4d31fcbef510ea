"""Key points in files: OpenPose's JSON, and 68 landmarks of a face.

In memory they are 'n p 3' float32: n people or faces, p points, and x, y and confidence of each; x
and y in pixels, (0, 0) the centre of the first one. A point that was not found has confidence 0.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from vid2vid.controls import skeletons
from vid2vid.errors import DataError

Points = NDArray[np.float32]
"""'n p 3': x, y, confidence."""

_INSIDE_SHARE = 0.5
"""Of the points that were found; people at the border of a picture have most of theirs in it."""

OPENPOSE_SUFFIXES = frozenset({".json"})
LANDMARK_SUFFIXES = frozenset({".json", ".txt", ".csv"})

_PARTS = (
    ("pose_keypoints_2d", skeletons.BODY),
    ("face_keypoints_2d", skeletons.FACE),
    ("hand_left_keypoints_2d", skeletons.LEFT_HAND),
    ("hand_right_keypoints_2d", skeletons.RIGHT_HAND),
)


def read_openpose(path: Path) -> Points:
    """Read the people of one frame, as OpenPose writes them with BODY_25 or BODY_25B.

    Returns:
        'n 137 3': body, face, left hand, right hand (`skeletons.BODY` ...) of each person.

    Raises:
        DataError: if it is no such file, or of another body model.
    """
    content = _read_json(path)
    people: Any = cast("dict[str, Any]", content).get("people") if _is_mapping(content) else None
    if not isinstance(people, list):
        raise DataError(
            f"key points must be a JSON file of OpenPose with a list 'people'; {path} has none: "
            "write it with --write_json"
        )
    found = np.zeros((len(cast("list[Any]", people)), skeletons.NUM_PERSON, 3), dtype=np.float32)
    for index, person in enumerate(cast("list[Any]", people)):
        for key, part in _PARTS:
            numbers: Any = cast("dict[str, Any]", person).get(key) if _is_mapping(person) else None
            if numbers or (numbers is None and key == "pose_keypoints_2d"):
                found[index, part] = _read_part(numbers, key, part.stop - part.start, path=path)
    return _mark_missing(found)


def _read_part(numbers: object, key: str, count: int, *, path: Path) -> Points:
    """Read the points of one part of a person, 'p 3'.

    Raises:
        DataError: if they are not so many.
    """
    values = _as_array(numbers)
    if values is None or values.size != 3 * count:
        came = "none" if values is None else f"{values.size} numbers"
        also = "; OpenPose writes it with --model_pose BODY_25 or BODY_25B" if count == 25 else ""
        raise DataError(
            f"{key} must hold x, y and confidence of {count} points, {3 * count} numbers; {path} "
            f"has {came}{also}: write the files again"
        )
    return values.reshape(count, 3)


def read_landmarks(path: Path) -> Points:
    """Read the 68 landmarks of one face: JSON [[x, y], ...], or text with a line 'x,y' for each.

    Returns:
        'n 68 3', where n is 1, or 0 where the file is empty: no face was found. The confidence
        of a point is 1, and 0 at (0, 0).

    Raises:
        DataError: if it is no such file.
    """
    if path.suffix.lower() == ".json":
        numbers = _read_json(path)
    else:
        words = re.split(r"[\s,;]+", _read_text(path).strip())
        numbers = words if words != [""] else []
    values = _as_array(numbers)
    if values is not None and values.size == 0:
        return np.zeros((0, skeletons.NUM_LANDMARKS, 3), dtype=np.float32)
    if values is None or values.size != 2 * skeletons.NUM_LANDMARKS:
        came = "no list of numbers" if values is None else f"{values.size} numbers"
        raise DataError(
            f"landmarks must be x and y of {skeletons.NUM_LANDMARKS} points, JSON [[x, y], ...] or "
            f"a line 'x,y' for each; {path} has {came}: write the file again"
        )
    points = np.ones((1, skeletons.NUM_LANDMARKS, 3), dtype=np.float32)
    points[0, :, :2] = values.reshape(skeletons.NUM_LANDMARKS, 2)
    return _mark_missing(points)


def doubt_points(points: Sequence[Points], canvas: tuple[int, int]) -> str | None:
    """Say why key points can hardly be pixels of a picture.

    Args:
        points: of any number of frames, each 'n p 3'.
        canvas: (height, width) of the picture.

    Returns:
        What they do instead and what is to be done; None where nothing speaks against it.
    """
    found = np.concatenate([each[each[..., 2] > 0][:, :2] for each in points])
    if not len(found):
        return None
    height, width = canvas
    if len(found) > 1 and found.min() >= 0 and found.max() <= 1 < max(canvas):
        return "all lie between 0 and 1, as shares of it: multiply them by its width and height"
    inside = ((found > -1) & (found < (width, height))).all(axis=1).mean()
    if inside < _INSIDE_SHARE:
        return (
            f"{1 - inside:.0%} lie outside of it: set the control's canvas to the height and width "
            "of the pictures that they were found in, or write them again"
        )
    return None


def _mark_missing(points: Points) -> Points:
    """Give confidence 0 to points at (0, 0), the mark of both formats, and to no numbers."""
    is_missing = (points[..., :2] == 0).all(axis=-1) | ~np.isfinite(points).all(axis=-1)
    points[is_missing] = 0
    return points


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"key points must be in a text file; {path} cannot be read: replace it"
        ) from (error)


def _read_json(path: Path) -> object:
    try:
        return json.loads(_read_text(path))
    except json.JSONDecodeError as error:
        raise DataError(
            f"key points must be in a JSON file; {path}, line {error.lineno}, is none "
            f"({error.msg}): write the file again"
        ) from error


def _is_mapping(value: object) -> bool:
    return isinstance(value, dict)


def _as_array(numbers: object) -> NDArray[np.float32] | None:
    """Turn lists of numbers into an array; None where they are none."""
    try:
        return np.asarray(numbers, dtype=np.float32) if isinstance(numbers, list) else None
    except (ValueError, TypeError):
        return None
