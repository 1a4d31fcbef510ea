"""Open the video that is to be filled: its frames with their times, and its sound."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pipelines.filling.options import FillOptions
from vid2vid.errors import VideoError
from vid2vid.video.decoding import VideoFrame, VideoInfo, decode_video
from vid2vid.video.reading import (
    describe_files,
    find_frames,
    is_video,
    of_one_size,
    read_image,
)
from vid2vid.video.sound import Soundtrack
from vid2vid.video.times import DEFAULT_RATE, TIMES_NAME, read_times


class Footage(NamedTuple):
    """An input that was found good up to its first frame."""

    frames: Iterator[VideoFrame]  # of the part, in constant memory
    info: VideoInfo  # of the whole
    num_frames: int | None  # of the part; None = the file does not say
    soundtrack: Soundtrack | None = None  # of the part, filled while `frames` are read


def open_footage(source: Path, options: FillOptions, *, with_sound: bool) -> Footage:
    """Open a video, or a folder or glob of pictures.

    Args:
        source: where it is.
        options: part and rate.
        with_sound: whether somebody takes the sound of a video, which waits until then.

    Raises:
        VideoError: if it cannot be read or has no frame in the part asked for.
    """
    part = options.frame_slice()
    if is_video(source):
        if options.fps is not None:
            raise VideoError(
                f"--fps is for pictures; {source} is a video with time stamps of its own: leave "
                "it out"
            )
        video = decode_video(source, part=part, with_sound=with_sound)
        info, frames, soundtrack = video.info, video.frames, video.soundtrack
    else:
        info, frames, soundtrack = *_open_pictures(source, options), None
    first = next(frames, None)
    if first is None:
        raise VideoError(
            f"{source} must have a frame in the part --frames {options.frames}; it has "
            f"{info.num_frames or 'fewer'}: choose another part"
        )
    count = None if info.num_frames is None else len(range(*part.indices(info.num_frames)))
    return Footage(of_one_size(_put_back(first, frames), source), info, count, soundtrack)


def _open_pictures(source: Path, options: FillOptions) -> tuple[VideoInfo, Iterator[VideoFrame]]:
    paths, rate = find_frames(source), options.fps or DEFAULT_RATE
    if options.fps is not None and (paths[0].parent / TIMES_NAME).is_file():
        raise VideoError(
            f"--fps is for pictures without times; {paths[0].parent / TIMES_NAME} says when each "
            "is shown: leave --fps out or remove that file"
        )
    height, width = read_image(paths[0]).shape[:2]
    times = read_times(paths, rate=rate)
    chosen = list(zip(paths, times, strict=True))[options.frame_slice()]

    def read() -> Iterator[VideoFrame]:
        for index, (path, time) in enumerate(chosen):
            # As of a video: times begin where the whole begins.
            shown = time - chosen[0][1] + times[0]
            yield VideoFrame(read_image(path), index, shown, path.stem)

    return describe_files(paths, size=(height, width), rate=rate), read()


def _put_back(first: VideoFrame, rest: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
    """Give the first frame once more; a generator, so that closing it closes the file below."""
    yield first
    yield from rest
