"""Checkpoints: safetensors files that carry their complete configuration."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from vid2vid.errors import CheckpointError

FORMAT = "vid2vid-1"
MODEL_FILE = "model.safetensors"
STATE_FILE = "state.safetensors"
BEST_FILE = "best.safetensors"  # the generator at its best validation

# Names in a generator's file that are not the generator's.
COMPANION = re.compile(r"((image|region)_discriminator|video_discriminator_\d+)\.|styles\.\d+$")


class Checkpoint(NamedTuple):
    """A file of named tensors and what it says of itself."""

    tensors: dict[str, Tensor]
    metadata: dict[str, Any]  # JSON values; `kind`, `config`, `step` and more by kind
    path: Path


def save_checkpoint(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Write a checkpoint whole or not at all.

    The file is written beside its final name, flushed to disk and renamed, so that a process that
    is killed at any moment leaves either the old file or the new one.

    Args:
        path: final name; its folder must exist.
        tensors: any device; written from the CPU.
        metadata: JSON values, kept in the file's header.

    Raises:
        OSError: if it cannot be written; the file before it is left as it was.
    """
    partial = path.with_suffix(".partial")
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    header = {"format": FORMAT, **{key: json.dumps(value) for key, value in metadata.items()}}
    try:
        save_file(plain, partial, metadata=header)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except (SafetensorError, OSError) as error:
        partial.unlink(missing_ok=True)
        raise OSError(
            f"{path} could not be written ({error}); what was there before is whole: check the "
            f"space and rights on {path.parent}"
        ) from error


def load_checkpoint(path: Path | str, *, kind: str, with_tensors: bool = True) -> Checkpoint:
    """Read a checkpoint.

    Args:
        path: a file, or a run folder that holds one.
        kind: what it must hold: `generator` or `training`.
        with_tensors: false reads no more than what the file says of itself.

    Raises:
        CheckpointError: if there is none, or it is not one of ours, or of another kind.
    """
    name = MODEL_FILE if kind == "generator" else STATE_FILE
    given = Path(path).expanduser()
    file = given / name if given.is_dir() else given
    if not file.is_file():
        raise CheckpointError(
            f"a checkpoint is needed; there is no {file}: give a .safetensors file or a run folder "
            f"that holds {name}"
        )
    try:
        with safe_open(file, framework="pt") as opened:
            header = cast("dict[str, str]", opened.metadata() or {})
            keys = list(opened.keys()) if with_tensors else []
            tensors = {key: opened.get_tensor(key) for key in keys}
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{file} must be a safetensors file; it cannot be read ({error}): is it whole?"
        ) from error
    if header.get("format") != FORMAT:
        raise CheckpointError(
            f"{file} must be a checkpoint of vid2vid ({FORMAT}); its header says "
            f"{header.get('format', 'nothing')!r}"
        )
    metadata = {key: json.loads(value) for key, value in header.items() if key != "format"}
    if metadata.get("kind") != kind:
        raise CheckpointError(
            f"{file} must hold a {kind}; it holds a {metadata.get('kind')}: give {name} instead"
        )
    return Checkpoint(tensors, metadata, file)


def split_companions(
    tensors: Mapping[str, Tensor],
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Part the tensors of a generator from those that came along with it.

    Companions are discriminators, for training to go on, and tables of styles: see `COMPANION`.

    Returns:
        The generator's tensors, and the companions'; both under the names that they had.
    """
    own = {key: tensor for key, tensor in tensors.items() if not COMPANION.match(key)}
    return own, {key: tensor for key, tensor in tensors.items() if key not in own}


def part_of(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """Select the tensors of one network of a run, its name taken off their keys."""
    prefix = f"{name}."
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def load_weights(network: torch.nn.Module, tensors: Mapping[str, Tensor], *, where: Path) -> None:
    """Load strictly: every tensor of the network, in its shape, and no other.

    Raises:
        CheckpointError: naming the first key that is missing, left over, or of another shape.
    """
    expected = network.state_dict()
    for key in sorted(expected.keys() | tensors.keys()):
        if key not in tensors:
            raise CheckpointError(f"{where} must hold {key!r}; it does not: is it another network?")
        if key not in expected:
            raise CheckpointError(
                f"{where} holds {key!r}, which the configured network does not have: is it another "
                "network?"
            )
        if tensors[key].shape != expected[key].shape:
            raise CheckpointError(
                f"{where}: {key!r} must be {tuple(expected[key].shape)}; "
                f"it is {tuple(tensors[key].shape)}"
            )
    network.load_state_dict(dict(tensors))
