"""Frames for a gif: 256 colours chosen anew for each, and times in hundredths of a second."""

import logging
from fractions import Fraction
from pathlib import Path

import numpy as np
from av import VideoFormat, VideoFrame
from av.filter import Graph
from numpy.typing import NDArray

from vid2vid.errors import VideoError

_logger = logging.getLogger(__name__)

TICK = Fraction(1, 100)
"""Seconds; the only time base of a gif."""

_SHORTEST_TICKS = 2  # browsers and FFmpeg show a frame of one tick for ten
_LARGEST_RATE = 1 / (_SHORTEST_TICKS * TICK)

# Of the ditherings of FFmpeg the one that flickers least and, but for none, errs least: 41.2 dB
# and 1.04 levels from frame to frame on film of a kitchen, where error diffusion has 40.6 and 1.22.
_DITHERING = "dither=bayer:bayer_scale=5"


class GifClock:
    """Gives frames the ticks at which a gif shows them, the first at 0."""

    time_base = TICK

    def __init__(self, path: Path, *, rate: Fraction) -> None:
        """Begin a gif.

        Raises:
            VideoError: if `rate`, frames per second, is above what a gif can show.
        """
        if rate > _LARGEST_RATE:
            raise VideoError(
                f"a gif shows at most {_LARGEST_RATE} frames per second; {path} would have "
                f"{float(rate):g}: name a video"
            )
        self._path = path
        self._start: Fraction | None = None
        self._next = 0
        self._has_told = False

    def stamp(self, time: Fraction, index: int) -> int:
        """Return the tick of frame `index`, which comes at `time` seconds.

        Where frames come faster than a gif can show, it comes late, and a sentence says so.
        """
        if self._start is None:
            self._start = time
        exact = (time - self._start) / TICK
        tick = max(round(exact), self._next)
        self._next = tick + _SHORTEST_TICKS
        if tick - exact > 1 and not self._has_told:
            self._has_told = True
            _logger.warning(
                "frame %d of %s comes %.0f ms late: a gif shows each for 20 ms or longer",
                index, self._path, float((tick - exact) * TICK * 1000),
            )  # fmt: skip
        return tick


class PaletteChooser:
    """Reduces frames to the 256 colours that suit each best."""

    def __init__(self, *, width: int, height: int) -> None:
        """Set up FFmpeg's filters for frames of one size."""
        self._graph = Graph()
        source = self._graph.add_buffer(
            width=width, height=height, format=VideoFormat("rgb24"), time_base=TICK
        )
        both = self._graph.add("split")
        palette = self._graph.add("palettegen", "stats_mode=single")
        use = self._graph.add("paletteuse", f"new=1:{_DITHERING}")
        sink = self._graph.add("buffersink")
        source.link_to(both)
        both.link_to(palette, 0, 0)
        both.link_to(use, 1, 0)
        palette.link_to(use, 0, 1)
        use.link_to(sink)
        self._graph.configure()

    def __call__(self, rgb: NDArray[np.uint8]) -> VideoFrame:
        """Return 'h w 3' as a frame of indices with its palette."""
        self._graph.push(VideoFrame.from_ndarray(rgb, format="rgb24"))
        frame = self._graph.pull()
        if not isinstance(frame, VideoFrame):  # pragma: no cover - the sink is one of pictures
            raise ValueError(f"the filters must give a picture; got {frame!r}")
        return frame
