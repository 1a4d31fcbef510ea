"""Any frame of a video file without decoding all before it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from av import VideoFrame
from av.container import InputContainer
from av.error import FFmpegError
from numpy.typing import NDArray

from vid2vid.video.colour import RgbConverter
from vid2vid.video.containers import (
    broken_stream,
    counts_frames,
    open_container,
    picture_stream,
    seeks_exactly,
)


class FrameIndex(NamedTuple):
    """Where the frames of a video are, in the order in which they are shown."""

    order: dict[int, int]  # time stamp of the container -> index of the frame
    keys: list[tuple[int, int]]  # index and time stamp of the frames that can be sought


def index_frames(path: Path) -> FrameIndex | None:
    """Find the frames of a video without decoding it.

    Returns:
        None where the time stamps do not tell: there are none, or those of an AVI.

    Raises:
        VideoError: if it cannot be opened or read.
    """
    stamps: list[int | None] = []
    key_stamps: list[int | None] = []
    with open_container(path) as container:
        try:
            for packet in container.demux(picture_stream(container)):
                if packet.size == 0 or packet.is_discard:  # the end; cut away by an edit list
                    continue
                stamps.append(packet.pts)
                if packet.is_keyframe:
                    key_stamps.append(packet.pts)
        except FFmpegError as error:  # pragma: no cover - the disk failed, not the stream
            raise broken_stream(path, len(stamps)) from error
        if counts_frames(container):
            return None
        seeks = seeks_exactly(container)
    known = sorted(stamp for stamp in stamps if stamp is not None)
    keys = sorted(stamp for stamp in key_stamps if stamp is not None)
    if len(set(known)) != len(stamps):
        return None
    if keys:  # a stream copy may begin before one, with what no decoder can give
        known = known[bisect_left(known, keys[0]) :]
    order = {stamp: index for index, stamp in enumerate(known)}
    return FrameIndex(order, [(order[stamp], stamp) for stamp in keys] if seeks else [])


class SeekingDecoder:
    """An open video file that gives the frame of any index.

    It decodes in the calling thread alone: a training has a process per core anyway, and threads
    would not survive a fork, after which closing the decoder waits for them for ever.

    Args:
        path: A video file.
        index: Where its frames are; with None each search starts at the beginning.
    """

    def __init__(self, path: Path, index: FrameIndex | None) -> None:
        self._path = path
        self._index = index
        self._keys = [] if index is None else [key for key, _ in index.keys]
        self._container: InputContainer | None = None
        self._decoded: Iterator[VideoFrame] = iter(())
        self._next = -1  # index of the frame that `_decoded` gives next; -1 = none
        self._to_rgb = RgbConverter(path, threads=1)

    def read(self, index: int) -> NDArray[np.uint8]:
        """Decode one frame, 'h w 3' uint8 RGB.

        Raises:
            VideoError: if it cannot be decoded.
        """
        try:
            for start in self._starts(index):
                if start != self._next:
                    self._seek(start)
                frame = self._decode_up_to(index)
                if frame is not None:
                    return self._to_rgb(frame)
        except FFmpegError as error:
            self._next = -1
            raise broken_stream(self._path, index) from error
        raise broken_stream(self._path, index)

    def close(self) -> None:
        """Close the file."""
        if self._container is not None:
            self._container.close()

    def _starts(self, index: int) -> Iterator[int]:
        """Give where to decode from: the best first, earlier ones if the decoder leads past it."""
        last = bisect_right(self._keys, index) - 1
        if (0 if last < 0 else self._keys[last]) <= self._next <= index:
            yield self._next
        yield from (self._keys[position] for position in range(last, -1, -1))
        if 0 not in self._keys[:1]:
            yield 0

    def _seek(self, start: int) -> None:
        # MPEG-TS cannot seek to its first key frame: that leads behind it.
        if self._container is None or self._index is None or start == 0:
            self.close()
            self._container = open_container(self._path)
            picture_stream(self._container).codec_context.thread_count = 1
        stream = picture_stream(self._container)
        if self._index is not None and start > 0:
            stamp = self._index.keys[bisect_left(self._keys, start)][1]
            self._container.seek(stamp, stream=stream)
        self._decoded = self._container.decode(stream)
        self._next = start

    def _decode_up_to(self, index: int) -> VideoFrame | None:
        for frame in self._decoded:
            found = self._next
            if self._index is not None:
                found = self._index.order.get(-1 if frame.pts is None else frame.pts, found)
            self._next = found + 1
            if found >= index:
                return frame if found == index else None
        self._next = -1
        return None
