"""Context normalisation: what is generated takes on the statistics of what is known.

After Wang et al. 2019, "Wide-Context Semantic Image Extrapolation", section 3.2. The released code
sums squared differences over all positions, so that the means of the other region enter its
variances; here they are those of the region, as the paper says.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vid2vid.networks.blocks import full_precision

EPSILON = 1e-5  # of the unknown region's variance; the known one has none (released code)


def context_norm(features: Tensor, mask: Tensor, *, share: float) -> Tensor:
    """Move unknown features towards the mean and deviation of the known ones, channel by channel.

    Unknown f becomes share * n(f) + (1 - share) * f, where n(f) = (f - mean of the unknown) /
    deviation of the unknown * deviation of the known + mean of the known.

    Args:
        features: 'b c h w'.
        mask: 'b 1 h w', 1 = unknown, 0 = known.
        share: rho of the paper, [0, 1]; 0 changes nothing.

    Returns:
        'b c h w'. Known features are unchanged, and so is a sample whose mask is all 1 or all 0.
    """
    unknown = mask.to(features.dtype)
    known = 1 - unknown
    counts = [region.sum(dim=(2, 3), keepdim=True) for region in (unknown, known)]
    (mean, variance), (known_mean, known_variance) = (
        _moments(features, region, count.clamp(min=1))
        for region, count in zip((unknown, known), counts, strict=True)
    )
    # The square root has no slope at 0, where a channel is flat.
    known_deviation = torch.where(known_variance > 0, known_variance, 1).sqrt() * (
        known_variance > 0
    )
    moved = (features - mean) * (variance + EPSILON).rsqrt() * known_deviation + known_mean
    is_mixed = ((counts[0] > 0) & (counts[1] > 0)).to(features.dtype)
    return features + share * is_mixed * unknown * (moved - features)


def _moments(features: Tensor, region: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
    """Compute mean and variance over a region: 'b c 1 1' each."""
    mean = (features * region).sum(dim=(2, 3), keepdim=True) / count
    variance = ((features - mean).square() * region).sum(dim=(2, 3), keepdim=True) / count
    return mean, variance


class ContextNorm(nn.Module):
    """Context normalisation as a layer, without weights."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """Normalise.

        Args:
            features: 'b c h w'.
            mask: 'b 1 H W', 1 = unknown; brought to the size of the features by its nearest pixels.

        Returns:
            'b c h w' of the type of the features; the statistics are float32 in any case.
        """
        if not self.share:
            return features
        small = F.interpolate(mask.float(), size=features.shape[2:], mode="nearest")
        with full_precision(features.device):
            return context_norm(features.float(), small, share=self.share).to(features.dtype)
