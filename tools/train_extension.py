"""Train the small SRN of the package, which continues pictures without a checkpoint.

    python tools/train_extension.py --clips carnd_highway --clips pose2sim --clips asl_gestures

Both stages of srn_small, on frames of the clips that these folders hold, far apart, and on one
frame each of as many procedural streets: 4 minutes of one core. The file, at most 4 MB, goes to
vid2vid/weights/extension.safetensors. It keeps the configuration: run this in the root of the
checkout, with a relative --out.
"""

import pipelines  # isort: skip  # noqa: F401 - before torch: says how its threads wait

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from apart import Training, train_all
from numpy.typing import NDArray
from train_segmenter import FARTHEST_FRAME, draw_worlds

from pipelines.console import progress
from vid2vid.data.augment import Size, resize_frame
from vid2vid.video.levels import to_levels
from vid2vid.video.pictures import write_picture
from vid2vid.video.reading import VIDEO_SUFFIXES, read_video
from vid2vid.weights.extension import FILE_NAME, LARGEST_BYTES
from vid2vid.world.render import Renderer

CONFIGS = ("srn_small", "srn_small_adversarial")
SIDE = 192  # px of the shorter one: half as much again as srn_small is trained at
STREET = (192, 320)  # height and width, px


def sample_clip(path: Path, *, every: int) -> Iterator[NDArray[np.uint8]]:
    """Take every so-manieth frame of a clip, made small."""
    for index, frame in enumerate(read_video(path)):
        if index % every == 0:
            height, width = frame.rgb.shape[:2]
            factor = SIDE / min(height, width)
            yield resize_frame(frame.rgb, Size(round(height * factor), round(width * factor)))


def render_streets(count: int) -> Iterator[NDArray[np.uint8]]:
    """Render one frame of each of so many streets of all kinds."""
    generator = np.random.default_rng(0)
    for world in draw_worlds(generator, count):
        renderer = Renderer([world], STREET, device=torch.device("cpu"))
        frame = renderer.render(int(generator.integers(FARTHEST_FRAME))).frames[0]
        yield to_levels(frame).numpy()


def gather(clips: list[Path], folder: Path, *, every: int) -> int:
    """Write the pictures that are trained on; returns how many of them are photographs."""
    found = sorted(path for clip in clips for path in clip.rglob("*"))
    videos = [path for path in found if path.suffix in VIDEO_SUFFIXES]
    if not videos:
        raise SystemExit(f"videos are needed; {', '.join(map(str, clips))} hold none")
    count = 0
    for video in videos:
        for picture in sample_clip(video, every=every):
            write_picture(folder / f"clip_{count:04d}.png", picture)
            count += 1
    with progress(count, "rendering", unit="streets") as bar:
        for index, picture in enumerate(render_streets(count)):
            write_picture(folder / f"street_{index:04d}.png", picture)
            bar.advance(1)
    return count


def main(
    clips: Annotated[list[Path], typer.Option(help="Folder of videos, once or several times.")],
    out: Annotated[Path, typer.Option(help="Folder of the runs.")] = Path("runs/extension"),
    every: Annotated[int, typer.Option(min=1, help="Frames from one that is taken on.")] = 20,
    steps: Annotated[int, typer.Option(help="Of the first stage.")] = 600,
    adversarial_steps: Annotated[int, typer.Option(help="Of the second stage.")] = 200,
    weights: Annotated[Path, typer.Option(help="File of the result.")] = Path(
        f"vid2vid/weights/{FILE_NAME}"
    ),
) -> None:
    """Gather the pictures, train both stages, and write the weights."""
    pictures = out / "pictures"
    pictures.mkdir(parents=True)
    print(f"{gather(clips, pictures, every=every)} frames of clips, and as many streets")
    common = (
        f"data.root={pictures}",
        "data.frame_range=null",
        "validation=null",
        "training.preview_every=1000000",
    )
    first, second = out / "first", out / "second"
    begun = f"training.init_from={first}"
    train_all([Training(CONFIGS[0], first, (*common, f"schedule.steps={steps}"))], workers=1)
    own = (*common, begun, f"schedule.steps={adversarial_steps}")
    train_all([Training(CONFIGS[1], second, own)], workers=1)
    source = second / "model.safetensors"
    if source.stat().st_size > LARGEST_BYTES:
        raise SystemExit(f"{source} has {source.stat().st_size} bytes, above {LARGEST_BYTES}")
    shutil.copyfile(source, weights)
    print(f"{weights}: {weights.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    typer.run(main)
