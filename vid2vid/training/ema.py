"""The running average of the generator's weights, which is what renders."""

import torch
from torch import nn


def ema_decay(decay: float, step: int) -> float:
    """Return the decay at a step: short at first, so that the random start is soon forgotten."""
    return min(decay, (1 + step) / (10 + step))


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Move every tensor of `average` towards that of `network` by 1 - decay."""
    ours = [tensor for tensor in average.state_dict().values() if tensor.is_floating_point()]
    theirs = [tensor for tensor in network.state_dict().values() if tensor.is_floating_point()]
    torch._foreach_lerp_(ours, theirs, 1 - decay)
