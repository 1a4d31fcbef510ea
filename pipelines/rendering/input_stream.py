"""Decode the input of a rendering into frames with their times, one at a time."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pipelines.rendering.input_choice import Inputs
from pipelines.rendering.input_pictures import MainReader, PictureMaker
from pipelines.rendering.options import RenderOptions
from vid2vid.data.augment import Picture, Size
from vid2vid.data.pairing import ASPECT_TOLERANCE
from vid2vid.errors import DataError, VideoError
from vid2vid.video.decoding import VideoFrame, VideoInfo, decode_video
from vid2vid.video.reading import (
    describe_files,
    find_frames,
    is_video,
    of_one_size,
)
from vid2vid.video.sound import Soundtrack
from vid2vid.video.times import DEFAULT_RATE, TIMES_NAME, read_times

Item = TypeVar("Item")


class InputFrame(NamedTuple):
    """One moment of the input on its way to the generator."""

    labels: NDArray[np.uint8] | None  # 'h w', ids of the checkpoint's palette, 255 = ignore
    instances: NDArray[np.int32] | None  # 'h w', object ids
    time: Fraction  # seconds
    name: str  # of the file without its suffix; of a video the index with six digits
    pictures: Tensor | None = None  # 'c h w' in [-1, 1], all controls in their order
    duration: Fraction | None = None  # seconds that it is shown; None = the input does not say


class InputStream(NamedTuple):
    """An input that was found good up to its first frame."""

    frames: Iterator[InputFrame]
    size: Size  # of everything that comes, and of the output, but for mixed pictures
    rate: Fraction  # mean frames per second
    time_base: Fraction  # seconds; every time is a multiple of it
    num_frames: int | None  # None = the file does not say
    soundtrack: Soundtrack | None = None  # of the part, filled while `frames` are read
    pixel_aspect: Fraction = Fraction(1)  # width of a pixel of the output through its height
    is_mixed: bool = False  # whether pictures differ in size: `size` is that of the first


class _Value(NamedTuple):
    """What the input holds of one frame, as it was read."""

    picture: Picture  # label map, photograph, a control's own picture, or key points
    time: Fraction
    name: str
    duration: Fraction | None = None


class _Decoded(NamedTuple):
    """The input itself, without what lies beside it."""

    values: Iterator[_Value]
    info: VideoInfo
    soundtrack: Soundtrack | None = None
    is_mixed: bool = False


def open_input(
    source: Path, inputs: Inputs, options: RenderOptions, *, with_sound: bool = False
) -> InputStream:
    """Open the input, check what can be checked, and make its first frame.

    Args:
        source: video, folder or glob; of key points and arrays a folder or glob.
        inputs: what it holds, and what lies beside it.
        options: instances, part, rate and size.
        with_sound: whether somebody takes the sound of a video, which waits until then.

    Raises:
        VideoError: if it cannot be read or has no frame in the part asked for.
        DataError: if its first frame does not fit, sizes differ, or a partner is missing.
        ConfigError: if key points have no canvas.
    """
    reader, maker = MainReader(inputs), PictureMaker(source, inputs, options)
    decoded = _decode(source, reader, inputs, options=options, with_sound=with_sound)
    first = next(decoded.values, None)
    if first is None:
        raise VideoError(
            f"{source} must have a frame in the part --frames {options.frames}; it has "
            f"{decoded.info.num_frames or 'fewer'}: choose another part"
        )
    native = reader.native_size(first.picture, options)
    size = _target_size(native, options)
    fixed = _Sizes(size, native)
    is_mixed = decoded.is_mixed and None in (options.height, options.width)

    def sizes(picture: Picture) -> _Sizes:
        if not decoded.is_mixed:
            return fixed
        own = reader.native_size(picture, options)
        return _Sizes(_target_size(own, options), own)

    frames = _finish(_put_back(first, decoded.values), maker, sizes)
    beginning = next(frames)
    return InputStream(
        frames=_put_back(beginning, frames),
        size=size,
        rate=decoded.info.rate,
        time_base=decoded.info.time_base,
        num_frames=_count(options.frame_slice(), decoded.info.num_frames),
        soundtrack=decoded.soundtrack,
        pixel_aspect=decoded.info.pixel_aspect if _keeps_aspect(size, native) else Fraction(1),
        is_mixed=is_mixed,
    )


def _decode(
    source: Path,
    reader: MainReader,
    inputs: Inputs,
    *,
    options: RenderOptions,
    with_sound: bool,
) -> _Decoded:
    """Open the input itself."""
    part, rate = options.frame_slice(), options.fps or DEFAULT_RATE
    _check_fps(source, reader, options)
    if is_video(source):
        if not reader.may_be_video:
            raise DataError(_not_a_video(source, reader, inputs))
        video = decode_video(source, part=part, with_sound=with_sound)
        frames = of_one_size(video.frames, source)
        return _Decoded(_read_video(frames, reader, source), video.info, video.soundtrack)
    paths = find_frames(source, suffixes=reader.suffixes)
    opened = reader.open(source, mixed=options.is_still)  # else of one size, as headers say
    info = describe_files(paths, size=opened.size, rate=rate)
    values = _read_files(paths, reader, rate=rate, part=part)
    return _Decoded(values, info, is_mixed=bool(opened.sizes))


def _not_a_video(source: Path, reader: MainReader, inputs: Inputs) -> str:
    suffixes = ", ".join(sorted(reader.suffixes))
    return (
        f"the input of this checkpoint is '{inputs.main}', files with a frame each ({suffixes}); "
        f"{source} is a video: give the folder of the files, or pass --drawn if the video shows "
        "them drawn"
    )


def _put_back(first: Item, rest: Iterator[Item]) -> Iterator[Item]:
    """Give the first item once more; a generator, so that closing it closes the file below."""
    yield first
    yield from rest


def _check_fps(source: Path, reader: MainReader, options: RenderOptions) -> None:
    """Refuse a rate where the input has time stamps of its own."""
    if options.fps is None:
        return
    if is_video(source):
        raise VideoError(
            f"--fps is for pictures; {source} is a video with time stamps of its own: leave it out"
        )
    times = find_frames(source, suffixes=reader.suffixes)[0].parent / TIMES_NAME
    if times.is_file():
        raise VideoError(
            f"--fps is for pictures without times; {times} says when each is shown: leave --fps "
            "out or remove that file"
        )


def _read_video(frames: Iterator[VideoFrame], reader: MainReader, source: Path) -> Iterator[_Value]:
    """Read the frames of a video."""
    for frame in frames:
        picture = reader.from_colours(frame.rgb, f"{source}, frame {frame.index}")
        yield _Value(picture, frame.time, frame.name, frame.duration)


def _read_files(
    paths: list[Path], reader: MainReader, *, rate: Fraction, part: slice
) -> Iterator[_Value]:
    """Read one file a frame, with their times; those begin where the whole begins."""
    times = read_times(paths, rate=rate)
    chosen = list(zip(paths, times, strict=True))[part]
    for path, time in chosen:
        yield _Value(reader.from_file(path), time - chosen[0][1] + times[0], path.stem)


class _Sizes(NamedTuple):
    """Sizes of one frame."""

    output: Size
    native: Size


def _finish(
    values: Iterator[_Value], maker: PictureMaker, sizes: Callable[[Picture], _Sizes]
) -> Iterator[InputFrame]:
    """Make the maps and pictures of every frame."""
    for index, (picture, time, name, duration) in enumerate(values):
        size, native = sizes(picture)
        labels, instances, pictures = maker.make(index, picture, size=size, native=native)
        yield InputFrame(labels, instances, time, name, pictures, duration)


def _target_size(size: Size, options: RenderOptions) -> Size:
    """Work out the output size; where one side is asked for, the other keeps the aspect."""
    height, width = options.height, options.width
    if height is None and width is None:
        return size
    if height is None:
        height = max(1, round(size.height * (width or 0) / size.width))
    if width is None:
        width = max(1, round(size.width * height / size.height))
    return Size(height, width)


def _keeps_aspect(size: Size, native: Size) -> bool:
    """Whether one size has the aspect of another, but for rounding to whole pixels."""
    return abs(size.width * native.height / (size.height * native.width) - 1) <= ASPECT_TOLERANCE


def _count(part: slice, num_frames: int | None) -> int | None:
    """Count the frames of a part, as far as it is known."""
    if num_frames is not None:
        return len(range(*part.indices(num_frames)))
    # The first one has been decoded, so that a part of one is known to be there.
    return 1 if part.stop is not None and part.stop - part.start == 1 else None
