"""Train the small generator of streets that comes with the package.

    python tools/train_street.py --still-minutes 50 --minutes 75

Draws the streets, trains configs/street_still.yaml and then configs/street.yaml on them, and writes
vid2vid/weights/street.safetensors in half precision, at most 15 MB. Run it in the root of the
checkout. Stopped, the same command goes on. Without minutes each stage takes its configured steps.
"""

import pipelines  # isort: skip  # noqa: F401 - before torch: says how its threads wait

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from make_streets import main as make_streets
from matplotlib.figure import Figure

from pipelines.train import TrainOptions, train
from vid2vid.checkpoint import load_checkpoint, save_checkpoint
from vid2vid.weights.street import FILE_NAME, LARGEST_BYTES

STAGES = ("street_still", "street")
TERMS = ("pixel", "image_matching", "image_gan", "image_accuracy_fake", "flow", "occlusion")
SMOOTHED = 20  # entries of the log in a point of a curve


def draw_curves(logs: Sequence[Path], path: Path) -> None:
    """Draw the terms of several runs, one after the other: a panel each, smoothed."""
    entries = [[json.loads(line) for line in log.read_text().splitlines()] for log in logs]
    figure = Figure(figsize=(10, 5), layout="constrained")
    for axes, term in zip(figure.subplots(2, 3).flat, TERMS, strict=True):
        begun = 0
        for run in entries:
            found = [(begun + each["step"], each[term]) for each in run if term in each]
            begun += run[-1]["step"]
            chunks = [found[at : at + SMOOTHED] for at in range(0, len(found), SMOOTHED)]
            means = np.array([np.mean(chunk, axis=0) for chunk in chunks])
            if len(means):
                axes.plot(means[:, 0], means[:, 1])
        axes.set_title(term)
        axes.set_xlabel("step")
    figure.savefig(path, dpi=80)


def pack(source: Path, target: Path) -> None:
    """Write the averaged generator of a run in half precision.

    Raises:
        SystemExit: if it is larger than what the package may carry.
    """
    found = load_checkpoint(source, kind="generator")
    tensors = {name: tensor.half() for name, tensor in found.tensors.items()}
    size = sum(tensor.nbytes for tensor in tensors.values())
    if size > LARGEST_BYTES:
        raise SystemExit(f"{source} has {size} bytes in half precision, above {LARGEST_BYTES}")
    save_checkpoint(target, tensors, found.metadata)
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB")


def main(
    streets: Annotated[Path, typer.Option(help="Folder of the data set.")] = Path("data/streets"),
    out: Annotated[Path, typer.Option(help="Folder of the runs.")] = Path("runs"),
    worlds: Annotated[int, typer.Option(min=1, help="Streets that are drawn.")] = 240,
    still_minutes: Annotated[float | None, typer.Option(help="Of the first stage.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Of the second stage.")] = None,
    weights: Annotated[Path, typer.Option(help="File of the result.")] = Path(
        f"vid2vid/weights/{FILE_NAME}"
    ),
) -> None:
    """Draw, train both stages, write the weights and the curves of both."""
    if not streets.exists():
        make_streets(streets, worlds=worlds)
    own = (f"data.root={streets}", f"training.output={out}")
    train(STAGES[0], TrainOptions(overrides=own, minutes=still_minutes))
    begun = f"training.init_from={out / STAGES[0]}"
    train(STAGES[1], TrainOptions(overrides=(*own, begun), minutes=minutes))
    pack(out / STAGES[1], weights)
    draw_curves([out / stage / "metrics.jsonl" for stage in STAGES], out / "street_curves.png")


if __name__ == "__main__":
    typer.run(main)
