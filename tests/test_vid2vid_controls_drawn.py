"""People and faces drawn from key points."""

import numpy as np
import pytest

from vid2vid.controls.config import LandmarksConfig, PoseConfig
from vid2vid.controls.landmarks import CURVES, add_forehead, draw_landmarks
from vid2vid.controls.pose import draw_people, sample_drops
from vid2vid.controls.skeletons import FACE, LEFT_HAND, SKELETONS

POSE = PoseConfig(skeleton="body_25", line_width=0.05)
SIZE = (40, 60)


def person(**joints):
    points = np.zeros((137, 3), np.float32)
    for name, (x, y) in joints.items():
        points[SKELETONS["body_25"].joints.index(name)] = [x, y, 1]
    return points


def people(*persons):
    return np.stack(persons)


def test_a_limb_has_its_colour_between_its_joints_and_nothing_is_drawn_elsewhere():
    drawn = draw_people(people(person(right_elbow=(10, 20), right_wrist=(50, 20))), POSE, size=SIZE)
    assert drawn[20, 30].tolist() == [153, 153, 0]
    assert (drawn[:16] == 0).all()
    assert (drawn[25:] == 0).all()


def test_the_same_numbers_are_other_limbs_in_the_other_skeleton():
    points = people(person(right_elbow=(10, 20), right_wrist=(50, 20)))  # 3 and 4
    other = PoseConfig(skeleton="body_25b", line_width=0.05)
    assert not draw_people(points, other, size=SIZE).any()  # both ears, which are not joined


def test_a_limb_needs_both_joints_and_their_confidence():
    points = people(person(neck=(10, 20), nose=(50, 20)))
    assert draw_people(points, POSE, size=SIZE).any()
    points[0, 0, 2] = 0.04
    assert not draw_people(points, POSE, size=SIZE).any()
    kept = POSE.model_copy(update={"body_confidence": 0.01})
    assert draw_people(points, kept, size=SIZE).any()


def test_all_people_are_drawn():
    one, other = person(neck=(5, 5), nose=(25, 5)), person(neck=(5, 35), nose=(25, 35))
    drawn = draw_people(people(one, other), POSE, size=SIZE)
    assert drawn[5, 15].any()
    assert drawn[35, 15].any()


def test_lines_grow_with_the_frame_and_are_never_thinner_than_a_pixel():
    points = people(person(neck=(0, 20), nose=(59, 20)))
    drawn = [
        draw_people(points, PoseConfig(skeleton="body_25", line_width=width), size=SIZE)
        for width in (0.001, 0.2)
    ]
    thin, thick = (int((each[:, 30].max(axis=1) > 76).sum()) for each in drawn)
    assert (thin, thick) == (1, 9)  # 0.04 px and 8 px, both sides of the middle alike


def test_hands_and_faces_can_be_left_out():
    hand, face = person(), person()
    hand[LEFT_HAND] = [[5 + index, 30, 1] for index in range(21)]
    face[FACE] = [[5 + index / 2, 10, 1] for index in range(70)]
    points = people(hand, face)
    drawn = draw_people(points, POSE, size=SIZE)
    assert drawn[10].min(axis=1).max() > 200  # white
    assert drawn[30].any()
    bare = draw_people(points, POSE.model_copy(update={"hands": False, "face": False}), size=SIZE)
    assert not bare.any()


def test_points_outside_the_frame_draw_the_part_that_is_inside():
    points = people(person(neck=(-30, 20), nose=(30, 20)))
    drawn = draw_people(points, POSE, size=SIZE)
    assert drawn[20, 0].any()
    assert not draw_people(people(person(neck=(1e9, 2), nose=(3, 2))), POSE, size=SIZE).any()


def test_dropped_limbs_are_left_out_and_the_others_stay():
    points = people(person(neck=(5, 20), nose=(30, 20), mid_hip=(5, 38)))
    drawn = draw_people(points, POSE, size=SIZE, dropped=frozenset({"nose-neck"}))
    assert not drawn[20, 20].any()
    assert drawn[30, 5].any()


def test_as_many_limbs_are_dropped_as_is_said():
    rng = np.random.default_rng(0)
    share = PoseConfig(skeleton="body_25", drop=0.3)
    counts = [len(sample_drops(rng, share)) for _ in range(500)]
    assert np.mean(counts) / (24 + 3) == pytest.approx(0.3, abs=0.02)
    assert sample_drops(rng, PoseConfig(skeleton="body_25", drop=0)) == frozenset()


# Faces


def face(**moved):
    """Landmarks on a grid, which no curve mistakes for another, but for those that are moved."""
    points = np.zeros((1, 68, 3), np.float32)
    points[..., 2] = 1
    points[0, :, 0] = 4 + np.arange(68) % 17 * 4
    points[0, :, 1] = 30 + np.arange(68) // 17 * 10
    return points


def test_the_forehead_is_the_chin_upside_down():
    points = face()[0]
    points[:17, 0], points[:17, 1] = np.arange(17), 10
    points[8, 1] = 40
    whole = add_forehead(points)
    assert whole.shape == (83, 3)
    assert whole[68].tolist() == [15, 10, 1]
    assert whole[75].tolist() == pytest.approx([8, 10 - 20, 1])


def test_curves_go_through_their_points():
    control = LandmarksConfig(distance_maps=False)
    points = face()
    drawn = draw_landmarks(points, control, size=(80, 80))
    assert drawn.shape == (1, 80, 80)
    for x, y in points[0, :, :2].astype(int):
        assert drawn[0, y - 1 : y + 2, x - 1 : x + 2].max() > 0.5


def test_a_distance_map_is_low_on_its_curve_and_high_at_its_reach():
    maps = draw_landmarks(face(), LandmarksConfig(reach=0.25), size=(80, 80))
    assert maps.shape == (15, 80, 80)
    brow = maps[1 + CURVES.index(tuple(range(17, 22)))]
    x, y = 4, 40  # of point 17, where the right brow begins
    assert brow[y, x] == -1
    assert brow[y + 10, x] == pytest.approx(0, abs=0.15)  # half of the reach of 20 px
    assert brow[y + 30, x] == 1


def test_without_a_face_nothing_is_drawn_and_everything_is_far():
    maps = draw_landmarks(np.zeros((0, 68, 3), np.float32), LandmarksConfig(), size=(8, 9))
    assert (maps[0] == -1).all()
    assert (maps[1:] == 1).all()


def test_missing_and_repeated_landmarks_are_passed_over():
    points = face()
    points[0, 18] = 0
    points[0, 20] = points[0, 21]
    points[0, 27:31] = 0
    maps = draw_landmarks(points, LandmarksConfig(), size=(80, 80))
    assert np.isfinite(maps).all()
    assert maps[2][int(points[0, 19, 1]), int(points[0, 19, 0])] == -1
