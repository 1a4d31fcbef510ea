"""Which codecs go with which files, sizes and qualities."""

import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import get_args

import av
import numpy as np
import pytest
from sample_videos import noise, read_times, write_noise

from pipelines.cli import options as cli_options
from vid2vid.errors import VideoError
from vid2vid.video import codecs
from vid2vid.video.codecs import choose_encoding
from vid2vid.video.reading import read_video
from vid2vid.video.writing import open_writer

VARIABLE = [Fraction(step, 30) for step in (0, 1, 2, 5, 6, 12, 13)]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("out.mp4", "libx265"),
        ("out.mkv", "libx265"),
        ("out.mp4", "libsvtav1"),
        ("out.webm", "libsvtav1"),
        ("out.mkv", "libvpx-vp9"),
    ],
)
@pytest.mark.parametrize("size", [(64, 96), (65, 97)])
def test_every_codec_keeps_times_and_sizes(tmp_path, name, codec, size):
    height, width = size
    path = tmp_path / name
    writer = open_writer(
        path, width=width, height=height, rate=Fraction(10), time_base=Fraction(1, 600), codec=codec
    )
    smooth = np.full((height, width, 3), (200, 60, 30), np.uint8)
    for time in VARIABLE:
        writer.write(smooth, time)
    writer.close()
    frames = list(read_video(path))
    assert max(np.abs(frame.rgb.astype(int) - smooth).max() for frame in frames) <= 4
    tolerance = 0 if name == "out.mp4" else Fraction(1, 1000)
    pairs = zip(read_times(path), VARIABLE, strict=True)
    assert max(abs(ours - theirs) for ours, theirs in pairs) <= tolerance


@pytest.mark.parametrize(
    ("name", "codec"), [("out.mp4", "libx265"), ("out.mkv", "libx265"), ("out.webm", None)]
)
def test_losing_nothing_is_exact_in_other_codecs_too(tmp_path, name, codec):
    path = write_noise(tmp_path / name, [0, 1], height=65, width=97, codec=codec, lossless=True)
    for frame in read_video(path):
        assert np.array_equal(frame.rgb, noise(frame.index, 65, 97))


def test_hevc_is_called_as_apple_calls_it(tmp_path):
    path = write_noise(tmp_path / "out.mp4", [0], height=64, width=64, codec="libx265")
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_tag == "hvc1"


def test_encoders_say_nothing_of_their_own(tmp_path):
    code = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
from sample_videos import write_noise
for codec in ("libx265", "libsvtav1"):
    write_noise({str(tmp_path / "out.mp4")!r}, [0, 1], height=64, width=64, codec=codec)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def choose(name="out.mp4", *, size=(64, 64), lossless=False, codec=None, crf=None):
    height, width = size
    return choose_encoding(
        Path(name), width=width, height=height, lossless=lossless, codec=codec, crf=crf
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"codec": "ffv1"}, r"a \.mp4 file must be libx264 or libx265 or libsvtav1; got 'ffv1'"),
        ({"codec": "libx265", "size": (63, 64)}, "libx265 needs 64 pixels .* would be 64x63"),
        ({"codec": "libsvtav1", "size": (64, 17)}, "libsvtav1 needs 64 pixels a side or more"),
        ({"codec": "libsvtav1", "lossless": True}, r"cannot write without loss, as out\.mp4 was"),
        ({"name": "out.gif", "lossless": True}, "gif cannot write without loss"),
        ({"name": "out.gif", "crf": 20}, "got 20, but gif has none: leave it out"),
        ({"crf": 52}, "the crf of libx264 must be 0 to 51; got 52"),
        ({"name": "out.webm", "crf": 64}, "the crf of libvpx-vp9 must be 0 to 63; got 64"),
        ({"lossless": True, "crf": 5}, r"got 5, but out\.mp4 is written without loss"),
        ({"name": "out.mkv", "codec": "ffv1", "crf": 5}, r"out\.mkv is written without loss"),
    ],
)
def test_what_does_not_go_together_is_refused(options, message):
    with pytest.raises(VideoError, match=message):
        choose(**options)


def test_quality_is_that_which_was_asked_for():
    assert choose().options["crf"] == "16"
    assert choose("out.webm", crf=30).options == {"crf": "30", "b": "0"}
    assert choose("out.mp4", codec="libx265").options["crf"] == "16"


def test_the_command_line_names_every_codec():
    literal = get_args(get_args(cli_options.Codec)[0])[0]
    named = re.findall(r'^    "(\S+)": _Codec', Path(codecs.__file__).read_text(), re.MULTILINE)
    assert set(get_args(literal)) == set(named)
