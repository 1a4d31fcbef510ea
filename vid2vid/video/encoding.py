"""Encoding one video file, with exact time stamps, BT.709 colour and the sound of its source."""

import math
import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast

import av
import numpy as np
from av import Packet, VideoFrame
from av.error import FFmpegError
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream
from numpy.typing import NDArray

from vid2vid.errors import VideoError
from vid2vid.video.codecs import Encoding
from vid2vid.video.containers import open_container, picture_stream
from vid2vid.video.sound import Soundtrack, SoundWriter

_CLAIMED_BYTES = 1 << 20
_UNORDERED = 2  # frames that are never reordered; of two x265 leaves the order of decoding unset
_MOST_MOVIE_TICKS = (1 << 31) - 1  # per second, of an mp4


class Clock(Protocol):
    """Turns times into the ticks of a file."""

    time_base: Fraction  # seconds of a tick

    def stamp(self, time: Fraction, index: int) -> int:
        """Return the tick of frame `index`, which comes at `time` seconds.

        Raises:
            VideoError: if it has none of its own.
        """
        ...


class ExactClock:
    """Takes the tick that is nearest."""

    def __init__(self, path: Path, *, time_base: Fraction) -> None:
        self.time_base = time_base
        self._path = path
        self._last: int | None = None

    def stamp(self, time: Fraction, index: int) -> int:
        """Return the tick of a frame; see `Clock`."""
        tick = round(time / self.time_base)
        if self._last is not None and tick <= self._last:
            raise VideoError(
                f"the time stamps of {self._path} must be a tick of {self.time_base} s apart; "
                f"frame {index} comes at {float(time):.6f} s after "
                f"{float(self._last * self.time_base):.6f} s: give the writer the time base of the "
                "source"
            )
        self._last = tick
        return tick


class Shape(NamedTuple):
    """Of the frames of a video."""

    height: int
    width: int
    pixel_aspect: Fraction  # width of a pixel through its height


class VideoWriter:
    """Writes `out.partial.mp4` and renames it to `out.mp4` when it is complete."""

    def __init__(
        self,
        path: Path,
        shape: Shape,
        encoding: Encoding,
        *,
        rate: Fraction,
        clock: Clock,
        convert: Callable[[NDArray[np.uint8]], VideoFrame],
        soundtrack: Soundtrack | None = None,
    ) -> None:
        self._path = path
        self._partial = path.with_name(f"{path.stem}.partial{path.suffix}")
        self._shape, self._encoding = shape, encoding
        self._clock, self._convert = clock, convert
        self._usual_ticks = max(1, round(1 / rate / clock.time_base))  # that a frame is shown
        self._last_pts: int | None = None
        self._last_ticks = self._usual_ticks
        self._end = Fraction(0)  # seconds, of the frames so far
        self._num_frames = 0
        claim(self._partial)
        try:
            self._open(rate, soundtrack)
        except VideoError:
            self._partial.unlink(missing_ok=True)
            raise

    def _open(self, rate: Fraction, soundtrack: Soundtrack | None) -> None:
        """Open the file and the encoder, and write the header."""
        os.environ.setdefault("SVT_LOG", "1")  # SVT-AV1 has no other way to be told to be quiet
        try:
            self._container = av.open(
                f"file:{self._partial}",
                "w",
                options=_container_options(self._path, self._clock.time_base, soundtrack),
            )
            self._stream = self._add_stream(rate)
            self._stream.codec_context.open()
        except (FFmpegError, OSError, ValueError, OverflowError) as error:
            raise VideoError(
                f"the frames of {self._path} must be such as {self._encoding.codec} encodes; it "
                f"refuses {self._shape.width}x{self._shape.height} at {float(rate):g} frames per "
                f"second ({error}): change the size or the rate"
            ) from error
        self._sound = SoundWriter(self._container, soundtrack, self._path) if soundtrack else None
        try:
            self._container.start_encoding()
        except (FFmpegError, OSError) as error:  # pragma: no cover - the disk is full by now
            raise self._failed("its header", error) from error

    def _add_stream(self, rate: Fraction) -> VideoStream:
        codec, pix_fmt, options, tag = self._encoding
        stream = cast(VideoStream, self._container.add_stream(codec, rate=rate, options=options))
        stream.height, stream.width, stream.pix_fmt = self._shape.height, self._shape.width, pix_fmt
        context = stream.codec_context
        context.time_base = self._clock.time_base
        context.sample_aspect_ratio = self._shape.pixel_aspect
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        if pix_fmt.startswith("yuv"):
            context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        if tag is not None:
            context.codec_tag = tag
        return stream

    def write(
        self, rgb: NDArray[np.uint8], time: Fraction, *, duration: Fraction | None = None
    ) -> None:
        """Add a frame, and the sound up to it; see `FrameWriter`."""
        check_frame(rgb, (self._shape.height, self._shape.width, 3))
        pts = self._clock.stamp(time, self._num_frames)
        frame = self._convert(np.ascontiguousarray(rgb))
        frame.pts, frame.time_base = pts, self._clock.time_base
        duration = duration or self._usual_ticks * self._clock.time_base
        self._last_pts, self._end = pts, time + duration
        self._last_ticks = max(1, round(duration / self._clock.time_base))
        try:
            self._mux(self._stream.encode(frame))
            if self._sound is not None:
                self._sound.write(time)
        except (FFmpegError, OSError) as error:
            raise self._failed(f"frame {self._num_frames}", error) from error
        self._num_frames += 1

    def close(self) -> Path:
        """Complete the file and rename it; see `FrameWriter`."""
        if self._num_frames == 0:
            self.abort(keep_partial=False)
            raise VideoError(
                f"a video must have at least one frame; none was written to {self._path}"
            )
        try:
            self._finalise(sound_until=None)
            self._partial.replace(self._path)
        except (FFmpegError, OSError) as error:
            raise self._failed("the end", error) from error
        return self._path

    def abort(self, *, keep_partial: bool) -> Path | None:
        """End early; see `FrameWriter`."""
        is_kept = keep_partial and self._num_frames > 0
        try:
            self._finalise(sound_until=self._end)
        except (FFmpegError, OSError):  # a full disk; fragments that are written can be played
            is_kept = is_kept and _plays(self._partial)
        if not is_kept:
            self._partial.unlink(missing_ok=True)
        return self._partial if is_kept else None

    def _mux(self, packets: "list[Packet[Any]]") -> None:
        for packet in packets:
            is_last = packet.pts == self._last_pts
            packet.duration = self._last_ticks if is_last else self._usual_ticks
            self._container.mux_one(packet)

    def _finalise(self, *, sound_until: Fraction | None) -> None:
        try:
            rest = self._stream.encode(None)
            for packet in rest if self._num_frames <= _UNORDERED else []:
                packet.dts = packet.pts
            self._mux(rest)
            if self._sound is not None:
                self._sound.write(sound_until)
        finally:
            self._container.close()

    def _failed(self, what: str, error: Exception) -> VideoError:
        return VideoError(
            f"{self._path} must be written whole; {what} could not be ({error}): check the space "
            f"and rights on {self._path.parent}"
        )


