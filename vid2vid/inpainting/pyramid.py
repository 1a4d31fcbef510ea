"""The sizes of a picture at which its holes are filled, coarse to fine."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from vid2vid.inpainting.masks import shrink_mask

COARSEST = 128  # px, of the longer side at level 1 (Yang et al. 2017, section 3.1)


def count_levels(height: int, width: int) -> int:
    """Count halvings down to about 128 px, and one: 3 for 512x512."""
    return 1 + max(0, round(math.log2(max(height, width) / COARSEST)))


def level_sizes(height: int, width: int, *, levels: int) -> list[tuple[int, int]]:
    """List heights and widths, coarse to fine, each half of the next, rounded up.

    512x512 in three levels: 128, 256, 512.
    """
    halvings = range(levels - 1, -1, -1)
    return [(math.ceil(height / 2**by), math.ceil(width / 2**by)) for by in halvings]


def shrink(picture: Tensor, unknown: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Bring a picture and its mask to a level: means of what lies under each pixel.

    Args:
        picture: 'c h w', its holes filled somehow.
        unknown: 'h w' bool.
        size: height and width of the level.

    Returns:
        'c height width', and a mask in which a pixel is unknown that is so by more than half; it
        may be empty where holes are narrow.
    """
    if picture.shape[1:] == torch.Size(size):
        return picture, unknown
    return F.adaptive_avg_pool2d(picture[None], size)[0], shrink_mask(unknown, size)


def shrink_sample(picture: Tensor, halvings: int) -> Tensor:
    """Halve '3 h w' so many times."""
    height, width = (max(1, side >> halvings) for side in picture.shape[1:])
    return F.adaptive_avg_pool2d(picture[None], (height, width))[0]


def enlarge(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """Bring 'c h w' to a finer level, bilinear."""
    return F.interpolate(picture[None], size, mode="bilinear", align_corners=False)[0]
