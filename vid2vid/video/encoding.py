"""Encoding one video file, with exact time stamps and BT.709 colour."""

from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, cast

import av
import numpy as np
from av import Packet, VideoFrame
from av.error import FFmpegError
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream
from numpy.typing import NDArray

from vid2vid.errors import VideoError
from vid2vid.video.containers import open_container

OUTPUT_SUFFIXES = (".mp4", ".mkv", ".webm")
LOSSLESS_CODECS = ("ffv1",)

_CODECS = {".mp4": ("libx264",), ".mkv": ("libx264", "ffv1"), ".webm": ("libvpx-vp9",)}
_CLAIMED_BYTES = 1 << 20


class Encoding(NamedTuple):
    """How frames become packets."""

    codec: str
    pix_fmt: str
    options: dict[str, str]


def choose_encoding(
    path: Path, *, width: int, height: int, lossless: bool, codec: str | None, crf: int
) -> Encoding:
    """Choose the codec and pixel format for a file.

    Raises:
        VideoError: if the container does not take the codec, or holds nothing lossless.
    """
    suffix = path.suffix.lower()
    name = codec or _CODECS[suffix][0]
    if name not in _CODECS[suffix]:
        raise VideoError(
            f"the codec of a {suffix} file must be {' or '.join(_CODECS[suffix])}; got '{codec}' "
            f"for {path}: choose another codec or suffix"
        )
    if name == "ffv1":
        return Encoding("ffv1", "bgr0", {})
    if lossless and name == "libx264":
        return Encoding("libx264rgb", "rgb24", {"qp": "0"})
    if lossless:
        raise VideoError(
            f"lossless video must be .mp4 or .mkv; got {path}: name it {path.stem}.mkv"
        )
    # libx264 refuses 4:2:0 with odd sides, with an error that does not say so.
    pix_fmt = "yuv444p" if width % 2 or height % 2 else "yuv420p"
    # VP9 takes crf as a ceiling unless its target bit rate is 0.
    return Encoding(name, pix_fmt, {"crf": str(crf), **({"b": "0"} if suffix == ".webm" else {})})


class VideoWriter:
    """Writes `out.partial.mp4` and renames it to `out.mp4` when it is complete."""

    def __init__(
        self,
        path: Path,
        *,
        width: int,
        height: int,
        rate: Fraction,
        time_base: Fraction,
        encoding: Encoding,
    ) -> None:
        self._path = path
        self._partial = path.with_name(f"{path.stem}.partial{path.suffix}")
        self._shape = (height, width, 3)
        self._time_base = time_base
        self._duration = max(1, round(1 / rate / time_base))  # of the last frame, ticks
        self._encoding = encoding
        self._num_frames = 0
        self._last_pts: int | None = None
        claim(self._partial)
        try:
            self._container = av.open(
                f"file:{self._partial}", "w", options=_container_options(path, time_base)
            )
            self._stream = self._add_stream(rate)
            self._container.start_encoding()
        except (FFmpegError, OSError, ValueError, OverflowError) as error:
            self._partial.unlink(missing_ok=True)
            raise VideoError(
                f"the frames of {path} must be such as {encoding.codec} encodes; it refuses "
                f"{width}x{height} at {float(rate):g} frames per second ({error}): change the size "
                "or the rate"
            ) from error

    def _add_stream(self, rate: Fraction) -> VideoStream:
        codec, pix_fmt, options = self._encoding
        stream = cast(VideoStream, self._container.add_stream(codec, rate=rate, options=options))
        stream.height, stream.width = self._shape[:2]
        stream.pix_fmt = pix_fmt
        context = stream.codec_context
        context.time_base = self._time_base
        if pix_fmt.startswith("yuv"):
            context.colorspace = Colorspace.ITU709
            context.color_primaries = ColorPrimaries.BT709
            context.color_trc = ColorTrc.BT709
            context.color_range = ColorRange.MPEG
        return stream

    def write(self, rgb: NDArray[np.uint8], time: Fraction) -> None:
        """Add a frame; see `FrameWriter`."""
        check_frame(rgb, self._shape)
        pts = round(time / self._time_base)
        if self._last_pts is not None and pts <= self._last_pts:
            raise VideoError(
                f"the time stamps of {self._path} must be a tick of {self._time_base} s apart; "
                f"frame {self._num_frames} comes at {float(time):.6f} s after "
                f"{float(self._last_pts * self._time_base):.6f} s: give the writer the time base "
                "of the source"
            )
        frame = self._convert(rgb)
        frame.pts, frame.time_base = pts, self._time_base
        try:
            self._mux(self._stream.encode(frame))
        except (FFmpegError, OSError) as error:
            raise self._failed(f"frame {self._num_frames}", error) from error
        self._num_frames += 1
        self._last_pts = pts

    def close(self) -> Path:
        """Complete the file and rename it; see `FrameWriter`."""
        if self._num_frames == 0:
            self.abort(keep_partial=False)
            raise VideoError(
                f"a video must have at least one frame; none was written to {self._path}"
            )
        try:
            self._finalise()
            self._partial.replace(self._path)
        except (FFmpegError, OSError) as error:
            raise self._failed("the end", error) from error
        return self._path

    def abort(self, *, keep_partial: bool) -> Path | None:
        """End early; see `FrameWriter`."""
        is_kept = keep_partial and self._num_frames > 0
        try:
            self._finalise()
        except (FFmpegError, OSError):  # a full disk; fragments that are written can be played
            is_kept = is_kept and _plays(self._partial)
        if not is_kept:
            self._partial.unlink(missing_ok=True)
        return self._partial if is_kept else None

    def _convert(self, rgb: NDArray[np.uint8]) -> VideoFrame:
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
        pix_fmt = self._encoding.pix_fmt
        if not pix_fmt.startswith("yuv"):
            return frame.reformat(format=pix_fmt)
        # Both are needed: tagged without being converted, or the reverse, a saturated colour comes
        # back 20/255 off; with both it is 2/255.
        return frame.reformat(
            format=pix_fmt, dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )

    def _mux(self, packets: "list[Packet[Any]]") -> None:
        for packet in packets:
            packet.duration = self._duration
            self._container.mux_one(packet)

    def _finalise(self) -> None:
        try:
            self._mux(self._stream.encode(None))
        finally:
            self._container.close()

    def _failed(self, what: str, error: Exception) -> VideoError:
        return VideoError(
            f"{self._path} must be written whole; {what} could not be ({error}): check the space "
            f"and rights on {self._path.parent}"
        )


def _container_options(path: Path, time_base: Fraction) -> dict[str, str]:
    if path.suffix.lower() != ".mp4":
        return {}
    ticks = time_base.denominator
    return {
        # A start other than 0 is stored in this scale, whose default of 1000 would round it.
        "movie_timescale": str(ticks * -(-1000 // ticks)),
        # Fragments of a second until the file is closed, then an ordinary mp4: even after a kill
        # what was written plays. The header waits for the first packets and their delay.
        "movflags": "hybrid_fragmented+delay_moov",
        "frag_duration": "1000000",
        "flush_packets": "1",
    }


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
            return next(container.decode(container.streams.video[0]), None) is not None
    except (VideoError, FFmpegError):
        return False
