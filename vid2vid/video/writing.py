"""Writing frames: video files and folders of pictures, under a partial name until complete."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vid2vid.errors import VideoError
from vid2vid.labels.maps import ids_to_colours
from vid2vid.labels.palettes import Palette
from vid2vid.video.encoding import LOSSLESS_CODECS, OUTPUT_SUFFIXES, VideoWriter, choose_encoding
from vid2vid.video.pictures import PngWriter


class FrameWriter(Protocol):
    """Takes frames one by one; nothing has the final name before `close`."""

    def write(self, rgb: NDArray[np.uint8], time: Fraction) -> None:
        """Add a frame.

        Args:
            rgb: 'h w 3' uint8 RGB of the size that the writer was opened for.
            time: When it is shown, seconds; later than the frame before.

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
    crf: int = 16,
) -> FrameWriter:
    """Open an output for frames: a video by its suffix, without one a folder of PNGs.

    Videos are converted to BT.709 and tagged so, 4:2:0, or 4:4:4 where a side is odd. Missing
    parent folders are made. An existing video is replaced when the new one is complete; a folder
    must be new or empty.

    Args:
        path: .mp4, .mkv (both H.264), .webm (VP9), or a folder.
        width: Pixels.
        height: Pixels.
        rate: Frames per second.
        time_base: The tick of the times that will be written, seconds: the source's, needed where
            the frame rate varies. Default 1 / `rate`.
        lossless: Keep every value exactly, as label video needs: .mp4, .mkv or a folder.
        codec: "libx264" or, in .mkv, the lossless "ffv1" instead of the usual one.
        crf: Constant rate factor, smaller is better; without effect where it is lossless.

    Raises:
        ValueError: if a size or the rate is not positive.
        VideoError: if the suffix or codec is not one of these, or the output cannot be created.
    """
    path = Path(path)
    if min(width, height) < 1 or rate <= 0 or (time_base is not None and time_base <= 0):
        raise ValueError(
            f"width, height, rate and time_base must be positive; got {width}, {height}, {rate}, "
            f"{time_base}"
        )
    if path.is_dir() or not path.suffix:
        if codec is not None:
            raise VideoError(
                f"a codec needs a video file; {path} is a folder: name the output "
                f"{path.name}{'.mkv' if codec in LOSSLESS_CODECS else '.mp4'} or drop the codec"
            )
        return PngWriter(path, width=width, height=height)
    if path.suffix.lower() not in OUTPUT_SUFFIXES:
        raise VideoError(
            f"the output must end in {', '.join(OUTPUT_SUFFIXES)}, or be a folder without suffix; "
            f"got {path}: rename it"
        )
    encoding = choose_encoding(
        path, width=width, height=height, lossless=lossless, codec=codec, crf=crf
    )
    return VideoWriter(
        path,
        width=width,
        height=height,
        rate=rate,
        time_base=time_base or 1 / rate,
        encoding=encoding,
    )


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
