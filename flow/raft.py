"""RAFT (Teed and Deng 2020), torchvision's, from a weight file that the user has."""

import pickle
from pathlib import Path

import torch
from torch import Tensor
from torchvision.models.optical_flow import raft_large, raft_small

from flow.estimators import check_pair
from flow.padding import Padding

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
        check_pair(current, previous)
        height, width = current.shape[2:]
        right, below = (max(_MIN_SIDE, -(-n // _MULTIPLE) * _MULTIPLE) - n for n in (width, height))
        padding = Padding(left=0, right=right, top=0, bottom=below)
        return padding.crop(self._network(padding.pad(current), padding.pad(previous))[-1])


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
