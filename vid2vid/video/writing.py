"""Writing frames: video files and folders of pictures, under a partial name until complete."""

import logging
from collections.abc import Iterable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vid2vid.errors import VideoError
from vid2vid.labels.maps import ids_to_colours
from vid2vid.labels.palettes import Palette
from vid2vid.video.codecs import GIF_SUFFIX, OUTPUT_SUFFIXES, choose_encoding, tells_aspect
from vid2vid.video.encoding import ExactClock, Shape, VideoWriter, to_frame
from vid2vid.video.gif import GifClock, PaletteChooser
from vid2vid.video.pictures import PICTURE_SUFFIXES, PngWriter
from vid2vid.video.sound import Soundtrack

_logger = logging.getLogger(__name__)

SQUARE = Fraction(1)


class FrameWriter(Protocol):
    """Takes frames one by one; nothing has the final name before `close`."""

    def write(
        self, rgb: NDArray[np.uint8], time: Fraction, *, duration: Fraction | None = None
    ) -> None:
        """Add a frame.

        Args:
            rgb: 'h w 3' uint8 RGB of the size that the writer was opened for.
            time: When it is shown, seconds; later than the frame before.
            duration: For how long, seconds, should it be the last of a video; None = the mean.

        Raises:
            ValueError: if the frame has another shape or dtype.
            VideoError: if it cannot be written, or `time` does not come a tick later.
        """
        ...

    def close(self) -> Path:
        """Complete the output and give it its final name, which is returned.

        Raises:
            VideoError: if no frame was written, or the rest cannot be.
        """
        ...

    def abort(self, *, keep_partial: bool) -> Path | None:
        """End early: make what was written playable under its partial name, or remove it.

        Returns:
            The partial file or folder, or None if there is none to keep.
        """
        ...


def open_writer(
    path: Path | str,
    *,
    width: int,
    height: int,
    rate: Fraction,
    time_base: Fraction | None = None,
    lossless: bool = False,
    codec: str | None = None,
    crf: int | None = None,
    pixel_aspect: Fraction = SQUARE,
    soundtrack: Soundtrack | None = None,
) -> FrameWriter:
    """Open an output for frames: a video by its suffix, without one a folder of PNGs.

    Videos are converted to BT.709 and tagged so, 4:2:0, or 4:4:4 where a side is odd and the codec
    has it. Missing parent folders are made. An existing video is replaced when the new one is
    complete; a folder must be new or empty.

    Args:
        path: .mp4, .mkv (both H.264), .webm (VP9), .gif, or a folder.
        width: Pixels.
        height: Pixels.
        rate: Frames per second.
        time_base: The tick of the times that will be written, seconds: the source's, needed where
            the frame rate varies. Default 1 / `rate`. A gif has ticks of its own.
        lossless: Keep every value exactly, as label video needs: .mp4, .mkv, .webm or a folder.
        codec: Another than the usual one; see `vid2vid.video.codecs`.
        crf: Constant rate factor, smaller is better; None = 16. Not where nothing is lost.
        pixel_aspect: Width of a pixel through its height. A folder does not tell; where another
            file cannot, a sentence says so.
        soundtrack: Copied into a video; not for a gif or a folder.

    Raises:
        ValueError: if a size, the rate or the aspect is not positive, or sound is to go where there
            is none.
        VideoError: if suffix, codec, crf, rate or sound do not go together, or the output cannot be
            created.
    """
    path = Path(path)
    if min(width, height) < 1 or min(rate, time_base or rate, pixel_aspect) <= 0:
        raise ValueError(
            "width, height, rate, time_base and pixel_aspect must be positive; got "
            f"{width}, {height}, {rate}, {time_base}, {pixel_aspect}"
        )
    if soundtrack is not None and not holds_sound(path):
        raise ValueError(f"a soundtrack goes into a video; got {path}")
    _check_name(path, codec)
    if path.is_dir() or not path.suffix:
        return PngWriter(path, width=width, height=height)
    encoding = choose_encoding(
        path, width=width, height=height, lossless=lossless, codec=codec, crf=crf
    )
    if path.suffix.lower() == GIF_SUFFIX:
        clock, convert = GifClock(path, rate=rate), PaletteChooser(width=width, height=height)
    else:
        clock = ExactClock(path, time_base=time_base or 1 / rate)
        convert = partial(to_frame, pix_fmt=encoding.pix_fmt)
    if pixel_aspect != SQUARE and not tells_aspect(path, encoding):
        _logger.warning(
            "players will take the pixels of %s for square, which are %s times as wide as high: "
            "name an .mp4", path, pixel_aspect,
        )  # fmt: skip
    shape = Shape(height, width, pixel_aspect)
    return VideoWriter(
        path, shape, encoding, rate=rate, clock=clock, convert=convert, soundtrack=soundtrack
    )


def _check_name(path: Path, codec: str | None) -> None:
    """Raise a VideoError if a path names no kind of output, or one that has no codec."""
    is_folder = path.is_dir() or not path.suffix
    if is_folder and codec is not None:
        raise VideoError(
            f"a codec needs a video file; {path} is a folder: name the output "
            f"{path.name}{'.mkv' if codec == 'ffv1' else '.mp4'} or drop the codec"
        )
    if not is_folder and path.suffix.lower() not in OUTPUT_SUFFIXES:
        raise VideoError(
            f"the output must end in {', '.join(OUTPUT_SUFFIXES)}, or be a folder without suffix, "
            f"or end in {', '.join(sorted(PICTURE_SUFFIXES))} where it is one frame; got {path}: "
            "rename it"
        )


def holds_sound(path: Path) -> bool:
    """Whether an output of this name is a video that can have sound: no gif, folder or picture."""
    return not path.is_dir() and path.suffix.lower() in {*OUTPUT_SUFFIXES} - {GIF_SUFFIX}


def write_label_video(
    path: Path | str,
    labels: Iterable[NDArray[np.uint8]],
    palette: Palette,
    *,
    rate: Fraction,
) -> Path:
    """Write label maps losslessly in the colours of their palette.

    Args:
        path: .mp4, .mkv, or a folder of PNGs.
        labels: 'h w' uint8 ids of the palette, all of one size.
        palette: The classes.
        rate: Frames per second.

    Returns:
        The path.

    Raises:
        VideoError: if there is no label map, or the output cannot be written.
    """
    writer: FrameWriter | None = None
    try:
        for index, ids in enumerate(labels):
            if writer is None:
                height, width = ids.shape
                writer = open_writer(path, width=width, height=height, rate=rate, lossless=True)
            writer.write(ids_to_colours(ids, palette), index / rate)
    except BaseException:  # Ctrl-C too: what is written so far can be played
        if writer is not None:
            writer.abort(keep_partial=True)
        raise
    if writer is None:
        raise VideoError(f"a label video must have at least one label map; got none for {path}")
    return writer.close()
