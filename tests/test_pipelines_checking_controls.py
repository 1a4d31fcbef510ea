"""What `vid2vid check` says of the files of controls."""

import json

import cv2
import numpy as np
import pytest
import yaml
from broken_data import HEIGHT, WIDTH, texture, write, write_healthy

from pipelines.checking.check import check

LENGTH = 4


@pytest.fixture
def folder(tmp_path):
    """A sequence of photographs alone."""
    return write_healthy(tmp_path / "train" / "one", count=LENGTH)


def problems_of(folder, control):
    """Check the data set of a sequence for a still-image run on one control."""
    settings = {
        "name": "tiny",
        "data": {"root": str(folder.parents[1]), "height": 16, "width": 16},
        "labels": None,
        "controls": [control],
        "generator": {"kind": "pix2pix_unet", "width": 4, "downsamplings": 2},
        "image_discriminator": {"width": 4, "layers": 1, "scales": 1},
        "video_discriminator": None,
        "losses": {"perceptual": 0.0},
        "schedule": {"steps": 2, "clip_length": 1, "clip_length_max": 1},
    }
    file = folder.parents[1] / "tiny.yaml"
    file.write_text(yaml.safe_dump(settings))
    return check(str(file)).problems


def write_people(folder, scale=1.0, *, count=1):
    """Write a body of 25 points in the middle of the picture, times `scale`."""
    (folder / "openpose").mkdir()
    body = [n for i in range(25) for n in ((20 + i) * scale, (10 + i) * scale, 0.9)]
    people = [{"pose_keypoints_2d": body}] * count
    for index in range(LENGTH):
        (folder / "openpose" / f"{index:04d}.json").write_text(json.dumps({"people": people}))


POSE = {"kind": "pose", "skeleton": "body_25"}


def test_people_in_the_picture_are_right(folder):
    write_people(folder)
    assert not problems_of(folder, POSE)


@pytest.mark.parametrize(
    ("scale", "says"), [(30.0, "100% lie outside of it"), (0.01, "between 0 and 1, as shares")]
)
def test_key_points_that_are_no_pixels_of_the_frames_are_named(folder, scale, says):
    write_people(folder, scale)
    (problem,) = problems_of(folder, POSE)
    assert (problem.severity, problem.kind) == ("warning", "key-points")
    assert says in problem.message
    assert f"{WIDTH}x{HEIGHT}" in problem.message


def test_a_canvas_says_in_which_picture_key_points_lie(folder):
    write_people(folder, 30.0)
    assert not problems_of(folder, {**POSE, "canvas": [HEIGHT * 30, WIDTH * 30]})


def test_a_sequence_without_anybody_is_named(folder):
    write_people(folder, count=0)
    (problem,) = problems_of(folder, POSE)
    assert problem.kind == "key-points"
    assert "the 4 files" in problem.message
    assert "no point that was found" in problem.message


def write_depth(folder, metres, *, dtype=np.uint16):
    for index in range(LENGTH):
        grid = np.linspace(metres, 2 * metres, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)
        write(folder / "depth" / f"{index:04d}.png", (grid * 1000).astype(dtype))


DEPTH = {"kind": "depth", "near": 1.0, "far": 50.0}


def test_depth_that_varies_is_right(folder):
    write_depth(folder, 5.0)
    assert not problems_of(folder, DEPTH)


@pytest.mark.parametrize(
    ("metres", "unit", "says"),
    [(0.0, 0.001, "unknown (0) or beyond 50 m"), (5, 0.1, "beyond 50 m"), (5, 1e-6, "below 1 m")],
)
def test_depth_that_says_nothing_is_named(folder, metres, unit, says):
    write_depth(folder, metres)
    (problem,) = problems_of(folder, {**DEPTH, "unit": unit})
    assert (problem.severity, problem.kind) == ("warning", "depth")
    assert says in problem.message


def test_a_depth_map_of_another_size_is_named(folder):
    write_depth(folder, 5.0)
    cv2.imwrite(str(folder / "depth" / "0002.png"), np.full((20, 20), 5000, np.uint16))
    (problem,) = problems_of(folder, DEPTH)
    assert problem.severity == "error"
    assert "0002.png" in problem.message


def test_photographs_in_the_place_of_edges_are_named(folder):
    for index, frame in enumerate(texture(0, count=LENGTH)):
        write(folder / "edges" / f"{index:04d}.png", frame)
    (problem,) = problems_of(folder, {"kind": "edges", "stream": "edges"})
    assert problem.severity == "error"
    assert "so that it is a photograph" in problem.message
