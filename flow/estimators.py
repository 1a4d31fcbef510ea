"""Estimate the flow between two frames."""

from dataclasses import dataclass
from typing import Literal, Protocol, get_args

import cv2
import numpy as np
import torch
from torch import Tensor

from flow.padding import Padding

DISPreset = Literal["ultrafast", "fast", "medium"]

_PRESETS = {
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}
# OpenCV 5.0 crashes the process on some smaller frames: 31x400 does, 32x32 and 32x3000 do not.
_MIN_SIDE = 32


class FlowEstimator(Protocol):
    """Anything that finds the flow from the current frame to the previous one."""

    def __call__(self, current: Tensor, previous: Tensor) -> Tensor:
        """Estimate where each pixel of the current frame is found in the previous one.

        Args:
            current: 'b 3 h w', RGB in [-1, 1].
            previous: 'b 3 h w', RGB in [-1, 1].

        Returns:
            'b 2 h w', pixels, (dx, dy), such that current(p) is about previous(p + flow(p)).
        """
        ...


def check_pair(current: Tensor, previous: Tensor) -> None:
    """Check what an estimator is given.

    Raises:
        ValueError: if the two are not 'b 3 h w' of one size.
    """
    if current.ndim != 4 or current.shape[1] != 3 or current.shape != previous.shape:
        raise ValueError(
            "current and previous must be 'b 3 h w' of one size; "
            f"got {tuple(current.shape)} and {tuple(previous.shape)}"
        )


@dataclass(frozen=True)
class DIS:
    """Dense inverse search on the CPU (Kroeger et al. 2016), by OpenCV; it needs no weights.

    Holds no state but the preset, so it may be shared by threads and sent to worker processes.

    Attributes:
        preset: "medium" is the most exact; "fast" takes half its time for twice its median
            error, "ultrafast" a fifth for four times (tools/bench_flow.py).

    Raises:
        ValueError: if there is no such preset.
    """

    preset: DISPreset = "medium"

    def __post_init__(self) -> None:
        if self.preset not in _PRESETS:
            raise ValueError(
                f"preset must be one of {', '.join(get_args(DISPreset))}; got {self.preset!r}"
            )

    @property
    def identity(self) -> str:
        """What its results depend on; see `IdentifiedEstimator`."""
        return f"DIS {self.preset} OpenCV {cv2.__version__}"

    def __call__(self, current: Tensor, previous: Tensor) -> Tensor:
        """Estimate the flow, see `FlowEstimator`. The result is float32 on the device of `current`.

        Raises:
            ValueError: if the two are not 'b 3 h w' of one size.
        """
        check_pair(current, previous)
        padding = _pad_to_min_side(*current.shape[2:])
        search = cv2.DISOpticalFlow.create(_PRESETS[self.preset])
        pairs = zip(_to_grey(padding.pad(current)), _to_grey(padding.pad(previous)), strict=True)
        # OpenCV's types leave out that the initial flow may be None.
        flows = np.stack([search.calc(one, other, None) for one, other in pairs])  # pyright: ignore[reportCallIssue, reportArgumentType]
        flow = torch.from_numpy(flows).permute(0, 3, 1, 2)
        return padding.crop(flow).contiguous().to(current.device)


def _pad_to_min_side(height: int, width: int) -> Padding:
    rows, columns = max(_MIN_SIDE - height, 0), max(_MIN_SIDE - width, 0)
    left, top = columns // 2, rows // 2
    return Padding(left=left, right=columns - left, top=top, bottom=rows - top)


def _to_grey(frames: Tensor) -> list[np.ndarray]:
    """Reduce 'b 3 h w' in [-1, 1] to 'h w' uint8 pictures, the only input that DIS takes."""
    levels = ((frames.detach().float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    pictures = levels.permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in pictures]
