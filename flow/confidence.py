"""Say where an estimated flow may be trusted: 1 = trust, 0 = occluded, outside, or wrong."""

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from flow.estimators import FlowEstimator
from flow.warp import pixel_grid, warp


class ReferenceFlow(NamedTuple):
    """A flow from a frozen estimator, and where to believe it."""

    flow: Tensor  # 'b 2 h w', pixels, current -> previous
    confidence: Tensor  # 'b 1 h w', 0 or 1


@torch.no_grad()
def forward_backward_confidence(
    flow: Tensor, reverse: Tensor, *, alpha: float = 0.01, beta: float = 0.5
) -> Tensor:
    """Trust the pixels that the reverse flow leads back to where they came from.

    With r the reverse flow fetched along f, a pixel is trusted where
    |f + r|² <= alpha (|f|² + |r|²) + beta (Sundaram et al. 2010, equation 5), and, as in
    Meister et al. 2018, only where f points inside the frame.

    Args:
        flow: 'b 2 h w', pixels, from the current frame to the previous one.
        reverse: 'b 2 h w', pixels, from the previous frame to the current one.
        alpha: tolerance in proportion to the squared length of the motion.
        beta: tolerance in pixels².

    Returns:
        'b 1 h w', float, 0 or 1. No gradient.

    Raises:
        ValueError: if the shapes differ or are not 'b 2 h w'.
    """
    fetched = warp(reverse, flow)
    gap = (flow + fetched).square().sum(dim=1, keepdim=True)
    lengths = (flow.square() + fetched.square()).sum(dim=1, keepdim=True)
    is_consistent = gap <= alpha * lengths + beta
    return (is_consistent & _is_inside(flow)).to(flow.dtype)


@torch.no_grad()
def photometric_confidence(
    current: Tensor, previous: Tensor, flow: Tensor, *, threshold: float = 0.02
) -> Tensor:
    """Trust the pixels whose colour is found again at the other end of the flow.

    The check of vid2vid (Wang et al. 2018): the squared colour difference, summed over the
    channels, is below `threshold`. The default is about 10 grey levels per channel.

    Args:
        current: 'b 3 h w', RGB in [-1, 1].
        previous: 'b 3 h w', RGB in [-1, 1].
        flow: 'b 2 h w', pixels, from the current frame to the previous one.
        threshold: in units of the frames, squared.

    Returns:
        'b 1 h w', float, 0 or 1. No gradient.

    Raises:
        ValueError: if the sizes differ.
    """
    difference = current - warp(previous, flow)
    return (difference.square().sum(dim=1, keepdim=True) < threshold).to(flow.dtype)


@torch.no_grad()
def reference_flow(
    estimator: FlowEstimator,
    current: Tensor,
    previous: Tensor,
    *,
    check: Literal["forward_backward", "photometric", "none"] = "forward_backward",
) -> ReferenceFlow:
    """Estimate the flow of real frames together with its confidence.

    Args:
        estimator: what finds the flow.
        current: 'b 3 h w', RGB in [-1, 1].
        previous: 'b 3 h w', RGB in [-1, 1].
        check: how the confidence is found. "forward_backward" estimates a second flow, from
            `previous` to `current`; "none" trusts every pixel.

    Raises:
        ValueError: if there is no such check, or the sizes differ.
    """
    flow = estimator(current, previous)
    match check:
        case "forward_backward":
            confidence = forward_backward_confidence(flow, estimator(previous, current))
        case "photometric":
            confidence = photometric_confidence(current, previous, flow)
        case "none":
            confidence = torch.ones_like(flow[:, :1])
        case _:
            raise ValueError(
                f"check must be 'forward_backward', 'photometric' or 'none'; got {check!r}"
            )
    return ReferenceFlow(flow, confidence)


def _is_inside(flow: Tensor) -> Tensor:
    """Tell which pixels point into the frame: 'b 1 h w', bool.

    The frame reaches half a pixel beyond the outer pixel centres, so an estimate that misses a
    resting border pixel by a few hundredths does not count as outside.
    """
    height, width = flow.shape[2:]
    x, y = (pixel_grid(height, width, device=flow.device) + flow).split(1, dim=1)
    return (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
