"""Key tables: which layer of ours is which layer of an official file, for reading and for writing.

A table is a plain list of `Layer`; `adopt` follows it from their keys to ours, `release` from ours
to theirs. How many layers there are is said by the architecture, which is read from the file
itself or from our configuration.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from vid2vid.errors import CheckpointError

LayerKind = Literal["conv", "unbiased", "norm"]

OfficialNorm = Literal["batch", "instance", "tracked", "none"]
"""What a norm layer is in an official file: BatchNorm; InstanceNorm, which has no tensors at all;
`tracked` InstanceNorm, which has statistics that were never used; or no layer."""

_NORMED = ("unbiased", "norm")  # kinds of a convolution and the layer after it

COUNTER = "num_batches_tracked"
STATISTICS = ("running_mean", "running_var", COUNTER)


class Layer(NamedTuple):
    """One layer that holds tensors."""

    ours: str  # name of our module
    theirs: str  # name of the official module
    kind: LayerKind  # `unbiased`: a convolution that has no bias where BatchNorm follows


def stem_layers(ours: str, theirs: str) -> list[Layer]:
    """List ReflectPad, Conv 7x7, norm at the beginning of an official Sequential."""
    return [Layer(f"{ours}.1", f"{theirs}.1", "conv"), Layer(f"{ours}.2", f"{theirs}.2", "norm")]


def step_layers(ours: str, theirs: str, at: int) -> list[Layer]:
    """List a halving or a doubling, whose convolution is number `at` of an official Sequential."""
    return [
        Layer(f"{ours}.0", f"{theirs}.{at}", "conv"),
        Layer(f"{ours}.1", f"{theirs}.{at + 1}", "norm"),
    ]


def block_layers(ours: str, theirs: str, *, dropout: bool = False) -> list[Layer]:
    """List a residual block; official dropout moves its second half one place further back."""
    own, official, second = f"{ours}.body", f"{theirs}.conv_block", 6 if dropout else 5
    return [
        Layer(f"{own}.1", f"{official}.1", "conv"),
        Layer(f"{own}.2", f"{official}.2", "norm"),
        Layer(f"{own}.5", f"{official}.{second}", "conv"),
        Layer(f"{own}.6", f"{official}.{second + 1}", "norm"),
    ]


def head_layer(ours: str, theirs: str, at: int) -> Layer:
    """List ReflectPad, Conv 7x7, whose convolution is number `at` of an official Sequential."""
    return Layer(f"{ours}.conv", f"{theirs}.{at}", "conv")


def without_bias(layers: Iterable[Layer]) -> list[Layer]:
    """Mark the convolutions of pix2pix that have a bias only where instance norm follows."""
    return [layer._replace(kind="unbiased") if layer.kind == "conv" else layer for layer in layers]


def encoder_layers(ours: str, theirs: str, depth: int) -> list[Layer]:
    """List a stem and `depth` halvings, which our Sequential holds as one module each."""
    layers = stem_layers(f"{ours}.0", theirs)
    for number in range(depth):
        layers += step_layers(f"{ours}.{1 + number}", theirs, 4 + 3 * number)
    return layers


def decoder_layers(
    ours: str, theirs: str, depth: int, *, first: int = 0, at: int = 0
) -> list[Layer]:
    """List `depth` doublings, number `first` and on of ours, from number `at` of theirs."""
    layers: list[Layer] = []
    for number in range(depth):
        layers += step_layers(f"{ours}.{first + number}", theirs, at + 3 * number)
    return layers


def has_gains(layers: Iterable[Layer], tensors: Mapping[str, Tensor], *, side: str) -> bool:
    """Tell whether the norms of a file have gains and biases of their own.

    Args:
        layers: the table.
        tensors: of a whole network.
        side: `ours` or `theirs`: whose names `tensors` has.
    """
    return any(
        f"{getattr(layer, side)}.weight" in tensors for layer in layers if layer.kind == "norm"
    )


def adopt(
    layers: Sequence[Layer],
    theirs: Mapping[str, Tensor],
    own: Mapping[str, Tensor],
    *,
    where: Path,
) -> dict[str, Tensor]:
    """Give the tensors of an official file the names of ours, strictly.

    A norm without gains has gain 1 and bias 0. Statistics are taken where our layer has them. What
    shares its memory with another tensor becomes one of its own, as a checkpoint needs it.

    Args:
        layers: the table.
        theirs: tensors by official key.
        own: the state of our network, for the shapes.
        where: the file, for messages.

    Raises:
        CheckpointError: naming the first key that is missing, left over, or of another shape.
    """
    left, found = dict(theirs), dict[str, Tensor]()
    affine = has_gains(layers, theirs, side="theirs")
    biased = any(f"{layer.theirs}.bias" in theirs for layer in layers if layer.kind == "unbiased")
    for layer in layers:
        for name in ("weight", "bias", *STATISTICS):
            key, target = f"{layer.theirs}.{name}", own.get(f"{layer.ours}.{name}")
            if target is None:
                if name in STATISTICS:
                    left.pop(key, None)
                continue
            tensor = left.pop(key, None)
            if tensor is None:
                tensor = _default(layer, name, target, affine=affine, biased=biased)
            found[f"{layer.ours}.{name}"] = _checked(tensor, target, key=key, where=where)
    if left:
        raise CheckpointError(
            f"{where} holds {min(left)!r}, which the network that its other keys describe does "
            "not have: is it of this kind?"
        )
    return _apart(found)


def _apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copy what shares its memory with a tensor before it."""
    places, found = set[int](), dict[str, Tensor]()
    for key, tensor in tensors.items():
        place = tensor.untyped_storage().data_ptr()
        found[key] = tensor.clone() if place in places else tensor
        places.add(place)
    return found


