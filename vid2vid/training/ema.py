"""The running average of the generator's weights, which is what renders."""

import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


def ema_decay(decay: float, step: int) -> float:
    """Return the decay at a step: short at first, so that the random start is soon forgotten."""
    return min(decay, (1 + step) / (10 + step))


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Move every weight of `average` towards that of `network` by 1 - decay.

    Buffers, the singular vectors of spectral norm, are copied: a mean of unit vectors is none.
    """
    move = get_ema_multi_avg_fn(decay)
    move(list(average.parameters()), list(network.parameters()), 0)
    for own, other in zip(average.buffers(), network.buffers(), strict=True):
        own.copy_(other)
