"""Reading frames: video files, folders of pictures, single pictures; in order or at random."""

import math
import os
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vid2vid.errors import VideoError
from vid2vid.video.containers import STANDARD_INPUT, is_grey_exact, source_name
from vid2vid.video.decoding import VideoFrame, VideoInfo, decode_video
from vid2vid.video.seeking import FrameIndex, SeekingDecoder, index_frames
from vid2vid.video.times import DEFAULT_RATE, read_times

IMAGE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".ppm", ".pgm"}
)
VIDEO_SUFFIXES = frozenset(
    {".mp4", ".mkv", ".webm", ".mov", ".m4v", ".avi", ".gif", ".ts", ".mts", ".m2ts", ".mpg"}
    | {".mpeg", ".wmv", ".flv", ".3gp", ".ogv", ".y4m"}
)

_MAX_TICKS = 1_000_000  # per second; what a container's 32-bit time base holds with ease


def is_video(source: Path | str) -> bool:
    """Whether `source` names a video file, or standard input, rather than pictures."""
    source = Path(source)
    return source == STANDARD_INPUT or (
        source.suffix.lower() in VIDEO_SUFFIXES and not source.is_dir()
    )


def find_frames(source: Path | str, *, suffixes: frozenset[str] = IMAGE_SUFFIXES) -> list[Path]:
    """List the pictures of a folder, of a glob such as 'frames/*.png', or a single picture.

    Args:
        source: where they are.
        suffixes: of other files, one a frame, to be listed in place of pictures.

    Returns:
        The paths in natural order: frame_2 before frame_10.

    Raises:
        VideoError: if there is no picture.
    """
    source = Path(source)
    _refuse_standard_input(source)
    if source.is_dir():
        candidates = source.iterdir()
    elif re.search(r"[*?\[]", str(source)) and not source.exists():
        base = next(folder for folder in source.parents if folder.is_dir())  # its name is literal
        candidates = base.glob(str(source.relative_to(base)))
    else:
        candidates = iter([source])
    frames = [p for p in candidates if _is_of(p, suffixes) and p.is_file()]
    if not frames:
        reason = "has none" if source.exists() else "does not exist"
        if suffixes != IMAGE_SUFFIXES:
            raise VideoError(
                f"a folder or glob with one file a frame ({', '.join(sorted(suffixes))}) was "
                f"needed; {source} {reason}: check the path"
            )
        raise VideoError(
            f"frames must be a folder or glob with pictures ({', '.join(sorted(IMAGE_SUFFIXES))}), "
            f"or a video ({', '.join(sorted(VIDEO_SUFFIXES))}); {source} {reason}: check the path"
        )
    return sorted(frames, key=_natural_key)


def count_frames(source: Path | str) -> int:
    """Count pictures, or the frames of a video, without decoding it where its time stamps tell.

    Raises:
        VideoError: if it cannot be read, or there is no picture.
    """
    return ClipVideo(source).num_frames if is_video(source) else len(find_frames(source))


def _is_of(path: Path, suffixes: frozenset[str]) -> bool:
    """Tell by a file's name whether it is a frame; what macOS keeps beside it, ._NAME, is none."""
    return path.suffix.lower() in suffixes and not path.name.startswith("._")


def _natural_key(path: Path) -> list[tuple[int, int, str]]:
    parts = re.split(r"(\d+)", str(path))
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts]


def open_video(source: Path | str, *, rate: Fraction = DEFAULT_RATE) -> VideoInfo:
    """Look at a video file, as far as its first frame, or at a folder of pictures.

    Args:
        source: A video file, or what `find_frames` takes.
        rate: Frames per second of pictures without a times.csv.

    Raises:
        VideoError: if it is missing, empty, cut off, or not a video; or standard input, which
            `decoding.decode_video` opens once for all that is wanted of it.
    """
    if not is_video(source):
        return _look_at_frames(find_frames(source), rate)
    _refuse_standard_input(Path(source))
    return decode_video(Path(source)).info


def _refuse_standard_input(source: Path) -> None:
    """Refuse to look at what can be read once."""
    if source == STANDARD_INPUT:
        raise VideoError(
            "standard input can be read once, as the only input of a rendering; here it would be "
            "looked at before it is read: save it to a file and name that"
        )


def _look_at_frames(frames: list[Path], rate: Fraction) -> VideoInfo:
    height, width = read_image(frames[0]).shape[:2]
    return describe_files(frames, size=(height, width), rate=rate)


def describe_files(files: list[Path], *, size: tuple[int, int], rate: Fraction) -> VideoInfo:
    """Say what is known of files of one frame each: their rate and their exact time base.

    Args:
        files: in order.
        size: (height, width) of what they hold.
        rate: frames per second without a times.csv.

    Raises:
        VideoError: if their times.csv cannot be read.
    """
    times = read_times(files, rate=rate)
    if len(times) > 1:
        rate = (len(times) - 1) / (times[-1] - times[0])
    ticks = math.lcm(rate.numerator, *(time.denominator for time in times))
    exact = Fraction(1, ticks) if ticks <= _MAX_TICKS else Fraction(1, 90_000)
    height, width = size
    return VideoInfo(width, height, rate, len(files), exact)


def read_video(source: Path | str, *, rate: Fraction = DEFAULT_RATE) -> Iterator[VideoFrame]:
    """Decode a video file or a folder of pictures frame by frame, in constant memory.

    Frames are upright and their colours BT.709; see `vid2vid.video.colour`.

    Args:
        source: A video file, or what `find_frames` takes.
        rate: Frames per second of pictures without a times.csv.

    Raises:
        VideoError: if it cannot be opened, breaks off, or changes its frame size.
    """
    frames = decode_video(Path(source)).frames if is_video(source) else _read_frames(source, rate)
    yield from of_one_size(frames, source)


def of_one_size(frames: Iterator[VideoFrame], source: Path | str) -> Iterator[VideoFrame]:
    """Give frames on as long as they have the size of the first.

    Raises:
        VideoError: at the first that has not.
    """
    size: tuple[int, ...] | None = None
    for frame in frames:
        size = size or frame.rgb.shape
        if frame.rgb.shape != size:
            raise VideoError(
                f"the frames of {source_name(Path(source))} must have one size; frame "
                f"{frame.index} ({frame.name}) is {frame.rgb.shape[1]}x{frame.rgb.shape[0]} after "
                f"{size[1]}x{size[0]}: resize it"
            )
        yield frame


def _read_frames(source: Path | str, rate: Fraction) -> Iterator[VideoFrame]:
    frames = find_frames(source)
    times = read_times(frames, rate=rate)
    for index, (path, time) in enumerate(zip(frames, times, strict=True)):
        yield VideoFrame(read_image(path), index, time, path.stem)


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
