"""The loss of a content network: the hole, and a ring of known pixels that counts more.

After the released code of Pathak et al. 2016, which Yang et al. 2017 build on.
"""

from torch import Tensor

from vid2vid.networks.context_encoder import widen

RING_WEIGHT = 10.0  # of a known pixel in the overlap (released code: overlapL2Weight)


def hole_loss(fake: Tensor, real: Tensor, unknown: Tensor, *, overlap: int) -> Tensor:
    """Compare what was painted with the real frame, where it was to be painted and around it.

    Args:
        fake: 'b 3 h w', in [-1, 1].
        real: 'b 3 h w'; no gradient flows into it.
        unknown: 'b 1 h w', 1 = was to be painted.
        overlap: width of the ring of known pixels around the holes, px.

    Returns:
        '', the square of the difference, a pixel of the ring ten times: the mean over holes and
        rings of the batch, 0 where there is none.
    """
    region = widen(unknown, overlap)
    weights = region * (RING_WEIGHT - (RING_WEIGHT - 1) * unknown)
    squares = (fake.float() - real.detach().float()).square() * weights
    return squares.sum() / (region.sum() * fake.shape[1]).clamp_min(1)
