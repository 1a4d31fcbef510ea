"""Data sets with one defect each, for the tests of `vid2vid check`.

A healthy sequence is a smooth texture that moves by one pixel a frame, with label maps of the
palette `camvid` and a file for each frame.
"""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image
from sample_videos import break_video

from vid2vid.labels.maps import ids_to_colours
from vid2vid.labels.palettes import load_palette
from vid2vid.video.writing import open_writer, write_label_video

LENGTH, HEIGHT, WIDTH = 8, 48, 64


class Defect(NamedTuple):
    """What is wrong with one sequence."""

    name: str
    break_it: Callable[[Path], None]  # takes the folder of a healthy sequence
    kinds: set[str]  # of the problems that it is
    says: str  # what the message holds
    is_error: bool


def texture(seed: int, *, count: int = LENGTH, height: int = HEIGHT, width: int = WIDTH):
    """Frames 'h w 3' of a smooth texture that moves by a pixel a frame."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (height // 8 + 3, width // 8 + 6, 3), dtype=np.uint8)
    large = cv2.resize(noise, None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC)
    return [large[8 : 8 + height, 8 + t : 8 + t + width] for t in range(count)]


def label_maps(count: int = LENGTH, height: int = HEIGHT, width: int = WIDTH):
    """Blocks of the ids 0 to 10 that move with the texture."""
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    return [(((columns + t) // 16 + rows // 16 * 3) % 11).astype(np.uint8) for t in range(count)]


def write(path: Path, picture: np.ndarray) -> None:
    """Write RGB, RGBA or grey."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if picture.ndim == 3:
        order = cv2.COLOR_RGBA2BGRA if picture.shape[2] == 4 else cv2.COLOR_RGB2BGR
        picture = cv2.cvtColor(picture, order)
    cv2.imwrite(str(path), picture)


def write_healthy(folder: Path, *, seed: int = 0, count: int = LENGTH) -> Path:
    """Write a sequence in which nothing is wrong."""
    for index, (frame, ids) in enumerate(
        zip(texture(seed, count=count), label_maps(count), strict=True)
    ):
        write(folder / "frames" / f"{index:04d}.png", frame)
        write(folder / "labels" / f"{index:04d}.png", ids)
    return folder


def _label(folder: Path, index: int = 3) -> Path:
    return folder / "labels" / f"{index:04d}.png"


def _frame(folder: Path, index: int = 3) -> Path:
    return folder / "frames" / f"{index:04d}.png"


def _cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:200])


def _colours(palette: str = "camvid") -> np.ndarray:
    return ids_to_colours(label_maps()[3], load_palette(palette))


def _foreign_id(folder: Path) -> None:
    ids = label_maps()[3]
    ids[5, 5] = 77
    write(_label(folder), ids)


def _smooth(folder: Path) -> None:
    write(_label(folder), cv2.GaussianBlur(_colours(), (0, 0), 0.8))


def _jpeg(folder: Path) -> None:
    _label(folder).unlink()
    picture = cv2.cvtColor(_colours(), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(_label(folder).with_suffix(".jpg")), picture, [cv2.IMWRITE_JPEG_QUALITY, 95])


def _speckled(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for index, ids in enumerate(label_maps()):
        ids[rng.random(ids.shape) < 0.02] = 4
        write(_label(folder, index), ids)


def _ignored(folder: Path) -> None:
    for index, ids in enumerate(label_maps()):
        ids[:20] = 11
        write(_label(folder, index), ids)


def _mask(folder: Path) -> None:
    for index, ids in enumerate(label_maps()):
        write(_label(folder, index), np.where(ids > 9, 255, 0).astype(np.uint8))


def _same_labels(folder: Path) -> None:
    for index in range(LENGTH):
        write(_label(folder, index), label_maps()[0])


def _gap(folder: Path) -> None:
    _frame(folder).unlink()
    _label(folder).unlink()


def _short(folder: Path) -> None:
    for index in range(3, LENGTH):
        _frame(folder, index).unlink()
        _label(folder, index).unlink()


def _cut(folder: Path) -> None:
    for index, frame in enumerate(texture(99)[4:], start=4):
        write(_frame(folder, index), frame)


def _scattered(folder: Path) -> None:
    for index in range(LENGTH):
        write(_frame(folder, index), texture(100 + index, count=1)[0])


def _resize(folder: Path, stream: str, size: tuple[int, int], *, names: str = "*.png") -> None:
    for path in (folder / stream).glob(names):
        picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        cv2.imwrite(str(path), cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST))


def _other_size(folder: Path) -> None:
    _resize(folder, "frames", (96, 72))
    _resize(folder, "labels", (96, 72))


