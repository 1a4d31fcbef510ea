"""Feature matching: L1 between what a discriminator sees in two pictures."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

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
