"""What networks cost: parameters, and multiply-accumulates counted on the meta device."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from vid2vid.networks.interface import Generator

FLOPS_PER_MAC = 2


def count_parameters(network: nn.Module) -> int:
    """Count the trained numbers of a network."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_macs(network: nn.Module, run: Callable[[nn.Module], object]) -> int:
    """Count the multiply-accumulates of convolutions and matrix products in one call.

    Args:
        network: stays as it is; a copy on the meta device is run, so no memory is needed.
        run: calls the copy, with tensors on the meta device.
    """
    weights = {
        id(parameter): nn.Parameter(parameter.detach().to("meta"), requires_grad=False)
        for parameter in network.parameters()
    }
    ghost = copy.deepcopy(network, dict[int, Any](weights)).to("meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        run(ghost)
    return counter.get_total_flops() // FLOPS_PER_MAC


def generator_macs(
    generator: Generator, *, height: int, width: int, scales: int | None = None
) -> int:
    """Count the multiply-accumulates of one generated frame.

    Args:
        generator: the network.
        height: of the finest scale that runs, divisible by what the network needs.
        width: likewise.
        scales: spatial scales that run; None = all.
    """
    scales = generator.scales if scales is None else scales
    history = generator.history
    window = torch.empty(
        1, history + 1, generator.conditioning_channels, height, width, device="meta"
    )
    pasts = [
        torch.empty(1, history, 3, height >> level, width >> level, device="meta")
        for level in reversed(range(scales))
    ]
    return count_macs(generator, lambda ghost: ghost(window, pasts))
