"""Adversarial losses on the scores of a multi-scale discriminator."""

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Adversarial = Literal["least_squares", "hinge", "logistic"]
Reduction = Literal["sum", "mean"]

# The score half-way between the targets of real and generated frames.
BOUNDARIES: dict[Adversarial, float] = {"least_squares": 0.5, "hinge": 0.0, "logistic": 0.0}


def discriminator_loss(
    real: Sequence[Tensor],
    fake: Sequence[Tensor],
    *,
    kind: Adversarial,
    scales: Reduction = "sum",
) -> Tensor:
    """Score real as real and fake as fake; half the sum of both sides.

    Args:
        real: scores of real frames, one 'b 1 p q' per scale.
        fake: scores of generated frames, the same shapes, detached from the generator.
        kind: `least_squares` (Mao et al. 2017, targets 1 and 0), `hinge` (Lim & Ye 2017) or
            `logistic` (Goodfellow et al. 2014, on logits).
        scales: `sum` over scales (official) or `mean`.
    """
    sides = [_real_side(score, kind) for score in real]
    sides += [_fake_side(score, kind) for score in fake]
    total = torch.stack(sides).sum() / 2
    return total / len(real) if scales == "mean" else total


def generator_loss(
    fake: Sequence[Tensor], *, kind: Adversarial, scales: Reduction = "sum"
) -> Tensor:
    """Make generated frames score as real.

    Least squares pulls scores to 1, hinge raises them without bound (-mean), logistic is the
    non-saturating form (Goodfellow et al. 2014, section 3).
    """
    sides = [-score.mean() if kind == "hinge" else _real_side(score, kind) for score in fake]
    stacked = torch.stack(sides)
    return stacked.mean() if scales == "mean" else stacked.sum()


def share_real(scores: Sequence[Tensor], *, kind: Adversarial) -> Tensor:
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
    return F.softplus(-score).mean()


def _fake_side(score: Tensor, kind: Adversarial) -> Tensor:
    if kind == "least_squares":
        return score.square().mean()
    if kind == "hinge":
        return F.relu(1 + score).mean()
    return F.softplus(score).mean()
