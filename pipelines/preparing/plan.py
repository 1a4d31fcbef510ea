"""Plan a data set: which frames of which video become which sequence."""

import logging
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from pipelines.console import Progress, progress
from pipelines.evaluation.sources import Place, find_places
from pipelines.preparing.options import PrepareOptions
from vid2vid.data.augment import Size
from vid2vid.data.shots import find_shots
from vid2vid.errors import DataError
from vid2vid.video.decoding import VideoInfo
from vid2vid.video.reading import count_frames, open_video, read_video

LOGGER = logging.getLogger(__name__)

TRAIN, VALIDATION = "train", "val"
LARGEST_SHARE = 0.25
"""Of a shot, that is held out where a clip needs more frames than the share that was asked for."""


class Piece(BaseModel):
    """Consecutive frames of one shot that become a sequence of the data set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    split: str
    video: int  # index among the videos
    first: int  # frame of the video
    end: int  # frame after the last

    @property
    def num_frames(self) -> int:
        """How many frames it has."""
        return self.end - self.first


class Plan(BaseModel):
    """All sequences of a data set, in the order of the videos."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pieces: tuple[Piece, ...]
    cuts: tuple[tuple[int, ...], ...]  # of each video: frames that do not follow the one before

    @property
    def num_frames(self) -> int:
        """How many frames all sequences have."""
        return sum(piece.num_frames for piece in self.pieces)

    @property
    def holds_out(self) -> bool:
        """Whether any frames are kept from training."""
        return any(piece.split == VALIDATION for piece in self.pieces)


class Footage(NamedTuple):
    """A video that is to be prepared."""

    name: str
    path: Path
    info: VideoInfo
    frames: range  # that are taken
    size: Size  # of the frames that are written


def open_footage(options: PrepareOptions) -> list[Footage]:
    """Look at all videos, and settle the size of their frames.

    Raises:
        DataError: if a place holds no video, or none of the frames asked for.
        VideoError: if one cannot be read.
    """
    places = [place for path in options.videos for place in find_places(path)]
    names = _unique([re.sub(r"[^\w.-]", "_", place.name) for place in places])
    return [_look(place, name, options) for place, name in zip(places, names, strict=True)]


def make_plan(footage: list[Footage], *, shortest: int, validation: float) -> Plan:
    """Cut every video at its shot changes, and hold out the end of each shot.

    Args:
        footage: the videos; each is read once.
        shortest: frames that a sequence needs; shorter shots are left out.
        validation: share of the frames of each shot that is held out.

    Raises:
        DataError: if no shot is long enough.
        VideoError: if a video cannot be decoded.
    """
    pieces: list[Piece] = []
    cuts: list[tuple[int, ...]] = []
    left_out: list[str] = []
    with progress(sum(len(each.frames) for each in footage), "finding cuts") as bar:
        for index, each in enumerate(footage):
            start = each.frames.start
            found = find_shots(_decode(each, bar))
            shots = [range(start + shot.start, start + shot.stop) for shot in found]
            cuts.append(tuple(shot.start for shot in shots[1:]))
            for number, shot in enumerate(shots):
                name = f"{each.name}_{number:02d}" if len(shots) > 1 else each.name
                if len(shot) < shortest:
                    left_out.append(f"{name} ({len(shot)})")
                else:
                    pieces += _split(name, index, shot, shortest=shortest, share=validation)
    _tell(pieces, left_out, shortest=shortest, share=validation)
    return Plan(pieces=tuple(pieces), cuts=tuple(cuts))


def _split(name: str, video: int, shot: range, *, shortest: int, share: float) -> Iterator[Piece]:
    """Hold out the end of a shot: its share, but what a clip needs, and a quarter at most."""
    held_out = max(shortest, round(len(shot) * share)) if share else 0
    if held_out > max(LARGEST_SHARE, share) * len(shot) or len(shot) - held_out < shortest:
        held_out = 0
    middle = shot.stop - held_out
    yield Piece(name=name, split=TRAIN, video=video, first=shot.start, end=middle)
    if held_out:
        yield Piece(name=name, split=VALIDATION, video=video, first=middle, end=shot.stop)


def _tell(pieces: list[Piece], left_out: list[str], *, shortest: int, share: float) -> None:
    """Say what is left out, and where nothing could be held out.

    Raises:
        DataError: if nothing remains.
    """
    listed = ", ".join(left_out[:8]) + (", ..." if len(left_out) > 8 else "")
    if not pieces:
        raise DataError(
            f"a shot must have at least {shortest} frames, for the clips of a training; all "
            f"{len(left_out)} have fewer: {listed}: give longer videos, or at a higher frame rate"
        )
    if left_out:
        LOGGER.warning("shots of fewer than %d frames are left out: %s", shortest, listed)
    if share and all(piece.split == TRAIN for piece in pieces):
        LOGGER.warning(
            "nothing is held out: no shot is so long that %d frames are at most a quarter of it",
            shortest,
        )


def _look(place: Place, name: str, options: PrepareOptions) -> Footage:
    """Look at a video; one side that is given keeps the shape that its pixels are shown in."""
    info = open_video(place.path)
    height, width = Fraction(info.height), info.width * info.pixel_aspect
    factors = {
        "height": None if options.height is None else options.height / height,
        "width": None if options.width is None else options.width / width,
    }
    factor = next((each for each in factors.values() if each is not None), Fraction(1))
    size = Size(
        options.height or max(1, round(height * factor)),
        options.width or max(1, round(width * factor)),
    )
    count = count_frames(place.path)
    frames = range(count)[options.part]
    if not frames:
        raise DataError(f"--frames must begin before the video ends; {place.path} has {count}")
    return Footage(name, place.path, info, frames, size)


def _decode(footage: Footage, bar: Progress) -> Iterator[NDArray[np.uint8]]:
    for frame in read_video(footage.path):
        if frame.index >= footage.frames.stop:
            return
        if frame.index >= footage.frames.start:
            bar.advance()
            yield frame.rgb


def _unique(names: list[str]) -> list[str]:
    """Number the names that come again."""
    found: list[str] = []
    for name in names:
        number, own = 1, name
        while own in found:
            number += 1
            own = f"{name}_{number}"
        found.append(own)
    return found
