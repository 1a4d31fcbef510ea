"""What finds the motion of a video that is filled."""

from pathlib import Path

from flow.estimators import DIS, FlowEstimator
from pipelines.build import choose_device
from pipelines.filling.options import FillOptions
from vid2vid.errors import ConfigError


def choose_estimator(options: FillOptions) -> FlowEstimator:
    """Make the estimator asked for.

    Raises:
        ConfigError: if the weights of RAFT, or the device, cannot be had; says what to do.
    """
    if options.flow == "dis":
        return DIS()
    from flow.raft import WeightFileError, find_raft, load_raft  # torchvision takes a second

    device = choose_device(options.device)
    try:
        path: Path = options.raft or find_raft("raft_small")
        return load_raft(path, device=device)
    except WeightFileError as error:
        raise ConfigError(f"--flow raft: {error}, with --raft FILE, or take --flow dis") from error
