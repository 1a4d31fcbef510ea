"""One clip generated as rendering would: what previews show and validation scores."""

from typing import NamedTuple

import torch
from torch import Tensor

from vid2vid.data.clips import Clip, collate
from vid2vid.networks.interface import Generator
from vid2vid.networks.outputs import GeneratorOutput
from vid2vid.training.loop import Run
from vid2vid.training.preview import generate_clip
from vid2vid.training.targets import generator_map, prepare


class Trial(NamedTuple):
    """Generated frames and the real ones."""

    outputs: list[GeneratorOutput]  # batch of one
    real: Tensor  # 'n 3 h w', [-1, 1], of the same frames
    halvings: int  # of height and width, while finer scales have not joined


@torch.no_grad()
def generate_trial(clip: Clip, run: Run, generator: Generator, *, scales: int) -> Trial:
    """Generate a clip from its real first frames, or from nothing real where runs always do.

    Args:
        clip: `history` frames to start from, unless the run starts from zeros; then the others.
        run: says how clips are encoded and where it runs.
        generator: usually the average; what it draws begins with the seed of the run.
        scales: spatial scales that run.
    """
    history, length = generator.history, len(clip.frames)
    halvings = generator.scales - scales
    targets = prepare(
        collate([clip]),
        run.conditioning,
        device=run.device,
        halvings=halvings,
        pooling=generator.pooling,
    )
    first_frames = targets.frames[:, :history] if history else None
    if run.training.first_frames == "zeros":
        first_frames = None
        if run.painter is not None:
            first_frames = run.painter.begin(
                collate([clip]), count=history, halvings=halvings, seed=run.training.seed
            )
    generator.reseed(run.training.seed)
    maps = [generator_map(generator, targets, time) for time in range(length)]
    outputs = generate_clip(
        generator,
        torch.stack(maps, dim=1),
        first_frames=first_frames,
        scales=scales,
    )
    return Trial(outputs, targets.frames[0, -len(outputs) :], halvings)
