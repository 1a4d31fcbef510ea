"""Fill the holes of a picture, of every picture of a folder, or of a video."""

from pathlib import Path

import torch
from torch import Tensor

from pipelines.filling.masks import read_mask
from pipelines.filling.video import fill_video
from pipelines.filling.way import takes_video
from pipelines.inpainting.inventor import build_inventor
from pipelines.inpainting.options import InpaintOptions
from pipelines.rendering.one_by_one import Rgb, each_picture
from pipelines.rendering.options import Written
from vid2vid.errors import ConfigError, DataError
from vid2vid.filling.inventor import Inventor, invent
from vid2vid.inpainting.masks import grow
from vid2vid.video.levels import from_levels, to_levels
from vid2vid.video.reading import find_frames, is_video

PLAIN = InpaintOptions()


def inpaint(
    source: Path | str, masks: Path | str, out: Path | str, *, options: InpaintOptions = PLAIN
) -> Written:
    """Fill holes. Pixels outside the masks, once those have grown, stay as they are.

    Args:
        source: picture, folder or glob of pictures, or video.
        masks: what is to go, white: one for all, or one for each by name; of a video also a video.
        out: picture, folder, or video; a folder or glob that becomes a video is one.
        options: how.

    Raises:
        Vid2VidError: if something does not fit; nothing was written.
        RenderingError: if input or disk failed after the first picture.
    """
    source, masks, out = Path(source), Path(masks), Path(out)
    of_video = takes_video(
        source, out, options.video, picture_format=options.format, quality=options.quality
    )
    if out.resolve() == masks.resolve():
        raise ConfigError(f"the output needs a place of its own; {out} holds the masks: name it")
    if of_video:
        return _inpaint_video(source, masks, out, options)
    finder = MaskFinder(masks, source, grow_px=options.video.dilate)
    inventor = build_inventor(options)

    def work(path: Path, rgb: Rgb) -> Tensor:
        return fill_picture(rgb, finder.find(path, rgb), inventor)

    return each_picture(
        source,
        out,
        work,
        doing="inpainting",
        picture_format=options.format,
        quality=options.quality,
    )


def fill_picture(rgb: Rgb, unknown: Tensor, inventor: Inventor) -> Tensor:
    """Fill one picture.

    Args:
        rgb: 'h w 3'.
        unknown: 'h w' bool, True = to be filled.
        inventor: what fills.

    Returns:
        'h w 3' uint8; known pixels are those of `rgb`.
    """
    levels = torch.from_numpy(rgb)
    picture = torch.where(unknown, 0.0, from_levels(levels))
    filled = to_levels(invent(inventor, picture, unknown))
    return torch.where(unknown[..., None], filled, levels)


class MaskFinder:
    """Finds the mask of each picture, and grows it."""

    def __init__(self, masks: Path, source: Path, *, grow_px: int) -> None:
        """Look which masks there are.

        Args:
            masks: one picture for all, or a folder or glob with one for each by name.
            source: the pictures, for messages.
            grow_px: by which masks grow.

        Raises:
            VideoError: if there is none.
            ConfigError: if it is a video.
        """
        if is_video(masks):
            raise ConfigError(
                f"masks of pictures must be pictures; {masks} is a video and {source} is none: "
                "give a picture or a folder"
            )
        self._place, self._grow = masks, grow_px
        self._paths = find_frames(masks)
        self._by_name = {path.stem: path for path in self._paths}

    def find(self, path: Path, rgb: Rgb) -> Tensor:
        """Read the mask of a picture: 'h w' bool, True = to be filled.

        Raises:
            DataError: if there is none, it is of another size, or all is unknown.
        """
        chosen = self._paths[0] if len(self._paths) == 1 else self._by_name.get(path.stem)
        if chosen is None:
            raise DataError(
                f"there must be one mask for all pictures, or one by the name of each; {path.name} "
                f"has none in {self._place}: add it"
            )
        mask = read_mask(chosen)
        if mask.shape != rgb.shape[:2]:
            raise DataError(
                f"a mask must have the size of its picture, {rgb.shape[1]}x{rgb.shape[0]}; "
                f"{chosen} has {mask.shape[1]}x{mask.shape[0]}: resize it without smoothing"
            )
        grown = grow(mask, self._grow)
        if grown.all():
            raise DataError(
                f"a mask must leave something of its picture; {chosen}, grown by {self._grow} px, "
                "covers all: draw a smaller one"
            )
        return grown


def _inpaint_video(source: Path, masks: Path, out: Path, options: InpaintOptions) -> Written:
    """Fill a video: what any frame shows is carried, the rest invented on key frames."""
    done = fill_video(source, masks, out, inventor=build_inventor(options), options=options.video)
    return Written(done.path, done.num_frames, done.height, done.width, done.seconds)
