"""Measure a flow against the true one, and a video against a flow."""

import torch
from torch import Tensor

from flow.warp import warp

# Fl-all of KITTI 2015 (Menze and Geiger 2015): wrong by this much and by this share of the truth.
_OUTLIER_PX = 3.0
_OUTLIER_SHARE = 0.05


def end_point_error(flow: Tensor, target: Tensor, mask: Tensor | None = None) -> Tensor:
    """Average the length of the difference between two flows.

    Args:
        flow: 'b 2 h w', pixels.
        target: 'b 2 h w', pixels, the true flow.
        mask: 'b 1 h w', the weight of each pixel; every pixel counts alike without it.

    Returns:
        'b', pixels; nan where the mask is empty. Differentiable in `flow`.

    Raises:
        ValueError: if the shapes do not fit each other.
    """
    return _average(_distance(flow, target), mask)


def outlier_rate(flow: Tensor, target: Tensor, mask: Tensor | None = None) -> Tensor:
    """Find the share of wrong vectors, Fl-all of KITTI 2015.

    A vector is wrong if it misses by more than 3 pixels and by more than 5 % of the true length.

    Args:
        flow: 'b 2 h w', pixels.
        target: 'b 2 h w', pixels, the true flow.
        mask: 'b 1 h w', the weight of each pixel; every pixel counts alike without it.

    Returns:
        'b' in [0, 1] (KITTI prints per cent); nan where the mask is empty.

    Raises:
        ValueError: if the shapes do not fit each other.
    """
    distance = _distance(flow, target)
    length = torch.linalg.vector_norm(target, dim=1, keepdim=True)
    is_wrong = (distance > _OUTLIER_PX) & (distance > _OUTLIER_SHARE * length)
    return _average(is_wrong.to(distance.dtype), mask)


def warping_error(current: Tensor, previous: Tensor, flow: Tensor, confidence: Tensor) -> Tensor:
    """Measure how much a frame differs from the previous one carried along the true motion.

    The squared difference averaged over channels and trusted pixels, in the units of
    Lai et al. 2018: frames in [0, 1]. It is smallest for blurred or frozen video, so it says
    little without a measure of sharpness.

    Args:
        current: 'b c h w' in [-1, 1].
        previous: 'b c h w' in [-1, 1].
        flow: 'b 2 h w', pixels, from `current` to `previous`, of the real video.
        confidence: 'b 1 h w' in [0, 1], where the flow holds and nothing is occluded.

    Returns:
        'b'; nan where nothing is trusted, so that `nanmean` skips it. Differentiable.

    Raises:
        ValueError: if the shapes do not fit each other.
    """
    if current.shape != previous.shape:
        raise ValueError(
            "current and previous must have one shape 'b c h w'; "
            f"got {tuple(current.shape)} and {tuple(previous.shape)}"
        )
    difference = (current - warp(previous, flow)) / 2
    return _average(difference.square().mean(dim=1, keepdim=True), confidence)


def _distance(flow: Tensor, target: Tensor) -> Tensor:
    """Measure the length of each difference: 'b 1 h w', pixels."""
    if flow.ndim != 4 or flow.shape[1] != 2 or flow.shape != target.shape:
        raise ValueError(
            "flow and target must be 'b 2 h w' of one size; "
            f"got {tuple(flow.shape)} and {tuple(target.shape)}"
        )
    return torch.linalg.vector_norm(flow - target, dim=1, keepdim=True)


def _average(values: Tensor, mask: Tensor | None) -> Tensor:
    """Average 'b 1 h w' over the pixels, weighted by `mask`: 'b'."""
    if mask is None:
        return values.mean(dim=(1, 2, 3))
    if mask.shape != values.shape:
        raise ValueError(
            f"the weight of each pixel must be 'b 1 h w', here {tuple(values.shape)}; "
            f"got {tuple(mask.shape)}"
        )
    return (values * mask).sum(dim=(1, 2, 3)) / mask.sum(dim=(1, 2, 3))
