"""Write procedural streets of one style as a data set to train on: frames and label maps.

    python tools/make_streets.py streets --worlds 120 --frames 36 --style-seed 1

A street costs much more to draw than to read again, and a training reads each several times. The
layout is the one of the README, section "Your own data", with the palette cityscapes.
"""

import pipelines  # isort: skip  # noqa: F401 - before torch: says how its threads wait

from pathlib import Path
from typing import Annotated

import typer
from PIL import Image

from pipelines.console import progress
from vid2vid.video.levels import to_levels
from vid2vid.video.pictures import write_picture
from vid2vid.world.render import Renderer, World

BEGINNING = 40  # frame; before it nobody has started to move


def main(
    out: Annotated[Path, typer.Argument(help="Folder of the data set.")],
    worlds: Annotated[int, typer.Option(min=1, help="How many streets.")] = 120,
    frames: Annotated[int, typer.Option(min=1, help="Frames of each.")] = 36,
    first_seed: Annotated[int, typer.Option(min=0, help="World seed of the first.")] = 1000,
    style_seed: Annotated[int, typer.Option(min=0, help="Weather and colours of all.")] = 1,
    height: Annotated[int, typer.Option(min=8)] = 128,
    width: Annotated[int, typer.Option(min=8)] = 256,
) -> None:
    """Draw the streets."""
    with progress(worlds * frames, "drawing") as bar:
        for seed in range(first_seed, first_seed + worlds):
            folder = out / "train" / f"street_{seed:06d}"
            renderer = Renderer([World(seed, style_seed)], (height, width), offsets=())
            for name in ("frames", "labels"):
                (folder / name).mkdir(parents=True, exist_ok=True)
            for number in range(frames):
                drawn = renderer.render(BEGINNING + number)
                picture = to_levels(drawn.frames[0]).numpy()
                write_picture(folder / f"frames/{number:06d}.png", picture)
                ids = Image.fromarray(drawn.labels[0].byte().numpy())
                ids.save(folder / f"labels/{number:06d}.png")
                bar.advance()


if __name__ == "__main__":
    typer.run(main)
