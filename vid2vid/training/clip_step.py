"""One clip, chunk by chunk: roll out, judge, and gather every player's gradients.

A chunk is as many frames as the gradient flows back through time. Its graph is freed before the
next chunk begins, so memory does not grow with the length of the clip; the gradients of all chunks
add up to those of the mean over the clip's frames, and every player then takes one step.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import torch
from torch import Tensor

from vid2vid.losses.config import LossConfig
from vid2vid.networks.outputs import GeneratorOutput
from vid2vid.rollout import rollout
from vid2vid.temporal import farthest_back
from vid2vid.training.chunks import pack_chunk
from vid2vid.training.exhibits import (
    count_boxes,
    image_exhibit,
    region_exhibit,
    video_exhibits,
)
from vid2vid.training.judges import judge
from vid2vid.training.players import Players
from vid2vid.training.targets import Targets, generator_map
from vid2vid.training.terms import generator_terms

Terms = dict[str, Tensor]


class StepSettings(NamedTuple):
    """What one step does apart from its losses."""

    scales: int  # spatial scales that run
    backprop_frames: int  # frames in a chunk
    from_zeros: bool  # start the clip from nothing instead of real first frames


class Means:
    """Means of what is observed, over those chunks of a step that showed it."""

    def __init__(self) -> None:
        self._sums: Terms = {}
        self._shares: dict[str, float] = defaultdict(float)

    def add(self, values: Terms, share: float) -> None:
        """Take in values that count for a share of the step."""
        for name, value in values.items():
            _add(self._sums, name, value, share)
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
    observed: Means | None = None,
) -> Terms:
    """Run one batch of clips and add every player's gradients to its parameters.

    Args:
        players: their `.grad` is added to, never cleared.
        targets: `history` frames to start from, then the frames to generate.
        losses: weights of the terms.
        settings: of this step.
        parts: how many such batches make one step; each counts for its share.
        observed: takes in what is seen of the discriminators, which not every part need show.

    Returns:
        Every term by name, unweighted and detached, as this batch's share of the step's mean; and
        without `observed` what it would have taken in.
    """
    generator = players.generator
    start, end = generator.history, targets.frames.shape[1]
    reach = farthest_back(len(players.video_discriminators), players.window)
    frames = _rollout(players, targets, settings)
    past: list[Tensor] = []
    sums: Terms = {}
    seen = Means() if observed is None else observed
    first = start
    while outputs := list(islice(frames, settings.backprop_frames)):
        share = len(outputs) / (end - start) / parts
        without_past = settings.from_zeros and first == start
        chunk = pack_chunk(outputs, targets, start=first, without_past=without_past)
        new = [output.frame for output in outputs]
        first += len(outputs)
        terms = generator_terms(chunk, players, losses, scales=settings.scales)
        exhibits = (
            *image_exhibit(chunk, players, losses),
            *region_exhibit(chunk, players, losses),
            *video_exhibits(new, past, targets, players, newest=first - 1, losses=losses),
        )
        if players.region_discriminator is not None:
            per_frame = count_boxes(chunk) / len(chunk.real)
            seen.add({"region_boxes": torch.tensor(per_frame, device=chunk.real.device)}, share)
        for exhibit in exhibits:
            verdict = judge(exhibit, losses, unused=generator.scales - settings.scales)
            terms |= verdict.generator
            verdict.discriminator.mul(share).backward()
            _add(sums, f"{exhibit.name}_discriminator", verdict.discriminator, share)
            seen.add(verdict.observed, share)
        if terms:  # with video discriminators alone, a chunk may complete no window
            weighted = torch.stack([weight * term for weight, term in terms.values()])
            weighted.sum().mul(share).backward()
        for name, (_, term) in terms.items():
            _add(sums, name, term, share)
        past = [*past, *(frame.detach() for frame in new)][-reach:] if reach else []
    return sums | seen.take() if observed is None else sums


def _rollout(
    players: Players, targets: Targets, settings: StepSettings
) -> Iterator[GeneratorOutput]:
    """Generate the clip from its real first frames, or from zeros as rendering would."""
    history = players.generator.history
    maps, length = targets.conditioning, targets.frames.shape[1]
    starts_empty = settings.from_zeros or not history
    return rollout(
        players.generator,
        (generator_map(players.generator, targets, time) for time in range(history, length)),
        past_conditioning=None if starts_empty else maps[:, :history],
        first_frames=None if starts_empty else targets.frames[:, :history],
        scales=settings.scales,
        backprop_frames=settings.backprop_frames,
    )


def _add(sums: Terms, name: str, term: Tensor, share: float) -> None:
    """Add a chunk's share of a term."""
    value = term.detach() * share
    sums[name] = sums[name] + value if name in sums else value
