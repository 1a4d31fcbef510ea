"""TensorBoard: what metrics.jsonl and the previews hold, as curves and pictures."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vid2vid.errors import ConfigError


class Board:
    """Writes events into a folder that `tensorboard --logdir` reads."""

    def __init__(self, folder: Path, *, step: int) -> None:
        """Open the events of a run that stands at `step`; what it lost after that is not shown.

        Raises:
            ConfigError: if tensorboard is not installed.
        """
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ConfigError(
                "training.tensorboard needs the package tensorboard, which is not installed: run "
                "'pip install tensorboard', or set training.tensorboard to false"
            ) from error
        self._writer = SummaryWriter(str(folder), purge_step=step + 1)

    def write(self, line: Mapping[str, float]) -> None:
        """Write a line of metrics.jsonl, a curve for every value but the step."""
        for name, value in line.items():
            if name != "step":
                self._writer.add_scalar(name, value, int(line["step"]))

    def show(self, name: str, picture: NDArray[np.uint8], *, step: int) -> None:
        """Write a picture, 'h w 3' RGB."""
        self._writer.add_image(name, picture, step, dataformats="HWC")

    def close(self) -> None:
        """Write what is still in memory."""
        self._writer.close()
