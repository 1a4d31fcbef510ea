from fractions import Fraction

import cv2
import numpy as np
import pytest
from tiny_runs import (
    file_names,
    label_folder,
    label_video,
    tiny_checkpoint,
)

from pipelines.render import Renderer
from pipelines.rendering.options import RenderOptions
from vid2vid.errors import CheckpointError, ConfigError, DataError, VideoError
from vid2vid.video.reading import read_image
from vid2vid.video.times import write_times


@pytest.fixture(scope="module")
def renderer(tmp_path_factory):
    return Renderer.load(tiny_checkpoint(tmp_path_factory.mktemp("runs") / "tiny"), device="cpu")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"frames": "3"}, "must be A:B"),
        ({"frames": "-3:"}, "must be A:B"),
        ({"frames": "4:4"}, "B must be above A"),
        ({"fps": Fraction(0)}, "--fps must be above 0"),
        ({"height": 0}, "--height must be at least 1"),
        ({"width": -2}, "--width must be at least 1"),
    ],
)
def test_options_out_of_range_are_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        RenderOptions(**values)


def test_a_part_beyond_the_end_is_refused(tmp_path, renderer):
    labels = label_video(tmp_path / "labels.mp4", 4)
    with pytest.raises(VideoError, match="in the part --frames 7:9; it has 4"):
        renderer.render(labels, tmp_path / "out.mp4", RenderOptions(frames="7:9"))


def test_a_rate_is_refused_where_the_input_has_times(tmp_path, renderer):
    options = RenderOptions(fps=Fraction(10))
    with pytest.raises(VideoError, match="is a video with time stamps of its own"):
        renderer.render(label_video(tmp_path / "labels.mp4", 2), tmp_path / "out", options)
    labels = label_folder(tmp_path / "labels", 1)
    write_times(labels, ["street_0_labels.png"], [Fraction(0)])
    with pytest.raises(VideoError, match=r"times\.csv says when each is shown"):
        renderer.render(labels, tmp_path / "out", options)


def test_pictures_of_different_sizes_are_refused_before_the_first_frame(tmp_path, renderer):
    labels = label_folder(tmp_path / "labels", 5)
    cv2.imwrite(str(labels / "street_4_labels.png"), np.zeros((8, 8), np.uint8))
    with pytest.raises(DataError, match=r"24x16 .* is 8x8"):
        renderer.render(labels, tmp_path / "out.mp4")
    assert file_names(tmp_path) == ["labels"]


def test_a_picture_cannot_hold_a_video(tmp_path, renderer):
    labels = label_video(tmp_path / "labels.mp4", 4)
    with pytest.raises(ConfigError, match=r"a picture holds one frame; .* to hold 4"):
        renderer.render(labels, tmp_path / "out.png")
    one = renderer.render(labels, tmp_path / "out.png", RenderOptions(frames="0:1"))
    assert read_image(one.path).shape == (16, 24, 3)


def test_a_missing_checkpoint_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="there is no"):
        Renderer.load(tmp_path)
