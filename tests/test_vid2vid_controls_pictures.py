"""The pictures of a clip: made, stacked, and shown."""

import numpy as np
import pytest
import torch

from vid2vid.controls.config import (
    BoundaryConfig,
    DepthConfig,
    EdgesConfig,
    FlowControlConfig,
    GreyConfig,
    LandmarksConfig,
    PictureConfig,
    PoseConfig,
)
from vid2vid.controls.drawing import InputDrawing, draw_control
from vid2vid.controls.pictures import Material, make_pictures
from vid2vid.controls.skeletons import SKELETONS
from vid2vid.data.augment import Augmentation, Colour, Crop, Size, unvaried
from vid2vid.labels.palettes import load_palette

SIZE = Size(16, 24)
POSE = PoseConfig(skeleton="body_25", drop=0.0)


def augmented(size, crop=(0, 0), *, flip=False):
    return Augmentation(size, Crop(*crop), SIZE, flip=flip, colour=Colour())


def arm(x0, x1, *, y=8.0):
    """One person's right forearm."""
    points = np.zeros((1, 137, 3), np.float32)
    joints = SKELETONS["body_25"].joints
    points[0, joints.index("right_elbow")] = [x0, y, 1]
    points[0, joints.index("right_wrist")] = [x1, y, 1]
    return points


def draw(points, augmentation, canvas=SIZE):
    material = Material(canvas, {"openpose": [points]})
    pictures = make_pictures((POSE,), material, augmentation)
    return ((pictures[0] + 1) * 127.5).round().permute(1, 2, 0).to(torch.uint8).numpy()


def test_no_controls_make_no_pictures():
    assert make_pictures((), Material(SIZE, {}), unvaried(SIZE)) is None


def test_controls_are_stacked_in_their_order():
    frames = torch.rand(2, 3, *SIZE) * 2 - 1
    depth = [np.full(SIZE, 0.25, np.float32)] * 2
    material = Material(SIZE, {"depth": depth}, frames=frames)
    pictures = make_pictures((DepthConfig(), GreyConfig()), material, unvaried(SIZE))
    assert pictures.shape == (2, 2, *SIZE)
    assert (pictures[:, 0] == 0.25).all()
    assert torch.allclose(
        pictures[:, 1], 0.299 * frames[:, 0] + 0.587 * frames[:, 1] + 0.114 * frames[:, 2]
    )


def test_key_points_are_scaled_and_cropped_before_they_are_drawn():
    drawn = draw(arm(4, 20, y=16), augmented(Size(32, 48), (16, 8)), canvas=Size(32, 48))
    rows, columns, _ = drawn.nonzero()
    assert set(rows) <= {15, 16, 0, 1}
    assert 0 in rows
    assert columns.min() == 0
    assert 11 <= columns.max() <= 13


def test_a_mirrored_right_arm_is_a_left_arm():
    plain, mirrored = (
        draw(arm(4, 12), augmented(SIZE)),
        draw(arm(4, 12), augmented(SIZE, flip=True)),
    )
    red, green, blue = plain[8, 8]
    assert red == green > 100
    assert blue == 0
    assert mirrored[8, 23 - 8].tolist() == [0, green, 0]
    assert ((plain[:, ::-1] > 76).any(2) == (mirrored > 76).any(2)).all()


def test_the_canvas_of_the_configuration_goes_before_that_of_the_frames():
    control = POSE.model_copy(update={"canvas": (32, 48)})
    material = Material(SIZE, {"openpose": [arm(8, 24, y=16)]})
    pictures = make_pictures((control,), material, unvaried(SIZE))
    assert (pictures[0, 0, 8, 4:12] > -1).all()
    assert (pictures[0, 0, 8, 15:] == -1).all()


def test_the_same_limbs_are_dropped_in_every_frame_and_none_without_a_generator():
    control = PoseConfig(skeleton="body_25", drop=0.5)
    material = Material(SIZE, {"openpose": [arm(4, 20)] * 5})
    clips = [
        make_pictures((control,), material, unvaried(SIZE), rng=np.random.default_rng(seed))
        for seed in range(20)
    ]
    seen = [(clip > -1).any(dim=3).any(dim=2).any(dim=1).unique().tolist() for clip in clips]
    assert all(len(each) == 1 for each in seen)
    assert {each[0] for each in seen} == {True, False}
    assert (make_pictures((control,), material, unvaried(SIZE)) > -1).any()


def test_stored_pictures_are_cut_like_the_frames():
    picture = np.arange(32 * 48, dtype=np.float32).reshape(32, 48).astype(np.uint8)
    control = PictureConfig(channels=1)
    material = Material(SIZE, {"pictures": [picture]})
    pictures = make_pictures((control,), material, augmented(Size(32, 48), (3, 5), flip=True))
    expected = torch.from_numpy(picture[3:19, 5:29][:, ::-1].copy()) / 127.5 - 1
    assert torch.equal(pictures[0, 0], expected)


