"""Adversarial losses on the scores of a multi-scale discriminator."""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

Classifying = Literal["least_squares", "hinge", "logistic"]
Adversarial = Literal[Classifying, "wasserstein"]
Reduction = Literal["sum", "mean"]

# The score half-way between the targets of real and generated frames. A Wasserstein critic has
# none: its scores say how far apart the two are, from wherever they begin.
BOUNDARIES: dict[Classifying, float] = {"least_squares": 0.5, "hinge": 0.0, "logistic": 0.0}


def discriminator_loss(
    real: Sequence[Tensor],
    fake: Sequence[Tensor],
    *,
    kind: Adversarial,
    scales: Reduction = "sum",
) -> Tensor:
    """Score real as real and fake as fake; half the sum of both sides.

    Of a Wasserstein critic it is the whole difference of the mean scores, which the weight of the
    gradient penalty is relative to.

    Args:
        real: scores of real frames, one 'b 1 p q' per scale.
        fake: scores of generated frames, the same shapes, detached from the generator.
        kind: `least_squares` (Mao et al. 2017, targets 1 and 0), `hinge` (Lim & Ye 2017),
            `logistic` (Goodfellow et al. 2014, on logits) or `wasserstein` (Gulrajani et al. 2017,
            equation 3 without its penalty).
        scales: `sum` over scales (official) or `mean`.
    """
    sides = [_real_side(score, kind) for score in real]
    sides += [_fake_side(score, kind) for score in fake]
    total = torch.stack(sides).sum() / (1 if kind == "wasserstein" else 2)
    return total / len(real) if scales == "mean" else total


def generator_loss(
    fake: Sequence[Tensor], *, kind: Adversarial, scales: Reduction = "sum"
) -> Tensor:
    """Make generated frames score as real.

    Least squares pulls scores to 1, hinge and Wasserstein raise them without bound (-mean),
    logistic is the non-saturating form (Goodfellow et al. 2014, section 3).
    """
    sides = [-score.mean() if kind == "hinge" else _real_side(score, kind) for score in fake]
    stacked = torch.stack(sides)
    return stacked.mean() if scales == "mean" else stacked.sum()


def gradient_penalty(
    critic: Callable[[Tensor], Sequence[Tensor]],
    real: Tensor,
    fake: Tensor,
    *,
    rng: np.random.Generator,
    judged: slice = slice(None),
    weights: Tensor | None = None,
    scales: Reduction = "sum",
) -> Tensor:
    """Hold the slope of a critic at 1 between real and generated (Gulrajani et al. 2017).

    The critic is what the loss compares: the mean of the scores of a sample, at each scale. (The
    helper that comes with pix2pix takes the slope of their sum, which would hold the mean of 900
    patches to a slope of 1/900.) What is computed stays in the precision of the arguments.

    Args:
        critic: gives scores 'b 1 p q', one per scale; norms over a batch would mix its samples.
        real: 'b c h w'.
        fake: 'b c h w', detached from the generator.
        rng: draws the place between the two, one for each sample.
        judged: channels that the slope is taken in; the others are a condition, alike in both.
        weights: 'b 1 h w', what the slope is multiplied with before its length is taken; None = 1.
        scales: `sum` over scales or `mean`.

    Returns:
        The mean over samples of (|gradient| - 1)^2.
    """
    places = torch.from_numpy(rng.random((len(real), 1, 1, 1), dtype=np.float32))
    between = torch.lerp(fake, real, places.to(real.device, real.dtype)).detach().requires_grad_()
    with torch.enable_grad():
        values = [score.flatten(1).mean(1).sum() for score in critic(between)]
    slopes = [torch.autograd.grad(value, between, create_graph=True)[0] for value in values]
    slopes = [
        slope[:, judged] if weights is None else slope[:, judged] * weights for slope in slopes
    ]
    norms = [torch.linalg.vector_norm(slope.flatten(1), dim=1) for slope in slopes]
    penalties = torch.stack([(norm - 1).square().mean() for norm in norms])
    return penalties.mean() if scales == "mean" else penalties.sum()


def share_real(scores: Sequence[Tensor], *, kind: Classifying) -> Tensor:
    """Measure the share of patches that are taken for real, the mean over scales.

    Args:
        scores: one 'b 1 p q' per scale.
        kind: of the loss that the discriminator is trained with.

    Returns:
        '', in [0, 1].
    """
    boundary = BOUNDARIES[kind]
    return torch.stack([(score.detach() > boundary).float().mean() for score in scores]).mean()


def _real_side(score: Tensor, kind: Adversarial) -> Tensor:
    if kind == "least_squares":
        return (score - 1).square().mean()
    if kind == "hinge":
        return F.relu(1 - score).mean()
    if kind == "wasserstein":
        return -score.mean()
    return F.softplus(-score).mean()


def _fake_side(score: Tensor, kind: Adversarial) -> Tensor:
    if kind == "least_squares":
        return score.square().mean()
    if kind == "hinge":
        return F.relu(1 + score).mean()
    if kind == "wasserstein":
        return score.mean()
    return F.softplus(score).mean()
