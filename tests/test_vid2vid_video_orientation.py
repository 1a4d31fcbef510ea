"""Frames are read as they are shown: turned and mirrored by the display matrix."""

import av
import numpy as np
import pytest
from sample_videos import film, picture

from vid2vid.errors import VideoError
from vid2vid.video.orientation import turn_upright
from vid2vid.video.reading import ClipVideo, open_video, read_video

# a b u, c d v, x y w: a pixel at (x, y) is shown at (a x + c y, b x + d y)
ONE = 1 << 16


def matrix(a, b, c, d):
    return [a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30]


def shown_at(a, b, c, d):
    """Move every pixel of the picture by the matrix, one by one."""
    rgb = picture(0)
    places = {(x, y): (a * x + c * y, b * x + d * y) for x in range(48) for y in range(32)}
    left, top = (min(place[axis] for place in places.values()) for axis in (0, 1))
    upright = np.zeros((48, 32, 3) if a == 0 else (32, 48, 3), np.uint8)
    for (x, y), (to_x, to_y) in places.items():
        upright[to_y - top, to_x - left] = rgb[y, x]
    return upright


@pytest.mark.parametrize(
    "parts",
    [
        (1, 0, 0, 1), (-1, 0, 0, -1), (-1, 0, 0, 1), (1, 0, 0, -1),
        (0, 1, -1, 0), (0, -1, 1, 0), (0, 1, 1, 0), (0, -1, -1, 0),
    ],
)  # fmt: skip
def test_every_right_angle_and_mirror_is_undone(tmp_path, parts):
    path = film(tmp_path / "a.mp4", [0], sounds=(), matrix=matrix(*parts))
    assert np.array_equal(next(read_video(path)).rgb, shown_at(*parts))


def test_a_quarter_turn_counter_clockwise_is_that_of_numpy(tmp_path):
    path = film(tmp_path / "a.mp4", [0], sounds=(), turned=90)
    assert np.array_equal(next(read_video(path)).rgb, np.rot90(picture(0)))
    with av.open(str(path)) as container:
        assert next(container.decode(video=0)).rotation == 90


def test_size_and_random_access_are_those_of_the_upright_frames(tmp_path):
    path = film(tmp_path / "a.mkv", [0, 1, 2], sounds=(), turned=-90)
    assert open_video(path)[:2] == (32, 48)
    frames = [frame.rgb for frame in read_video(path)]
    assert frames[0].shape == (48, 32, 3)
    assert np.array_equal(ClipVideo(path).read([2])[0], frames[2])


def test_a_frame_without_a_matrix_stays_as_it_is(tmp_path):
    rgb = picture(0)
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
    assert turn_upright(rgb, frame, tmp_path) is rgb


def test_an_angle_that_is_no_right_one_is_refused(tmp_path):
    path = film(tmp_path / "a.mp4", [0], sounds=(), turned=30)
    with pytest.raises(VideoError, match=r"by a right angle .*a\.mp4 is turned by -30 degrees"):
        open_video(path)
