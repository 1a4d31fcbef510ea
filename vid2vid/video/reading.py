"""Reading frames: video files, folders of pictures, single pictures; in order or at random."""

import math
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from vid2vid.errors import VideoError
from vid2vid.video.containers import (
    broken_stream,
    counts_frames,
    is_grey_exact,
    mean_rate,
    open_container,
    to_rgb,
    warn_if_short,
)
from vid2vid.video.seeking import FrameIndex, SeekingDecoder, index_frames
from vid2vid.video.times import DEFAULT_RATE, read_times

IMAGE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".ppm", ".pgm"}
)
VIDEO_SUFFIXES = frozenset({".mp4", ".mkv", ".webm", ".mov", ".m4v", ".avi"})

_MAX_TICKS = 1_000_000  # per second; what a container's 32-bit time base holds with ease


class VideoInfo(NamedTuple):
    """What is known of a video before its frames are decoded."""

    width: int
    height: int
    rate: Fraction  # mean frames per second
    num_frames: int | None  # None = the file does not say
    time_base: Fraction  # seconds; every time stamp is a multiple of it


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """A frame as it comes out of a file."""

    rgb: NDArray[np.uint8]  # 'h w 3'
    index: int
    time: Fraction  # seconds
    name: str  # of the picture, without its suffix; of a video the index with six digits


def is_video(source: Path | str) -> bool:
    """Whether `source` names a video file rather than pictures."""
    return Path(source).suffix.lower() in VIDEO_SUFFIXES and not Path(source).is_dir()


def find_frames(source: Path | str) -> list[Path]:
    """List the pictures of a folder, of a glob such as 'frames/*.png', or a single picture.

    Returns:
        The paths in natural order: frame_2 before frame_10.

    Raises:
        VideoError: if there is no picture.
    """
    source = Path(source)
    if source.is_dir():
        candidates = source.iterdir()
    elif re.search(r"[*?\[]", str(source)) and not source.exists():
        base = next(folder for folder in source.parents if folder.is_dir())  # its name is literal
        candidates = base.glob(str(source.relative_to(base)))
    else:
        candidates = iter([source])
    frames = [p for p in candidates if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file()]
    if not frames:
        reason = "has none" if source.exists() else "does not exist"
        raise VideoError(
            f"frames must be a folder or glob with pictures ({', '.join(sorted(IMAGE_SUFFIXES))}), "
            f"or a video ({', '.join(sorted(VIDEO_SUFFIXES))}); {source} {reason}: check the path"
        )
    return sorted(frames, key=_natural_key)


def _natural_key(path: Path) -> list[tuple[int, int, str]]:
    parts = re.split(r"(\d+)", str(path))
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts]


def open_video(source: Path | str, *, rate: Fraction = DEFAULT_RATE) -> VideoInfo:
    """Look at a video file or at a folder of pictures without decoding it.

    Args:
        source: A video file, or what `find_frames` takes.
        rate: Frames per second of pictures without a times.csv.

    Raises:
        VideoError: if it is missing, empty, cut off, or not a video.
    """
    if not is_video(source):
        return _look_at_frames(find_frames(source), rate)
    with open_container(Path(source)) as container:
        stream = container.streams.video[0]
        return VideoInfo(
            width=stream.codec_context.width,
            height=stream.codec_context.height,
            rate=mean_rate(container),
            num_frames=stream.frames or None,
            time_base=stream.time_base or 1 / mean_rate(container),
        )


def _look_at_frames(frames: list[Path], rate: Fraction) -> VideoInfo:
    height, width = read_image(frames[0]).shape[:2]
    times = read_times(frames, rate=rate)
    if len(times) > 1:
        rate = (len(times) - 1) / (times[-1] - times[0])
    ticks = math.lcm(rate.numerator, *(time.denominator for time in times))
    exact = Fraction(1, ticks) if ticks <= _MAX_TICKS else Fraction(1, 90_000)
    return VideoInfo(width, height, rate, len(frames), exact)


