from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from broken_data import texture
from sample_videos import film as write_film
from sample_videos import sound_packets
from torch import Tensor

from pipelines.filling.options import FillOptions
from pipelines.filling.video import extend_video, fill_video
from vid2vid.data.shots import find_shots
from vid2vid.errors import ConfigError, VideoError
from vid2vid.extension.margins import Margins
from vid2vid.filling.takes import mark_shots
from vid2vid.inpainting.membrane import membrane
from vid2vid.video.decoding import VideoFrame
from vid2vid.video.reading import read_video
from vid2vid.video.writing import open_writer

SHORT = FillOptions(dilate=0, chunk=2, overlap=2, lossless=True)
TIMES = [Fraction(0), Fraction(1, 25), Fraction(4, 25), Fraction(5, 25)]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    writer = open_writer(
        tmp_path / "film.mkv", width=48, height=40, rate=Fraction(25), lossless=True
    )
    for rgb, time in zip(texture(0), TIMES, strict=False):
        writer.write(np.ascontiguousarray(rgb[:40, :48]), time)
    return writer.close()


def _mask(path: Path, height: int, width: int, *, value: int = 255) -> Path:
    mask = np.zeros((height, width), np.uint8)
    mask[10:16, 20:30] = value
    cv2.imwrite(str(path), mask)
    return path


def _pictures(path: Path) -> list[np.ndarray]:
    return [frame.rgb for frame in read_video(path)]


def test_known_pixels_and_times_of_a_video_are_those_of_the_input(film: Path) -> None:
    out = film.with_name("out.mkv")
    mask = _mask(film.with_name("mask.png"), 40, 48, value=1)  # as in label maps of data sets
    done = fill_video(film, mask, out, inventor=membrane, options=SHORT)
    assert (done.path, done.num_frames, done.height, done.width) == (out, 4, 40, 48)
    assert [frame.time for frame in read_video(out)] == TIMES
    for before, after in zip(_pictures(film), _pictures(out), strict=True):
        before[10:16, 20:30] = after[10:16, 20:30]
        assert np.array_equal(before, after)


def test_a_video_grows_around_its_own_pixels(film: Path) -> None:
    out = film.with_name("out.mkv")
    done = extend_video(film, Margins(2, 4, 6, 8), out, inventor=membrane, options=SHORT)
    assert (done.height, done.width) == (48, 60)
    assert done.num_key_frames >= 1
    for before, after in zip(_pictures(film), _pictures(out), strict=True):
        assert np.array_equal(after[2:42, 8:56], before)


def test_sound_and_a_part_come_along(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mp4", TIMES)
    height, width = _pictures(source)[0].shape[:2]
    mask = _mask(tmp_path / "mask.png", height, width)
    fill_video(source, mask, tmp_path / "out.mp4", inventor=membrane, options=FillOptions(chunk=3))
    assert sound_packets(tmp_path / "out.mp4") == sound_packets(source)


def test_masks_may_be_one_for_each_frame_and_fewer_are_refused(film: Path) -> None:
    masks = film.with_name("masks")
    masks.mkdir()
    for index in range(3):
        _mask(masks / f"{index}.png", 40, 48)
    out = film.with_name("out")
    options = FillOptions(dilate=0, frames="1:3")
    done = fill_video(film, masks, out, inventor=membrane, options=options)
    assert done.num_frames == 2
    with pytest.raises(
        VideoError, match=r"one mask for all frames, or one for each; .*masks has 3"
    ):
        fill_video(film, masks, film.with_name("long.mkv"), inventor=membrane, options=SHORT)


def test_a_mask_of_another_size_is_refused_before_anything_is_written(film: Path) -> None:
    mask, out = _mask(film.with_name("mask.png"), 20, 48), film.with_name("out.mkv")
    with pytest.raises(VideoError, match=r"must have the size of its frame, 48x40; .* is 48x20"):
        fill_video(film, mask, out, inventor=membrane)
    assert not out.exists()
    assert not out.with_name("out.partial.mkv").exists()


def test_ctrl_c_leaves_what_was_finished(film: Path) -> None:
    calls: list[Tensor] = []

    def stop(picture: Tensor, unknown: Tensor) -> Tensor:
        calls.append(unknown)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return torch.where(unknown, 0.0, picture)

    out, whole = film.with_name("out.mkv"), _mask(film.with_name("mask.png"), 40, 48)
    cut = film.with_name("cut.mkv")
    writer = open_writer(cut, width=48, height=40, rate=Fraction(25), lossless=True)
    shots = [texture(0)[0]] * 4 + [texture(1)[0]] * 4
    for index, rgb in enumerate(shots):
        writer.write(np.ascontiguousarray(rgb[:40, :48]), Fraction(index, 25))
    writer.close()
    with pytest.raises(KeyboardInterrupt):
        fill_video(cut, whole, out, inventor=stop, options=replace(SHORT, dilate=4))
    assert len(_pictures(out.with_name("out.partial.mkv"))) == 4


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: FillOptions(chunk=0), "--chunk must be at least 1; got 0"),
        (lambda: FillOptions(dilate=-1), "--dilate must be at least 0; got -1"),
        (lambda: FillOptions(raft=Path("raft.pth")), "--raft is for --flow raft"),
        (lambda: FillOptions(fps=Fraction(0)), "--fps must be above 0"),
        (lambda: extend_video("a.mp4", Margins(), "b.mp4", inventor=membrane), "margins must be"),
        (lambda: fill_video("a.mp4", "m", "m", inventor=membrane), "m holds the masks"),
    ],
)
def test_what_cannot_be_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        call()


def test_input_that_does_not_fit_is_refused(film: Path, tmp_path: Path) -> None:
    def fill(source: Path, options: FillOptions) -> None:
        fill_video(
            source, tmp_path / "mask.png", tmp_path / "o.mkv", inventor=membrane, options=options
        )

    with pytest.raises(VideoError, match="--fps is for pictures"):
        fill(film, FillOptions(fps=Fraction(9)))
    with pytest.raises(VideoError, match="must have a frame in the part --frames 7:9"):
        fill(film, FillOptions(frames="7:9"))
    with pytest.raises(ConfigError, match=r"--flow raft: RAFT needs .* with --raft FILE"):
        fill(film, FillOptions(flow="raft", raft=tmp_path / "none.pth", device="cpu"))


def test_shots_are_those_that_looking_at_the_whole_finds() -> None:
    frames = [*texture(0), *texture(1), *texture(2)[:2]]
    shown = [
        VideoFrame(rgb, index, Fraction(index), str(index)) for index, rgb in enumerate(frames)
    ]
    begun = [take.frame.index for take in mark_shots(shown) if take.begins_shot]
    assert begun == [shot.start for shot in find_shots(frames)][1:]
    assert begun
