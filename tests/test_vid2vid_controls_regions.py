"""Boxes are where objects, faces and hands are, on frames small enough to check by eye."""

import numpy as np
import pytest
import torch

from vid2vid.controls.config import EdgesConfig, LandmarksConfig, PoseConfig
from vid2vid.controls.parts import part_boxes
from vid2vid.controls.pictures import Material
from vid2vid.controls.regions import (
    RegionsConfig,
    Surroundings,
    check_regions,
    clip_boxes,
    find_boxes,
    label_boxes,
)
from vid2vid.controls.skeletons import FACE, LEFT_HAND, NUM_PERSON, SKELETONS
from vid2vid.data.augment import Augmentation, Colour, Crop, Size

BODY = SKELETONS["body_25"]


def painted(*rectangles, height=20, width=30):
    """Label map of 0 with rectangles (left, top, right, bottom, id)."""
    labels = np.zeros((height, width), np.uint8)
    for left, top, right, bottom, label in rectangles:
        labels[top:bottom, left:right] = label
    return labels


def boxes_of(drawn, **settings):
    config = RegionsConfig(**({"margin": 0, "smallest": 2, "most": 3} | settings))
    found = find_boxes(config, [Surroundings(*drawn.shape, labels=drawn)])
    return [box for box in found[0].tolist() if any(box)]


def person(**points):
    """One person with some joints of BODY_25 at (x, y)."""
    people = np.zeros((1, NUM_PERSON, 3), np.float32)
    for name, place in points.items():
        people[0, BODY.joints.index(name)] = (*place, 1)
    return people


def test_every_connected_area_is_an_object():
    mask = painted((2, 3, 6, 7, 1), (10, 3, 12, 9, 1)) == 1
    assert sorted(label_boxes(mask, None).tolist()) == [[2, 3, 6, 7], [10, 3, 12, 9]]


def test_with_instances_objects_that_touch_are_two_and_parts_of_one_are_one():
    labels = painted((2, 2, 12, 6, 1), (20, 2, 22, 6, 1))
    instances = np.zeros(labels.shape, np.int32)
    instances[:, 7:12], instances[:, 2:7], instances[:, 20:22] = 9, 5, 5
    found = label_boxes(labels == 1, instances)
    assert sorted(found.tolist()) == [[2, 2, 22, 6], [7, 2, 12, 6]]


def test_boxes_become_squares_around_the_middle():
    assert boxes_of(painted((10, 8, 16, 10, 1)), labels=[1]) == [[10, 6, 16, 12]]


def test_squares_stay_inside_the_frame():
    assert boxes_of(painted((26, 0, 30, 8, 1)), labels=[1]) == [[22, 0, 30, 8]]
    # Wider than the frame is high: as large as fits.
    assert boxes_of(painted((2, 5, 28, 8, 1)), labels=[1]) == [[2, 0, 28, 20]]


def test_the_margin_is_a_share_of_the_longer_side():
    assert boxes_of(painted((10, 8, 14, 12, 1)), labels=[1], margin=0.5) == [[8, 6, 16, 14]]


def test_the_largest_are_kept_and_small_ones_left_out():
    drawn = painted((0, 0, 3, 3, 1), (5, 0, 9, 4, 1), (12, 0, 17, 5, 2), (20, 0, 26, 6, 1))
    found = boxes_of(drawn, labels=[1, 2], smallest=4, most=2)
    assert found == [[20, 0, 26, 6], [12, 0, 17, 5]]


def test_other_classes_are_not_boxed():
    assert boxes_of(painted((5, 5, 10, 10, 3)), labels=[1]) == []


def test_a_face_is_around_its_points():
    points = person()
    points[0, FACE][:3] = [(10, 20, 1), (30, 24, 1), (18, 40, 0.5)]
    # From the edge of the first pixel to that of the last: pixel n reaches from n to n + 1.
    assert part_boxes(points, "face", BODY).tolist() == [[10.5, 20.5, 30.5, 40.5]]


def test_without_points_of_the_face_eyes_and_ears_tell_it():
    eyes = person(left_eye=(24, 10), right_eye=(16, 10))
    assert part_boxes(eyes, "face", BODY).tolist() == [[8.5, -1.5, 32.5, 22.5]]  # 3 x 8 px
    ears = person(left_ear=(30, 12), right_ear=(10, 12))
    assert part_boxes(ears, "face", BODY).tolist() == [[0.5, -7.5, 40.5, 32.5]]  # 2 x 20 px
    assert part_boxes(person(nose=(10, 10)), "face", BODY).tolist() == []