def read_video(source: Path | str, *, rate: Fraction = DEFAULT_RATE) -> Iterator[VideoFrame]:
    """Decode a video file or a folder of pictures frame by frame, in constant memory.

    Colours are converted by the matrix and range that the stream is tagged with; an untagged one
    is BT.601, as FFmpeg takes it. A display rotation is left alone.

    Args:
        source: A video file, or what `find_frames` takes.
        rate: Frames per second of pictures without a times.csv.

    Raises:
        VideoError: if it cannot be opened, breaks off, or changes its frame size.
    """
    frames = _decode_video(Path(source)) if is_video(source) else _read_frames(source, rate)
    size: tuple[int, ...] | None = None
    for frame in frames:
        size = size or frame.rgb.shape
        if frame.rgb.shape != size:
            raise VideoError(
                f"the frames of {source} must have one size; frame {frame.index} ({frame.name}) is "
                f"{frame.rgb.shape[1]}x{frame.rgb.shape[0]} after {size[1]}x{size[0]}: resize it"
            )
        yield frame


def _read_frames(source: Path | str, rate: Fraction) -> Iterator[VideoFrame]:
    frames = find_frames(source)
    times = read_times(frames, rate=rate)
    for index, (path, time) in enumerate(zip(frames, times, strict=True)):
        yield VideoFrame(read_image(path), index, time, path.stem)


def _decode_video(path: Path) -> Iterator[VideoFrame]:
    index, time = 0, Fraction(-1)
    with open_container(path) as container:
        rate = mean_rate(container)
        counts = counts_frames(container)
        try:
            for frame in container.decode(container.streams.video[0]):
                if counts or frame.pts is None or frame.time_base is None:
                    time = index / rate
                else:
                    stamp = frame.pts * frame.time_base
                    time = stamp if not index or stamp > time else time + 1 / rate
                yield VideoFrame(to_rgb(frame), index, time, f"{index:06d}")
                index += 1
        except FFmpegError as error:
            raise broken_stream(path, index) from error
        warn_if_short(container, path, time)
    if index == 0:
        raise VideoError(f"a video must have frames; {path} has none: check how it was written")


def read_image(path: Path | str) -> NDArray[np.uint8]:
    """Read a picture: 16 bits are reduced to 8, grey is expanded, alpha dropped.

    Returns:
        'h w 3' uint8 RGB, turned upright where its EXIF data says how.

    Raises:
        VideoError: if there is no such picture.
    """
    path = Path(path)
    try:
        data = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise VideoError(f"a picture must be readable; {path}: {error.strerror}") from error
    bgr = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if bgr is None:
        raise VideoError(
            f"a picture must be one of {', '.join(sorted(IMAGE_SUFFIXES))}; {path} cannot be "
            "decoded: check that it is complete"
        )
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)


class ClipVideo:
    """Random access to the frames of a video file, exactly those of `read_video`.

    The file is opened at the first use and stays open. A copy sent to another process, or carried
    into it by a fork, opens it again for itself.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._decoder: SeekingDecoder | None = None
        self._process = os.getpid()

    def __getstate__(self) -> dict[str, Path]:
        return {"path": self.path}

    def __setstate__(self, state: dict[str, Path]) -> None:
        ClipVideo.__init__(self, state["path"])

    @cached_property
    def _index(self) -> FrameIndex | None:
        return index_frames(self.path)

    @cached_property
    def num_frames(self) -> int:
        """How many frames the video has.

        Raises:
            VideoError: if it cannot be read.
        """
        if self._index is not None:
            return len(self._index.order)
        return sum(1 for _ in read_video(self.path))

    def read(self, indices: Sequence[int]) -> list[NDArray[np.uint8]]:
        """Decode the frames of these indices, in any order, repeated or not.

        Returns:
            'h w 3' uint8 RGB each, in the order asked for.

        Raises:
            ValueError: if the video has no frame of an index.
            VideoError: if it cannot be read.
        """
        foreign = [index for index in indices if not 0 <= index < self.num_frames]
        if foreign:
            raise ValueError(
                f"frame indices must be 0 to {self.num_frames - 1} for {self.path}; got {foreign}"
            )
        decoder = self._open()
        frames = {index: decoder.read(index) for index in sorted(set(indices))}
        return [frames[index] for index in indices]

    @cached_property
    def is_grey_exact(self) -> bool:
        """Whether it holds 8-bit grey rather than RGB; see `containers.is_grey_exact`.

        Raises:
            VideoError: if it does not keep every value.
        """
        return is_grey_exact(self.path)

    def close(self) -> None:
        """Close the file; it is opened again when a frame is read."""
        if self._decoder is not None:
            self._decoder.close()
            self._decoder = None

    def _open(self) -> SeekingDecoder:
        if self._decoder is None or self._process != os.getpid():  # a fork shares the file offset
            self._decoder = SeekingDecoder(self.path, self._index)
            self._process = os.getpid()
        return self._decoder
