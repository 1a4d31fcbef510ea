"""Where the reference flow of real frames comes from: what a configuration says, and the object."""

from pathlib import Path
from typing import Literal, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator

from flow.cache import CachedFlow, IdentifiedEstimator
from flow.estimators import DIS, DISPreset, FlowEstimator
from vid2vid.errors import ConfigError

DOWNLOAD = "download"


class FlowCacheConfig(BaseModel):
    """Estimated flow on disk, for clips that come again: without random crops, scales, colours."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    folder: str
    """Folder of the entries, for any number of runs; relative paths start at the working
    directory."""
    max_mb: int = Field(default=4096, ge=1)
    """Size of the folder at which no more is written, MB. At 512x256 an entry takes half of one,
    and `forward_backward` makes two for a pair of frames."""


class FlowConfig(BaseModel):
    """Where the reference flow of real frames comes from; that of procedural streets is known."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    kind: Literal["dis", "raft_small", "raft_large"] = "dis"
    """`dis` runs on the CPU without weights; `raft_small` and `raft_large` are torchvision's, and
    need weights, and a GPU to be quick."""
    dis: DISPreset = "medium"
    """Preset of DIS: `medium`, `fast` or `ultrafast`."""
    weights: str | None = None
    """Weight file of RAFT. null = torchvision's own, from torch's cache; `download` = the same,
    and torchvision fetches it where it is not there."""
    check: Literal["forward_backward", "photometric", "none"] = "forward_backward"
    """How its confidence is found: `forward_backward`, `photometric` (official), or `none`."""
    cache: FlowCacheConfig | None = None
    """Keep flow on disk, as float16, to which all of it is then rounded; null = off."""

    @model_validator(mode="after")
    def _weights_are_of_raft(self) -> Self:
        if self.weights is not None and self.kind == "dis":
            raise ValueError(
                "reference_flow.weights are RAFT's; kind is dis, which has none: set kind to "
                "raft_small or raft_large, or leave weights out"
            )
        return self


def build_estimator(config: FlowConfig, *, device: torch.device) -> FlowEstimator:
    """Make what estimates the reference flow.

    Args:
        config: which, with which weights, and whether it is kept.
        device: where RAFT computes; DIS runs on the CPU.

    Raises:
        ConfigError: if weights or the folder of the cache cannot be had; says what to do.
    """
    estimator = _estimator(config, device)
    if config.cache is None:
        return estimator
    folder = Path(config.cache.folder).expanduser()
    try:
        return CachedFlow(estimator, folder, max_bytes=config.cache.max_mb * 2**20)
    except OSError as error:
        raise ConfigError(
            f"reference_flow.cache.folder must be a folder that can be written to; {folder}: "
            f"{error.strerror}: choose another, or set reference_flow.cache to null"
        ) from error


def _estimator(config: FlowConfig, device: torch.device) -> IdentifiedEstimator:
    """Make the estimator itself."""
    if config.kind == "dis":
        return DIS(config.dis)
    from flow.raft import WeightFileError, find_raft, load_raft  # torchvision takes a second

    try:
        if config.weights in (None, DOWNLOAD):
            path = find_raft(config.kind, fetch=config.weights == DOWNLOAD)
        else:
            path = Path(config.weights)
        return load_raft(path, kind=config.kind, device=device)
    except WeightFileError as error:
        raise ConfigError(
            f"reference_flow: {error} (reference_flow.weights; '{DOWNLOAD}' lets torchvision fetch "
            "it), or set reference_flow.kind to dis"
        ) from error
