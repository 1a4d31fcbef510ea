"""Structural similarity at several scales: SSIM, MS-SSIM, and SSIM after a blur.

On OpenCV's filters in double precision: kornia's SSIM gives the same values, takes ten times as
long on a CPU, and does not part contrast and structure from luminance, which MS-SSIM needs.
"""

from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from vid2vid.metrics.image import check_pair
from vid2vid.metrics.statistics import Floats

# Wang et al. 2003, section 3.2.
_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = 0.01**2, 0.03**2  # of the range 1

MS_SSIM_SIDE = WINDOW * 2 ** (len(_WEIGHTS) - 1)
"""The shortest side, pixels, whose fifth scale still holds a window."""

_BLUR_SIGMA = 2.0  # px at a height of 256; a blur that hides grain and keeps objects
_BLUR_HEIGHT = 256


class Similarities(NamedTuple):
    """How alike two frames are in structure; 1 is equality."""

    ssim: float  # Wang et al. 2004
    ms_ssim: float | None  # Wang et al. 2003; None where a side is shorter than `MS_SSIM_SIDE`
    blur_ssim: float  # SSIM after both were blurred alike: layout without texture


def ssim(frame: Tensor, real: Tensor) -> Tensor:
    """Measure the structural similarity of each frame (Wang et al. 2004).

    Computed on [0, 1] per colour channel, averaged over the windows that lie inside the frame.

    Args:
        frame: 'b 3 h w' in [-1, 1], at least 11 pixels a side.
        real: 'b 3 h w' in [-1, 1].

    Returns:
        'b', float32, at most 1, which is equality. No gradient.

    Raises:
        ValueError: if the shapes differ or a side is shorter than the window.
    """
    check_pair(frame, real)
    _check_window(frame)
    pairs = zip(frame, real, strict=True)
    values = [ssim_windows(one, other).mean() for one, other in pairs]
    return torch.tensor(values, dtype=torch.float32, device=frame.device)


def ssim_windows(frame: Tensor, real: Tensor) -> Floats:
    """Measure the structural similarity of each window that lies inside two frames.

    Args:
        frame: '3 h w' in [-1, 1], at least 11 pixels a side.
        real: '3 h w' in [-1, 1].

    Returns:
        'h-10 w-10 3', at most 1; each window has its middle 5 px further right and down.

    Raises:
        ValueError: if a side is shorter than the window.
    """
    _check_window(frame)
    luminance, structure = _similarity(_to_array(frame), _to_array(real))
    return luminance * structure


def structural_similarities(frame: Tensor, real: Tensor) -> Similarities:
    """Measure the structural similarity of two frames, as they are, over scales, and blurred.

    Computed on [0, 1] per colour channel, over the windows that lie inside the frame. MS-SSIM is
    equation 7 of Wang et al. 2003, five scales, each half the one before; a negative
    contrast-structure term counts as 0, since its power is not a real number. The blur is a
    Gaussian of 2 pixels at a height of 256, in proportion at others.

    Args:
        frame: '3 h w' in [-1, 1], at least 11 pixels a side.
        real: '3 h w' in [-1, 1].

    Raises:
        ValueError: if the shapes differ or a side is shorter than the window.
    """
    if frame.ndim != 3 or frame.shape != real.shape:
        raise ValueError(
            "frame and real must be '3 h w' of one size; "
            f"got {tuple(frame.shape)} and {tuple(real.shape)}"
        )
    _check_window(frame)
    one, other = (_to_array(each) for each in (frame, real))
    sigma = max(_BLUR_SIGMA * frame.shape[1] / _BLUR_HEIGHT, 0.5)
    is_large = min(frame.shape[1:]) >= MS_SSIM_SIDE
    luminance, structure = _similarity(one, other)
    return Similarities(
        ssim=float((luminance * structure).mean()),
        ms_ssim=_over_scales(one, other, structure) if is_large else None,
        blur_ssim=_ssim(_blur(one, sigma), _blur(other, sigma)),
    )


def _ssim(one: Floats, other: Floats) -> float:
    luminance, structure = _similarity(one, other)
    return float((luminance * structure).mean())


def _blur(values: Floats, sigma: float) -> Floats:
    return cv2.GaussianBlur(values, (0, 0), sigma).astype(np.float64, copy=False)


def _over_scales(one: Floats, other: Floats, structure: Floats) -> float:
    """Compare frames over five scales, of which the `structure` of the first is known."""
    first, *rest = _WEIGHTS
    score = structure.mean(axis=(0, 1)).clip(min=0) ** first
    for scale, weight in enumerate(rest, start=1):
        one, other = (_halve(each) for each in (one, other))
        luminance, structure = _similarity(one, other)
        is_last = scale == len(rest)
        term = (luminance * structure if is_last else structure).mean(axis=(0, 1))
        score *= term.clip(min=0) ** weight
    return float(score.mean())


def _similarity(one: Floats, other: Floats) -> tuple[Floats, Floats]:
    """Compare luminance, and contrast with structure, in each window: 'h-10 w-10 c' twice."""
    mean_one, mean_other = _average(one), _average(other)
    variance_one = _average(one * one) - np.square(mean_one)
    variance_other = _average(other * other) - np.square(mean_other)
    covariance = _average(one * other) - mean_one * mean_other
    squares = np.square(mean_one) + np.square(mean_other)
    luminance = (2 * mean_one * mean_other + _C1) / (squares + _C1)
    return luminance, (2 * covariance + _C2) / (variance_one + variance_other + _C2)


def _average(values: Floats) -> Floats:
    """Average over each window with Gaussian weights."""
    kernel = cv2.getGaussianKernel(WINDOW, _SIGMA)
    edge = WINDOW // 2
    return cv2.sepFilter2D(values, -1, kernel, kernel)[edge:-edge, edge:-edge].astype(
        np.float64, copy=False
    )


def _halve(values: Floats) -> Floats:
    """Average over 2x2 pixels; an odd last row or column is left out."""
    height, width = (side // 2 * 2 for side in values.shape[:2])
    size = (width // 2, height // 2)
    halved = cv2.resize(values[:height, :width], size, interpolation=cv2.INTER_AREA)
    return halved.astype(np.float64, copy=False)


def _check_window(frame: Tensor) -> None:
    if min(frame.shape[-2:]) < WINDOW:
        raise ValueError(
            f"SSIM needs frames of at least {WINDOW} pixels a side; got {tuple(frame.shape)}"
        )


def _to_array(frame: Tensor) -> Floats:
    """Turn '3 h w' in [-1, 1] into 'h w 3' in [0, 1]; float32 would lose differences of squares."""
    levels = (frame.detach().double() + 1) / 2
    return np.ascontiguousarray(levels.permute(1, 2, 0).cpu().numpy())
