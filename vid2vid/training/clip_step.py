"""One clip, chunk by chunk: roll out, judge, and gather every player's gradients.

A chunk is as many frames as the gradient flows back through time. Its graph is freed before the
next chunk begins, so memory does not grow with the length of the clip; the gradients of all chunks
add up to those of the mean over the clip's frames, and every player then takes one step.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vid2vid.losses.config import LossConfig
from vid2vid.networks.outputs import GeneratorOutput
from vid2vid.rollout import rollout
from vid2vid.temporal import farthest_back
from vid2vid.training.chunks import pack_chunk
from vid2vid.training.exhibits import (
    count_boxes,
    critic_exhibits,
    hole_exhibit,
    image_exhibit,
    label_exhibit,
    region_exhibit,
    video_exhibits,
)
from vid2vid.training.likeness import Weighted
from vid2vid.training.players import Players
from vid2vid.training.targets import Targets, generator_map
from vid2vid.training.terms import NOT_CALIBRATED, generator_terms

Terms = dict[str, Tensor]


class StepSettings(NamedTuple):
    """What one step does apart from its losses."""

    scales: int  # spatial scales that run
    backprop_frames: int  # frames in a chunk
    from_zeros: bool  # start the clip from nothing instead of real first frames
    seed: tuple[int, ...] = (0,)  # of what judging draws
    divisors: Mapping[str, float] = NOT_CALIBRATED  # of layers of the perceptual loss, by term
    judges_only: bool = False  # train the discriminators alone


class Means:
    """Means of terms and of what is observed, over those chunks of a step that had it."""

    def __init__(self) -> None:
        self._sums: Terms = {}
        self._shares: dict[str, float] = defaultdict(float)

    def add(self, values: Terms, share: float) -> None:
        """Take in values that count for a share of the step."""
        for name, value in values.items():
            part = value.detach() * share
            self._sums[name] = self._sums[name] + part if name in self._sums else part
            self._shares[name] += share

    def take(self) -> Terms:
        """Return the means, each over the shares that it was given."""
        return {name: total / self._shares[name] for name, total in self._sums.items()}


def gather_gradients(
    players: Players,
    targets: Targets,
    losses: LossConfig,
    settings: StepSettings,
    *,
    parts: int = 1,
    means: Means | None = None,
) -> Terms:
    """Run one batch of clips and add every player's gradients to its parameters.

    Args:
        players: their `.grad` is added to, never cleared.
        targets: `history` frames to start from, then the frames to generate.
        losses: weights of the terms.
        settings: of this step.
        parts: how many such batches make one step; each counts for its share.
        means: takes in all terms, where there are several parts.

    Returns:
        Every term by name, unweighted and detached, and what was seen of the discriminators: means
        over those chunks that had it. A window of frames or a box is not in every one.
    """
    generator = players.generator
    start, end = generator.history, targets.frames.shape[1]
    reach = farthest_back(len(players.video_discriminators), players.window)
    frames = _rollout(players, targets, settings)
    past: list[Tensor] = []
    means = Means() if means is None else means
    rng = np.random.default_rng(settings.seed)
    first = start
    while outputs := _take(frames, settings):
        share = len(outputs) / (end - start) / parts
        without_past = settings.from_zeros and targets.painted is None and first == start
        chunk = pack_chunk(outputs, targets, start=first, without_past=without_past)
        new = [output.frame for output in outputs]
        first += len(outputs)
        terms: Weighted = {}
        if not settings.judges_only:
            terms = generator_terms(
                chunk,
                players,
                losses,
                scales=settings.scales,
                divisors=settings.divisors,
                rng=rng,
            )
        exhibits = (
            *image_exhibit(chunk, players, losses),
            *region_exhibit(chunk, players, losses),
            *label_exhibit(chunk, players, losses),
            *hole_exhibit(chunk, players, losses),
            *critic_exhibits(chunk, players, rng),
            *video_exhibits(new, past, targets, players, newest=first - 1, losses=losses),
        )
        if players.region_discriminator is not None:
            per_frame = count_boxes(chunk) / len(chunk.real)
            means.add({"region_boxes": torch.tensor(per_frame, device=chunk.real.device)}, share)
        for exhibit in exhibits:
            unused = generator.scales - settings.scales
            verdict = exhibit.judge(losses, unused=unused, rng=rng)
            if not settings.judges_only:
                terms |= verdict.generator
            verdict.discriminator.mul(share).backward()
            own = {f"{exhibit.name}_discriminator": verdict.discriminator}
            means.add(own | verdict.observed, share)
        if terms:  # with video discriminators alone, a chunk may complete no window
            weighted = torch.stack([weight * term for weight, term in terms.values()])
            weighted.sum().mul(share).backward()
        means.add({name: term for name, (_, term) in terms.items()}, share)
        past = [*past, *(frame.detach() for frame in new)][-reach:] if reach else []
    return means.take()


def _take(frames: Iterator[GeneratorOutput], settings: StepSettings) -> list[GeneratorOutput]:
    """Generate a chunk, with the generator's graph where that is trained."""
    with torch.set_grad_enabled(not settings.judges_only):
        return list(islice(frames, settings.backprop_frames))


def _rollout(
    players: Players, targets: Targets, settings: StepSettings
) -> Iterator[GeneratorOutput]:
    """Generate the clip from its real first frames, or as rendering begins: painted, or empty."""
    history = players.generator.history
    maps, length = targets.conditioning, targets.frames.shape[1]
    real = targets.frames[:, :history] if history else None
    first_frames = targets.painted if settings.from_zeros else real
    return rollout(
        players.generator,
        (generator_map(players.generator, targets, time) for time in range(history, length)),
        past_conditioning=None if first_frames is None else maps[:, :history],
        first_frames=first_frames,
        scales=settings.scales,
        backprop_frames=settings.backprop_frames,
    )
