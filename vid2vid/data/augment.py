"""Variation of training clips: scale, crop, mirror and colour, one draw for all frames of a clip.

A frame reaches the network in two resizes at most: `base_size` is the size that decoded frames
are kept at, `Augmentation.size` the enlarged size that the crop is cut from. Pixel centres stay
aligned throughout, so label maps lie exactly on their frames.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from vid2vid.data.config import WHOLE, ColourConfig, DataConfig

Picture = npt.NDArray[Any]
"""'h w 3' uint8 RGB, 'h w' ids of any integer type, or what a control stores."""

# ITU-R BT.601, as in torchvision's adjust_saturation.
LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


class Size(NamedTuple):
    """A size in pixels."""

    height: int
    width: int


Resize = Callable[[Picture, Size], Picture]
"""Brings a picture to another size."""


class Crop(NamedTuple):
    """Top left corner of what is kept, px."""

    top: int
    left: int


class Colour(NamedTuple):
    """Factors of the colour change; 1 = none."""

    brightness: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0


class Augmentation(NamedTuple):
    """What is done to every frame of one clip, in this order."""

    size: Size  # after the resize, at least `keep`
    crop: Crop
    keep: Size  # of the crop: the training size
    flip: bool
    colour: Colour


def base_size(config: DataConfig, native: Size) -> Size:
    """Return the size that frames of size `native` are kept at between decoding and augmentation.

    It is the largest size that any clip is cut from, so that augmentation only ever shrinks.
    """
    return _cover(config, native, config.scale[1])


def sample_augmentation(rng: np.random.Generator, config: DataConfig, native: Size) -> Augmentation:
    """Draw the augmentation of one training clip of frames of size `native`.

    Every draw is made whether or not its option is on, so that one option does not move another.
    """
    size = _cover(config, native, rng.uniform(*config.scale))
    keep = _kept(config, size)
    crop = Crop(
        int(rng.integers(size.height - keep.height + 1)),
        int(rng.integers(size.width - keep.width + 1)),
    )
    flip = bool(rng.random() < 0.5) and config.flip
    return Augmentation(size, crop, keep, flip, _sample_colour(rng, config.colour))


def centred(config: DataConfig, native: Size) -> Augmentation:
    """Return the augmentation that varies nothing: the training size from the middle."""
    size = _cover(config, native, 1.0)
    keep = _kept(config, size)
    crop = Crop((size.height - keep.height) // 2, (size.width - keep.width) // 2)
    return Augmentation(size, crop, keep, flip=False, colour=Colour())


def unvaried(size: Size) -> Augmentation:
    """Return the augmentation that brings whole pictures to `size` and does nothing else."""
    return Augmentation(size, Crop(0, 0), size, flip=False, colour=Colour())


def apply_to_frames(frames: list[Picture], augmentation: Augmentation) -> npt.NDArray[np.float32]:
    """Augment photographs.

    Args:
        frames: each 'h w 3' RGB, all of one size.
        augmentation: what to do.

    Returns:
        't 3 h w' in [-1, 1].
    """
    cut = _cut(frames, augmentation, resize_frame)
    values = np.ascontiguousarray(cut.transpose(0, 3, 1, 2), dtype=np.float32)
    values *= 2.0 / 255.0
    values -= 1.0
    return values if augmentation.colour == Colour() else _recolour(values, augmentation.colour)


def apply_to_labels(labels: list[Picture], augmentation: Augmentation) -> npt.NDArray[np.uint8]:
    """Augment label maps, each 'h w', by nearest neighbour: 't h w', no new ids."""
    return np.ascontiguousarray(_cut(labels, augmentation, resize_ids), dtype=np.uint8)


def apply_to_instances(
    instances: list[Picture], augmentation: Augmentation
) -> npt.NDArray[np.int32]:
    """Augment instance maps, each 'h w', by nearest neighbour: 't h w', no new ids."""
    return np.ascontiguousarray(_cut(instances, augmentation, resize_ids), dtype=np.int32)


def apply_to_pictures(
    pictures: list[Picture], augmentation: Augmentation, resize: Resize
) -> Picture:
    """Augment pictures of any kind, each 'h w' or 'h w c': 't h w' or 't h w c', not recoloured."""
    return np.ascontiguousarray(_cut(pictures, augmentation, resize))


def apply_to_points(
    points: Picture, canvas: Size, augmentation: Augmentation, *, mirrored: Sequence[int]
) -> npt.NDArray[np.float32]:
    """Move key points with the frame that they lie on.

    Args:
        points: 'n p 3' float32: x, y in pixels of the canvas, and confidence, which is kept.
        canvas: size of the picture that they were found in.
        augmentation: what is done to it.
        mirrored: for each point the one that is in its place in a mirror: a left hand becomes a
            right one.

    Returns:
        'n p 3', pixels of what is kept; points may lie outside of it.
    """
    scale = np.array(augmentation.size[::-1], np.float32) / np.array(canvas[::-1], np.float32)
    moved = points.astype(np.float32)
    moved[..., :2] = (moved[..., :2] + 0.5) * scale - 0.5
    moved[..., :2] -= np.array(augmentation.crop[::-1], np.float32)
    if augmentation.flip:
        moved[..., 0] = augmentation.keep.width - 1 - moved[..., 0]
        moved = moved[:, list(mirrored)]
    return moved


def resize_frame(frame: Picture, size: Size) -> Picture:
    """Resize 'h w' or 'h w c': means of areas where it shrinks, cubic along an axis that grows."""
    height, width = frame.shape[:2]
    shrunk = Size(min(height, size.height), min(width, size.width))
    if shrunk != (height, width):
        frame = cv2.resize(frame, shrunk[::-1], interpolation=cv2.INTER_AREA)
    if shrunk != size:
        frame = cv2.resize(frame, size[::-1], interpolation=cv2.INTER_CUBIC)
    return frame


def resize_ids(ids: Picture, size: Size) -> Picture:
    """Resize ids 'h w', or 'h w c', each pixel taking the id at its centre.

    cv2.INTER_NEAREST takes the id at the pixel's corner, half a pixel off the frame's grid.
    """
    if ids.shape[:2] == size:
        return ids
    return cv2.resize(ids, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT)


def _cover(config: DataConfig, native: Size, scale: float) -> Size:
    """Return the size that frames are brought to; it covers what is kept of them."""
    needed = config.height / native.height, config.width / native.width
    match config.fit:
        case "stretch":
            factors = needed
        case "width" | "whole_width":
            factors = (needed[1], needed[1])
        case "native" | "whole":
            factors = (1.0, 1.0)
        case "crop":
            factors = (max(needed), max(needed))
    # Enlarges only what would come out smaller than the training size.
    factor = max(1.0, *(need / (own * scale) for need, own in zip(needed, factors, strict=True)))
    height = round(native.height * factors[0] * scale * factor)
    width = round(native.width * factors[1] * scale * factor)
    return Size(max(config.height, height), max(config.width, width))


def _kept(config: DataConfig, size: Size) -> Size:
    """Return what is kept of frames of a size: the training size, or all of it."""
    return size if config.fit in WHOLE else Size(config.height, config.width)


def _sample_colour(rng: np.random.Generator, config: ColourConfig) -> Colour:
    strengths = np.array([config.brightness, config.contrast, config.saturation])
    return Colour(*(1.0 + strengths * rng.uniform(-1.0, 1.0, 3)).tolist())


def _cut(pictures: list[Picture], augmentation: Augmentation, resize: Resize) -> Picture:
    (top, left), (height, width) = augmentation.crop, augmentation.keep
    step = -1 if augmentation.flip else 1
    return np.stack(
        [
            resize(picture, augmentation.size)[top : top + height, left : left + width][:, ::step]
            for picture in pictures
        ]
    )


def _recolour(values: npt.NDArray[np.float32], colour: Colour) -> npt.NDArray[np.float32]:
    light = (values + 1.0) * (0.5 * colour.brightness)
    mean = np.einsum("tchw,c->thw", light, LUMA).mean()
    light = mean + colour.contrast * (light - mean)
    grey = np.einsum("tchw,c->thw", light, LUMA)[:, None]
    light = grey + colour.saturation * (light - grey)
    return np.clip(light, 0.0, 1.0) * np.float32(2.0) - np.float32(1.0)
