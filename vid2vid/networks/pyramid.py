"""The averaging pyramid that coarse scales and coarse discriminators see."""

import torch.nn.functional as F
from torch import Tensor


def halve(maps: Tensor) -> Tensor:
    """Average 'b c h w' over 3x3 windows of stride 2, borders not counted, to 'b c h/2 w/2'.

    One-hot labels become soft here, as in the official code.
    """
    return F.avg_pool2d(maps, 3, stride=2, padding=1, count_include_pad=False)


def pyramid(maps: Tensor, scales: int) -> list[Tensor]:
    """Return `scales` versions of 'b c h w', coarsest first, the last one as it came."""
    levels = [maps]
    for _ in range(scales - 1):
        levels.insert(0, halve(levels[0]))
    return levels
