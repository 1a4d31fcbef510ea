"""Train the small segmenter that judges label adherence, on the procedural street.

    python tools/train_segmenter.py segmenter.safetensors --minutes 25

Every step sees other worlds; its score is that of worlds whose seeds it never saw. The file goes to
vid2vid/weights/segmenter.safetensors, at most 8 MB.
"""

import pipelines  # isort: skip  # noqa: F401 - before torch: says how its threads wait

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import kornia
import numpy as np
import torch
import torch.nn.functional as F
import typer
from torch import Tensor

from pipelines.build import choose_device
from pipelines.console import progress
from vid2vid.labels.palettes import ID_IGNORE, load_palette
from vid2vid.metrics.adherence import confusion
from vid2vid.metrics.statistics import mean_iou, pixel_accuracy
from vid2vid.networks.segmenter import Segmenter, SegmenterConfig
from vid2vid.weights.segmenter import LARGEST_BYTES, save_segmenter
from vid2vid.world.config import WorldConfig
from vid2vid.world.render import Renderer, World

PALETTE = "cityscapes"
SEEDS = range(800_000)  # of worlds and styles that are trained on
UNSEEN_SEEDS = range(800_000, 900_000)  # those that are scored
FRAMES_OF_A_WORLD = 6  # in a row, far apart; a new world costs more than a frame
FARTHEST_FRAME = 400
WARM_UP = 0.03  # share of the training over which the rate rises
PATHS = ("straight", "turn", "stop_and_go", "loop")


class Sample(NamedTuple):
    """Frames and what they show."""

    frames: Tensor  # 'b 3 h w' in [-1, 1]
    labels: Tensor  # 'b h w' int64, 255 = ignore


class Schedule(NamedTuple):
    """When training ends: after steps, or after time where that is given."""

    steps: int
    seconds: float | None

    def share_done(self, step: int, began_s: float) -> float:
        """Tell how much of the training is over, from 0 to 1."""
        if self.seconds is None:
            return min(1.0, step / self.steps)
        return min(1.0, (time.monotonic() - began_s) / self.seconds)


def draw_worlds(generator: np.random.Generator, count: int, *, seeds: range = SEEDS) -> list[World]:
    """Draw streets of all kinds: any path, traffic, weather, with constant or changing light."""
    return [
        World(
            seeds[int(generator.integers(len(seeds)))],
            seeds[int(generator.integers(len(seeds)))],
            WorldConfig(
                path=str(generator.choice(PATHS)),
                traffic=float(generator.uniform(0.2, 1.0)),
                thin=float(generator.uniform(0.2, 1.0)),
                light_change=float(generator.choice([0.0, 1.0])),
            ),
        )
        for _ in range(count)
    ]


def render_samples(
    generator: np.random.Generator,
    *,
    size: tuple[int, int],
    batch: int,
    device: torch.device,
    seeds: range = SEEDS,
) -> Iterator[Sample]:
    """Render batches of frames, each world a few times at random places, for ever."""
    while True:
        worlds = draw_worlds(generator, batch, seeds=seeds)
        renderer = Renderer(worlds, size, device=device)
        for _ in range(FRAMES_OF_A_WORLD):
            rendered = renderer.render(int(generator.integers(FARTHEST_FRAME)))
            yield Sample(rendered.frames.to(device), rendered.labels.long().to(device))


def augment(sample: Sample, generator: np.random.Generator) -> Sample:
    """Change light, sharpness and grain as generated frames have them; flip half of them."""
    frames, labels = sample
    gain, gamma = generator.uniform(0.7, 1.3), generator.uniform(0.75, 1.35)
    tint = torch.from_numpy(generator.uniform(0.92, 1.08, size=(1, 3, 1, 1))).to(frames)
    frames = ((frames + 1) / 2 * gain * tint).clamp(0, 1) ** gamma * 2 - 1
    if generator.random() < 0.3:
        sigma = float(generator.uniform(0.4, 1.6))
        frames = kornia.filters.gaussian_blur2d(frames, (9, 9), (sigma, sigma))
    if generator.random() < 0.5:
        random = torch.Generator(frames.device).manual_seed(int(generator.integers(2**31)))
        noise = torch.randn(frames.shape, generator=random, device=frames.device)
        frames = frames + noise * float(generator.uniform(0.01, 0.12))
    if generator.random() < 0.5:
        frames, labels = frames.flip(3), labels.flip(2)
    return Sample(frames.clamp(-1, 1), labels)


