"""Dropout that is drawn from a seed that is given."""

import torch
from torch import Tensor, nn


class Dropout(nn.Module):
    """Sets features to 0 at random and scales the others up, drawn from a seed that is given.

    Whoever owns the layer sets `seed` before each pass: the same seed and shape drop the same
    features. None drops nothing.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.seed: int | None = None

    def forward(self, features: Tensor) -> Tensor:
        """Map 'b c h w' to 'b c h w'."""
        if self.seed is None:
            return features
        random = None  # on the meta device, where costs are counted and nothing is drawn
        if not features.is_meta:
            random = torch.Generator(features.device).manual_seed(self.seed)
        kept = torch.empty_like(features, memory_format=torch.contiguous_format)
        kept.bernoulli_(1 - self.rate, generator=random)
        return features * (kept / (1 - self.rate))
