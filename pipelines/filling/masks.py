"""Read masks of what is to be generated: one for all frames, a video, or one a frame."""

import itertools
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vid2vid.errors import VideoError
from vid2vid.video.decoding import decode_video
from vid2vid.video.reading import find_frames, is_video, read_image

_LOSSY_SUFFIXES = frozenset({".jpg", ".jpeg", ".webp"})
_LOSSY_LEVEL = 127


def read_mask(path: Path) -> Tensor:
    """Read a mask: all that is not black is unknown; of JPEG and WebP what is brighter than half.

    So the indexed label maps of data sets, whose objects may be nearly black, are masks too.

    Returns:
        'h w' bool, True = to be generated.

    Raises:
        VideoError: if there is no such picture.
    """
    return _to_mask(read_image(path), is_lossy=path.suffix.lower() in _LOSSY_SUFFIXES)


def read_masks(place: Path, part: slice) -> Iterator[Tensor]:
    """Read a mask for each frame, lazily; a single picture is for all of them, without an end.

    Of a video, what is brighter than half is unknown.

    Args:
        place: picture, folder or glob of pictures, or video.
        part: of the frames.

    Raises:
        VideoError: if it cannot be read.
    """
    if is_video(place):
        for frame in decode_video(place, part=part).frames:
            yield _to_mask(frame.rgb, is_lossy=True)
        return
    paths = find_frames(place)
    if len(paths) == 1:
        yield from itertools.repeat(read_mask(paths[0]))
    yield from map(read_mask, paths[part])


def pair_masks(
    masks: Iterator[Tensor], index: int, *, size: tuple[int, int], place: Path, time: Fraction
) -> Tensor:
    """Take the mask of the next frame.

    Args:
        masks: what `read_masks` gives.
        index: of the frame in the part.
        size: (height, width) of the frame.
        place: of the masks, for messages.
        time: of the frame, seconds, for messages.

    Raises:
        VideoError: if there is none, or it has another size.
    """
    mask = next(masks, None)
    if mask is None:
        raise VideoError(
            f"there must be one mask for all frames, or one for each; {place} has {index} and the "
            f"input goes on at {float(time):.3f} s: add masks, or choose a part with --frames"
        )
    if tuple(mask.shape) != size:
        raise VideoError(
            f"a mask must have the size of its frame, {size[1]}x{size[0]}; that of frame {index} "
            f"in {place} is {mask.shape[1]}x{mask.shape[0]}: resize it without smoothing"
        )
    return mask


def _to_mask(rgb: NDArray[np.uint8], *, is_lossy: bool) -> Tensor:
    level = _LOSSY_LEVEL if is_lossy else 0
    return torch.from_numpy(rgb.max(axis=2) > level)
