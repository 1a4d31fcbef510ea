"""RAFT (Teed and Deng 2020), torchvision's, with weights from a file or from its loader."""

import hashlib
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.error import URLError

import torch
from torch import Tensor
from torchvision.models import WeightsEnum
from torchvision.models.optical_flow import (
    Raft_Large_Weights,
    Raft_Small_Weights,
    raft_large,
    raft_small,
)

from flow.estimators import check_pair
from flow.padding import Padding

RAFTKind = Literal["raft_small", "raft_large"]

_BUILDERS = {"raft_small": raft_small, "raft_large": raft_large}
_WEIGHTS: dict[str, WeightsEnum] = {
    "raft_small": Raft_Small_Weights.C_T_V2,
    "raft_large": Raft_Large_Weights.C_T_SKHT_V2,
}
_MULTIPLE = 8
_MIN_SIDE = 128  # its fourth correlation level is empty below


class WeightFileError(ValueError):
    """A file does not hold the weights that were asked for."""


class RAFT:
    """A frozen RAFT, as a `FlowEstimator`."""

    def __init__(self, network: torch.nn.Module, name: RAFTKind) -> None:
        self.name: RAFTKind = name
        """`raft_small` or `raft_large`."""
        self._network = network.eval().requires_grad_(requires_grad=False)
        digest = hashlib.sha256()
        for tensor in network.state_dict().values():
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
        self._digest = digest.hexdigest()

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self._network.parameters()).device

    @property
    def identity(self) -> str:
        """What its results depend on; see `IdentifiedEstimator`."""
        return f"{self.name} {self._digest} torch {torch.__version__} {self.device.type}"

    @torch.no_grad()
    def __call__(self, current: Tensor, previous: Tensor) -> Tensor:
        """Estimate the flow, see `FlowEstimator`. The result is on the device of `current`.

        Raises:
            ValueError: if the two are not 'b 3 h w' of one size.
        """
        check_pair(current, previous)
        height, width = current.shape[2:]
        right, below = (max(_MIN_SIDE, -(-n // _MULTIPLE) * _MULTIPLE) - n for n in (width, height))
        padding = Padding(left=0, right=right, top=0, bottom=below)
        one, other = (padding.pad(frames.to(self.device)) for frames in (current, previous))
        return padding.crop(self._network(one, other)[-1]).to(current.device)


def load_raft(
    path: Path | str, *, kind: RAFTKind | None = None, device: torch.device | str = "cpu"
) -> RAFT:
    """Load torchvision's RAFT from a file that the user has.

    Args:
        path: a state dict, such as raft_small_C_T_V2-01064c6d.pth.
        kind: which of the two it has to be; None takes whichever the file holds.
        device: where it computes.

    Raises:
        WeightFileError: if the file is missing or holds something else.
    """
    try:
        state = torch.load(Path(path).expanduser(), map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise WeightFileError(
            f"RAFT needs torchvision's weights, such as {weight_file(kind or 'raft_small')}; "
            f"{path} cannot be read: check the path"
        ) from error
    kinds: tuple[RAFTKind, ...] = ("raft_small", "raft_large")
    for name in kinds if kind is None else (kind,):
        network = _BUILDERS[name](weights=None)
        if isinstance(state, dict) and _shapes(state) == _shapes(network.state_dict()):
            network.load_state_dict(state)
            return RAFT(network.to(device), name)
    raise WeightFileError(
        f"RAFT needs torchvision's weights of {kind or 'raft_small or raft_large'}; {path} holds "
        f"others: give {' or '.join(weight_file(name) for name in kinds if kind in (None, name))}"
    )


def find_raft(kind: RAFTKind, *, fetch: bool = False) -> Path:
    """Find torchvision's own weights in torch's cache.

    Args:
        kind: which of the two.
        fetch: let torchvision's loader download them where they are not there.

    Raises:
        WeightFileError: if they are not there, or could not be fetched; says which file goes where.
    """
    path = Path(torch.hub.get_dir()) / "checkpoints" / weight_file(kind)
    if path.is_file():
        return path
    reason = f"there is no {path}"
    if fetch:
        try:
            _WEIGHTS[kind].get_state_dict(progress=False, check_hash=True)
        except (URLError, OSError, RuntimeError) as error:  # no network, no space, a wrong hash
            reason = f"torchvision's loader failed ({error})"
        else:
            return path
    raise WeightFileError(
        f"{kind} needs torchvision's weights; {reason}: put {weight_file(kind)} into "
        f"{path.parent}, or give its path"
    )


def weight_file(kind: RAFTKind) -> str:
    """Name the file of torchvision's weights."""
    return str(_WEIGHTS[kind].url).rsplit("/", 1)[-1]


def _shapes(state: Mapping[str, object]) -> dict[str, object]:
    return {name: getattr(value, "shape", None) for name, value in state.items()}
