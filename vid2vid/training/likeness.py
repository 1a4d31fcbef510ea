"""How like the real frames generated ones are: in pixels, and in the features of a network."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vid2vid.losses.config import LossConfig
from vid2vid.losses.diversity import (
    CALIBRATED_WEIGHTS,
    DECAYING_WEIGHTS,
    class_masks,
    compare_layers,
)
from vid2vid.losses.mrf import implicit_mrf
from vid2vid.networks.outputs import GeneratorOutput
from vid2vid.training.chunks import Chunk
from vid2vid.training.players import Players

Weighted = dict[str, tuple[float, Tensor]]
See = Callable[[Tensor], Sequence[Tensor]]

CALIBRATED_TERMS = ("perceptual_pixels", *(f"perceptual_{layer}" for layer in range(1, 6)))
"""Terms of the perceptual loss where its layers are calibrated, the pixels first."""


class _Shown(NamedTuple):
    """Generated pictures, and what share of the losses they are held to."""

    share: float
    pictures: Tensor  # 'n k 3 h w'


class _Comparison(NamedTuple):
    """Generated pictures beside the real ones."""

    shown: Sequence[_Shown]
    real: Tensor  # 'n 3 h w'
    masks: Tensor | None  # 'n c h w', which pixels are of a class; None without variants
    all_variants: float

    def layers(self, see: See, weights: Sequence[float]) -> list[Tensor]:
        """Compare what `see` makes of pictures 'n 3 h w', layer by layer, unweighted."""
        real = see(self.real)
        sums = [self.real.new_zeros(()) for _ in weights]
        for share, pictures in self.shown:
            fake = [each.unflatten(0, pictures.shape[:2]) for each in see(pictures.flatten(0, 1))]
            own = compare_layers(
                fake, real, weights, masks=self.masks, all_pictures=self.all_variants
            )
            sums = [total + share * value for total, value in zip(sums, own, strict=True)]
        return sums


def likeness_terms(
    chunk: Chunk, players: Players, losses: LossConfig, divisors: Mapping[str, float]
) -> Weighted:
    """Compute the terms whose weight is not 0, as name -> (weight, value).

    Of a generator with several variants, each class of the map is held against the one that paints
    it best; see `vid2vid.losses.diversity`.

    Args:
        chunk: generated frames and the real ones.
        players: for the feature network.
        losses: the weights.
        divisors: of calibrated layers, by term; empty until they are settled.
    """
    comparison = _compare(chunk, players, losses)
    terms: Weighted = {}
    if losses.pixel_weight:
        if chunk.output.lab is None:
            (value,) = comparison.layers(lambda frames: [frames], [1.0])
        else:  # of what was painted: the lightness was given
            value = F.l1_loss(chunk.judged[:, 1:], chunk.real_judged[:, 1:])
        terms["pixel"] = (losses.pixel_weight, value)
    if (network := players.features) is None:
        return terms
    if losses.perceptual_balance == "decaying":
        values = comparison.layers(network, DECAYING_WEIGHTS)
        weighted = [w * value for w, value in zip(DECAYING_WEIGHTS, values, strict=True)]
        return terms | {"perceptual": (losses.perceptual, torch.stack(weighted).sum())}
    weights = [
        weight / divisors.get(name, 1.0)
        for name, weight in zip(CALIBRATED_TERMS, CALIBRATED_WEIGHTS, strict=True)
    ]
    values = comparison.layers(lambda frames: [frames, *network(frames)], weights)
    return terms | {
        name: (losses.perceptual * weight, value)
        for name, weight, value in zip(CALIBRATED_TERMS, weights, values, strict=True)
    }


def mrf_terms(
    chunk: Chunk, players: Players, losses: LossConfig, rng: np.random.Generator | None
) -> Weighted:
    """Compute the ID-MRF loss of every level that counts, as name -> (weight, value).

    Args:
        chunk: generated frames, as they were painted, and the real ones.
        players: for the feature network.
        losses: the weights.
        rng: draws positions of large feature maps.
    """
    network, output = players.mrf_features, chunk.output
    if network is None:
        return {}
    painted = output.frame if output.mask is None else output.hallucinated
    with torch.no_grad():
        real = network(chunk.real)
    terms: Weighted = {}
    for level, (ours, theirs) in enumerate(zip(network(painted), real, strict=True), start=1):
        if weight := losses.mrf_levels[level - 1]:
            terms[f"mrf_{level}"] = (losses.mrf * weight, implicit_mrf(ours, theirs, rng=rng))
    return terms


def _compare(chunk: Chunk, players: Players, losses: LossConfig) -> _Comparison:
    """Put side by side what is to be compared."""
    output, masks = chunk.output, None
    if output.variants is not None:
        masks = class_masks(chunk.conditioning[:, : players.classes])
    return _Comparison(_list_shown(output, losses), chunk.real, masks, losses.all_variants)


def _list_shown(output: GeneratorOutput, losses: LossConfig) -> list[_Shown]:
    """List all variants or the frame, and the hallucinated frame by its share."""
    pictures = output.frame.unsqueeze(1) if output.variants is None else output.variants
    shown = [_Shown(1.0, pictures)]
    if output.flow is not None and losses.hallucinated:
        shown.append(_Shown(losses.hallucinated, output.hallucinated.unsqueeze(1)))
    return shown
