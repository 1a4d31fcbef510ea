"""The generator's own terms on a chunk: everything that needs no discriminator."""

from collections.abc import Mapping
from types import MappingProxyType

from vid2vid.losses import motion
from vid2vid.losses.config import LossConfig
from vid2vid.training.chunks import Chunk
from vid2vid.training.likeness import Weighted, likeness_terms
from vid2vid.training.players import Players

NOT_CALIBRATED: Mapping[str, float] = MappingProxyType({})


def generator_terms(
    chunk: Chunk,
    players: Players,
    losses: LossConfig,
    *,
    scales: int,
    divisors: Mapping[str, float] = NOT_CALIBRATED,
) -> Weighted:
    """Compute the terms whose weight is not 0, as name -> (weight, value).

    Args:
        chunk: generated frames and their targets.
        players: for the feature network of the perceptual loss.
        losses: the weights.
        scales: spatial scales that run.
        divisors: of the layers of the perceptual loss, by term; see `Calibration`.
    """
    terms = likeness_terms(chunk, players, losses, divisors)
    return terms | _motion_terms(chunk, losses, scales)


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
