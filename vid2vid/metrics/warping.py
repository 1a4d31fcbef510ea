"""Warping error over strides (Lai et al. 2018, section 4.2), along estimated or known flow.

The flow is that of the real video, so that a frozen or blurred video cannot choose an easy one; it
remains that both have little to warp: read the figure together with sharpness and tOF.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from flow.confidence import forward_backward_confidence
from flow.metrics import warping_error
from flow.warp import warp
from vid2vid.video.levels import HALF_RANGE, quantise

STRIDES = (1, 2, 4, 8, 16, 32)

# Lai et al. 2018 after Ruder et al. 2016: where the flow changes abruptly.
_BOUNDARY_SHARE, _BOUNDARY_OFFSET = 0.01, 0.002
_CERTAIN = 0.999  # a fetched confidence of which no part came from an untrusted pixel


class StepFlow(NamedTuple):
    """The motion of the real video over one frame."""

    flow: Tensor  # '1 2 h w', pixels, current -> previous
    confidence: Tensor  # '1 1 h w', 0 or 1
    reverse: Tensor | None = None  # '1 2 h w', previous -> current; None where it is known exactly


def motion_boundary(flow: Tensor) -> Tensor:
    """Find where the flow changes abruptly: |∇u|² + |∇v|² > 0.01 |w|² + 0.002 (Lai et al. 2018).

    Args:
        flow: 'b 2 h w', pixels.

    Returns:
        'b 1 h w' bool. Gradients are central differences, one-sided at the border.
    """
    across, down = (torch.gradient(flow, dim=dim)[0] for dim in (3, 2))
    steepness = (across.square() + down.square()).sum(dim=1, keepdim=True)
    length = flow.square().sum(dim=1, keepdim=True)
    return steepness > _BOUNDARY_SHARE * length + _BOUNDARY_OFFSET


def lai_confidence(flow: Tensor, reverse: Tensor) -> Tensor:
    """Trust the pixels that are neither occluded nor at a motion boundary (Lai et al. 2018).

    Args:
        flow: 'b 2 h w', pixels, current -> previous.
        reverse: 'b 2 h w', pixels, previous -> current.

    Returns:
        'b 1 h w', 0 or 1.
    """
    consistent = forward_backward_confidence(flow, reverse, alpha=0.01, beta=0.5)
    return consistent * ~motion_boundary(flow)


def known_flow(flow: Tensor, occlusion: Tensor) -> StepFlow:
    """Take a flow that is known exactly.

    Args:
        flow: '1 2 h w', pixels, current -> previous.
        occlusion: '1 1 h w', 1 where the point was not to be seen in the previous frame.
    """
    return StepFlow(flow, (1 - occlusion) * ~motion_boundary(flow))


class _Chain(NamedTuple):
    """What leads from the frame now back to an anchor `age` frames ago."""

    anchor: Tensor  # 'n 3 h w' uint8, the judged frames at the anchor
    age: int
    flow: Tensor | None = None
    confidence: Tensor | None = None
    reverse: Tensor | None = None


class StrideErrors:
    """Warping errors of several videos over strides of 1 to 32 frames, frame by frame.

    For a stride k the flow of k steps is chained from anchors k frames apart, so that every frame
    is used once and memory holds one anchor a stride, however long the video is.
    """

    def __init__(self, strides: tuple[int, ...] = STRIDES) -> None:
        self._strides = strides
        self._chains: dict[int, _Chain] = {}

    def restart(self) -> None:
        """Forget everything: another sequence begins."""
        self._chains.clear()

    def step(self, frames: Tensor, motion: StepFlow | None) -> dict[int, Tensor]:
        """Take the next frames, and measure those strides that end here.

        Args:
            frames: 'n 3 h w' in [-1, 1], one frame of each video.
            motion: of the real video to the frame before; None at its first frame.

        Returns:
            For each stride that ends here 'n', mean squared, of frames in [0, 1]; not a number
            where nothing is trusted.
        """
        levels = quantise(frames)
        errors: dict[int, Tensor] = {}
        for stride in self._strides:
            chain = self._chains.get(stride)
            if chain is not None and motion is not None:
                chain = _lengthen(chain, motion)
                if chain.age == stride:
                    errors[stride] = _measure(frames, chain)
            if chain is None or chain.age == stride:
                chain = _Chain(levels, 0)
            self._chains[stride] = chain
        return errors


def _lengthen(chain: _Chain, motion: StepFlow) -> _Chain:
    """Add one step at the near end: F(t -> a) = F(t -> t-1) + F(t-1 -> a) fetched along it."""
    if chain.flow is None or chain.confidence is None:
        return _Chain(chain.anchor, 1, *motion)
    flow = motion.flow + warp(chain.flow, motion.flow)
    fetched = warp(chain.confidence, motion.flow) > _CERTAIN
    reverse = None
    if motion.reverse is not None and chain.reverse is not None:
        reverse = chain.reverse + warp(motion.reverse, chain.reverse)
    return _Chain(chain.anchor, chain.age + 1, flow, motion.confidence * fetched, reverse)


def _measure(frames: Tensor, chain: _Chain) -> Tensor:
    """Measure the error at the end of a chain: 'n'."""
    assert chain.flow is not None
    assert chain.confidence is not None
    confidence = chain.confidence
    if chain.age > 1 and chain.reverse is not None:
        confidence = confidence * forward_backward_confidence(chain.flow, chain.reverse)
    count = len(frames)
    before = chain.anchor.float() / HALF_RANGE - 1
    flow, trusted = chain.flow.expand(count, -1, -1, -1), confidence.expand(count, -1, -1, -1)
    return warping_error(frames, before, flow, trusted)
