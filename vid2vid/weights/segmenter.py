"""The segmenter that judges label adherence: the package's own, or one of the user's."""

import hashlib
import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.export import ExportedProgram

from vid2vid.checkpoint import load_checkpoint, load_weights, save_checkpoint
from vid2vid.errors import CheckpointError
from vid2vid.labels.palettes import Palette
from vid2vid.networks.segmenter import Segmenter, SegmenterConfig, SegmenterOutput
from vid2vid.weights.package import packaged

KIND = "segmenter"
FILE_NAME = "segmenter.safetensors"
LARGEST_BYTES = 8_000_000
"""Of the file that comes with the package."""


class LoadedSegmenter(NamedTuple):
    """A frozen segmenter, and what is known of it."""

    segment: Callable[[Tensor], SegmenterOutput]  # 'b 3 h w' in [-1, 1]
    num_classes: int
    palette: Palette | None  # None where its file does not say
    name: str  # for the report
    sha256: str  # of its weights, or of its file
    score: dict[str, float]  # on frames it has not seen; empty where its file does not say
    has_features: bool  # whether `features` are its own; otherwise they are its logits


def load_segmenter(path: Path | None = None, *, device: torch.device) -> LoadedSegmenter:
    """Load the package's segmenter, or one from a file.

    Args:
        path: .safetensors as `tools/train_segmenter.py` writes it, or a .pt2 of `torch.export`
            that maps 'b 3 h w' in [-1, 1] to logits 'b k h w', or to logits and features
            'b d h w'. None = the package's own.
        device: where it computes.

    Raises:
        CheckpointError: if there is no such file, the package carries none, or it does not fit.
    """
    if path is None:
        return _load_own(packaged_segmenter(), device)
    if not path.is_file():
        raise CheckpointError(f"a segmenter is needed; there is no {path}: check --segmenter")
    if path.suffix == ".safetensors":
        return _load_own(path, device)
    return _load_exported(path, device)


def load_packaged() -> Segmenter:
    """Load the package's segmenter as a network of ours, frozen and on the CPU: for its features.

    Raises:
        CheckpointError: if the installation lacks it.
    """
    return _read_own(packaged_segmenter(), torch.device("cpu"))[0]


def packaged_segmenter() -> Path:
    """Find the segmenter that comes with the package.

    Raises:
        CheckpointError: if the installation lacks it.
    """
    return packaged(
        FILE_NAME,
        needed_by="judging label adherence, FD-seg and KD-seg",
        instead="train one with tools/train_segmenter.py, or export yours with torch.export, and "
        "pass --segmenter FILE",
    )


def save_segmenter(
    path: Path, network: Segmenter, *, palette: Palette, score: Mapping[str, float]
) -> str:
    """Write a segmenter in half precision, with its score and the hash of its weights.

    Args:
        path: the file, .safetensors.
        network: what was trained.
        palette: of its classes.
        score: figures on frames that it has not seen, by name.

    Returns:
        The SHA-256 of its weights.

    Raises:
        OSError: if it cannot be written.
    """
    tensors = {name: tensor.half().cpu() for name, tensor in network.state_dict().items()}
    digest = hash_weights(tensors)
    metadata = {
        "kind": KIND,
        "config": network.config.model_dump(mode="json"),
        "palette": palette.model_dump(mode="json"),
        "score": dict(score),
        "sha256": digest,
    }
    save_checkpoint(path, tensors, metadata)
    return digest


def hash_weights(tensors: Mapping[str, Tensor]) -> str:
    """Find the SHA-256 of named tensors, whatever the order and the header of their file."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(f"{name} {tuple(tensors[name].shape)}".encode())
        digest.update(tensors[name].contiguous().numpy().tobytes())
    return digest.hexdigest()


def _load_own(path: Path, device: torch.device) -> LoadedSegmenter:
    network, metadata = _read_own(path, device)
    return LoadedSegmenter(
        segment=network,
        num_classes=network.config.num_classes,
        palette=Palette.model_validate(metadata["palette"]),
        name=path.name,
        sha256=metadata["sha256"],
        score=metadata["score"],
        has_features=True,
    )


def _read_own(path: Path, device: torch.device) -> tuple[Segmenter, dict[str, Any]]:
    """Read a frozen network that `save_segmenter` wrote, and what its file says."""
    found = load_checkpoint(path, kind=KIND)
    digest = hash_weights(found.tensors)
    if digest != found.metadata["sha256"]:
        raise CheckpointError(
            f"the weights of {path} must have the hash {found.metadata['sha256'][:12]} of its "
            f"header; they have {digest[:12]}: the file was changed, get it again"
        )
    network = Segmenter(SegmenterConfig.model_validate(found.metadata["config"]))
    whole = {name: tensor.float() for name, tensor in found.tensors.items()}
    load_weights(network, whole, where=path)
    return network.eval().requires_grad_(requires_grad=False).to(device), found.metadata


def _open_program(path: Path, content: bytes) -> ExportedProgram:
    try:
        if not zipfile.is_zipfile(path):  # torch would log a traceback
            raise ValueError("no zip archive")
        return torch.export.load(io.BytesIO(content))
    except (RuntimeError, ValueError, KeyError, OSError) as error:
        raise CheckpointError(
            "a segmenter must be a .safetensors of tools/train_segmenter.py or a file of "
            f"torch.export.save; {path} cannot be read as one: export it again"
        ) from error


def _load_exported(path: Path, device: torch.device) -> LoadedSegmenter:
    content = path.read_bytes()
    program = _open_program(path, content)
    shapes = _output_shapes(program)
    if len(shapes) not in (1, 2) or any(len(shape) != 4 for shape in shapes):
        raise CheckpointError(
            f"a segmenter must return logits 'b k h w', or logits and features 'b d h w'; {path} "
            f"returns shapes {shapes}: export it so"
        )
    network: Any = program.module().to(device)

    @torch.no_grad()
    def segment(frames: Tensor) -> SegmenterOutput:
        try:
            # One by one: an export is often for a batch of one.
            outputs = [network(frame[None]) for frame in frames]
        except (RuntimeError, AssertionError, ValueError) as error:
            height, width = frames.shape[2:]
            raise CheckpointError(
                f"the segmenter must take frames of height {height} and width {width}; {path} does "
                "not: export it with dynamic height and width, or for this size"
            ) from error
        parts = [(each, each) if isinstance(each, Tensor) else each for each in outputs]
        logits, features = (torch.cat(part) for part in zip(*parts, strict=True))
        return SegmenterOutput(logits, features)

    return LoadedSegmenter(
        segment=segment,
        num_classes=int(shapes[0][1]),
        palette=None,
        name=path.name,
        sha256=hashlib.sha256(content).hexdigest(),
        score={},
        has_features=len(shapes) == 2,
    )


def _output_shapes(program: ExportedProgram) -> list[tuple[Any, ...]]:
    """Read from an exported program what shapes it returns."""
    last = next(node for node in program.graph.nodes if node.op == "output")
    return [tuple(each.meta["val"].shape) for each in last.args[0] if hasattr(each, "meta")]
