"""Which points a person or face is made of, which of them are joined, and in which colours.

The orders are those of the formats: OpenPose's BODY_25 and BODY_25B, its 70 points of a face and 21
of a hand, dlib's 68 landmarks. The colours are those that OpenPose and vid2vid draw BODY_25 in, so
that left and right differ; the same limb of BODY_25B has the same.
"""

from typing import Literal, NamedTuple

Colour = tuple[int, int, int]
"""RGB."""

NUM_BODY, NUM_FACE, NUM_HAND, NUM_LANDMARKS = 25, 70, 21, 68
BODY = slice(0, NUM_BODY)
FACE = slice(BODY.stop, BODY.stop + NUM_FACE)
LEFT_HAND = slice(FACE.stop, FACE.stop + NUM_HAND)
RIGHT_HAND = slice(LEFT_HAND.stop, LEFT_HAND.stop + NUM_HAND)
NUM_PERSON = RIGHT_HAND.stop
"""Points of a person: body, face, left hand, right hand."""


class Limb(NamedTuple):
    """Two joints of a body that are joined."""

    joints: tuple[int, int]
    colour: Colour


class Skeleton(NamedTuple):
    """A body model."""

    joints: tuple[str, ...]  # in the order of the file
    limbs: tuple[Limb, ...]

    @property
    def mirrored(self) -> tuple[int, ...]:
        """For each joint the one that is in its place in a mirror."""
        return tuple(self.joints.index(_other_side(joint)) for joint in self.joints)


def _other_side(joint: str) -> str:
    side, _, rest = joint.partition("_")
    other = {"left": "right", "right": "left"}.get(side)
    return f"{other}_{rest}" if other else joint


_BODY_25 = (
    *("nose", "neck"),
    *("right_shoulder", "right_elbow", "right_wrist"),
    *("left_shoulder", "left_elbow", "left_wrist"),
    "mid_hip",
    *("right_hip", "right_knee", "right_ankle"),
    *("left_hip", "left_knee", "left_ankle"),
    *("right_eye", "left_eye", "right_ear", "left_ear"),
    *("left_big_toe", "left_small_toe", "left_heel"),
    *("right_big_toe", "right_small_toe", "right_heel"),
)
_BODY_25B = (
    "nose",
    *("left_eye", "right_eye", "left_ear", "right_ear"),
    *("left_shoulder", "right_shoulder", "left_elbow", "right_elbow"),
    *("left_wrist", "right_wrist", "left_hip", "right_hip"),
    *("left_knee", "right_knee", "left_ankle", "right_ankle"),
    *("neck", "head_top"),
    *("left_big_toe", "left_small_toe", "left_heel"),
    *("right_big_toe", "right_small_toe", "right_heel"),
)
_SHARED_LIMBS: dict[tuple[str, str], Colour] = {
    ("right_ear", "right_eye"): (153, 0, 153),
    ("right_eye", "nose"): (153, 0, 102),
    ("nose", "left_eye"): (102, 0, 153),
    ("left_eye", "left_ear"): (51, 0, 153),
    ("nose", "neck"): (153, 0, 51),
    ("neck", "right_shoulder"): (153, 51, 0),
    ("right_shoulder", "right_elbow"): (153, 102, 0),
    ("right_elbow", "right_wrist"): (153, 153, 0),
    ("neck", "left_shoulder"): (102, 153, 0),
    ("left_shoulder", "left_elbow"): (51, 153, 0),
    ("left_elbow", "left_wrist"): (0, 153, 0),
    ("right_hip", "right_knee"): (0, 153, 102),
    ("right_knee", "right_ankle"): (0, 153, 153),
    ("right_ankle", "right_heel"): (0, 153, 153),
    ("right_ankle", "right_big_toe"): (0, 153, 153),
    ("right_big_toe", "right_small_toe"): (0, 153, 153),
    ("left_hip", "left_knee"): (0, 51, 153),
    ("left_knee", "left_ankle"): (0, 0, 153),
    ("left_ankle", "left_heel"): (0, 0, 153),
    ("left_ankle", "left_big_toe"): (0, 0, 153),
    ("left_big_toe", "left_small_toe"): (0, 0, 153),
}
_TRUNK_25: dict[tuple[str, str], Colour] = {
    ("neck", "mid_hip"): (153, 0, 0),
    ("mid_hip", "right_hip"): (0, 153, 51),
    ("mid_hip", "left_hip"): (0, 102, 153),
}
# BODY_25B has no middle of the hips; the sides of the trunk take the colours of its way down.
_TRUNK_25B: dict[tuple[str, str], Colour] = {
    ("neck", "head_top"): (204, 0, 102),
    ("right_shoulder", "right_hip"): (0, 153, 51),
    ("left_shoulder", "left_hip"): (0, 102, 153),
    ("right_hip", "left_hip"): (153, 0, 0),
}


def _skeleton(joints: tuple[str, ...], trunk: dict[tuple[str, str], Colour]) -> Skeleton:
    limbs = (trunk | _SHARED_LIMBS).items()
    return Skeleton(
        joints,
        tuple(Limb((joints.index(one), joints.index(other)), c) for (one, other), c in limbs),
    )


SKELETONS: dict[Literal["body_25", "body_25b"], Skeleton] = {
    "body_25": _skeleton(_BODY_25, _TRUNK_25),
    "body_25b": _skeleton(_BODY_25B, _TRUNK_25B),
}

# From the wrist to the tip: thumb to little finger.
FINGERS: tuple[tuple[int, ...], ...] = tuple(
    (0, *range(first, first + 4)) for first in range(1, NUM_HAND, 4)
)
FINGER_COLOURS: tuple[Colour, ...] = (
    (204, 0, 0),
    (163, 204, 0),
    (0, 204, 82),
    (0, 82, 204),
    (163, 0, 204),
)

# Of OpenPose's face, whose first 68 points are dlib's: brows, nose, eyes, mouth, but no jaw.
FACE_LINES: tuple[tuple[int, ...], ...] = (
    tuple(range(17, 22)),
    tuple(range(22, 27)),
    tuple(range(27, 31)),
    tuple(range(31, 36)),
    (*range(36, 42), 36),
    (*range(42, 48), 42),
    (*range(48, 60), 48),
    (*range(60, 68), 60),
)
FACE_COLOUR: Colour = (255, 255, 255)

MIRRORED_LANDMARKS: tuple[int, ...] = (
    *range(16, -1, -1),
    *range(26, 16, -1),
    *range(27, 31),
    *range(35, 30, -1),
    *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
    *range(54, 47, -1),
    *range(59, 54, -1),
    *range(64, 59, -1),
    *(67, 66, 65),
)
"""For each of the 68 landmarks the one that is in its place in a mirror."""

# The face of OpenPose has the two pupils beside the landmarks.
_MIRRORED_FACE = (*MIRRORED_LANDMARKS, 69, 68)


def mirrored_person(skeleton: Skeleton) -> tuple[int, ...]:
    """For each point of a person (`NUM_PERSON`) give the one in its place in a mirror."""
    body, hand = skeleton.mirrored, range(NUM_HAND)
    return (
        *body,
        *(FACE.start + point for point in _MIRRORED_FACE),
        *(RIGHT_HAND.start + point for point in hand),
        *(LEFT_HAND.start + point for point in hand),
    )