def test_a_first_frame_without_a_flow_rests():
    control = FlowControlConfig(stream="flow", largest_px=4)
    flow = np.full((*SIZE, 2), 1.0, np.float32)
    pictures = make_pictures((control,), Material(SIZE, {"flow": [None, flow]}), unvaried(SIZE))
    assert (pictures[0] == 0).all()
    assert (pictures[1] == 0.25).all()


def test_boundaries_come_from_instances():
    ids = torch.zeros(1, *SIZE, dtype=torch.int32)
    ids[..., 12:] = 7
    pictures = make_pictures((BoundaryConfig(),), Material(SIZE, {}, instances=ids), unvaried(SIZE))
    assert pictures[0, 0, 0].nonzero()[:, 0].tolist() == [11, 12]


@pytest.mark.parametrize(
    ("control", "stored", "message"),
    [
        (EdgesConfig(), {}, "edges needs photographs; got None"),
        (BoundaryConfig(), {}, "boundary needs instance maps; got None"),
        (POSE, {"openpose": [None]}, "every frame needs key points in 'openpose'; got None"),
    ],
)
def test_material_must_be_there(control, stored, message):
    with pytest.raises(ValueError, match=message):
        make_pictures((control,), Material(SIZE, stored), unvaried(SIZE))


# Drawing


def test_labels_and_each_control_have_a_panel():
    drawing = InputDrawing(load_palette("camvid"), (EdgesConfig(), FlowControlConfig()))
    assert drawing.titles == ("labels", "edges", "flow")
    ids = np.full(SIZE, 1, np.uint8)
    pictures = torch.zeros(3, *SIZE)
    pictures[0] = 1
    drawn = drawing.draw(ids, pictures)
    assert drawn.shape == (16, 72, 3)
    assert drawn[0, 0].tolist() == list(load_palette("camvid").classes[1].colour)
    assert (drawn[:, 24:48] == 255).all()
    assert (drawn[:, 48:] == 255).all()  # rest is white on the colour wheel


def test_a_clip_is_drawn_frame_by_frame_at_the_scale_that_runs():
    drawing = InputDrawing(None, (GreyConfig(),))
    clip = drawing.draw_clip(
        None, torch.linspace(-1, 1, 3).view(3, 1, 1, 1).expand(3, 1, *SIZE), step=2
    )
    assert [frame.shape for frame in clip] == [(8, 12, 3)] * 3
    assert [frame[0, 0, 0] for frame in clip] == [0, 128, 255]


def test_flow_of_opposite_directions_has_opposite_hues():
    right, left = torch.zeros(2, 2, 2), torch.zeros(2, 2, 2)
    right[0], left[0] = 1, -1
    red, cyan = (draw_control(FlowControlConfig(), flow)[0, 0] for flow in (right, left))
    assert red[0] > 200
    assert red[2] < 100
    assert cyan[0] < 100
    assert cyan[2] > 200


def test_of_many_channels_the_first_is_drawn():
    picture = torch.full((15, 2, 2), -1.0)
    picture[0] = 1
    assert (draw_control(LandmarksConfig(), picture) == 255).all()
    assert (draw_control(BoundaryConfig(), torch.zeros(1, 2, 2)) == 0).all()


@pytest.mark.parametrize("pictures", [None, torch.zeros(2, *SIZE)])
def test_pictures_that_do_not_fit_the_controls_are_refused(pictures):
    with pytest.raises(ValueError, match="the controls have 1 channels; got"):
        InputDrawing(None, (GreyConfig(),)).draw(None, pictures)


def test_a_palette_needs_labels():
    with pytest.raises(ValueError, match="label maps are needed to be drawn; got None"):
        InputDrawing(load_palette("camvid"), ()).draw(None, None)


def test_landmarks_are_mirrored_with_their_sides_swapped():
    points = np.ones((1, 68, 3), np.float32)
    points[0, :, :2] = np.stack([np.linspace(2, 20, 68), np.full(68, 4)], axis=1)
    points[0, 17:22, 1], points[0, 22:27, 1] = 12, 2  # the right brow lies low, the left one high
    control = LandmarksConfig()
    material = Material(SIZE, {"keypoints": [points]})
    plain, mirrored = (
        make_pictures((control,), material, augmented(SIZE, flip=flip))[0] for flip in (False, True)
    )
    right, left = 1 + 1, 1 + 2  # distance maps of the brows
    assert torch.equal((mirrored[left] == -1).flip(1), plain[right] == -1)
    assert torch.equal((mirrored[right] == -1).flip(1), plain[left] == -1)
