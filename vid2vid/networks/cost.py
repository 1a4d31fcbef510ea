"""What networks cost: parameters, and multiply-accumulates counted on the meta device."""

import copy
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from vid2vid.networks.interface import Generator

Network = TypeVar("Network", bound=nn.Module)

FLOPS_PER_MAC = 2

Network = TypeVar("Network", bound=nn.Module)


def count_parameters(network: nn.Module) -> int:
    """Count the trained numbers of a network."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_macs(network: nn.Module, run: Callable[[nn.Module], object]) -> int:
    """Count the multiply-accumulates of convolutions and matrix products in one call.

    Args:
        network: stays as it is; a copy on the meta device is run, so no memory is needed.
        run: calls the copy, with tensors on the meta device.
    """
    ghost = _ghost(network)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        run(ghost)
    return counter.get_total_flops() // FLOPS_PER_MAC


def _ghost(network: Network) -> Network:
    """Copy a network to the meta device, its weights without memory."""
    weights = {
        id(parameter): nn.Parameter(parameter.detach().to("meta"), requires_grad=False)
        for parameter in network.parameters()
    }
    return copy.deepcopy(network, dict[int, Any](weights)).to("meta")


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
    window, pasts = _inputs(generator, height=height, width=width, scales=scales)
    return count_macs(generator, lambda ghost: ghost(window, pasts))


def training_macs(
    generator: Generator, *, height: int, width: int, scales: int, frozen: int
) -> int:
    """Count the multiply-accumulates of one generated frame, forward and backward.

    Args:
        generator: the network.
        height: as in `generator_macs`.
        width: likewise.
        scales: spatial scales that run.
        frozen: coarsest stages that are not trained. Gradients still pass through them to the
            frames before.
    """
    ghost = _ghost(generator)
    for index, stage in enumerate(ghost.stages):
        stage.requires_grad_(index >= frozen)
    window, pasts = _inputs(generator, height=height, width=width, scales=scales)
    with FlopCounterMode(display=False) as counter:
        outputs = ghost(window, [past.requires_grad_() for past in pasts])
        outputs[-1].frame.sum().backward()
    return counter.get_total_flops() // FLOPS_PER_MAC


def _inputs(
    generator: Generator, *, height: int, width: int, scales: int
) -> tuple[Tensor, list[Tensor]]:
    """Make the window and the pasts of one frame, without memory."""
    history = generator.history
    window = torch.empty(
        1, history + 1, generator.conditioning_channels, height, width, device="meta"
    )
    pasts = [
        torch.empty(1, history, 3, height >> level, width >> level, device="meta")
        for level in reversed(range(scales))
    ]
    return window, pasts
