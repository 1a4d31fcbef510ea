"""Train the small generator of streets that comes with the package.

    python tools/train_street.py --still-minutes 50 --minutes 75

Draws the streets, trains configs/street_still.yaml and then configs/street.yaml on them, and writes
vid2vid/weights/street.safetensors in half precision, at most 15 MB. Run it in the root of the
checkout. Stopped, the same command goes on. Without minutes each stage takes its configured steps.
"""

import pipelines  # isort: skip  # noqa: F401 - before torch: says how its threads wait

from pathlib import Path
from typing import Annotated

import typer
from make_streets import main as make_streets

from pipelines.train import TrainOptions, train
from vid2vid.checkpoint import load_checkpoint, save_checkpoint
from vid2vid.weights.street import FILE_NAME, LARGEST_BYTES

STAGES = ("street_still", "street")


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
    """Draw, train both stages, and write the weights."""
    if not streets.exists():
        make_streets(streets, worlds=worlds)
    own = (f"data.root={streets}", f"training.output={out}")
    train(STAGES[0], TrainOptions(overrides=own, minutes=still_minutes))
    begun = f"training.init_from={out / STAGES[0]}"
    train(STAGES[1], TrainOptions(overrides=(*own, begun), minutes=minutes))
    pack(out / STAGES[1], weights)


if __name__ == "__main__":
    typer.run(main)
