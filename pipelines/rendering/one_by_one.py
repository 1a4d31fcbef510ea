"""Work on pictures one by one: a picture into a picture, a folder or glob into a folder."""

import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pipelines.console import progress
from pipelines.rendering.input_stream import InputFrame
from pipelines.rendering.options import PictureFormat, Written
from pipelines.rendering.partial import raise_beside
from pipelines.rendering.picture_choice import is_folder
from pipelines.rendering.sinks import FolderSink, PictureSink, RenderedFrame, Sink
from vid2vid.errors import ConfigError
from vid2vid.video.pictures import PICTURE_SUFFIXES, write_picture
from vid2vid.video.reading import find_frames, read_image

Rgb = NDArray[np.uint8]
Work = Callable[[Path, Rgb], Tensor]
"""From a picture, its path and 'h w 3', to 'h w 3' uint8."""


def each_picture(
    source: Path,
    out: Path,
    work: Work,
    *,
    doing: str,
    picture_format: PictureFormat | None,
    quality: int | None,
) -> Written:
    """Change every picture of a source, and write each under its name.

    Args:
        source: picture, folder or glob.
        out: picture, or folder.
        work: what changes one.
        doing: names it beside the progress bar.
        picture_format: of the pictures in a folder; None = png.
        quality: of JPEG and WebP.

    Raises:
        ConfigError: if the output cannot hold the pictures.
        Vid2VidError: if `work` refuses the first picture; nothing was written.
        RenderingError: if something failed after the first.
    """
    started = time.perf_counter()
    paths = find_frames(source)
    sink = _open_sink(out, len(paths), picture_format, quality)
    count, size = 0, (0, 0)
    try:
        with progress(len(paths), doing, unit="pictures") as bar:
            for path in paths:
                picture = work(path, read_image(path))
                frame = InputFrame(None, None, time=Fraction(count), name=path.stem)
                sink.write(RenderedFrame(frame, picture))
                count, size = count + 1, (picture.shape[0], picture.shape[1])
                bar.advance()
        written = sink.close()
    except BaseException as error:
        partial = sink.abort(keep_partial=count > 0)
        raise_beside(error, partial, written=f"{count} pictures")
    return Written(written, count, *size, seconds=time.perf_counter() - started)


def _open_sink(
    out: Path, count: int, picture_format: PictureFormat | None, quality: int | None
) -> Sink:
    """Open a picture, or a folder.

    Raises:
        ConfigError: if a picture would have to hold several, or is none.
        VideoError: if it cannot be written.
    """

    def save(path: Path, rendered: RenderedFrame) -> None:
        write_picture(path, rendered.frame.numpy(), quality=quality)

    if is_folder(out):
        return FolderSink(out, f".{picture_format or 'png'}", save)
    if out.suffix.lower() not in PICTURE_SUFFIXES:
        raise ConfigError(
            f"a picture is written as {', '.join(sorted(PICTURE_SUFFIXES))}, or into a folder; got "
            f"{out}: name it so"
        )
    if count != 1:
        raise ConfigError(f"{out} holds one picture; there are {count}: name a folder")
    return PictureSink(out, save)
