"""Encoding a video: size, times, colour, lossless modes, and what is refused."""

import signal
import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest
from sample_videos import noise, read_times, write_noise

from vid2vid.errors import VideoError
from vid2vid.video.reading import open_video, read_video
from vid2vid.video.writing import open_writer

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize("rate", [Fraction(25), NTSC, Fraction(60), Fraction(25, 2)])
def test_an_mp4_keeps_size_count_rate_and_times_exactly(tmp_path, rate):
    times = [index / rate for index in range(40)]
    path = write_noise(tmp_path / "out.mp4", times, rate=rate)
    assert path == tmp_path / "out.mp4"
    info = open_video(path)
    assert info[:4] == (48, 32, rate, 40)
    assert read_times(path) == times


@pytest.mark.parametrize("suffix", ["mkv", "webm"])
def test_matroska_keeps_times_within_a_millisecond(tmp_path, suffix):
    times = [index / NTSC for index in range(40)]
    path = write_noise(tmp_path / f"out.{suffix}", times, rate=NTSC)
    assert open_video(path).rate == NTSC
    errors = [abs(read - time) for read, time in zip(read_times(path), times, strict=True)]
    assert max(errors) <= Fraction(1, 1000)


@pytest.mark.parametrize("start", [Fraction(0), Fraction(7, 3)])
@pytest.mark.parametrize("time_base", [Fraction(1, 30), Fraction(1, 90000)])
def test_variable_times_are_exact_in_mp4(tmp_path, start, time_base):
    steps = np.random.default_rng(0).integers(1, 6, 40).cumsum().tolist()
    times = [start] + [start + Fraction(step, 30) for step in steps]
    path = write_noise(tmp_path / "out.mp4", times, rate=Fraction(10), time_base=time_base)
    assert read_times(path) == times


def test_variable_times_keep_within_a_millisecond_in_mkv(tmp_path):
    times = [Fraction(step, 30) for step in (0, 1, 2, 7, 8, 20, 21)]
    path = write_noise(tmp_path / "out.mkv", times, time_base=Fraction(1, 30))
    errors = [abs(read - time) for read, time in zip(read_times(path), times, strict=True)]
    assert max(errors) <= Fraction(1, 1000)


def test_times_closer_than_a_tick_are_refused(tmp_path):
    message = (
        r"out\.mp4 must be a tick of 1/25 s apart; frame 1 comes at 0\.010000 s after 0\.000000 s: "
        "give the writer the time base of the source"
    )
    with pytest.raises(VideoError, match=message):
        write_noise(tmp_path / "out.mp4", [0, Fraction(1, 100)])


SATURATED = [(r, g, b) for r in (0, 255) for g in (0, 255) for b in (0, 255)]


@pytest.mark.parametrize(
    ("width", "suffix"), [(256, "mp4"), (255, "mp4"), (256, "mkv"), (256, "webm")]
)
def test_saturated_colours_come_back_within_three_levels(tmp_path, width, suffix):
    rgb = np.repeat(np.array([SATURATED], dtype=np.uint8), 32, axis=1).repeat(64, axis=0)
    rgb = np.ascontiguousarray(rgb[:, :width])
    path = tmp_path / f"out.{suffix}"
    writer = open_writer(path, width=width, height=64, rate=Fraction(25))
    for index in range(10):
        writer.write(rgb, Fraction(index, 25))
    writer.close()
    for frame in read_video(path):
        assert np.abs(frame.rgb.astype(int) - rgb).max() <= 3


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm"])
def test_a_video_is_tagged_bt709_limited_range(tmp_path, suffix):
    path = write_noise(tmp_path / f"out.{suffix}", [0])
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    tags = (frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range)
    assert tags == (1, 1, 1, 1)


@pytest.mark.parametrize(("height", "width"), [(33, 48), (32, 47), (33, 47), (1, 1)])
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm"])
def test_odd_sizes_are_kept(tmp_path, height, width, suffix):
    path = write_noise(tmp_path / f"out.{suffix}", [0, Fraction(1, 25)], height=height, width=width)
    assert [frame.rgb.shape for frame in read_video(path)] == [(height, width, 3)] * 2


