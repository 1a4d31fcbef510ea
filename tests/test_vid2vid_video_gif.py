"""Gifs: colours, times, and what they cannot show."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from sample_videos import picture, read_times

from vid2vid.errors import VideoError
from vid2vid.video.gif import GifClock
from vid2vid.video.reading import read_video
from vid2vid.video.writing import open_writer

NTSC = Fraction(30000, 1001)


def write_gif(path, times, *, rate=Fraction(25)):
    writer = open_writer(path, width=48, height=32, rate=rate)
    for index, time in enumerate(times):
        writer.write(picture(index), Fraction(time))
    return writer.close()


@pytest.mark.parametrize("rate", [Fraction(25), NTSC, Fraction(50)])
def test_times_come_back_within_ten_milliseconds(tmp_path, rate):
    times = [index / rate for index in range(30)]
    found = read_times(write_gif(tmp_path / "out.gif", times, rate=rate))
    assert max(abs(a - b) for a, b in zip(found, times, strict=True)) <= Fraction(1, 100)


def test_variable_times_do_too_and_begin_at_zero(tmp_path):
    times = [Fraction(7, 3) + Fraction(step, 30) for step in (0, 1, 2, 7, 8, 20, 45)]
    found = read_times(write_gif(tmp_path / "out.gif", times))
    assert found[0] == 0
    pairs = zip(found, times, strict=True)
    assert max(abs(ours - theirs + times[0]) for ours, theirs in pairs) <= Fraction(1, 100)


def test_each_frame_has_colours_of_its_own(tmp_path):
    path = write_gif(tmp_path / "out.gif", [Fraction(index, 10) for index in range(4)])
    for frame in read_video(path):  # 24 colours each, of 72 in all
        assert np.abs(frame.rgb.astype(int) - picture(frame.index)).max() <= 4


def test_an_aborted_gif_plays(tmp_path):
    writer = open_writer(tmp_path / "out.gif", width=48, height=32, rate=Fraction(10))
    for index in range(3):
        writer.write(picture(index), Fraction(index, 10))
    assert writer.abort(keep_partial=True) == tmp_path / "out.partial.gif"
    assert len(read_times(tmp_path / "out.partial.gif")) == 3


def test_more_than_a_gif_can_show_is_refused(tmp_path):
    message = r"at most 50 frames per second; .*out\.gif would have 60: name a video"
    with pytest.raises(VideoError, match=message):
        open_writer(tmp_path / "out.gif", width=48, height=32, rate=Fraction(60))
    assert not list(tmp_path.iterdir())


def test_a_frame_that_comes_too_soon_is_late_and_told(caplog):
    clock = GifClock(Path("out.gif"), rate=Fraction(25))
    times = [Fraction(each, 1000) for each in (0, 5, 10, 100, 140)]
    assert [clock.stamp(time, index) for index, time in enumerate(times)] == [0, 2, 4, 10, 14]
    assert [record.message for record in caplog.records] == [
        "frame 1 of out.gif comes 15 ms late: a gif shows each for 20 ms or longer"
    ]
