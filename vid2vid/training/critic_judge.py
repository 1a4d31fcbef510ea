"""How a critic judges frames whose unknown part was generated: WGAN with a masked penalty.

After Wang et al. 2019, "Wide-Context Semantic Image Extrapolation", section 3.4.
"""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vid2vid.losses.adversarial import discriminator_loss, generator_loss, gradient_penalty
from vid2vid.losses.config import LossConfig
from vid2vid.losses.spatial import SpatialWeighting, spatial_weights
from vid2vid.networks.blocks import full_precision
from vid2vid.networks.critics import ContextCritic, Critic, PenaltyMask, shrink_mask
from vid2vid.training.judges import Verdict, frozen


class CriticExhibit(NamedTuple):
    """What a critic is shown: real frames, and the same with their unknown part generated."""

    name: str
    critic: Critic
    real: Tensor  # 'n 3 h w'
    fake: Tensor  # 'n 3 h w', with the generator's graph; known pixels are the real ones
    mask: Tensor  # 'n 1 h w', 1 = unknown
    penalty_mask: PenaltyMask
    seed: int  # of the places between real and fake, the same ones for both critics

    def judge(self, losses: LossConfig, *, unused: int, rng: np.random.Generator) -> Verdict:
        """Compute the terms of both players; see `Exhibit`.

        The loss is that of Wasserstein, whatever that of the other discriminators is. Where `fake`
        has no graph, there is nothing to say to a generator.
        """
        del unused, rng  # it works at one size, and with places of its own
        real = self.critic.score(self.real, self.mask)
        fake = self.critic.score(self.fake.detach(), self.mask)
        own = discriminator_loss([real], [fake], kind="wasserstein")
        observed = {f"{self.name}_distance": (real.mean() - fake.mean()).detach()}
        if losses.gradient_penalty:
            penalty = self._penalty()
            own = own + losses.gradient_penalty * penalty
            observed[f"{self.name}_penalty"] = penalty.detach()
        if not self.fake.requires_grad:
            return Verdict({}, own, observed)
        with frozen(self.critic):
            score = self.critic.score(self.fake, self.mask)
        gan = generator_loss([score], kind="wasserstein")
        return Verdict({f"{self.name}_gan": (losses.critic_gan, gan)}, own, observed)

    def _penalty(self) -> Tensor:
        """Compute the gradient penalty in float32: a slope in bfloat16 has three digits."""
        with full_precision(self.fake.device):
            return gradient_penalty(
                lambda between: [self.critic.score(between, self.mask)],
                self.real.float(),
                self.fake.detach().float(),
                rng=np.random.default_rng(self.seed),
                weights=slope_weights(self.critic, self.mask, self.penalty_mask),
            )


def slope_weights(critic: Critic, mask: Tensor, kind: PenaltyMask) -> Tensor:
    """Make what the slope of a critic is multiplied with before its length is taken.

    Args:
        critic: the context critic's binary mask is that of its patches, enlarged (released code).
        mask: 'b 1 h w', 1 = unknown.
        kind: see `CriticsConfig.gp_mask`.

    Returns:
        'b 1 h w', in [0, 1].
    """
    if kind == "none":
        return torch.ones_like(mask)
    if kind == "rsv":
        return spatial_weights(mask, SpatialWeighting("rsv"))
    if isinstance(critic, ContextCritic):
        return F.interpolate(shrink_mask(mask), size=mask.shape[2:], mode="nearest")
    return mask
