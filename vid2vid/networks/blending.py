"""Blend the hallucinated and the warped frame, their detail apart from the rest.

Where two pictures are mixed, what they share stays and what lies a pixel apart cancels. Every frame
of a rollout is mixed out of the one before it, so that detail wears off: with `compose` alone, a
generator whose warped frames had 0.88 of the real gradient energy and whose hallucinated ones had
0.75 made frames of 0.56 in one step and of 0.30 after thirteen.
"""

from kornia.filters import gaussian_blur2d
from torch import Tensor

from flow.warp import compose
from vid2vid.networks.blocks import full_precision

SIGMAS = 2.5  # standard deviations to which the Gaussian is cut off


def blend(hallucinated: Tensor, warped: Tensor, occlusion: Tensor, *, detail_px: float) -> Tensor:
    """Mix broad colours by the occlusion (equation 4) and take detail from one of the two.

    Two bands after Burt & Adelson 1983, "A multiresolution spline": the lower one is mixed softly,
    the upper one switches where the occlusion passes one half. The occlusion learns from the lower
    band alone: taught by detail as well (straight through), it turned to the hallucinated frame,
    and one step at a time lost 2 dB.

    Args:
        hallucinated: 'b 3 h w', [-1, 1].
        warped: 'b 3 h w', [-1, 1].
        occlusion: 'b 1 h w' in [0, 1]; 1 takes the hallucinated pixel.
        detail_px: standard deviation of the Gaussian that parts the bands; 0 mixes all of it, as
            the official networks do.

    Returns:
        'b 3 h w', [-1, 1], float32.
    """
    if not detail_px:
        return compose(hallucinated, warped, occlusion)
    with full_precision(occlusion.device):
        broad_hallucinated, broad_warped = _blur(hallucinated, detail_px), _blur(warped, detail_px)
    chosen = (occlusion > 0.5).to(occlusion.dtype)
    broad = compose(broad_hallucinated, broad_warped, occlusion)
    detail = compose(hallucinated - broad_hallucinated, warped - broad_warped, chosen)
    return (broad + detail).clamp(-1, 1)


def _blur(picture: Tensor, sigma: float) -> Tensor:
    """Convolve 'b c h w' with a Gaussian, the border replicated."""
    size = 2 * round(SIGMAS * sigma) + 1
    return gaussian_blur2d(picture, (size, size), (sigma, sigma), border_type="replicate")