def to_frame(rgb: NDArray[np.uint8], *, pix_fmt: str) -> VideoFrame:
    """Convert 'h w 3' to what a codec takes: BT.709 of limited range, or RGB as it is."""
    frame = VideoFrame.from_ndarray(rgb, format="rgb24")
    if not pix_fmt.startswith("yuv"):
        return frame.reformat(format=pix_fmt)
    # Both are needed: tagged without being converted, or the reverse, a saturated colour comes
    # back 20/255 off; with both it is 2/255.
    return frame.reformat(
        format=pix_fmt, dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
    )


def _container_options(
    path: Path, time_base: Fraction, soundtrack: Soundtrack | None
) -> dict[str, str]:
    match path.suffix.lower():
        case ".mp4":
            return {
                # A start other than 0 is stored in this scale, whose default of 1000 would round.
                "movie_timescale": str(_movie_ticks(time_base, soundtrack)),
                # Fragments of a second until the file is closed, then an ordinary mp4: even after
                # a kill what was written plays. The header waits for the first packets' delay.
                "movflags": "hybrid_fragmented+delay_moov",
                "frag_duration": "1000000",
                "flush_packets": "1",
            }
        case ".mkv" | ".webm":
            # Sound that begins before the first frame, as AAC does, would shift all by 21 ms.
            return {"avoid_negative_ts": "disabled"}
        case _:
            return {}


def _movie_ticks(time_base: Fraction, soundtrack: Soundtrack | None) -> int:
    """Choose ticks a second in which pictures, and sound if it fits, can begin exactly."""
    ticks = time_base.denominator
    rates = [stream.rate for stream in soundtrack.streams] if soundtrack is not None else []
    both = math.lcm(ticks, *rates)
    ticks = both if both <= _MOST_MOVIE_TICKS else ticks
    return ticks * -(-1000 // ticks)


def claim(path: Path) -> None:
    """Create a file (and its folder) and make sure that some space is left for it.

    Raises:
        VideoError: if that is impossible.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(bytes(_CLAIMED_BYTES))
            file.flush()
            file.truncate(0)
    except OSError as error:
        reason = "it is a file" if path.parent.is_file() else error.strerror
        raise VideoError(
            f"the output folder must be writable; {path.parent}: {reason}: choose another folder "
            "or make room"
        ) from error


def check_frame(rgb: NDArray[np.uint8], shape: tuple[int, int, int]) -> None:
    """Raise a ValueError unless a frame has the shape that its writer was opened for."""
    if rgb.shape != shape or rgb.dtype != np.uint8:
        raise ValueError(
            f"a frame must be 'h w 3' uint8 with (h, w, 3) = {shape}; got {rgb.shape} {rgb.dtype}"
        )


def _plays(path: Path) -> bool:
    """Whether a file that could not be finalised has a frame that can be decoded."""
    try:
        with open_container(path) as container:
            return next(container.decode(picture_stream(container)), None) is not None
    except (VideoError, FFmpegError):
        return False
