from fractions import Fraction

import cv2
import numpy as np
import pytest
from srn_checkpoints import srn_checkpoint
from tiny_runs import pictures

from pipelines.cli import app as cli
from vid2vid.video.reading import open_video
from vid2vid.video.writing import open_writer

HEIGHT, WIDTH, NUM_FRAMES, STEP = 36, 48, 6, 4


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return srn_checkpoint(tmp_path_factory.mktemp("run") / "srn")


def scenery():
    """A texture that a camera pans over: 'h w 3'."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (HEIGHT // 4, (WIDTH + STEP * NUM_FRAMES) // 4, 3), np.uint8)
    return cv2.resize(coarse, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)


def write_pan(path):
    """Write a pan to the right, without loss."""
    writer = open_writer(path, width=WIDTH, height=HEIGHT, rate=Fraction(25), lossless=True)
    for index in range(NUM_FRAMES):
        frame = np.ascontiguousarray(scenery()[:, STEP * index : STEP * index + WIDTH])
        writer.write(frame, Fraction(index, 25))
    return writer.close()


def run(*words):
    with pytest.raises(SystemExit) as ended:
        cli.main([*map(str, words), "--device", "cpu"])
    return ended.value.code or 0


def test_a_video_is_widened_and_its_own_pixels_stay(tmp_path, checkpoint, capsys):
    source, out = write_pan(tmp_path / "in.mkv"), tmp_path / "out.mkv"
    assert run("extend", source, out, "--to", "16:9", "-c", checkpoint, "--lossless") == 0
    wide = pictures(out)
    assert wide.shape == (NUM_FRAMES, 36, 64, 3)
    assert (wide[:, :, 8:56] == pictures(source)).all()
    assert open_video(out).rate == 25
    said = capsys.readouterr().err
    assert "extends 48x36 to 64x36 from other frames; what none shows as one canvas" in said
    assert "key frames" in said


def test_what_other_frames_show_is_carried_from_there(tmp_path, checkpoint):
    source, out = write_pan(tmp_path / "in.mkv"), tmp_path / "out.mkv"
    words = ("--margins", "0,4,0,4", "-c", checkpoint, "--lossless")
    assert run("extend", source, out, *words) == 0
    wide = pictures(out).astype(int)
    # in the third frame both margins are parts of the frames around it
    truth = scenery()[:, 2 * STEP - 4 : 2 * STEP + WIDTH + 4].astype(int)
    assert np.abs(wide[2] - truth).mean() < 4


def test_a_video_that_has_the_aspect_is_refused(tmp_path, checkpoint, capsys):
    source = write_pan(tmp_path / "in.mkv")
    assert run("extend", source, tmp_path / "out.mkv", "--to", "4:3", "-c", checkpoint) == 2
    assert "is 48x36 and has it" in capsys.readouterr().err
