"""Extend a picture, every picture of a folder, or a video."""

import logging
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import torch
from torch import Tensor

from pipelines.extending.options import ExtendOptions
from pipelines.filling.video import extend_video
from pipelines.filling.way import takes_video
from pipelines.rendering.one_by_one import Rgb, each_picture
from pipelines.rendering.options import Written
from vid2vid.errors import ConfigError
from vid2vid.extension.extender import Extender
from vid2vid.extension.margins import Margins
from vid2vid.extension.tiling import own_margins
from vid2vid.video.levels import from_levels, to_levels
from vid2vid.video.reading import open_video

LOGGER = logging.getLogger(__name__)


class PictureExtender:
    """Extends pictures one by one, and says of each way of growing once that it is taken."""

    def __init__(self, extender: Extender, options: ExtendOptions) -> None:
        self._extender, self._options = extender, options
        self.notes: list[str] = []

    def extend(self, rgb: Rgb) -> Tensor:
        """Extend one picture.

        Args:
            rgb: 'h w 3'.

        Returns:
            'h w 3' uint8 of the grown size, or the picture itself where it has the aspect already.

        Raises:
            ConfigError: if it cannot grow so.
        """
        picture = from_levels(torch.from_numpy(rgb))
        for _ in range(self._options.tile or 1):
            height, width = picture.shape[1:]
            asked = self._options.margins_for(height, width, pixel_aspect=Fraction(1))
            margins = own_margins(self._extender.layout, height, width) if asked is None else asked
            if margins.is_empty:
                self._note(f"leaves {width}x{height} as it is, which has that aspect")
                break
            self._tell(height, width, margins)
            picture = self._extender.extend(picture, margins)
        return to_levels(picture)

    def _tell(self, height: int, width: int, margins: Margins) -> None:
        tall, wide = margins.grown_size(height, width)
        way = self._extender.plan(height, width, margins).describe(height, width)
        self._note(f"extends {width}x{height} to {wide}x{tall} {way}")

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)
            LOGGER.info("%s", text)


def extend(
    source: Path | str, out: Path | str, *, extender: Extender, options: ExtendOptions
) -> Written:
    """Extend a picture, each picture of a folder or glob by itself, or a video.

    Args:
        source: picture, folder, glob or video.
        out: picture, folder, or video; a folder or glob of pictures that becomes a video is one.
        extender: what continues pictures; see `network.load_continuation`.
        options: how far, and how outputs are written.

    Raises:
        Vid2VidError: if something does not fit; nothing was written.
        RenderingError: if input or disk failed after the first picture.
    """
    source, out = Path(source), Path(out)
    of_video = takes_video(
        source, out, options.video, picture_format=options.format, quality=options.quality
    )
    if of_video:
        return _extend_video(source, out, extender, options)
    return _extend_pictures(source, out, extender, options)


def _extend_video(source: Path, out: Path, extender: Extender, options: ExtendOptions) -> Written:
    """Widen a video: what any frame shows is carried, the rest continued on key frames."""
    if options.tile is not None:
        raise ConfigError(f"--tile is for pictures; {source} to {out} is a video: leave it out")
    info = open_video(source)
    margins = options.margins_for(info.height, info.width, pixel_aspect=info.pixel_aspect)
    if margins is None or margins.is_empty:
        raise ConfigError(
            f"the video must have another aspect than --to asks for; {source} is "
            f"{info.width}x{info.height} and has it: choose another one, or --margins"
        )
    height, width = info.height, info.width
    tall, wide = margins.grown_size(height, width)
    way = extender.plan(height, width, margins).describe(height, width)
    note = f"extends {width}x{height} to {wide}x{tall} from other frames; what none shows {way}"
    LOGGER.info("%s", note)
    done = extend_video(source, margins, out, inventor=extender, options=options.video)
    carried = (
        f"carried {done.carried_share:.0%} of what was unknown, continued "
        f"{done.num_key_frames} key frames"
    )
    LOGGER.info("%s", carried)
    return Written(
        path=done.path,
        num_frames=done.num_frames,
        height=done.height,
        width=done.width,
        seconds=done.seconds,
        notes=(note, carried),
    )


def _extend_pictures(
    source: Path, out: Path, extender: Extender, options: ExtendOptions
) -> Written:
    """Extend pictures one by one."""
    worker = PictureExtender(extender, options)

    def work(_path: Path, rgb: Rgb) -> Tensor:
        return worker.extend(rgb)

    written = each_picture(
        source,
        out,
        work,
        doing="extending",
        picture_format=options.format,
        quality=options.quality,
    )
    return replace(written, notes=tuple(worker.notes))
