"""Judge how frames follow each other: the flow between them, and brightness that jumps."""

import cv2
import kornia
import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from vid2vid.video.levels import HALF_RANGE, to_levels

# Chu et al. 2020, the arguments of their evaluation.
_FARNEBACK = {
    "pyr_scale": 0.5,
    "levels": 3,
    "winsize": 15,
    "iterations": 3,
    "poly_n": 5,
    "poly_sigma": 1.2,
    "flags": 0,
}
_CELLS = 8  # along the shorter side: large enough that texture averages out


def farneback(frame: Tensor, previous: Tensor) -> NDArray[np.float32]:
    """Estimate the flow of TecoGAN's metric tOF (Farneback 2003, arguments of Chu et al. 2020).

    Args:
        frame: '3 h w' in [-1, 1].
        previous: '3 h w' in [-1, 1].

    Returns:
        'h w 2', pixels, from `previous` to `frame`.
    """
    grey = [
        cv2.cvtColor(to_levels(each).cpu().numpy(), cv2.COLOR_RGB2GRAY)
        for each in (previous, frame)
    ]
    # OpenCV's types leave out that the initial flow may be None.
    return cv2.calcOpticalFlowFarneback(*grey, None, *_FARNEBACK.values())  # pyright: ignore[reportCallIssue, reportArgumentType]


def flow_difference(flow: NDArray[np.float32], real: NDArray[np.float32]) -> float:
    """Measure tOF: the mean length of the difference of two flows 'h w 2' (Chu et al. 2020).

    The paper writes the L1 norm; its evaluation, and this, takes the Euclidean one.

    Raises:
        ValueError: if the sizes differ.
    """
    if flow.shape != real.shape:
        raise ValueError(f"flows must be 'h w 2' of one size; got {flow.shape} and {real.shape}")
    return float(np.linalg.norm(flow - real, axis=2).mean())


def cell_luma(frames: Tensor) -> Tensor:
    """Average the luma over a grid of cells, eight along the shorter side.

    Args:
        frames: 'b 3 h w' in [-1, 1].

    Returns:
        'b gh gw', levels, 0 to 255.
    """
    height, width = frames.shape[2:]
    short = min(height, width)
    rows, columns = (min(side, max(1, round(_CELLS * side / short))) for side in (height, width))
    luma = kornia.color.rgb_to_grayscale((frames + 1) * HALF_RANGE)
    return F.adaptive_avg_pool2d(luma, (rows, columns))[:, 0]


def flicker(after: Tensor, middle: Tensor, before: Tensor) -> Tensor:
    """Measure brightness that jumps and comes back: the second difference of the cells' luma.

    What moves or fades steadily changes by equal steps, which cancel; a frame that is brighter
    than both its neighbours does not. Zero for a frozen video: read it together with tOF.

    Args:
        after: 'b gh gw' from `cell_luma`, frame t + 1.
        middle: frame t.
        before: frame t - 1.

    Returns:
        'b', levels: the mean of |after - 2 middle + before| / 2, which is how far the middle frame
        lies from the mean of its neighbours.
    """
    return ((after + before) / 2 - middle).abs().mean(dim=(1, 2))
