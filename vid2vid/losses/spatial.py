"""Weights that fall with the distance from what is known, and L1 under them.

After Wang et al. 2019, "Wide-Context Semantic Image Extrapolation", section 3.3, and the released
code: confidence spreads from known pixels into unknown ones, again and again, through a filter; the
relative spatial variant (RSV) is the share of it that was there one step before the last. The
released filter is called a Gaussian, but so wide that all its taps are alike to 0.05 %: a box.
"""

from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

SpatialKind = Literal["rsv", "confidence", "plain"]
SpatialFilter = Literal["box", "gaussian"]
SpatialForm = Literal["max", "additive"]

EPSILON = 1e-5  # of the relative form (released code)
RSV_STEPS, CONFIDENCE_STEPS = 9, 7  # released code; the latter is that of GMCNN (Wang et al. 2018)
REACH = 1 / 4  # side of the filter by the height of the frame: 64 at 256 (released code)
SIGMA = 40 / 64  # of a Gaussian filter by its side (Wang et al. 2018: 40 px)
_KEPT_LAYOUTS = 512  # whose weights are remembered; one of 256x256 takes 256 kB


class SpatialWeighting(NamedTuple):
    """Which weights are computed, and how."""

    kind: SpatialKind = "rsv"
    filter: SpatialFilter = "box"
    form: SpatialForm = "max"  # of the denominator of rsv


def spatial_weights(mask: Tensor, weighting: SpatialWeighting) -> Tensor:
    """Compute the weight of every pixel; the same mask is computed once.

    The filter grows with the height of the frame, so that it reaches as far of any size.

    Args:
        mask: 'b 1 h w', 1 = unknown, 0 = known.
        weighting: which weights.

    Returns:
        'b 1 h w' in [0, 1], float32, without a gradient, on the device of `mask`; 0 where it is
        known, and, but for `plain`, where confidence never comes.
    """
    unknown = mask.detach() > 0.5
    if weighting.kind == "plain" or unknown.is_meta:  # there it has no values, only a size
        return unknown.float()
    size = (unknown.shape[2], unknown.shape[3])
    layouts = unknown.cpu().flatten(1).numpy()
    weights = [_remembered(np.packbits(each).tobytes(), size, weighting) for each in layouts]
    return torch.stack(weights).to(mask.device)


@lru_cache(maxsize=_KEPT_LAYOUTS)
def _remembered(layout: bytes, size: tuple[int, int], weighting: SpatialWeighting) -> Tensor:
    """Compute the weights of one mask, 8 pixels a byte: '1 h w'."""
    bits = np.unpackbits(np.frombuffer(layout, np.uint8), count=size[0] * size[1])
    unknown = torch.from_numpy(bits.reshape(size)).float()
    side = max(2, 2 * round(size[0] * REACH / 2))
    taps = filter_taps(side, weighting.filter)
    if weighting.kind == "confidence":
        return spread(unknown, (taps, taps), steps=CONFIDENCE_STEPS)[-1][None]
    return relative(spread(unknown, (taps, taps), steps=RSV_STEPS), form=weighting.form)[None]


def filter_taps(side: int, kind: SpatialFilter) -> Tensor:
    """Make the weights of a filter along one axis: 'side', their sum 1."""
    if kind == "box":
        return torch.full((side,), 1 / side)
    places = torch.arange(side, dtype=torch.float32) - (side - 1) / 2
    taps = torch.exp(-0.5 * (places / (SIGMA * side)).square())
    return taps / taps.sum()


def spread(unknown: Tensor, taps: tuple[Tensor, Tensor], *, steps: int) -> list[Tensor]:
    """Spread confidence into what is unknown: w_i = (g * (known + w_(i-1))) unknown, w_0 = 0.

    Beyond the frame nothing is known. Of a filter with an even side, one tap more lies to the right
    and below (as TensorFlow's SAME).

    Args:
        unknown: 'h w', 1 = unknown, 0 = known.
        taps: of the filter g, along the height and along the width.
        steps: how often.

    Returns:
        w_1 ... w_steps, each 'h w' in [0, 1].
    """
    rows, columns = taps
    around = ((len(columns) - 1) // 2, len(columns) // 2, (len(rows) - 1) // 2, len(rows) // 2)
    known = 1 - unknown
    weights, found = torch.zeros_like(unknown), list[Tensor]()
    for _ in range(steps):
        padded = F.pad((known + weights)[None, None], around)
        along = F.conv2d(F.conv2d(padded, columns.view(1, 1, 1, -1)), rows.view(1, 1, -1, 1))
        weights = along[0, 0].clamp(max=1) * unknown
        found.append(weights)
    return found


def relative(spreads: list[Tensor], *, form: SpatialForm) -> Tensor:
    """Divide the last but one confidence by the last one (Wang et al. 2019, equation 5).

    Args:
        spreads: from `spread`, two at least.
        form: of the denominator w: max(w, 1e-5), as the paper has it, or w + 1e-5, as the released
            code.

    Returns:
        'h w' in [0, 1].
    """
    before, last = spreads[-2:]
    return before / (last.clamp(min=EPSILON) if form == "max" else last + EPSILON)


def spatial_loss(fake: Tensor, real: Tensor, weights: Tensor) -> Tensor:
    """Compare pictures under weights: the mean of |difference| times weight over all values.

    Args:
        fake: 'b 3 h w', in [-1, 1].
        real: 'b 3 h w'; no gradient flows into it.
        weights: 'b 1 h w', from `spatial_weights`.
    """
    return ((fake.float() - real.detach().float()).abs() * weights).mean()


def known_loss(fake: Tensor, real: Tensor, mask: Tensor) -> Tensor:
    """Compare pictures where they are known: the mean of |difference| there, 0 if nothing is.

    Args:
        fake: 'b 3 h w', in [-1, 1].
        real: 'b 3 h w'; no gradient flows into it.
        mask: 'b 1 h w', 1 = unknown, 0 = known.
    """
    known = 1 - mask
    off = (fake.float() - real.detach().float()).abs() * known
    return off.sum() / (known.sum() * fake.shape[1]).clamp(min=1)
