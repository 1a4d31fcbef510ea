"""Decode a label video, folder or glob into label maps with their times, one at a time."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.rendering.options import RenderOptions
from vid2vid.data.augment import Size, resize_frame, resize_ids
from vid2vid.data.pairing import Source, open_instances, open_stream, pair
from vid2vid.data.store import FrameStore, MapReader
from vid2vid.errors import VideoError
from vid2vid.video.reading import find_frames, is_video, open_video, read_video
from vid2vid.video.times import DEFAULT_RATE, TIMES_NAME, read_times


class LabelFrame(NamedTuple):
    """One label map on its way to the generator."""

    labels: NDArray[np.uint8]  # 'h w', ids of the checkpoint's palette, 255 = ignore; 'h w 3' RGB
    # where it takes pictures
    instances: NDArray[np.int32] | None  # 'h w', object ids
    time: Fraction  # seconds
    name: str  # of the picture without its suffix; of a video the index with six digits


class LabelStream(NamedTuple):
    """An input that was found good up to its first label map."""

    frames: Iterator[LabelFrame]
    size: Size  # of every label map that comes, and of the output
    rate: Fraction  # mean frames per second
    time_base: Fraction  # seconds; every time is a multiple of it
    num_frames: int | None  # None = the file does not say


def open_labels(source: Path, reader: MapReader, options: RenderOptions) -> LabelStream:
    """Open the input, check what can be checked, and decode its first label map.

    Args:
        source: video, folder or glob.
        reader: of its palette.
        options: instances, part, rate and size.

    Raises:
        VideoError: if it cannot be read or has no frame in the part asked for.
        DataError: if the first label map does not fit, sizes differ, or a partner is missing.
    """
    _check_fps(source, options)
    part = options.frame_slice()
    rate = options.fps or DEFAULT_RATE
    info = open_video(source, rate=rate)
    instances = _pair_instances(source, options.instances) if options.instances else None
    if is_video(source):
        decoded = _decode_video(source, reader, part)
    else:
        open_stream("labels", source)  # all of one size, as their headers say
        decoded = _decode_pictures(source, reader, rate=rate, part=part)
    store = FrameStore(reader, max_bytes=0)
    frames = _finish(decoded, instances[part] if instances else None, store, options=options)
    first = next(frames, None)
    if first is None:
        raise VideoError(
            f"{source} must have a frame in the part --frames {options.frames}; it has "
            f"{info.num_frames if info.num_frames is not None else 'fewer'}: choose another part"
        )
    return LabelStream(
        frames=_put_back(first, frames),
        size=Size(*first.labels.shape[:2]),
        rate=info.rate,
        time_base=info.time_base,
        num_frames=_count(part, info.num_frames),
    )


def _put_back(first: LabelFrame, rest: Iterator[LabelFrame]) -> Iterator[LabelFrame]:
    """Give the first frame once more; a generator, so that closing it closes the file below."""
    yield first
    yield from rest


def _check_fps(source: Path, options: RenderOptions) -> None:
    """Refuse a rate where the input has time stamps of its own."""
    if options.fps is None:
        return
    if is_video(source):
        raise VideoError(
            f"--fps is for pictures; {source} is a video with time stamps of its own: leave it out"
        )
    times = find_frames(source)[0].parent / TIMES_NAME
    if times.is_file():
        raise VideoError(
            f"--fps is for pictures without times; {times} says when each is shown: leave --fps "
            "out or remove that file"
        )


def _pair_instances(source: Path, instances: Path) -> Sequence[Source]:
    """Find the instance map of every label map."""
    return pair(open_stream("labels", source), open_instances(instances))


def _decode_video(source: Path, reader: MapReader, part: slice) -> Iterator[LabelFrame]:
    """Read colour-coded frames; times begin where the video begins, whatever the part."""
    start, shift = Fraction(0), Fraction(0)
    for frame in read_video(source):
        if frame.index == 0:
            start = frame.time
        if frame.index < part.start:
            continue
        if part.stop is not None and frame.index >= part.stop:
            return
        if frame.index == part.start:
            shift = frame.time - start
        ids = reader.from_colours(frame.rgb, f"{source}, frame {frame.index}")
        yield LabelFrame(ids, None, frame.time - shift, frame.name)


def _decode_pictures(
    source: Path, reader: MapReader, *, rate: Fraction, part: slice
) -> Iterator[LabelFrame]:
    """Read label maps from pictures, with their times as in `_decode_video`."""
    paths = find_frames(source)
    times = read_times(paths, rate=rate)
    chosen = list(zip(paths, times, strict=True))[part]
    for path, time in chosen:
        yield LabelFrame(reader.from_image(path), None, time - chosen[0][1] + times[0], path.stem)


def _finish(
    frames: Iterator[LabelFrame],
    instances: Sequence[Source] | None,
    store: FrameStore,
    *,
    options: RenderOptions,
) -> Iterator[LabelFrame]:
    """Add the instance maps, and give everything the size asked for."""
    for index, frame in enumerate(frames):
        size = _target_size(Size(*frame.labels.shape[:2]), options)
        objects = store.instances([instances[index]], size)[0] if instances is not None else None
        resize = resize_ids if frame.labels.ndim == 2 else resize_frame
        yield frame._replace(labels=resize(frame.labels, size), instances=objects)


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


def _count(part: slice, num_frames: int | None) -> int | None:
    """Count the frames of a part, as far as it is known."""
    if num_frames is not None:
        return len(range(*part.indices(num_frames)))
    # The first one has been decoded, so that a part of one is known to be there.
    return 1 if part.stop is not None and part.stop - part.start == 1 else None
