"""RAFT (Teed and Deng 2020), torchvision's, from a weight file that the user has."""

import pickle
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.models.optical_flow import raft_large, raft_small

_MULTIPLE = 8
_MIN_SIDE = 128  # its fourth correlation level is empty below


class WeightFileError(ValueError):
    """A file does not hold the weights that were asked for."""


class RAFT:
    """A frozen RAFT, as a `FlowEstimator`."""

    def __init__(self, network: torch.nn.Module, name: str) -> None:
        self.name = name
        """`raft_small` or `raft_large`."""
        self._network = network.eval().requires_grad_(requires_grad=False)

    @torch.no_grad()
    def __call__(self, current: Tensor, previous: Tensor) -> Tensor:
        """Estimate the flow, see `FlowEstimator`.

        Raises:
            ValueError: if the two are not 'b 3 h w' of one size.
        """
        if current.ndim != 4 or current.shape[1] != 3 or current.shape != previous.shape:
            raise ValueError(
                "current and previous must be 'b 3 h w' of one size; "
                f"got {tuple(current.shape)} and {tuple(previous.shape)}"
            )
        height, width = current.shape[2:]
        right, below = (max(_MIN_SIDE, -(-n // _MULTIPLE) * _MULTIPLE) - n for n in (width, height))
        padded = [F.pad(each, (0, right, 0, below), "replicate") for each in (current, previous)]
        return self._network(*padded)[-1][..., :height, :width]


def load_raft(path: Path | str, *, device: torch.device | str = "cpu") -> RAFT:
    """Load torchvision's RAFT, small or large, whichever the file holds.

    Args:
        path: a state dict, such as raft_small_C_T_V2-01064c6d.pth.
        device: where it computes.

    Raises:
        WeightFileError: if the file is missing or holds something else.
    """
    try:
        state = torch.load(Path(path), map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise WeightFileError(
            f"RAFT needs torchvision's weights, such as raft_small_C_T_V2-01064c6d.pth; {path} "
            "cannot be read: check the path"
        ) from error
    for name, build in (("raft_small", raft_small), ("raft_large", raft_large)):
        network = build(weights=None)
        if isinstance(state, dict) and state.keys() == network.state_dict().keys():
            network.load_state_dict(state)
            return RAFT(network.to(device), name)
    raise WeightFileError(
        f"RAFT needs torchvision's weights of raft_small or raft_large; {path} holds others: give "
        "raft_small_C_T_V2-01064c6d.pth or raft_large_C_T_SKHT_V2-ff5fadd5.pth"
    )
