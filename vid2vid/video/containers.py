"""Video containers: opening them, and what goes wrong with them."""

import logging
import re
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av import VideoFrame
from av.container import InputContainer
from av.error import FFmpegError
from numpy.typing import NDArray

from vid2vid.errors import VideoError
from vid2vid.video.times import DEFAULT_RATE

_logger = logging.getLogger(__name__)

# Decoders and formats that give back every value of RGB or 8-bit grey.
_EXACT_CODECS = ("ffv1", "h264", "png", "utvideo")
_RGB_FORMATS = ("rgb24", "bgr24", "rgb0", "bgr0", "gbrp", "rgba", "bgra", "gbrap")
_GREY_FORMAT = "gray"


def open_container(path: Path) -> InputContainer:
    """Open a video file that has a picture stream.

    Raises:
        VideoError: if it is missing, cut off, or not a video.
    """
    try:
        container = av.open(f"file:{path}")
    except FileNotFoundError as error:
        raise VideoError(f"a video must exist; there is no file {path}: check the path") from error
    except (FFmpegError, OSError) as error:
        raise VideoError(
            f"a video must be one that FFmpeg can read; {path} is not one or is cut off "
            f"({error.strerror}): check that it is complete"
        ) from error
    if not container.streams.video:
        container.close()
        raise VideoError(f"a video must have pictures; {path} has none: give another file")
    return container


def mean_rate(container: InputContainer) -> Fraction:
    """Give the mean frame rate, frames per second, of an open video."""
    stream = container.streams.video[0]
    return stream.average_rate or stream.guessed_rate or DEFAULT_RATE


def broken_stream(path: Path, index: int) -> VideoError:
    """Make the error for a stream of which frame `index` cannot be decoded."""
    return VideoError(
        f"a video must be decodable to its end; {path} breaks at frame {index}: repair it, or use "
        f"only the frames before it (--frames 0:{index}, or data.frame_range in a configuration)"
    )


def warn_if_short(container: InputContainer, path: Path, last_time: Fraction) -> None:
    """Warn of a Matroska file that was cut off, which FFmpeg takes for its end."""
    found = re.match(
        r"(\d+):(\d+):([\d.]+)", container.streams.video[0].metadata.get("DURATION", "")
    )
    if not found:
        return
    seconds = int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3])
    if seconds - last_time > 0.5 + 1 / mean_rate(container):
        _logger.warning(
            "%s ends at %.2f s where its header says %.2f s: it may be cut off",
            path, float(last_time), seconds,
        )  # fmt: skip


def counts_frames(container: InputContainer) -> bool:
    """Whether the container counts frames instead of stamping times: AVI does.

    What FFmpeg makes of the count is wrong where B-frames occur.
    """
    return container.format.name == "avi"


def is_grey_exact(path: Path) -> bool:
    """Tell whether a video that keeps every value, as ids need, is grey rather than RGB.

    Raises:
        VideoError: if its codec or pixel format changes values, or it cannot be opened.
    """
    with open_container(path) as container:
        context = container.streams.video[0].codec_context
        codec, pix_fmt = context.name, context.pix_fmt or "unknown"
        is_exact = codec in _EXACT_CODECS and pix_fmt in (_GREY_FORMAT, *_RGB_FORMATS)
        if not is_exact or (codec == "h264" and _is_quantised(container)):
            raise VideoError(
                f"a video of ids must keep every value; {path} is {codec} in {pix_fmt} and does "
                "not: write it as ffv1 or libx264rgb qp 0, in RGB or 8-bit grey"
            )
    return pix_fmt == _GREY_FORMAT


def _is_quantised(container: InputContainer) -> bool:
    """Tell whether x264 says in its first packet that it lost values; other encoders say nothing.

    H.264 is exact at qp 0, which crf 0 becomes.
    """
    packet = bytes(next(container.demux(container.streams.video[0])))
    return b"x264 - core" in packet and re.search(rb" qp=0\b", packet) is None


def to_rgb(frame: VideoFrame, *, threads: int | None = None) -> NDArray[np.uint8]:
    """Convert a decoded frame to 'h w 3' uint8 RGB, by the matrix and range it is tagged with.

    Args:
        frame: As it comes out of the decoder.
        threads: How many convert; None leaves that to FFmpeg.
    """
    return frame.to_ndarray(format="rgb24", threads=threads).astype(np.uint8, copy=False)
