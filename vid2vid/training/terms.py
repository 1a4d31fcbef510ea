"""The generator's own terms on a chunk: everything that needs no discriminator."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from vid2vid.losses import motion
from vid2vid.losses.config import LossConfig
from vid2vid.losses.hole import hole_loss
from vid2vid.losses.spatial import known_loss, spatial_loss, spatial_weights
from vid2vid.training.chunks import Chunk
from vid2vid.training.likeness import Weighted, likeness_terms, mrf_terms
from vid2vid.training.players import Players

NOT_CALIBRATED: Mapping[str, float] = MappingProxyType({})


def generator_terms(
    chunk: Chunk,
    players: Players,
    losses: LossConfig,
    *,
    scales: int,
    divisors: Mapping[str, float] = NOT_CALIBRATED,
    rng: np.random.Generator | None = None,
) -> Weighted:
    """Compute the terms whose weight is not 0, as name -> (weight, value).

    Args:
        chunk: generated frames and their targets.
        players: for the feature network of the perceptual loss.
        losses: the weights.
        scales: spatial scales that run.
        divisors: of the layers of the perceptual loss, by term; see `Calibration`.
        rng: draws positions of large feature maps for the ID-MRF loss.
    """
    terms = likeness_terms(chunk, players, losses, divisors)
    terms |= mrf_terms(chunk, players, losses, rng)
    terms |= _filling_terms(chunk, players, losses)
    return terms | _motion_terms(chunk, losses, scales)


def _filling_terms(chunk: Chunk, players: Players, losses: LossConfig) -> Weighted:
    """Compute the terms on what was painted before the known pixels of photographs are kept."""
    painted, real, mask = chunk.output.hallucinated, chunk.real, chunk.output.mask
    terms: Weighted = {}
    if mask is None:
        return terms
    if losses.hole:
        value = hole_loss(painted, real, mask, overlap=players.overlap)
        terms["hole"] = (losses.hole, value)
    if (weighting := losses.spatial_weighting) is not None:
        if losses.spatial_weight:
            weights = spatial_weights(mask, weighting)
            terms["spatial"] = (losses.spatial_weight, spatial_loss(painted, real, weights))
        if losses.known_weight:
            terms["known"] = (losses.known_weight, known_loss(painted, real, mask))
    return terms


def _motion_terms(chunk: Chunk, losses: LossConfig, scales: int) -> Weighted:
    """Compute the terms on flow, warping and occlusion.

    The weight of the flow term is halved with every scale, as in the official code: the same motion
    is twice as many pixels long there.
    """
    output, flow, confidence = chunk.output, chunk.flow, chunk.confidence
    terms: Weighted = {}
    if flow is None or confidence is None or output.previous is None:
        return terms
    if losses.generated_warp:
        value = motion.generated_warp_loss(output.frame, output.previous, flow, confidence)
        terms["generated_warp"] = (losses.generated_warp, value)
    if output.flow is None or output.occlusion is None or chunk.real_previous is None:
        return terms
    if losses.flow:
        value = motion.reference_flow_loss(output.flow, flow, confidence)
        terms["flow"] = (losses.flow / 2 ** (scales - 1), value)
    if losses.warp:
        value = motion.warp_loss(output.flow, chunk.real_previous, chunk.real, confidence)
        terms["warp"] = (losses.warp, value)
    if losses.occlusion:
        value = motion.occlusion_loss(output.occlusion, confidence)
        terms["occlusion"] = (losses.occlusion, value)
    return terms
