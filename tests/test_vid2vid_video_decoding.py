"""A video that is opened once: parts, standard input, covers, shapes of pixels."""

import os
import re
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from sample_videos import break_video, encode, film, picture, piped, standard_input, tone

from vid2vid.errors import VideoError
from vid2vid.video.containers import STANDARD_INPUT, broken_stream
from vid2vid.video.decoding import decode_video
from vid2vid.video.reading import find_frames, is_video, open_video, read_video


def test_a_part_begins_where_the_video_begins(tmp_path):
    times = [Fraction(step, 10) for step in (5, 6, 9, 10, 20)]
    video = decode_video(film(tmp_path / "a.mp4", times, sounds=()), part=slice(2, 4))
    frames = list(video.frames)
    assert [frame.index for frame in frames] == [2, 3]
    assert [frame.time for frame in frames] == [Fraction(5, 10), Fraction(6, 10)]
    assert np.array_equal(frames[0].rgb, picture(2))
    assert (video.info.num_frames, video.info.width) == (5, 48)


def test_a_part_beyond_the_end_is_empty(tmp_path):
    assert not list(decode_video(encode(tmp_path / "a.mp4", 3), part=slice(3, 9)).frames)


def test_frames_are_shown_as_long_as_the_file_says(tmp_path):
    frames = decode_video(encode(tmp_path / "a.mp4", 3, rate=20)).frames
    assert [frame.duration for frame in frames] == [Fraction(1, 20)] * 3


def test_the_frames_before_a_break_can_be_had_as_its_message_says(tmp_path):
    path = break_video(tmp_path)
    with pytest.raises(VideoError, match="--frames 0:") as caught:
        list(read_video(path))
    count = int(re.search(r"--frames 0:(\d+)", str(caught.value))[1])
    assert count > 3
    assert len(list(decode_video(path, part=slice(0, count)).frames)) == count


def test_times_that_begin_anew_are_told_of_once(tmp_path, caplog):
    parts = [encode(tmp_path / f"{name}.ts", 6).read_bytes() for name in "ab"]
    (tmp_path / "joined.ts").write_bytes(b"".join(parts))
    frames = list(read_video(tmp_path / "joined.ts"))
    assert len(frames) == 12
    assert all(later.time > earlier.time for earlier, later in pairwise(frames))
    (record,) = caplog.records
    assert "joined.ts go back at frame 6" in record.getMessage()


def test_a_video_that_breaks_at_its_first_frame_has_no_part_to_use():
    assert "--frames" not in str(broken_stream(Path("a.mp4"), 0))
    assert "--frames 0:1" in str(broken_stream(Path("a.mp4"), 1))


@pytest.mark.parametrize(("turned", "aspect"), [(None, Fraction(4, 3)), (90, Fraction(3, 4))])
def test_pixels_that_are_not_square_are_told(tmp_path, turned, aspect):
    path = film(tmp_path / "a.mkv", [0], sounds=(), aspect=Fraction(4, 3), turned=turned)
    assert open_video(path).pixel_aspect == aspect


def test_the_cover_of_a_song_is_no_video(tmp_path):
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as container:
        sound = container.add_stream("aac", rate=48000, layout="stereo")
        cover = container.add_stream("png", rate=1)
        cover.width, cover.height, cover.pix_fmt = 48, 32, "rgb24"
        cover.disposition = Disposition.attached_pic
        container.mux(cover.encode(av.VideoFrame.from_ndarray(picture(0), format="rgb24")))
        for packets in (sound.encode(tone(0)), sound.encode(None)):
            container.mux(packets)
    with pytest.raises(VideoError, match=r"must have pictures; .*song\.mp4 has none"):
        open_video(path)


@pytest.mark.parametrize("suffix", ["mkv", "webm", "ts", "avi"])
def test_a_piped_video_is_read(tmp_path, suffix):
    codec = {"webm": "libvpx-vp9", "ts": "mpeg2video"}.get(suffix, "libx264")
    data = encode(tmp_path / f"a.{suffix}", 5, codec=codec).read_bytes()
    with standard_input(piped(data)):
        assert is_video("-")
        frames = list(read_video("-"))
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]


def test_a_piped_mp4_needs_its_index_in_front(tmp_path):
    path = film(tmp_path / "a.mp4", [0, 1, 2], size=(256, 256), seconds=8)
    message = r"piped video must be readable without seeking, .*; standard input is not .*< FILE"
    with standard_input(piped(path.read_bytes())), pytest.raises(VideoError, match=message):
        decode_video(STANDARD_INPUT)
    with standard_input(os.open(path, os.O_RDONLY)):  # redirected, it can be sought in
        assert len(list(decode_video(STANDARD_INPUT).frames)) == 3


def test_a_terminal_is_no_video():
    ours, theirs = os.openpty()
    with standard_input(theirs), pytest.raises(VideoError, match="which is a terminal: pipe"):
        decode_video(STANDARD_INPUT)
    os.close(ours)


@pytest.mark.parametrize("look", [open_video, find_frames])
def test_standard_input_is_not_looked_at_twice(look):
    with pytest.raises(VideoError, match="standard input can be read once"):
        look("-")
