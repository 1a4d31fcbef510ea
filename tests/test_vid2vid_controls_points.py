"""Key points: files, mirrors, and moving with the frame."""

import json

import numpy as np
import pytest

from vid2vid.controls.points import doubt_points, read_landmarks, read_openpose
from vid2vid.controls.skeletons import (
    BODY,
    FACE,
    LEFT_HAND,
    MIRRORED_LANDMARKS,
    RIGHT_HAND,
    SKELETONS,
    mirrored_person,
)
from vid2vid.data.augment import Augmentation, Colour, Crop, Size, apply_to_points, unvaried
from vid2vid.errors import DataError


def numbers(count, first=0.0):
    return [value for index in range(count) for value in (first + index, 2.0, 0.5)]


def write(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_all_people_are_read_with_their_faces_and_hands(tmp_path):
    person = {
        "pose_keypoints_2d": numbers(25),
        "face_keypoints_2d": numbers(70, 100),
        "hand_left_keypoints_2d": numbers(21, 200),
        "hand_right_keypoints_2d": numbers(21, 300),
    }
    other = {"pose_keypoints_2d": numbers(25, 50), "face_keypoints_2d": []}
    people = read_openpose(write(tmp_path / "a.json", {"version": 1.3, "people": [person, other]}))
    assert people.shape == (2, 137, 3)
    starts = [people[0, part][0, 0] for part in (BODY, FACE, LEFT_HAND, RIGHT_HAND)]
    assert starts == [0, 100, 200, 300]
    assert (people[1, FACE.start :] == 0).all()
    assert people[1, 3].tolist() == [53, 2, 0.5]


def test_a_frame_without_people_has_none(tmp_path):
    assert read_openpose(write(tmp_path / "a.json", {"people": []})).shape == (0, 137, 3)


def test_a_person_of_whom_no_body_was_found_may_have_a_face(tmp_path):
    person = {"pose_keypoints_2d": [], "face_keypoints_2d": numbers(70, 100)}
    people = read_openpose(write(tmp_path / "a.json", {"people": [person]}))
    assert (people[0, BODY] == 0).all()
    assert people[0, FACE][1, 0] == 101


def test_points_at_the_origin_and_points_without_a_number_are_missing(tmp_path):
    values = [0.0, 0.0, 0.9, float("nan"), 1.0, 0.9, *numbers(23, 5)]
    file = write(tmp_path / "a.json", {"people": [{"pose_keypoints_2d": values}]})
    assert read_openpose(file)[0, :3, 2].tolist() == [0, 0, 0.5]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"line 1, is none \(.*\): write the file again"),
        ([], r"a list 'people'; .*a.json has none: write it with --write_json"),
        ({"people": 3}, r"a list 'people'; .*a.json has none"),
        ({"people": [{}]}, r"pose_keypoints_2d must hold .* 25 points, 75 numbers; .* has none"),
        (
            {"people": [{"pose_keypoints_2d": numbers(18)}]},
            r"a.json has 54 numbers; OpenPose writes it with --model_pose BODY_25 or BODY_25B",
        ),
        (
            {"people": [{"pose_keypoints_2d": numbers(25), "face_keypoints_2d": [1, 2]}]},
            r"face_keypoints_2d must hold .* 70 points, 210 numbers; .* has 2 numbers: write",
        ),
        ({"people": [{"pose_keypoints_2d": [[1], 2]}]}, r"a.json has none"),
    ],
)
def test_files_that_hold_no_such_people_are_refused(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        read_openpose(write(tmp_path / "a.json", content))


@pytest.mark.parametrize("suffix", [".json", ".txt"])
def test_landmarks_are_read_from_lists_and_lines(tmp_path, suffix):
    pairs = [[index + 1, 2 * index] for index in range(68)]
    lines = "\n".join(f"{x},{y}" for x, y in pairs)
    points = read_landmarks(write(tmp_path / f"a{suffix}", pairs if suffix == ".json" else lines))
    assert points.shape == (1, 68, 3)
    assert points[0, 7].tolist() == [8, 14, 1]


@pytest.mark.parametrize("name", ["a.json", "a.txt"])
def test_a_frame_without_a_face_has_no_landmarks(tmp_path, name):
    file = write(tmp_path / name, [] if name == "a.json" else "\n")
    assert read_landmarks(file).shape == (0, 68, 3)


@pytest.mark.parametrize(
    ("content", "message"),
    [([[1, 2]] * 67, "has 134 numbers"), ({"a": 1}, "no list of num"), ("1", "no list of num")],
)
def test_files_that_hold_no_landmarks_are_refused(tmp_path, content, message):
    with pytest.raises(DataError, match=rf"landmarks must be x and y of 68 points.*{message}"):
        read_landmarks(write(tmp_path / "a.json", content))


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(DataError, match=r"in a text file; .*gone.json cannot be read: replace it"):
        read_openpose(tmp_path / "gone.json")


@pytest.mark.parametrize("name", ["body_25", "body_25b"])
def test_a_mirror_swaps_left_and_right_and_nothing_else(name):
    skeleton = SKELETONS[name]
    assert len(skeleton.joints) == 25
    swapped = [skeleton.joints[index] for index in skeleton.mirrored]
    for joint, other in zip(skeleton.joints, swapped, strict=True):
        assert other == joint.replace("left", "L").replace("right", "left").replace("L", "right")
    mirror = mirrored_person(skeleton)
    assert sorted(mirror) == list(range(137))
    assert mirror[LEFT_HAND.start] == RIGHT_HAND.start


def test_the_orders_are_those_of_openpose():
    """Nose, wrists and heels, as the documentation of both models numbers them."""
    one, other = SKELETONS["body_25"].joints, SKELETONS["body_25b"].joints
    names = ("nose", "right_wrist", "left_wrist", "right_ankle", "left_heel", "right_heel")
    assert [one.index(name) for name in names] == [0, 4, 7, 11, 21, 24]
    assert [other.index(name) for name in names] == [0, 10, 9, 16, 21, 24]
    assert (one.index("mid_hip"), other.index("head_top")) == (8, 18)


def test_every_joint_of_a_body_is_joined_to_another():
    for skeleton in SKELETONS.values():
        assert {joint for limb in skeleton.limbs for joint in limb.joints} == set(range(25))


def test_landmarks_of_a_symmetric_face_stay_in_a_mirror(shared_data):
    file = next(iter(sorted((shared_data / "face_clip/landmarks").rglob("*.json"))))
    points = read_landmarks(file)
    mirrored = points[:, list(MIRRORED_LANDMARKS)]
    mirrored[..., 0] = points[..., 0].max() + points[..., 0].min() - mirrored[..., 0]
    apart = np.abs(mirrored - points)[..., :2].max()
    assert apart < 0.1 * np.ptp(points[..., 0])  # the face looks straight ahead


def test_points_move_with_the_pixels_that_they_lie_on():
    points = np.array([[[0.0, 0.0, 0.7], [9.0, 4.0, 0.2]]], np.float32)
    moved = apply_to_points(points, Size(5, 10), unvaried(Size(10, 20)), mirrored=(0, 1))
    assert np.allclose(moved[0], [[0.5, 0.5, 0.7], [18.5, 8.5, 0.2]])
    keep = Augmentation(Size(10, 20), Crop(2, 4), Size(6, 8), flip=True, colour=Colour())
    moved = apply_to_points(points, Size(5, 10), keep, mirrored=(1, 0))
    assert np.allclose(moved[0, 1], [8 - 1 - (0.5 - 4), 0.5 - 2, 0.7])
    assert np.allclose(moved[0, 0], [8 - 1 - (18.5 - 4), 8.5 - 2, 0.2])


@pytest.mark.parametrize(
    ("xs", "says"),
    [
        ([5, 9, -0.4, 40], None),  # one of four lies outside
        ([5, 40, 41, 42], "75% lie outside of it"),
        ([0.2, 0.9, 0.5, 1.0], "as shares of it"),
    ],
)
def test_points_that_can_hardly_be_pixels_are_doubted(xs, says):
    points = np.array([[[x, 0.5, 1.0] for x in xs] + [[99, 99, 0.0]]], np.float32)
    doubt = doubt_points([points], (6, 10))
    assert doubt is None if says is None else says in doubt


def test_nobody_is_not_doubted():
    assert doubt_points([np.zeros((0, 25, 3), np.float32)], (6, 10)) is None