def test_a_hand_lies_beyond_the_wrist_and_both_are_boxed():
    points = person(left_elbow=(0, 10), left_wrist=(20, 10))
    points[0, LEFT_HAND.stop :][:4] = [(50, 50, 1), (60, 50, 1), (60, 58, 1), (50, 58, 1)]
    guessed, seen = part_boxes(points, "hands", BODY).tolist()
    # A third of 20 px beyond x = 20, and 30 px wide.
    assert guessed == pytest.approx([12.1, -4.5, 42.1, 25.5], abs=1e-3)
    assert seen == [50.5, 50.5, 60.5, 58.5]


def test_landmarks_have_a_face_and_no_hands():
    points = np.ones((1, 68, 3), np.float32)
    points[0, :, 0] = np.linspace(4, 12, 68)
    assert part_boxes(points, "face", None).tolist() == [[4.5, 1.5, 12.5, 1.5]]
    assert part_boxes(points, "hands", None).tolist() == []


def moved(*, flip):
    """Box the left hand of a person in frames that are doubled, cut and perhaps mirrored."""
    points = person()
    points[0, LEFT_HAND][:3] = [(4, 6, 1), (12, 6, 1), (8, 13, 1)]
    control = PoseConfig(skeleton="body_25", stream="pose")
    augmentation = Augmentation(Size(40, 60), Crop(0, 4), Size(40, 50), flip=flip, colour=Colour())
    material = Material(Size(20, 30), {"pose": [points, np.zeros_like(points)]})
    config = RegionsConfig(parts=["hands"], margin=0, smallest=2, most=2)
    return clip_boxes(config, [control], material, augmentation=augmentation, labels=None)


def test_key_points_move_with_the_frame():
    found = moved(flip=False)
    assert found.shape == (2, 2, 4)
    # x from 2 * 4.5 to 2 * 12.5, less the crop of 4; y from 2 * 6.5 to 2 * 13.5.
    left, top, right, bottom = found[0, 0].tolist()
    assert (left, right) == (5, 21)
    assert (top + bottom) / 2 == 20
    assert not found[1].any()  # nobody was found in the second frame
    assert not found[0, 1].any()


def test_what_the_crop_left_outside_is_not_boxed():
    people = [(person(left_elbow=(x - 20, 10), left_wrist=(x, 10)), BODY) for x in (20, 80)]
    frame = Surroundings(40, 60, people=people)
    found = find_boxes(RegionsConfig(parts=["hands"], smallest=2, most=4), [frame])
    assert [bool(box.any()) for box in found[0]] == [True, False, False, False]


def test_points_that_are_not_drawn_make_no_box():
    points = person()
    points[0, LEFT_HAND][:3] = [(4, 6, 0.3), (12, 6, 0.3), (8, 13, 0.3)]
    still = Augmentation(Size(20, 30), Crop(0, 0), Size(20, 30), flip=False, colour=Colour())
    config = RegionsConfig(parts=["hands"], smallest=2)
    material = Material(Size(20, 30), {"pose": [points]})
    controls = [
        PoseConfig(skeleton="body_25", stream="pose", hand_confidence=least) for least in (0.3, 0.4)
    ]
    found = [
        clip_boxes(config, [control], material, augmentation=still, labels=None)
        for control in controls
    ]
    assert [bool(boxes.any()) for boxes in found] == [True, False]


def test_mirrored_frames_have_mirrored_boxes():
    left, _, right, _ = moved(flip=True)[0, 0].tolist()
    assert (left, right) == (50 - 21, 50 - 5)


def test_a_clip_without_regions_carries_none():
    material = Material(Size(2, 2), {})
    still = Augmentation(Size(2, 2), Crop(0, 0), Size(2, 2), flip=False, colour=Colour())
    assert clip_boxes(None, (), material, augmentation=still, labels=torch.zeros(1, 2, 2)) is None


@pytest.mark.parametrize(
    ("settings", "controls", "said"),
    [
        ({}, [], "must name something to box; labels and parts are empty"),
        ({"labels": [1]}, [], "regions.labels needs label maps; labels is null"),
        ({"parts": ["face"]}, [EdgesConfig()], "'face' needs a control of kind landmarks or pose"),
        ({"parts": ["hands"]}, [LandmarksConfig()], "'hands' needs a control of kind pose"),
    ],
)
def test_what_cannot_be_boxed_is_said(settings, controls, said):
    with pytest.raises(ValueError, match=said):
        check_regions(RegionsConfig(**settings), controls, has_labels=False)


def test_what_can_be_boxed_is_taken():
    pose = PoseConfig(skeleton="body_25b")
    check_regions(RegionsConfig(parts=["face", "hands"]), [pose], has_labels=False)
    check_regions(RegionsConfig(labels=[1], parts=["face"]), [LandmarksConfig()], has_labels=True)