def segmentation_loss(network: Segmenter, sample: Sample) -> Tensor:
    """Compute the cross-entropy over the pixels that have a class."""
    return F.cross_entropy(network(sample.frames).logits, sample.labels, ignore_index=ID_IGNORE)


def train(
    network: Segmenter,
    samples: Iterator[Sample],
    schedule: Schedule,
    *,
    seed: int,
    rate: float = 2e-3,
) -> list[float]:
    """Train to the end of the schedule; returns the loss of every step."""
    optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=1e-4)
    generator = np.random.default_rng((seed, 1))
    losses: list[float] = []
    began_s = time.monotonic()
    total = schedule.steps if schedule.seconds is None else None
    network.train()
    with progress(total, "training", unit="steps") as bar:
        while (done := schedule.share_done(len(losses), began_s)) < 1:
            warm_up = min(1.0, 0.02 + done / WARM_UP)
            for group in optimiser.param_groups:
                group["lr"] = rate * warm_up * (0.01 + 0.99 * (1 + np.cos(np.pi * done)) / 2)
            loss = segmentation_loss(network, augment(next(samples), generator))
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            losses.append(float(loss.detach()))
            bar.advance(note=f"loss {np.mean(losses[-50:]):.3f}")
    return losses


@torch.no_grad()
def score(network: Segmenter, samples: Iterator[Sample], *, count: int) -> dict[str, float]:
    """Score a segmenter on `count` batches: one confusion matrix, and what follows of it."""
    network.eval()
    classes = network.config.num_classes
    matrix = np.zeros(classes**2)
    frames = 0
    with progress(count, "scoring", unit="batches") as bar:
        for _ in range(count):
            sample = next(samples)
            found = network(sample.frames).logits.argmax(dim=1)
            matrix += confusion(found, sample.labels, classes)
            frames += len(found)
            bar.advance()
    return {
        "mean_iou": float(mean_iou(matrix)),
        "pixel_accuracy": float(pixel_accuracy(matrix)),
        "frames": float(frames),
    }


def main(
    out: Annotated[Path, typer.Argument(help="The file to write, .safetensors.")],
    steps: Annotated[int, typer.Option(help="Steps, unless --minutes is given.")] = 4000,
    minutes: Annotated[float | None, typer.Option(help="Train as long as this.")] = None,
    height: Annotated[int, typer.Option(help="Height of the frames, px.")] = 128,
    width: Annotated[int, typer.Option(help="Width of the frames, px.")] = 256,
    batch: Annotated[int, typer.Option(help="Worlds in a step.")] = 8,
    seed: Annotated[int, typer.Option(help="Of weights and worlds.")] = 0,
    score_batches: Annotated[int, typer.Option(help="Batches of unseen worlds.")] = 60,
    device: Annotated[str | None, typer.Option(help="Default: a GPU where there is one.")] = None,
) -> None:
    """Train, score on unseen worlds, and write."""
    place = choose_device(device)
    palette = load_palette(PALETTE)
    torch.manual_seed(seed)
    network = Segmenter(SegmenterConfig(num_classes=palette.num_classes)).to(place)
    size = (height, width)
    samples = render_samples(np.random.default_rng((seed, 2)), size=size, batch=batch, device=place)
    schedule = Schedule(steps, None if minutes is None else minutes * 60)
    losses = train(network, samples, schedule, seed=seed)
    unseen = render_samples(
        np.random.default_rng((seed, 3)),
        size=size,
        batch=batch,
        device=place,
        seeds=UNSEEN_SEEDS,
    )
    # Weights are kept in half precision: what is scored is what is written.
    found = score(network.half().float(), unseen, count=score_batches)
    found |= {"height": float(height), "width": float(width), "steps": float(len(losses))}
    digest = save_segmenter(out, network, palette=palette, score=found)
    num_bytes = out.stat().st_size
    print(
        f"{len(losses)} steps, last loss {np.mean(losses[-50:]):.3f}; unseen worlds: mean IoU "
        f"{found['mean_iou']:.3f}, pixel accuracy {found['pixel_accuracy']:.3f} over "
        f"{found['frames']:.0f} frames"
    )
    print(f"{out}: {num_bytes / 1e6:.2f} MB of {LARGEST_BYTES / 1e6:.0f}, SHA-256 {digest}")
    if num_bytes > LARGEST_BYTES:
        raise SystemExit("the file is too large for the package: use narrower levels")


if __name__ == "__main__":
    typer.run(main)
