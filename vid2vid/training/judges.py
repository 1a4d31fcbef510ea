"""How the discriminators judge a chunk of generated frames, and how they learn from it.

Both passes of a chunk share the scores of the real frames: they are computed once, with the
gradient of the discriminator, and used detached as targets of feature matching.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from vid2vid.losses.adversarial import Adversarial, discriminator_loss, generator_loss, share_real
from vid2vid.losses.config import LossConfig
from vid2vid.losses.matching import feature_matching
from vid2vid.networks.discriminator import MultiScaleDiscriminator

Stages = list[list[Tensor]]


class Exhibit(NamedTuple):
    """What one discriminator is shown: the same things, real and generated."""

    name: str
    discriminator: MultiScaleDiscriminator
    real: Tensor  # 'n c h w'
    fake: Tensor  # 'n c h w', with the generator's graph
    hallucinated: Tensor | None  # 'n c h w', judged beside `fake` by its share
    weight: float  # of the adversarial term in the generator's objective
    is_resized: bool = False  # to one size, at which all patch networks are at work


class Verdict(NamedTuple):
    """Terms of one discriminator for both players."""

    generator: dict[str, tuple[float, Tensor]]  # name -> (weight, term)
    discriminator: Tensor
    observed: dict[str, Tensor]  # without a graph: how the discriminator is doing


def judge(exhibit: Exhibit, losses: LossConfig, *, unused: int) -> Verdict:
    """Compute the generator's and the discriminator's terms.

    The generator's terms carry no gradient to the discriminator's weights, and the other way round.

    Args:
        exhibit: what is shown.
        losses: kind and weights of the terms.
        unused: finest patch networks that are left out, while frames are smaller.
    """
    unused = 0 if exhibit.is_resized else unused
    share = losses.hallucinated if exhibit.hallucinated is not None else 0.0
    fakes = [exhibit.fake] if exhibit.hallucinated is None else [exhibit.fake, exhibit.hallucinated]
    shares = [1.0] if exhibit.hallucinated is None else [1.0, share]

    discriminator = exhibit.discriminator
    real_stages = discriminator(exhibit.real, unused=unused)
    real_scores = _scores(real_stages)
    fake_scores = [_scores(discriminator(fake.detach(), unused=unused)) for fake in fakes]
    own = [
        discriminator_loss(real_scores, scores, kind=losses.adversarial, scales=losses.scales)
        for scores in fake_scores
    ]
    own_loss = _weighted(own, shares) / sum(shares)

    discriminator.requires_grad_(requires_grad=False)
    stages = [discriminator(fake, unused=unused) for fake in fakes]
    discriminator.requires_grad_(requires_grad=True)
    terms: dict[str, tuple[float, Tensor]] = {}
    if exhibit.weight:
        gan = [
            generator_loss(_scores(each), kind=losses.adversarial, scales=losses.scales)
            for each in stages
        ]
        terms[f"{exhibit.name}_gan"] = (exhibit.weight, _weighted(gan, shares))
    if losses.matching:
        matching = [feature_matching(each, real_stages) for each in stages]
        terms[f"{exhibit.name}_matching"] = (losses.matching, _weighted(matching, shares))
    name, kind = exhibit.name, losses.adversarial
    return Verdict(terms, own_loss, _observe(name, real_scores, fake_scores[0], kind=kind))


def _observe(
    name: str, real: Sequence[Tensor], fake: Sequence[Tensor], *, kind: Adversarial
) -> dict[str, Tensor]:
    """Say how often a discriminator is right, and how large its scores are."""
    sizes = [score.detach().abs().mean() for score in fake]
    return {
        f"{name}_accuracy_real": share_real(real, kind=kind),
        f"{name}_accuracy_fake": 1 - share_real(fake, kind=kind),
        f"{name}_activation": torch.stack(sizes).mean(),
    }


def _scores(stages: Stages) -> list[Tensor]:
    """Take the last stage of every scale, in float32."""
    return [scale[-1].float() for scale in stages]


def _weighted(terms: Sequence[Tensor], shares: Sequence[float]) -> Tensor:
    """Sum terms times their shares."""
    return torch.stack([share * term for share, term in zip(shares, terms, strict=True)]).sum()
