"""Activations that are computed again in the backward pass instead of being kept.

After Chen et al. 2016, "Training deep nets with sublinear memory cost", with torch's own
`checkpoint`. Between its input and its output a segment keeps nothing. What a pass draws or gathers
on the way (dropout, the singular vectors of spectral norm, the statistics of batch norm) is put
back as it was before the segment runs again, so that gradients are the same bits.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from vid2vid.networks.dropout import Dropout


@runtime_checkable
class Recomputable(Protocol):
    """A module that keeps no activations where `recompute` says so."""

    recompute: bool


class Segment(nn.Sequential):
    """Layers in a row; the names of weights are those of `torch.nn.Sequential`."""

    recompute = False

    def forward(self, input: Tensor) -> Tensor:
        """Map 'b c h w' through all layers."""
        if self.recompute:
            return run_segment(self, super().forward, input)
        return super().forward(input)


def recompute_activations(network: nn.Module) -> None:
    """Let every segment of a network compute its activations again in the backward pass."""
    for module in network.modules():
        if isinstance(module, Recomputable):
            module.recompute = True


def run_segment(
    module: nn.Module, function: Callable[[Tensor], Tensor], features: Tensor
) -> Tensor:
    """Run a part of a network, keeping nothing but its input for the backward pass.

    Args:
        module: what the function runs.
        function: computes the output from `features` and the module's weights.
        features: 'b c h w'; not changed in place by the function, nor afterwards.
    """
    if not torch.is_grad_enabled():
        return function(features)

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _as_it_was([_copy(part) for part in module.modules()])

    return checkpoint(
        function,
        features,
        use_reentrant=False,
        preserve_rng_state=False,  # nothing here draws from torch's global generators
        context_fn=contexts,
    )


class _Part(NamedTuple):
    """What a pass changes of one module, or depends on, beside its weights."""

    module: nn.Module
    buffers: dict[str, Tensor]
    seed: int | None  # of dropout


def _look(module: nn.Module) -> _Part:
    """List the state of a module itself, not of those inside it."""
    seed = module.seed if isinstance(module, Dropout) else None
    return _Part(module, dict(module.named_buffers(recurse=False)), seed)


def _copy(module: nn.Module) -> _Part:
    """List the state of a module, safe from later changes."""
    part = _look(module)
    return part._replace(buffers={name: own.clone() for name, own in part.buffers.items()})


def _put(parts: Sequence[_Part]) -> None:
    """Give modules a state, the tensors themselves instead of their values.

    A value that is written into a buffer would look to autograd like an accident.
    """
    for module, buffers, seed in parts:
        for name, buffer in buffers.items():
            setattr(module, name, buffer)
        if isinstance(module, Dropout):
            module.seed = seed


@contextmanager
def _as_it_was(parts: Sequence[_Part]) -> Generator[None]:
    """Put modules back into an earlier state for a while."""
    now = [_look(part.module) for part in parts]
    _put(parts)
    try:
        yield
    finally:
        _put(now)
