"""Edges found and edges to be found: Canny edges of frames, boundaries of label maps."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vid2vid.labels.maps import boundary
from vid2vid.labels.palettes import ID_IGNORE
from vid2vid.metrics.statistics import Floats
from vid2vid.video.levels import to_levels

_CANNY_LOW, _CANNY_HIGH = 100, 200  # of the gradient of 8-bit grey, as OpenCV's own examples
# Csurka et al. 2013 take 0.75 % of the diagonal as the tolerance of a boundary.
_TOLERANCE = 0.0075


def canny_edges(
    frame: Tensor, *, low: float = _CANNY_LOW, high: float = _CANNY_HIGH, blur_sigma: float = 0.0
) -> NDArray[np.bool_]:
    """Find the Canny edges of a frame.

    Args:
        frame: '3 h w' in [-1, 1].
        low: gradient of 8-bit grey above which an edge goes on.
        high: gradient above which one begins.
        blur_sigma: of a Gaussian blur before, px; 0 = none.

    Returns:
        'h w'.
    """
    grey = cv2.cvtColor(to_levels(frame).cpu().numpy(), cv2.COLOR_RGB2GRAY)
    if blur_sigma:
        grey = cv2.GaussianBlur(grey, (0, 0), blur_sigma)
    return cv2.Canny(grey, low, high) > 0


def label_edges(labels: Tensor, *, ignored: Tensor | None = None) -> NDArray[np.bool_]:
    """Find where the classes of a label map 'h w' change: 'h w'.

    Args:
        labels: 'h w' integer ids.
        ignored: 'h w' bool, pixels whose class is not known; no edge lies there or beside them.
    """
    edges = boundary(labels[None, None].to(torch.int64))[0, 0, 0] > 0
    if ignored is not None:
        near = cv2.dilate(ignored.cpu().numpy().astype(np.uint8), np.ones((3, 3), np.uint8))
        edges &= torch.from_numpy(near == 0).to(edges.device)
    return edges.cpu().numpy()


def match_edges(
    found: NDArray[np.bool_], wanted: NDArray[np.bool_], *, tolerance_px: float
) -> Floats:
    """Count edge pixels with a partner in the other picture, no farther than the tolerance.

    Args:
        found: 'h w'.
        wanted: 'h w'.
        tolerance_px: Euclidean distance.

    Returns:
        '4' for `statistics.f1`: right and all of `found`, met and all of `wanted`.

    Raises:
        ValueError: if the sizes differ.
    """
    if found.shape != wanted.shape:
        raise ValueError(
            f"found and wanted must be 'h w' of one size; got {found.shape} and {wanted.shape}"
        )
    right = found & (_distance(wanted) <= tolerance_px)
    met = wanted & (_distance(found) <= tolerance_px)
    return np.array([right.sum(), found.sum(), met.sum(), wanted.sum()], dtype=np.float64)


def edge_tolerance(height: int, width: int) -> float:
    """Give the distance at which edges still meet: 0.75 % of the diagonal, at least one pixel."""
    return max(1.0, _TOLERANCE * float(np.hypot(height, width)))


def is_unknown(labels: Tensor) -> Tensor:
    """Tell which pixels of label maps have no class: bool."""
    return labels == ID_IGNORE


def _distance(edges: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Measure how far each pixel is from the nearest edge, pixels."""
    if not edges.any():
        return np.full(edges.shape, np.inf, dtype=np.float32)
    away = cv2.distanceTransform((~edges).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return away.astype(np.float32, copy=False)
