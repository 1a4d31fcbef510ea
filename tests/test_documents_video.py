"""What docs/video.md says is true: its commands run, its tables are those of the code."""

import os
import re
import shlex
from pathlib import Path

import pytest
from sample_videos import piped, standard_input
from tiny_runs import label_video, tiny_checkpoint

from pipelines.cli.app import render_main
from vid2vid.video import codecs
from vid2vid.video.reading import VIDEO_SUFFIXES, read_video

TEXT = (Path(__file__).parent.parent / "docs" / "video.md").read_text("utf-8")
COMMANDS = re.findall(r"^    (?:ffmpeg .* \| )?vid2vid-render (.*)$", TEXT, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_its_commands_read_standard_input(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    tiny_checkpoint(Path("RUN"))
    label_video(Path("labels.mp4"), 3)
    words, _, redirected = command.partition(" < ")
    given = os.open(redirected, os.O_RDONLY) if redirected else piped(as_matroska())
    with standard_input(given), pytest.raises(SystemExit) as left:
        render_main(shlex.split(words))
    assert not left.value.code
    assert len(list(read_video("out.mp4"))) == 3


def as_matroska():
    return label_video(Path("labels.mkv"), 3).read_bytes()


def test_it_has_both_ways_of_piping():
    assert [" < " in command for command in COMMANDS] == [False, True]


def test_it_names_every_suffix_that_is_read():
    listed = re.search(r"A video file \(([^)]*)\)", TEXT)[1].split()
    named = {f".{name.strip(',')}" for name in listed} - {".mpegts"}
    assert {*named, ".ts", ".mts", ".m2ts", ".m4v", ".mpeg"} == VIDEO_SUFFIXES


@pytest.mark.parametrize("suffix", codecs.OUTPUT_SUFFIXES)
def test_it_names_the_codecs_of_every_output(tmp_path, suffix):
    row = re.search(rf"^\| `{re.escape(suffix)}` \| ([^|]*) \|", TEXT, re.MULTILINE)[1]
    named = re.findall(r"`([^`]+)`", row)
    options = {"width": 64, "height": 64, "lossless": False, "crf": None}
    path = tmp_path / f"a{suffix}"
    assert codecs.choose_encoding(path, codec=None, **options).codec == named[0]
    with pytest.raises(codecs.VideoError) as caught:
        codecs.choose_encoding(path, codec="none of them", **options)
    assert f"must be {' or '.join(named)}; got" in str(caught.value)
