"""Tiny footage that the tests of the evaluation share, and how they ask for a report."""

import cv2
import numpy as np
import pytest
from conftest import make_moving_square

from pipelines.cli.app import main
from pipelines.evaluation.options import EvaluateOptions

SIDE = {"height": 24, "width": 32}


def write(folder, num_frames=6, *, seed=0, change=0, first=0, **size):
    """A square that moves, as PNGs; `change` is added to every level."""
    clip = make_moving_square(num_frames=num_frames, **(size or SIDE))
    folder.mkdir(parents=True)
    for index, frame in enumerate(clip.frames):
        levels = ((frame + 1) * 127.5).clamp(0, 255).byte().permute(1, 2, 0).numpy()
        moved = np.clip(levels.astype(int) + change, 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{first + index:06d}.png"), moved[..., ::-1])
    return folder


def run(*words):
    """Run a command; returns its status."""
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    return left.value.code or 0


def options(pair, tmp_path, **more):
    """Ask for a report of systems against the first of `pair`."""
    real, *systems = pair
    given = {"real": real, "generated": tuple(systems), "report": tmp_path / "report"}
    return EvaluateOptions(**(given | {"device": "cpu"} | more))


def write_world(folder, num_frames=6, *, start=0, **size):
    """What is known of the square, as `vid2vid world` writes it."""
    size = size or SIDE
    height, width = size["height"], size["width"]
    clip = make_moving_square(num_frames=num_frames, **size)
    for stream in ("flow", "occlusion", "surface", "labels"):
        (folder / stream).mkdir(parents=True)
    for k in range(num_frames):
        name = f"{start + k:06d}"
        ids = np.arange(height * width, dtype=np.int64).reshape(height, width)
        np.save(folder / "surface" / f"{name}.npy", ids)
        cv2.imwrite(str(folder / "labels" / f"{name}.png"), clip.labels[k].numpy())
        hidden = (
            (clip.occlusion[k - 1, 0].numpy() * 255).astype(np.uint8)
            if k
            else np.full((height, width), 255, np.uint8)
        )
        cv2.imwrite(str(folder / "occlusion" / f"{name}.png"), hidden)
        if k:
            np.save(folder / "flow" / f"{name}.npy", clip.flow[k - 1].numpy())
    return folder
