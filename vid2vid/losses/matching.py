"""Feature matching: L1 between what a discriminator, or VGG, sees in two pictures."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

# Weights of relu1_1 ... relu5_1 in the perceptual loss (Wang et al. 2018, pix2pixHD, section 3).
PERCEPTUAL_WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
OFFICIAL_STAGES = 4  # stages that the official factor 4 / (n_layers + 1) is relative to


def feature_matching(fake: Sequence[Sequence[Tensor]], real: Sequence[Sequence[Tensor]]) -> Tensor:
    """Compare the stages of each patch network, the score left out (pix2pixHD, equation 4).

    Args:
        fake: stages per scale of generated frames.
        real: the same for real frames; no gradient flows into them.

    Returns:
        Mean over scales of (4 / stages) times the sum of the L1 means over stages.
    """
    per_scale = [
        torch.stack(
            [
                F.l1_loss(ours.float(), theirs.detach().float())
                for ours, theirs in zip(fake_stages[:-1], real_stages[:-1], strict=True)
            ]
        ).sum()
        * (OFFICIAL_STAGES / (len(fake_stages) - 1))
        for fake_stages, real_stages in zip(fake, real, strict=True)
    ]
    return torch.stack(per_scale).mean()


def perceptual(fake: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
    """Compare VGG features, deeper stages weighted more (Johnson et al. 2016).

    Args:
        fake: five feature maps of generated frames, finest first.
        real: the same for real frames; no gradient flows into them.
    """
    terms = [
        weight * F.l1_loss(ours.float(), theirs.detach().float())
        for weight, ours, theirs in zip(PERCEPTUAL_WEIGHTS, fake, real, strict=True)
    ]
    return torch.stack(terms).sum()
