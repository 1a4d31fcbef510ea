"""Writing a folder of PNGs: exact pictures and times, and whose files are touched."""

from fractions import Fraction

import numpy as np
import pytest
from sample_videos import noise, read_times, write_noise

from vid2vid.errors import VideoError
from vid2vid.video.pictures import write_picture
from vid2vid.video.reading import read_image, read_video
from vid2vid.video.writing import open_writer


def test_a_folder_gets_exact_pictures_and_times(tmp_path):
    times = [0, Fraction(1001, 30000), Fraction(1, 3)]
    path = write_noise(tmp_path / "parent" / "out", times)
    names = sorted(p.name for p in path.iterdir())
    assert names == ["000000.png", "000001.png", "000002.png", "times.csv"]
    for frame, time in zip(read_video(path), times, strict=True):
        assert np.array_equal(frame.rgb, noise(frame.index))
        assert frame.time == time


def test_a_folder_refuses_times_that_do_not_increase(tmp_path):
    with pytest.raises(VideoError, match=r"out must increase; frame 1 comes at 0 s after 0 s"):
        write_noise(tmp_path / "out", [0, 0])


def test_a_folder_with_files_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(VideoError, match=r"must be new or empty; .* holds files: choose"):
        open_writer(tmp_path, width=48, height=32, rate=Fraction(25))


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "out.v1").mkdir()
    assert len(read_times(write_noise(tmp_path / "out.v1", [0, 1]))) == 2


def test_what_an_aborted_run_left_is_replaced(tmp_path):
    writer = open_writer(tmp_path / "out", width=48, height=32, rate=Fraction(25))
    for index in range(3):
        writer.write(noise(index), Fraction(index))
    writer.abort(keep_partial=True)
    assert len(read_times(write_noise(tmp_path / "out", [0]))) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_foreign_files_under_the_partial_name_are_not_touched(tmp_path):
    (tmp_path / "out.partial").mkdir()
    (tmp_path / "out.partial" / "notes.txt").write_text("mine")
    with pytest.raises(VideoError, match=r"out\.partial must be free .* holds notes\.txt: move it"):
        open_writer(tmp_path / "out", width=48, height=32, rate=Fraction(25))
    assert (tmp_path / "out.partial" / "notes.txt").exists()


def test_a_picture_is_written_whole_or_not_at_all(tmp_path):
    write_picture(tmp_path / "a.png", noise(1))
    assert np.array_equal(read_image(tmp_path / "a.png"), noise(1))
    (tmp_path / "b.png").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_picture(tmp_path / "b.png", noise(1))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png", "b.png"]


def test_a_file_where_the_folder_should_be_is_refused(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(VideoError, match="out is a file: choose"):
        open_writer(tmp_path / "out", width=48, height=32, rate=Fraction(25))


def test_a_picture_that_a_kill_cut_short_is_replaced(tmp_path):
    (tmp_path / "out.partial").mkdir()
    (tmp_path / "out.partial" / "000003.partial.png").touch()
    assert len(read_times(write_noise(tmp_path / "out", [0]))) == 1
