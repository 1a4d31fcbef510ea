"""Losses on flow, warping and occlusion (Wang et al. 2018, equation 9 and appendix A)."""

from torch import Tensor

from flow.warp import warp

SMALLEST_MASK = 1.0  # pixels: a mask that is empty gives 0, not 0 / 0


def masked_l1(first: Tensor, second: Tensor, mask: Tensor) -> Tensor:
    """Mean of |first - second| over the masked pixels.

    Divided by the mask, not by the frame as in the official code, so that its strength does not
    depend on how much of the frame can be trusted.

    Args:
        first: 'b c h w'.
        second: 'b c h w'.
        mask: 'b 1 h w' in [0, 1].
    """
    difference = (first - second).abs() * mask
    return difference.sum() / (mask.sum() * first.shape[1]).clamp_min(SMALLEST_MASK)


def reference_flow_loss(flow: Tensor, reference: Tensor, confidence: Tensor) -> Tensor:
    """Pull the predicted flow to the reference flow, in pixels, where that can be trusted.

    Args:
        flow: 'b 2 h w', pixels, current -> previous.
        reference: 'b 2 h w', of a frozen estimator on real frames.
        confidence: 'b 1 h w' in [0, 1].
    """
    return masked_l1(flow, reference, confidence)


def warp_loss(flow: Tensor, previous: Tensor, current: Tensor, confidence: Tensor) -> Tensor:
    """Make the predicted flow carry the real previous frame to the real current one.

    Args:
        flow: 'b 2 h w', pixels, current -> previous.
        previous: 'b 3 h w', real.
        current: 'b 3 h w', real.
        confidence: 'b 1 h w' in [0, 1].
    """
    return masked_l1(warp(previous, flow), current, confidence)


def generated_warp_loss(
    frame: Tensor, previous: Tensor, reference: Tensor, confidence: Tensor
) -> Tensor:
    """Make a generated frame agree with the one before it, carried along the reference flow.

    Args:
        frame: 'b 3 h w', generated.
        previous: 'b 3 h w', generated before it; no gradient flows into it.
        reference: 'b 2 h w', pixels, current -> previous.
        confidence: 'b 1 h w' in [0, 1].
    """
    return masked_l1(frame, warp(previous.detach(), reference), confidence)


def occlusion_loss(occlusion: Tensor, confidence: Tensor) -> Tensor:
    """Ask for warped pixels where the flow can be trusted: the mean occlusion there.

    Args:
        occlusion: 'b 1 h w' in [0, 1].
        confidence: 'b 1 h w' in [0, 1].
    """
    return masked_l1(occlusion, occlusion.new_zeros(()), confidence)
