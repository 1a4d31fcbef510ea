"""Read official `.pth` files: tensors by name and nothing else, whatever a file asks for."""

import pickle
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from vid2vid.errors import CheckpointError
from vid2vid.legacy.faults import FAULTS, reason_of
from vid2vid.legacy.layers import COUNTER, STATISTICS, Layer, OfficialNorm, has_gains

CONVOLUTION = 4  # dimensions of its weight

LATEST = "latest"
CLUSTERS = "features_clustered_*.npy"
_NAME = re.compile(r"(?P<label>.+?)_net_(?P<network>\w+)\.pth")


class OfficialFile(NamedTuple):
    """One network of an official checkpoint."""

    path: Path
    tensors: dict[str, Tensor]  # by official key, without the `module.` of parallel training


class OfficialCheckpoint(NamedTuple):
    """Every network of one moment of an official run."""

    path: Path  # folder or file, as given
    networks: dict[str, OfficialFile]  # by official name: G, G0, G1, D, D_T0, E
    clusters: tuple[Path, ...]  # style clusters of pix2pixHD, one file for each number of them


def read_checkpoint(source: Path, *, label: str | None = None) -> OfficialCheckpoint:
    """Read a folder of `<label>_net_<NAME>.pth`, or one file that holds a generator.

    Args:
        source: folder or file.
        label: epoch whose files are taken; None takes `latest`, or the only one that is there.

    Raises:
        CheckpointError: if there is nothing of the kind, or a file holds more than tensors.
    """
    if source.is_dir():
        paths = _choose(source, label)
        networks = {name: read_tensors(path) for name, path in paths.items()}
        return OfficialCheckpoint(source, networks, tuple(sorted(source.glob(CLUSTERS))))
    if label is not None:
        raise CheckpointError(
            f"an epoch label chooses among the files of a folder; {source} is none: leave it out"
        )
    if not source.is_file():
        raise CheckpointError(
            f"an official checkpoint is needed, a folder of latest_net_*.pth or one .pth file; "
            f"there is no {source}"
        )
    scale = re.search(r"_net_(G\d+)\.pth$", source.name)
    network = scale[1] if scale else "G"
    return OfficialCheckpoint(source, {network: read_tensors(source)}, ())


def _choose(folder: Path, label: str | None) -> dict[str, Path]:
    """Find the files of one label, by network."""
    labels: dict[str, dict[str, Path]] = {}
    for path in sorted(folder.glob("*.pth")):
        if named := _NAME.fullmatch(path.name):
            labels.setdefault(named["label"], {})[named["network"]] = path
    if label is None:
        label = next(iter(labels)) if len(labels) == 1 else LATEST
    if label not in labels:
        there = f"there are {', '.join(sorted(labels))}" if labels else "there are none"
        raise CheckpointError(
            f"{folder} must hold {label}_net_*.pth; {there}"
            + (": choose one with --label" if labels else ": is it the folder of an official run?")
        )
    return labels[label]


def read_tensors(path: Path) -> OfficialFile:
    """Read a state dict without running anything that the file asks for.

    Raises:
        CheckpointError: if it cannot be read, needs more than tensors, or holds anything else.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # of rare formats, which are refused below
            loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        unsafe = re.search(r"GLOBAL (\w[\w.]*)", str(error))
        reason = f"it asks for {unsafe[1]}" if unsafe else "it holds something else"
        raise CheckpointError(
            f"{path} must hold tensors alone, because anything else in a .pth file can run code; "
            f"{reason} and was not opened: save its state_dict() with the program that made it"
        ) from error
    except FAULTS as error:
        raise CheckpointError(
            f"{path} must be a file of torch.save; it cannot be read ({reason_of(error)}): is it "
            "whole?"
        ) from error
    return OfficialFile(path, _plain(loaded, path))


def _plain(loaded: object, path: Path) -> dict[str, Tensor]:
    """Take the tensors out of what people wrap them in, as float32 where they are numbers."""
    if isinstance(loaded, Mapping) and isinstance(loaded.get("state_dict"), Mapping):
        loaded = cast("object", loaded["state_dict"])
    if not isinstance(loaded, Mapping) or not loaded:
        raise CheckpointError(
            f"{path} must hold a state dict, tensors by name; it holds "
            f"{'nothing' if isinstance(loaded, Mapping) else f'a {type(loaded).__name__}'}"
        )
    for key, value in cast("Mapping[object, object]", loaded).items():
        if not isinstance(key, str):
            raise CheckpointError(
                f"{path} must hold a state dict, tensors by name; it has the {type(key).__name__} "
                f"{key!r:.40} in place of a name"
            )
        if fault := _fault(key, value):
            raise CheckpointError(
                f"{path} must hold a state dict, tensors by name; its {key!r} is {fault}"
            )
    tensors = cast("Mapping[str, Tensor]", loaded)
    prefix = "module." if all(key.startswith("module.") for key in tensors) else ""
    return {
        key.removeprefix(prefix): value.float() if value.is_floating_point() else value
        for key, value in tensors.items()
    }


def _fault(key: str, value: object) -> str | None:
    """Say what is wrong with an entry of a state dict; None where it is a dense, real tensor."""
    if not isinstance(value, Tensor):
        return f"a {type(value).__name__}"
    if value.is_meta:
        return "a tensor without its numbers (on the meta device)"
    if value.layout != torch.strided:
        return f"a sparse tensor ({value.layout}), where a dense one is needed"
    if not value.is_floating_point() and not key.endswith(COUNTER):
        return f"of type {value.dtype}, where real numbers are needed"
    return None


def shape_of(file: OfficialFile, key: str) -> tuple[int, ...]:
    """Return the shape of a convolution's weight that the architecture is read from.

    Raises:
        CheckpointError: if it is not there, or no such weight.
    """
    if key not in file.tensors:
        raise CheckpointError(
            f"{file.path} must hold {key!r}; it does not: is it whole, and of this kind?"
        )
    shape = tuple(file.tensors[key].shape)
    if len(shape) != CONVOLUTION:
        raise CheckpointError(
            f"{file.path}: {key!r} must have {CONVOLUTION} dimensions, as the weight of a "
            f"convolution has; it has {len(shape)}: is it of this kind?"
        )
    return shape


def count_up(file: OfficialFile, pattern: str, *, first: int = 0, step: int = 1) -> int:
    """Count how many of `pattern` are there before a gap.

    Args:
        file: where.
        pattern: a key with `{}` for its number.
        first: the number it begins with.
        step: from one number to the next.
    """
    count = 0
    while pattern.format(first + step * count) in file.tensors:
        count += 1
    return count


def norm_of(file: OfficialFile, layers: Sequence[Layer]) -> OfficialNorm:
    """Tell what the norm layers of a file are."""
    if has_gains(layers, file.tensors, side="theirs"):
        return "batch"
    if any(key.endswith(STATISTICS) for key in file.tensors):
        return "tracked"
    optional = [layer for layer in layers if layer.kind == "unbiased"]
    if optional and not any(f"{layer.theirs}.bias" in file.tensors for layer in optional):
        return "none"
    return "instance"
