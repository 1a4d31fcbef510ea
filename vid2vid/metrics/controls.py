"""Videos that are known to be worse than the real one: what a temporal metric must find."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from flow.warp import warp

SHUFFLED_TOGETHER = 64
"""Frames among which the order is shuffled; a whole video where it is shorter."""

_GAIN = 0.05
_SHIFT_PX = 1.0

Item = TypeVar("Item")


def shuffle_in_time(
    items: Iterable[Item], *, seed: int, together: int = SHUFFLED_TOGETHER
) -> Iterator[tuple[Item, Item]]:
    """Give every item together with one drawn from its neighbourhood, each once.

    The order is shuffled within stretches of `together` items, so that memory is bounded.

    Args:
        items: read lazily.
        seed: of the order.
        together: how many are held.
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
    flow = torch.tensor([dx, dy], dtype=frame.dtype, device=frame.device).view(1, 2, 1, 1)
    moved = warp(frame[None], flow.expand(1, 2, *frame.shape[1:]))[0]
    return ((moved + 1) * gain - 1).clamp(-1, 1)
