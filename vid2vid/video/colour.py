"""From decoded frames to upright 8-bit RGB.

Colours are converted by the matrix and range that a frame is tagged with; an untagged one is
BT.601, as FFmpeg takes it. Deeper than eight bits are rounded to the nearest level. HDR (PQ and
HLG) and wide gamuts (BT.2020, P3) become BT.709, of which a sentence is said: reference white,
203 cd/m2 (ITU-R BT.2408), becomes 255, and what is brighter or outside the gamut is clipped.
"""

import logging
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from av import VideoFrame
from av.video.reformatter import (
    ColorPrimaries,
    ColorTrc,
    Interpolation,
    VideoReformatter,
)
from numpy.typing import NDArray

from vid2vid.video.containers import source_name
from vid2vid.video.orientation import turn_upright

_logger = logging.getLogger(__name__)

_BITS = 8  # of what comes out
_MOST_FOREIGN = 4  # set-ups that are kept
_foreign_lock = Lock()

# FFmpeg's usual way is 2 to 4 levels too dark for deep video with shared chroma; this one is exact,
# and gives every pixel the chroma of its block, as the usual way does.
_ROUNDED = Interpolation.POINT | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT

_HDR = {int(ColorTrc.SMPTE2084): "HDR (PQ)", int(ColorTrc.ARIB_STD_B67): "HDR (HLG)"}
_WIDE = {
    int(ColorPrimaries.BT2020): "wide gamut (BT.2020)",
    int(ColorPrimaries.SMPTE431): "wide gamut (DCI-P3)",
    int(ColorPrimaries.SMPTE432): "wide gamut (Display P3)",
}


class RgbConverter:
    """Turns the frames of one video into pictures; it keeps what FFmpeg has set up for them."""

    def __init__(self, path: Path, *, threads: int | None = None) -> None:
        """Begin a video.

        Args:
            path: The video, for messages.
            threads: How many convert; None leaves that to FFmpeg.
        """
        self._path, self._threads = path, threads
        self._reformatter = VideoReformatter()

    def __call__(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """Convert a frame as it comes out of the decoder.

        Returns:
            'h w 3' RGB, turned as it is to be shown.

        Raises:
            VideoError: if it is to be shown at an angle that is no right one.
        """
        kind = _HDR.get(frame.color_trc) or _WIDE.get(frame.color_primaries)
        if kind is None:
            converted = _reformat(self._reformatter, frame, threads=self._threads)
        else:
            _tell_conversion(self._path, kind)
            converted = _reformat_foreign(frame)
        if converted.dtype == np.uint16:
            converted = (converted.astype(np.uint32) + 128) // 257
        return turn_upright(converted.astype(np.uint8, copy=False), frame, self._path)


def _reformat(
    reformatter: VideoReformatter, frame: VideoFrame, *, threads: int | None, to_bt709: bool = False
) -> NDArray[Any]:
    """Convert to RGB of 8 bits, or of 16 where FFmpeg would not round on its way to 8."""
    is_deep = max(part.bits for part in frame.format.components) > _BITS
    has_chroma = not frame.format.is_rgb and len(frame.format.components) > 2
    return reformatter.reformat(
        frame,
        format="rgb48le" if is_deep and not has_chroma else "rgb24",
        interpolation=_ROUNDED if is_deep else None,
        dst_color_trc=ColorTrc.BT709 if to_bt709 else None,
        dst_color_primaries=ColorPrimaries.BT709 if to_bt709 else None,
        threads=threads,
    ).to_ndarray()


def _reformat_foreign(frame: VideoFrame) -> NDArray[Any]:
    """Convert HDR or a wide gamut. To set that up takes seconds: once for all alike videos."""
    with _foreign_lock:
        reformatter = _foreign_reformatter(
            (frame.format.name, frame.width, frame.height),
            (frame.colorspace, frame.color_range, frame.color_trc, frame.color_primaries),
        )
        # FFmpeg's threads would not survive a fork of the process.
        return _reformat(reformatter, frame, threads=1, to_bt709=True)


@lru_cache(_MOST_FOREIGN)
def _foreign_reformatter(
    shape: tuple[str, int, int], tags: tuple[int, int, int, int]
) -> VideoReformatter:
    """Keep what FFmpeg has set up for frames of one format, size and colour."""
    del shape, tags
    return VideoReformatter()


@cache
def _tell_conversion(path: Path, kind: str) -> None:
    """Say it once a video, however often that is opened."""
    _logger.warning(
        "%s is %s and was converted to BT.709: what is brighter than reference white or outside "
        "that gamut is clipped",
        source_name(path), kind,
    )  # fmt: skip
