"""`make demo`: train on the clip that comes with the repository, render it, show what came out.

Everything runs through the doors that users have: `train`, `Renderer`. Without a GPU it takes about
eight minutes on two cores.
"""

import logging
import sys
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipelines.build import choose_device, load_generation
from pipelines.config.file import config_path
from pipelines.console import run_command
from pipelines.holdout import (
    Holdout,
    draw_inputs,
    frames_of,
    label_painting,
    open_holdout,
    score,
    unroll,
)
from pipelines.render import Renderer, RenderOptions
from pipelines.train import TrainOptions, train
from vid2vid.training.preview import draw_titles, to_picture
from vid2vid.video.pictures import write_picture

if TYPE_CHECKING:  # torch itself is loaded by `pipelines`, which first says how its threads wait
    from torch import Tensor

CONFIG = "robot_kitchen"
MINUTES = 7.0  # of training; the rest of the ten is for rendering and the contact sheet
SHOWN = (0, 4, 8, 12)  # held-out frames on the contact sheet
TITLES = ("labels", "label painting", "rendered", "real")


def contact_sheet(
    holdout: Holdout, frames: "Tensor", inputs: list[NDArray[np.uint8]]
) -> NDArray[np.uint8]:
    """Lay out held-out frames: labels, label painting, rendered, real."""
    painting = label_painting(holdout)
    rows = [
        np.concatenate(
            [
                inputs[index],
                to_picture(painting[index]),
                to_picture(frames[index]),
                to_picture(holdout.real[index]),
            ],
            axis=1,
        )
        for index in SHOWN
        if index < len(frames)
    ]
    return np.concatenate([draw_titles(TITLES, holdout.real.shape[3]), *rows], axis=0)


def demo() -> None:
    """Train, render, and print where to look."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES
    print(f"training {CONFIG} for {minutes:g} minutes; Ctrl-C keeps what is done", file=sys.stderr)
    trained = train(CONFIG, TrainOptions(minutes=minutes))

    labels = config_path(CONFIG).parent / "clips" / CONFIG / "train" / "ep0" / "labels.mp4"
    video = trained.folder / "demo.mp4"
    options = RenderOptions(preview=trained.folder / "demo_beside_labels.mp4")
    rendered = Renderer.load(trained.folder).render(labels, video, options)

    generation = load_generation(trained.folder, choose_device("cpu"))
    holdout = open_holdout(generation)
    frames = frames_of(unroll(generation, holdout, "zeros"))
    ours = score(holdout, frames, start="zeros").psnr.mean()
    painted = score(holdout, label_painting(holdout), start="zeros").psnr.mean()
    sheet = trained.folder / "demo.png"
    inputs = draw_inputs(generation, holdout)
    write_picture(sheet, contact_sheet(holdout, frames, inputs))

    print(f"video          {video} ({rendered.num_frames} frames)")
    print(f"beside labels  {options.preview}")
    print(f"contact sheet  {sheet}: {len(frames)} frames that were not trained on")
    print(
        f"PSNR on them   {ours:.2f} dB; painting each label with its mean colour {painted:.2f} dB"
    )


def main() -> int:
    """Run the demo; errors are one line, as on the command line."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    return run_command(demo, debug=False)


if __name__ == "__main__":
    raise SystemExit(main())
