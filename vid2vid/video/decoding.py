"""A video that is opened once: its facts, its frames in order, and its sound."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple, cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream
from numpy.typing import NDArray

from vid2vid.errors import VideoError
from vid2vid.video.colour import RgbConverter
from vid2vid.video.containers import (
    broken_stream,
    counts_frames,
    mean_rate,
    open_container,
    picture_stream,
    source_name,
    warn_if_short,
)
from vid2vid.video.sound import Soundtrack

_logger = logging.getLogger(__name__)

WHOLE = slice(0, None)

_LONGEST_LAG = Fraction(10)  # seconds that a file stores its sound behind its pictures at most


class VideoInfo(NamedTuple):
    """What is known of a video before its frames are decoded."""

    width: int  # as it is shown, turned upright
    height: int
    rate: Fraction  # mean frames per second
    num_frames: int | None  # None = the file does not say
    time_base: Fraction  # seconds; every time stamp is a multiple of it
    pixel_aspect: Fraction = Fraction(1)  # width of a pixel through its height, as it is shown


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """A frame as it comes out of a file."""

    rgb: NDArray[np.uint8]  # 'h w 3', turned upright
    index: int
    time: Fraction  # seconds
    name: str  # of the picture, without its suffix; of a video the index with six digits
    duration: Fraction | None = None  # seconds that it is shown; None = the file does not say


class DecodedVideo(NamedTuple):
    """A video file, or standard input, that was found good up to its first frame."""

    info: VideoInfo  # of the whole video
    frames: Iterator[VideoFrame]  # of the part; memory does not grow with its length
    soundtrack: Soundtrack | None  # of the part; filled while `frames` are read


def decode_video(path: Path, *, part: slice = WHOLE, with_sound: bool = False) -> DecodedVideo:
    """Open a video and decode its first frame.

    Times begin where the video begins, whatever the part: those of its frames and of its sound are
    shifted alike. Sound is cut to the part by whole packets, of 20 to 30 ms as a rule.

    Args:
        path: A video file, or `STANDARD_INPUT`, which can be opened once.
        part: Indices of the frames that are wanted.
        with_sound: Whether somebody takes the packets of the soundtrack, which wait until then.

    Raises:
        VideoError: if it cannot be opened or has no frame.
    """
    decoder = _Decoder(path, with_sound=with_sound)
    frames = decoder.decode()
    first = next(frames, None)
    if first is None:
        raise VideoError(
            f"a video must have frames; {source_name(path)} has none: check how it was written"
        )
    info = decoder.describe(first)
    return DecodedVideo(info, _cut(first, frames, decoder, part), decoder.soundtrack)


class _Decoder:
    """An open video whose packets are read once, pictures and sound together."""

    def __init__(self, path: Path, *, with_sound: bool) -> None:
        self._path = path
        self._container: InputContainer = open_container(path)
        self._pictures: VideoStream = picture_stream(self._container)
        self.rate = mean_rate(self._container)
        sound = _sound_streams(self._container, path) if with_sound else ()
        self.soundtrack = Soundtrack(path, sound) if sound else None
        streams: list[VideoStream | AudioStream] = [self._pictures, *sound]
        self._packets = self._container.demux(streams)
        self._to_rgb = RgbConverter(path)
        self._is_lying = False
        self._has_returned = False

    def describe(self, first: VideoFrame) -> VideoInfo:
        """Say what is known of the video once its first frame has been decoded."""
        stream = self._pictures
        height, width = first.rgb.shape[:2]
        aspect = stream.sample_aspect_ratio or Fraction(1)
        return VideoInfo(
            width=width,
            height=height,
            rate=self.rate,
            num_frames=stream.frames or None,
            time_base=stream.time_base or 1 / self.rate,
            pixel_aspect=1 / aspect if self._is_lying else aspect,
        )

    def decode(self) -> Iterator[VideoFrame]:
        """Decode to the end, close the file, and queue the sound that comes by."""
        index, time = 0, Fraction(-1)
        with self._container as container:
            counts = counts_frames(container)
            try:
                for frame in self._decode_packets():
                    if counts or frame.pts is None or frame.time_base is None:
                        time = index / self.rate
                    else:
                        stamp = frame.pts * frame.time_base
                        if index and stamp <= time:
                            self._tell_of_return(index)
                            stamp = time + 1 / self.rate
                        time = stamp
                    self._is_lying = abs(frame.rotation) == 90
                    lasts = frame.duration * (frame.time_base or Fraction(0)) or None
                    yield VideoFrame(self._to_rgb(frame), index, time, f"{index:06d}", lasts)
                    index += 1
            except FFmpegError as error:
                raise broken_stream(self._path, index, error) from error
            if index:
                warn_if_short(container, self._path, time)

    def _tell_of_return(self, index: int) -> None:
        """Say once that the times begin anew, as in files that were joined byte by byte."""
        if not self._has_returned:
            _logger.warning(
                "the times of %s go back at frame %d: frames follow each other at %.3g a second "
                "until they are past that again", source_name(self._path), index, float(self.rate),
            )  # fmt: skip
        self._has_returned = True

    def _decode_packets(self) -> Iterator[av.VideoFrame]:
        for packet in self._packets:
            if packet.stream.index == self._pictures.index:
                yield from self._pictures.decode(packet)
            elif self.soundtrack is not None:
                self.soundtrack.put(packet)

    def finish_sound(self, end: Fraction) -> None:
        """Read on until all sound before `end`, seconds, has come by; pictures are not decoded."""
        if self.soundtrack is None or self.soundtrack.end_at(end):
            return
        for packet in self._packets:
            if packet.stream.index != self._pictures.index:
                self.soundtrack.put(packet)
            stamp = packet.dts if packet.pts is None else packet.pts
            is_far = stamp is not None and stamp * packet.time_base > end + _LONGEST_LAG
            if is_far or self.soundtrack.end_at(end):
                return


def _sound_streams(container: InputContainer, path: Path) -> tuple[AudioStream, ...]:
    """List the streams of sound that can be copied."""
    streams = container.streams.audio
    # FFmpeg has no context for what it does not know, whatever the types say.
    known = tuple(each for each in streams if cast("object | None", each.codec_context) is not None)
    if len(known) < len(streams):
        _logger.warning(
            "%d of %d streams of sound of %s are in a format that FFmpeg does not know, and are "
            "left out", len(streams) - len(known), len(streams), source_name(path),
        )  # fmt: skip
    return known


def _cut(
    first: VideoFrame, rest: Iterator[VideoFrame], decoder: _Decoder, part: slice
) -> Iterator[VideoFrame]:
    """Give the frames of a part, and cut the sound to it."""
    shift = Fraction(0)
    frame: VideoFrame | None = first
    while frame is not None:
        if part.start > 0 and frame.index <= part.start and decoder.soundtrack is not None:
            decoder.soundtrack.drop_before(frame.time)
        if frame.index == part.start:
            shift = frame.time - first.time
            if decoder.soundtrack is not None:
                decoder.soundtrack.shift_by(shift)
        if frame.index >= part.start:
            yield replace(frame, time=frame.time - shift)
        if part.stop is not None and frame.index + 1 >= part.stop:
            decoder.finish_sound(frame.time + (frame.duration or 1 / decoder.rate))
            return
        frame = next(rest, None)
