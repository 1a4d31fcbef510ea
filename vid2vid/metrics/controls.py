"""Videos that are known to be worse than the real one: what a temporal metric must find."""

import math
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

import cv2
import numpy as np
import torch
from torch import Tensor

SHUFFLED_TOGETHER = 64
"""Frames among which the order is shuffled; a whole video where it is shorter."""

_GAIN = 0.05
_SHIFT_PX = 1.0
# Lanczos over 8x8 pixels keeps 0.89 of the gradient energy of camvid, bilinear 0.57: a control that
# is blurred would have less warping error, for which the metric could not be trusted.
_SHARP = cv2.INTER_LANCZOS4

Item = TypeVar("Item")


def even_stretch(num_items: int) -> int:
    """Give the length of equal stretches of no more than 64: a last one of few is no shuffling."""
    stretches = max(1, math.ceil(num_items / SHUFFLED_TOGETHER))
    return max(1, math.ceil(num_items / stretches))


def shuffle_in_time(
    items: Iterable[Item], *, seed: int, together: int
) -> Iterator[tuple[Item, Item]]:
    """Give every item together with one drawn from its neighbourhood, each once.

    The order is shuffled within stretches of `together` items, so that memory is bounded.

    Args:
        items: read lazily.
        seed: of the order.
        together: how many are held; see `even_stretch`.
    """
    generator = np.random.default_rng(seed)
    source = iter(items)
    while held := list(islice(source, together)):
        for index, other in enumerate(generator.permutation(len(held))):
            yield held[index], held[int(other)]


def perturb(frame: Tensor, *, seed: tuple[int, ...]) -> Tensor:
    """Change a frame as a model without memory would: its brightness a little, its place a little.

    Gain within 5 % of the light above black, shift within 1 pixel along both axes, both uniform.

    Args:
        frame: '3 h w' in [-1, 1].
        seed: of this frame: the run's, and which frame it is.

    Returns:
        '3 h w' in [-1, 1].
    """
    generator = np.random.default_rng(seed)
    gain = 1 + generator.uniform(-_GAIN, _GAIN)
    dx, dy = generator.uniform(-_SHIFT_PX, _SHIFT_PX, size=2)
    picture = frame.float().permute(1, 2, 0).cpu().numpy()
    fetched = cv2.warpAffine(
        picture,
        np.array([[1, 0, dx], [0, 1, dy]]),
        picture.shape[1::-1],
        flags=_SHARP | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    moved = torch.from_numpy(fetched).permute(2, 0, 1).to(frame)
    return ((moved + 1) * gain - 1).clamp(-1, 1)
