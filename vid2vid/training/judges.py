"""How the discriminators judge a chunk of generated frames, and how they learn from it.

Both passes of a chunk share the scores of the real frames: they are computed once, with the
gradient of the discriminator, and used detached as targets of feature matching.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from vid2vid.losses.adversarial import (
    Adversarial,
    discriminator_loss,
    generator_loss,
    gradient_penalty,
    share_real,
)
from vid2vid.losses.config import LossConfig
from vid2vid.losses.matching import feature_matching
from vid2vid.networks.blocks import full_precision
from vid2vid.networks.discriminator import MultiScaleDiscriminator
from vid2vid.networks.hole_discriminator import HoleDiscriminator

Stages = list[list[Tensor]]


class Verdict(NamedTuple):
    """Terms of one discriminator for both players."""

    generator: dict[str, tuple[float, Tensor]]  # name -> (weight, term)
    discriminator: Tensor
    observed: dict[str, Tensor]  # without a graph: how the discriminator is doing


class Exhibit(Protocol):
    """What one discriminator is shown of a chunk."""

    @property
    def name(self) -> str:
        """Of the discriminator; the names of its terms begin with it."""
        ...

    def judge(self, losses: LossConfig, *, unused: int, rng: np.random.Generator) -> Verdict:
        """Compute the generator's and the discriminator's terms.

        The generator's terms carry no gradient to the discriminator's weights, and the other way
        round.

        Args:
            losses: kind and weights of the terms.
            unused: finest patch networks that are left out, while frames are smaller.
            rng: for what is drawn.
        """
        ...


class PatchExhibit(NamedTuple):
    """What a patch discriminator is shown: the same things, real and generated."""

    name: str
    discriminator: MultiScaleDiscriminator | HoleDiscriminator
    real: Tensor  # 'n c h w'
    fake: Tensor  # 'n c h w', with the generator's graph
    hallucinated: Tensor | None  # 'n c h w', judged beside `fake` by its share
    weight: float  # of the adversarial term in the generator's objective
    is_resized: bool = False  # to one size, at which all patch networks are at work
    frames: slice = slice(None)  # channels of the frames; the others are alike in all of them

    def judge(self, losses: LossConfig, *, unused: int, rng: np.random.Generator) -> Verdict:
        """Compute the terms of both players; see `Exhibit`."""
        unused = 0 if self.is_resized else unused
        fakes, shares = shown(self.fake, self.hallucinated, losses)
        discriminator, kind = self.discriminator, losses.adversarial
        real_stages = discriminator(self.real, unused=unused)
        real_scores = _scores(real_stages)
        fake_scores = [_scores(discriminator(fake.detach(), unused=unused)) for fake in fakes]
        own = [
            discriminator_loss(real_scores, scores, kind=kind, scales=losses.scales)
            for scores in fake_scores
        ]
        own_loss = weighted(own, shares) / sum(shares)
        observed = _observe(self.name, real_scores, fake_scores[0], kind=kind)
        if kind == "wasserstein" and losses.gradient_penalty:
            penalties = [self._penalty(fake, losses, unused=unused, rng=rng) for fake in fakes]
            penalty = weighted(penalties, shares) / sum(shares)
            own_loss = own_loss + losses.gradient_penalty * penalty
            observed[f"{self.name}_penalty"] = penalty.detach()

        with frozen(discriminator):
            stages = [discriminator(fake, unused=unused) for fake in fakes]
        terms: dict[str, tuple[float, Tensor]] = {}
        if self.weight:
            gan = [
                generator_loss(_scores(each), kind=kind, scales=losses.scales) for each in stages
            ]
            terms[f"{self.name}_gan"] = (self.weight, weighted(gan, shares))
        if losses.matching:
            matching = [feature_matching(each, real_stages) for each in stages]
            terms[f"{self.name}_matching"] = (losses.matching, weighted(matching, shares))
        return Verdict(terms, own_loss, observed)

    def _penalty(
        self, fake: Tensor, losses: LossConfig, *, unused: int, rng: np.random.Generator
    ) -> Tensor:
        """Compute the gradient penalty in float32: a slope in bfloat16 has three digits."""
        with full_precision(fake.device):
            return gradient_penalty(
                lambda between: _scores(self.discriminator(between, unused=unused)),
                self.real.float(),
                fake.detach().float(),
                rng=rng,
                judged=self.frames,
                scales=losses.scales,
            )


def shown(
    fake: Tensor, hallucinated: Tensor | None, losses: LossConfig
) -> tuple[list[Tensor], list[float]]:
    """List the generated pictures that are judged, and the share that each counts for."""
    if hallucinated is None:
        return [fake], [1.0]
    return [fake, hallucinated], [1.0, losses.hallucinated]


def weighted(terms: Sequence[Tensor], shares: Sequence[float]) -> Tensor:
    """Sum terms times their shares."""
    return torch.stack([share * term for share, term in zip(shares, terms, strict=True)]).sum()


@contextmanager
def frozen(discriminator: nn.Module) -> Generator[None]:
    """Let no gradient into the weights of a discriminator for a while."""
    discriminator.requires_grad_(requires_grad=False)
    try:
        yield
    finally:
        discriminator.requires_grad_(requires_grad=True)


def _observe(
    name: str, real: Sequence[Tensor], fake: Sequence[Tensor], *, kind: Adversarial
) -> dict[str, Tensor]:
    """Say how often a discriminator is right, and how large its scores are.

    Of a Wasserstein critic, which is right by degrees, how far apart it holds real and generated.
    """
    sizes = [score.detach().abs().mean() for score in fake]
    activation = {f"{name}_activation": torch.stack(sizes).mean()}
    if kind == "wasserstein":
        gaps = [(one.mean() - other.mean()).detach() for one, other in zip(real, fake, strict=True)]
        return {f"{name}_distance": torch.stack(gaps).mean(), **activation}
    return {
        f"{name}_accuracy_real": share_real(real, kind=kind),
        f"{name}_accuracy_fake": 1 - share_real(fake, kind=kind),
        **activation,
    }


def _scores(stages: Stages) -> list[Tensor]:
    """Take the last stage of every scale, in float32."""
    return [scale[-1].float() for scale in stages]
