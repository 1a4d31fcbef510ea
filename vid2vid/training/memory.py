"""How much memory a piece of training holds at once, found on the meta device.

Nothing is computed and nothing allocated: every tensor that comes into being is counted with the
bytes that it would have, for as long as anything, the backward pass included, holds on to it.
"""

import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from vid2vid.networks.blocks import Head

REGIONS = 64  # that share a style, where a count of them would need their ids


class Held(NamedTuple):
    """Bytes of tensors that were made meanwhile."""

    peak: int  # at once
    left: int  # at the end


def measure_memory(run: Callable[[], object]) -> Held:
    """Run something on tensors of the meta device, and measure what it holds.

    Args:
        run: what to measure. What it returns is held to the end.
    """
    with _Ledger() as ledger:
        result = run()
        held = Held(ledger.peak, ledger.live)
    del result
    return held


def imitate_autocast(network: nn.Module) -> None:
    """Let the convolutions of a network work in bfloat16, as under autocast on another device.

    Args:
        network: on the meta device, which has no autocast; changed for good.
    """
    exact = {id(module.conv) for module in network.modules() if isinstance(module, Head)}
    for module in list(network.modules()):
        if not isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)) or id(module) in exact:
            continue
        for name in ("weight", "bias"):
            if getattr(module, name) is not None:
                parametrize.register_parametrization(module, name, _ToBfloat16(), unsafe=True)
        module.register_forward_pre_hook(_cast_input)


def weight_bytes(networks: Sequence[nn.Module], *, trained_only: bool = True) -> int:
    """Add up the weights of networks.

    Args:
        networks: of any device.
        trained_only: leave out what is frozen, and buffers.
    """
    parameters = [p for network in networks for p in network.parameters()]
    if trained_only:
        return sum(p.nbytes for p in parameters if p.requires_grad)
    buffers = [buffer for network in networks for buffer in network.buffers()]
    return sum(tensor.nbytes for tensor in (*parameters, *buffers))


class _Ledger(TorchDispatchMode):
    """Counts the storages that operations make, until they are freed."""

    def __init__(self) -> None:
        super().__init__()
        self.live = self.peak = 0
        self._sizes: dict[int, int] = {}  # of storages, by address

    def __torch_dispatch__(
        self,
        func: Any,  # noqa: ANN401 - an operator of torch
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        del types
        if func is torch.ops.aten._unique2.default:
            result = _unique_on_meta(args[0])
        else:
            result = func(*args, **(kwargs or {}))
        tree_map_only(Tensor, self._enter, result)
        return result

    def _enter(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        address = storage._cdata  # pyright: ignore[reportPrivateUsage]
        if address in self._sizes:
            return
        self._sizes[address] = storage.nbytes()
        self.live += storage.nbytes()
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._leave, address)

    def _leave(self, address: int) -> None:
        self.live -= self._sizes.pop(address)


class _ToBfloat16(nn.Module):
    """Casts a weight once, as the cache of autocast; what is made of a weight, every time."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: Tensor | None = None

    def forward(self, weight: Tensor) -> Tensor:
        if not (weight.is_leaf and weight.requires_grad):
            return weight.to(torch.bfloat16)
        if self._kept is None:
            self._kept = weight.to(torch.bfloat16)
        return self._kept


def _cast_input(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Cast what a convolution is given: a forward pre-hook."""
    del module
    return tuple(each.to(torch.bfloat16) for each in inputs)


def _unique_on_meta(ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Stand in for `torch.unique`, whose result depends on values: a usual number of them."""
    return ids.new_empty(REGIONS), torch.empty_like(ids), ids.new_empty(0)