def _remove(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def _animate(folder: Path) -> None:
    first, *others = (Image.fromarray(np.ascontiguousarray(f)) for f in texture(0)[3:6])
    _frame(folder).unlink()
    place = _frame(folder).with_suffix(".webp")
    first.save(place, save_all=True, append_images=others, lossless=True)


def _empty(folder: Path) -> None:
    for path in (folder / "frames").iterdir():
        path.unlink()


def _label_video(folder: Path, count: int, **options: object) -> None:
    _remove(folder / "labels")
    _remove(folder / "frames")
    rate = Fraction(25)
    writer = open_writer(folder / "frames.mkv", width=WIDTH, height=HEIGHT, rate=rate, codec="ffv1")
    for index, frame in enumerate(texture(0)):
        writer.write(frame, index / rate)
    writer.close()
    if options:
        writer = open_writer(folder / "labels.mp4", width=WIDTH, height=HEIGHT, rate=rate)
        for index, ids in enumerate(label_maps(count)):
            writer.write(ids_to_colours(ids, load_palette("camvid")), index / rate)
        writer.close()
    else:
        maps = label_maps(count)
        write_label_video(folder / "labels.mkv", maps, load_palette("camvid"), rate=rate)


def _break_video(folder: Path) -> None:
    _remove(folder / "frames")
    _remove(folder / "labels")
    break_video(folder).rename(folder / "frames.mp4")
    for index, ids in enumerate(label_maps(40, 32, 48)):
        write(_label(folder, index), ids)


DEFECTS = (
    Defect("foreign_id", _foreign_id, {"foreign-labels"}, "got 77", True),
    Defect(
        "foreign_palette",
        lambda f: write(_label(f), _colours("cityscapes")),
        {"foreign-labels"},
        "'cityscapes' fits",
        True,
    ),
    Defect(
        "stretched_ids",
        lambda f: write(_label(f), label_maps()[3].astype(np.uint16) * 257),
        {"foreign-labels", "bit-depth"},
        "multiples of 257",
        True,
    ),
    Defect(
        "swapped",
        lambda f: write(_label(f), _colours()[..., ::-1]),
        {"foreign-labels"},
        "red and blue are swapped",
        True,
    ),
    Defect("no_label", lambda f: _label(f).unlink(), {"missing-partner"}, "0003.png", True),
    Defect("no_frame", lambda f: _frame(f).unlink(), {"missing-partner"}, "0003.png", True),
    Defect(
        "size", lambda f: _resize(f, "frames", (32, 24), names="0003.png"), {"size"}, "32x24", True
    ),
    Defect("aspect", lambda f: _resize(f, "labels", (48, 48)), {"aspect"}, "48x48", True),
    Defect("cut_off_frame", lambda f: _cut_off(_frame(f)), {"unreadable"}, "0003.png", True),
    Defect("cut_off_label", lambda f: _cut_off(_label(f)), {"unreadable"}, "0003.png", True),
    Defect("no_bytes", lambda f: _frame(f).write_bytes(b""), {"unreadable"}, "0003.png", True),
    Defect(
        "broken_video",
        _break_video,
        {"unreadable", "not-consecutive", "mixed-sizes", "duplicates"},  # of noise, 48x32
        "breaks at frame",
        True,
    ),
    Defect(
        "misnamed",
        lambda f: f.joinpath("labels").rename(f / "label") and None,
        {"misnamed"},
        "did you mean 'label'",
        True,
    ),
    Defect("no_labels", lambda f: _remove(f / "labels"), {"missing-stream"}, "labels", True),
    Defect("empty", _empty, {"empty"}, "has none", True),
    Defect("fewer_labels", lambda f: _label_video(f, 7), {"missing-partner"}, "has 7", True),
    Defect("orphan", lambda f: _remove(f / "frames"), {"missing-stream"}, "no frames", False),
    Defect("jpeg", _jpeg, {"compressed-labels"}, "is a JPEG", False),
    Defect("smooth", _smooth, {"compressed-labels"}, "exact colours", False),
    Defect("speckled", _speckled, {"compressed-labels"}, "all their neighbours", False),
    Defect(
        "lossy_video",
        lambda f: _label_video(f, LENGTH, lossy=True),
        {"compressed-labels"},
        "yuv420p",
        False,
    ),
    Defect(
        "label_alpha",
        lambda f: write(_label(f), np.dstack([_colours(), np.full((HEIGHT, WIDTH), 9, np.uint8)])),
        {"alpha"},
        "0003.png has transparency",
        False,
    ),
    Defect(
        "frame_alpha",
        lambda f: write(_frame(f), np.dstack([texture(0)[3], label_maps()[3]])),
        {"alpha"},
        "0003.png has transparency",
        False,
    ),
    Defect(
        "deep_frame",
        lambda f: write(_frame(f), texture(0)[3].astype(np.uint16) * 257),
        {"bit-depth"},
        "has 16",
        False,
    ),
    Defect("animation", _animate, {"animation"}, "0003.webp holds 3 pictures", False),
    Defect("ignored", _ignored, {"ignored"}, "42%", False),
    Defect("mask", _mask, {"ignored"}, "as a mask of 0 and 255", False),
    Defect("same_labels", _same_labels, {"duplicates"}, "all 8 in", False),
    Defect("gap", _gap, {"gap"}, "0004.png comes after 0002.png", False),
    Defect(
        "link",
        lambda f: _frame(f, 8).symlink_to("nowhere.png"),
        {"link"},
        "0008.png leads to nowhere.png",
        False,
    ),
    Defect("short", _short, {"short"}, "has 3", False),
    Defect("cut", _cut, {"cut"}, "0004.png does not follow", False),
    Defect("scattered", _scattered, {"not-consecutive"}, "of 7 neighbours 6", False),
    Defect(
        "repeated", lambda f: write(_frame(f, 4), texture(0)[3]), {"duplicates"}, "1 of 8", False
    ),
    Defect("other_size", _other_size, {"mixed-sizes"}, "96x72", False),
    Defect(
        "small_labels", lambda f: _resize(f, "labels", (32, 24)), {"resized-labels"}, "32x24", False
    ),
)
