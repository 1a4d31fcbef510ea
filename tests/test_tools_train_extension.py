"""What the packaged network that continues pictures is trained on."""

from fractions import Fraction

import numpy as np
import pytest
from tool_modules import load_tool

from vid2vid.video.reading import find_frames, read_image
from vid2vid.video.writing import open_writer

TOOL = load_tool("train_extension")


def write_clip(path, *, frames):
    path.parent.mkdir(parents=True)
    writer = open_writer(str(path), width=96, height=64, rate=Fraction(25))
    for index in range(frames):
        writer.write(np.full((64, 96, 3), 20 * index, np.uint8), Fraction(index, 25))
    writer.close()


def test_it_takes_frames_far_apart_and_as_many_streets(tmp_path):
    write_clip(tmp_path / "clips" / "deep" / "a.mp4", frames=5)
    folder = tmp_path / "pictures"
    folder.mkdir()
    assert TOOL.gather([tmp_path / "clips"], folder, every=4) == 2
    names = [path.name for path in find_frames(folder)]
    assert names == ["clip_0000.png", "clip_0001.png", "street_0000.png", "street_0001.png"]
    assert read_image(folder / "clip_0001.png").shape == (192, 288, 3)
    assert abs(int(read_image(folder / "clip_0001.png").mean()) - 80) < 8
    streets = [read_image(folder / name) for name in names[2:]]
    assert streets[0].shape == (192, 320, 3)
    assert not np.array_equal(*streets)


def test_folders_without_videos_are_refused(tmp_path):
    with pytest.raises(SystemExit, match="videos are needed"):
        TOOL.gather([tmp_path], tmp_path, every=4)