@pytest.mark.parametrize("options", [{"lossless": True}, {"codec": "ffv1"}])
@pytest.mark.parametrize("size", [(32, 48), (31, 47)])
def test_lossless_video_is_exact_in_mkv(tmp_path, options, size):
    path = write_noise(tmp_path / "out.mkv", [0, 1], height=size[0], width=size[1], **options)
    for frame in read_video(path):
        assert np.array_equal(frame.rgb, noise(frame.index, *size))


def test_lossless_video_is_exact_in_mp4(tmp_path):
    path = write_noise(tmp_path / "out.mp4", [0, 1], height=31, lossless=True)
    for frame in read_video(path):
        assert np.array_equal(frame.rgb, noise(frame.index, 31))


def test_a_smaller_crf_gives_a_larger_file(tmp_path):
    sizes = [
        write_noise(tmp_path / f"{crf}.mp4", [0, 1], crf=crf).stat().st_size for crf in (5, 40)
    ]
    assert sizes[0] > 2 * sizes[1]


def test_an_mp4_whose_process_was_killed_plays(tmp_path):
    code = """
import os, signal, sys
from fractions import Fraction
import numpy as np
from vid2vid.video.writing import open_writer
writer = open_writer(sys.argv[1], width=96, height=64, rate=Fraction(25))
for index in range(200):
    rgb = np.random.default_rng(index).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    writer.write(rgb, Fraction(index, 25))
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "out.mp4")], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(list(read_video(tmp_path / "out.partial.mp4"))) > 100


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("out.mp4", {"codec": "ffv1"}, r"codec of a \.mp4 file must be libx264 or .*; got 'ffv1'"),
        ("out.mkv", {"codec": "vp8"}, r"a \.mkv file must be libx264 or .* or ffv1; got 'vp8'"),
        ("out", {"codec": "ffv1"}, r"a codec needs a video file; .* name the output out\.mkv"),
        ("out", {"codec": "libx264"}, r"name the output out\.mp4 or drop the codec"),
        ("out.gif", {"lossless": True}, r"gif cannot write without loss, .*name it out\.mkv"),
    ],
)
def test_a_codec_that_does_not_fit_is_refused(tmp_path, name, options, message):
    with pytest.raises(VideoError, match=message):
        open_writer(tmp_path / name, width=48, height=32, rate=Fraction(25), **options)
    assert not list(tmp_path.iterdir())


def test_a_size_that_the_encoder_refuses_is_refused_before_the_first_frame(tmp_path):
    with pytest.raises(VideoError, match="such as libx264 encodes; it refuses 20000x20000 at 25"):
        open_writer(tmp_path / "out.mp4", width=20000, height=20000, rate=Fraction(25))
    assert not list(tmp_path.iterdir())


def test_pixels_that_are_not_square_are_told(tmp_path, caplog):
    for name in ("out.mp4", "out.mkv"):
        path = write_noise(tmp_path / name, [0, 1], pixel_aspect=Fraction(4, 3))
        assert open_video(path).pixel_aspect == Fraction(4, 3)
    assert not caplog.records
    path = write_noise(tmp_path / "out.webm", [0, 1], pixel_aspect=Fraction(4, 3))
    assert open_video(path).pixel_aspect == 1
    assert "out.webm for square, which are 4/3 times as wide as high: name" in caplog.text


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
def test_the_last_frame_is_shown_as_long_as_it_is_to_be(tmp_path, name):
    writer = open_writer(tmp_path / name, width=48, height=32, rate=Fraction(25))
    for index in range(3):
        writer.write(noise(index), Fraction(index, 25), duration=Fraction(2))
    with av.open(str(writer.close())) as container:
        assert abs(container.duration / av.time_base - (2 / 25 + 2)) <= 0.001
