"""Video containers: opening them, and what goes wrong with them."""

import logging
import os
import re
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.stream import VideoStream

from vid2vid.errors import VideoError
from vid2vid.video.times import DEFAULT_RATE

_logger = logging.getLogger(__name__)

# Decoders and formats that give back every value of RGB or 8-bit grey.
_EXACT_CODECS = ("ffv1", "h264", "huffyuv", "png", "qtrle", "rawvideo", "utvideo")
_RGB_FORMATS = ("rgb24", "bgr24", "rgb0", "bgr0", "gbrp", "rgba", "bgra", "gbrap")
_GREY_FORMAT = "gray"


STANDARD_INPUT = Path("-")
"""Stands for the video that is piped in."""


def open_container(path: Path) -> InputContainer:
    """Open a video file, or `STANDARD_INPUT`, that has a picture stream.

    Raises:
        VideoError: if it is missing, cut off, or not a video.
    """
    try:
        container = _open_standard_input() if path == STANDARD_INPUT else av.open(f"file:{path}")
    except FileNotFoundError as error:
        raise VideoError(f"a video must exist; there is no file {path}: check the path") from error
    except (FFmpegError, OSError) as error:
        raise VideoError(_unreadable(path, error)) from error
    if not _pictures(container):
        container.close()
        raise VideoError(
            f"a video must have pictures; {source_name(path)} has none: give another file"
        )
    return container


def source_name(path: Path) -> str:
    """Name a video file, or standard input, in a message."""
    return "standard input" if path == STANDARD_INPUT else str(path)


def picture_stream(container: InputContainer) -> VideoStream:
    """Return the stream that is shown: the first that is no cover picture of the sound."""
    return _pictures(container)[0]


def _pictures(container: InputContainer) -> list[VideoStream]:
    cover = Disposition.attached_pic
    return [each for each in container.streams.video if not each.disposition & cover]


def _open_standard_input() -> InputContainer:
    """Open what is piped in; FFmpeg reads the descriptor itself, and seeks in a redirected file."""
    if os.isatty(0):
        raise VideoError(
            "- reads a video from standard input, which is a terminal: pipe a video into the "
            "command, or name a file"
        )
    return av.open("fd:", options={"fd": "0"})


def _unreadable(path: Path, error: FFmpegError | OSError) -> str:
    """Say why a container was not opened, and what to do."""
    if path != STANDARD_INPUT:
        return (
            f"a video must be one that FFmpeg can read; {path} is not one or is cut off "
            f"({error.strerror}): check that it is complete"
        )
    return (
        "a piped video must be readable without seeking, as mkv, webm, mpegts and an mp4 with its "
        f"index in front are; standard input is not ({error.strerror}): name the file, redirect it "
        "with '- < FILE', or pipe 'ffmpeg -i FILE -c copy -f matroska -'"
    )


def mean_rate(container: InputContainer) -> Fraction:
    """Give the mean frame rate, frames per second, of an open video."""
    stream = picture_stream(container)
    return stream.average_rate or stream.guessed_rate or DEFAULT_RATE


def broken_stream(path: Path, index: int, error: FFmpegError | None = None) -> VideoError:
    """Make the error for a stream of which frame `index` cannot be decoded."""
    if path == STANDARD_INPUT and index == 0 and error is not None:
        return VideoError(_unreadable(path, error))  # its frames stand before its index
    otherwise = (
        f", or use only the frames before it (--frames 0:{index}, or data.frame_range in a "
        "configuration)"
    )
    return VideoError(
        f"a video must be decodable to its end; {source_name(path)} breaks at frame {index}: "
        f"repair it{otherwise if index else ''}"
    )


def warn_if_short(container: InputContainer, path: Path, last_time: Fraction) -> None:
    """Warn of a Matroska file that was cut off, which FFmpeg takes for its end."""
    found = re.match(
        r"(\d+):(\d+):([\d.]+)", picture_stream(container).metadata.get("DURATION", "")
    )
    if not found:
        return
    seconds = int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3])
    if seconds - last_time > 0.5 + 1 / mean_rate(container):
        _logger.warning(
            "%s ends at %.2f s where its header says %.2f s: it may be cut off",
            source_name(path), float(last_time), seconds,
        )  # fmt: skip


def counts_frames(container: InputContainer) -> bool:
    """Whether the container counts frames instead of stamping times: AVI does.

    What FFmpeg makes of the count is wrong where B-frames occur.
    """
    return container.format.name == "avi"


def seeks_exactly(container: InputContainer) -> bool:
    """Whether frames have the same time stamps after a seek: in an MPEG program stream they do not.

    FFmpeg counts the stamps that such a stream leaves out from wherever it begins to read.
    """
    return container.format.name != "mpeg"


def is_grey_exact(path: Path) -> bool:
    """Tell whether a video that keeps every value, as ids need, is grey rather than RGB.

    Raises:
        VideoError: if its codec or pixel format changes values, or it cannot be opened.
    """
    with open_container(path) as container:
        context = picture_stream(container).codec_context
        codec, pix_fmt = context.name, context.pix_fmt or "unknown"
        is_exact = codec in _EXACT_CODECS and pix_fmt in (_GREY_FORMAT, *_RGB_FORMATS)
        if not is_exact or (codec == "h264" and _is_quantised(container)):
            raise VideoError(
                f"a video of ids must keep every value; {path} is {codec} in {pix_fmt}, which may "
                "not: write it as ffv1 or libx264rgb qp 0, in RGB or 8-bit grey"
            )
    return pix_fmt == _GREY_FORMAT


def _is_quantised(container: InputContainer) -> bool:
    """Tell whether x264 says in its first packet that it lost values; other encoders say nothing.

    H.264 is exact at qp 0, which crf 0 becomes.
    """
    packet = bytes(next(container.demux(picture_stream(container))))
    return b"x264 - core" in packet and re.search(rb" qp=0\b", packet) is None