def _checked(tensor: Tensor | None, target: Tensor, *, key: str, where: Path) -> Tensor:
    """Return a tensor that is there and of the shape of `target`.

    Raises:
        CheckpointError: naming it.
    """
    if tensor is None:
        raise CheckpointError(
            f"{where} must hold {key!r}; it does not: is it whole, and of this kind?"
        )
    if tensor.shape != target.shape:
        raise CheckpointError(
            f"{where}: {key!r} must be {tuple(target.shape)} beside the other layers; it is "
            f"{tuple(tensor.shape)}: is it of this kind?"
        )
    return tensor


def _default(
    layer: Layer, name: str, target: Tensor, *, affine: bool, biased: bool
) -> Tensor | None:
    """Return what stands for a tensor that official files may leave out, None for any other."""
    if name == COUNTER:
        return torch.tensor(0)
    # `target` may be on the meta device: only its shape is taken.
    if layer.kind == "norm" and not affine and name in ("weight", "bias"):
        return torch.full(target.shape, float(name == "weight"))
    if layer.kind == "unbiased" and not biased and name == "bias":
        return torch.zeros(target.shape)
    return None


def release(
    layers: Sequence[Layer], ours: Mapping[str, Tensor], *, norm: OfficialNorm, where: str
) -> dict[str, Tensor]:
    """Give our tensors their official names, in the order of the table.

    Args:
        layers: the table.
        ours: the state of our network.
        norm: what the official norm layers are.
        where: what is exported, for messages.

    Raises:
        CheckpointError: if `norm` has no place for what our norms have learnt.
    """
    found: dict[str, Tensor] = {}
    normed = {
        layer.ours for layer, after in pairwise(layers) if (layer.kind, after.kind) == _NORMED
    }
    for layer in layers:
        if layer.kind == "norm":
            found |= _norm_tensors(layer, ours, norm=norm, where=where)
            continue
        found[f"{layer.theirs}.weight"] = ours[f"{layer.ours}.weight"]
        bias = ours.get(f"{layer.ours}.bias")
        if bias is None or (layer.kind == "unbiased" and norm in ("batch", "none")):
            # Before a norm, which takes the mean off, a bias makes no difference.
            if bias is not None and bias.any() and layer.ours not in normed:
                raise CheckpointError(
                    f"{where}: {layer.ours!r} has learnt a bias, for which the official network "
                    "with batch norm has no place: it cannot be exported"
                )
            continue
        found[f"{layer.theirs}.bias"] = bias
    return {key: tensor.detach().cpu().contiguous() for key, tensor in found.items()}


def _norm_tensors(
    layer: Layer, ours: Mapping[str, Tensor], *, norm: OfficialNorm, where: str
) -> dict[str, Tensor]:
    """List the tensors of one official norm layer."""
    gains, biases = (ours.get(f"{layer.ours}.{name}") for name in ("weight", "bias"))
    if norm == "none" or gains is None or biases is None:
        return {}
    if norm != "batch" and not is_identity(gains, biases):
        raise CheckpointError(
            f"{where}: {layer.ours!r} has learnt gains, for which official instance norm has no "
            "place: export it with --norm batch"
        )
    statistics = {
        "running_mean": torch.zeros_like(gains),
        "running_var": torch.ones_like(gains),
        COUNTER: torch.tensor(0),
    }
    statistics = {k: ours.get(f"{layer.ours}.{k}", v) for k, v in statistics.items()}
    tensors = {"weight": gains, "bias": biases} if norm == "batch" else {}
    tensors |= statistics if norm in ("batch", "tracked") else {}
    return {f"{layer.theirs}.{name}": tensor for name, tensor in tensors.items()}


def is_identity(gains: Tensor, biases: Tensor) -> bool:
    """Tell whether a norm's gain is 1 and its bias 0 in every channel."""
    return bool((gains == 1).all() and (biases == 0).all())


def only_identities(layers: Iterable[Layer], ours: Mapping[str, Tensor]) -> bool:
    """Tell whether no norm of a network has learnt anything."""
    return all(
        is_identity(ours[f"{layer.ours}.weight"], ours[f"{layer.ours}.bias"])
        for layer in layers
        if layer.kind == "norm" and f"{layer.ours}.weight" in ours
    )
