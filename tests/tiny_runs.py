"""Tiny runs and label inputs that the tests of the pipelines share."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from pipelines.build import build_state, palette_for
from pipelines.config.run import RunConfig
from vid2vid.labels.palettes import load_palette
from vid2vid.training.state import save_state
from vid2vid.video.reading import read_video
from vid2vid.video.writing import write_label_video


def tiny_config(**sections: Any) -> RunConfig:
    """A run of a network with a few thousand weights; a section given is merged into it.

    A generator of a `kind` is taken as it is.
    """
    base: dict[str, dict[str, Any]] = {
        "data": {"root": "nowhere", "height": 16, "width": 24},
        "labels": {"palette": "camvid"},
        "generator": {"width": 4, "downsamplings": 1, "blocks": 2},
        "losses": {"perceptual": 0.0},
        "schedule": {"steps": 100},
    }
    for name, values in sections.items():
        merged = isinstance(values, Mapping) and name in base and "kind" not in values
        base[name] = {**base[name], **values} if merged else values
    return RunConfig.model_validate({"name": "tiny", **base})


def tiny_checkpoint(folder: Path, **sections: Any) -> Path:
    """Write the checkpoints of a run that has just begun."""
    config = tiny_config(**sections)
    palette = palette_for(config)
    state = build_state(config, palette, torch.device("cpu"))
    folder.mkdir(parents=True, exist_ok=True)
    save_state(folder, state, config=config.model_dump(mode="json"), palette=palette)
    return folder


def label_maps(count: int, *, height: int = 16, width: int = 24) -> list[NDArray[np.uint8]]:
    """Stripes of the classes 0 to 10 that move one pixel a frame, 'h w' each."""
    columns = np.arange(width, dtype=np.int64)
    return [
        np.broadcast_to((columns + index) // 2 % 11, (height, width)).astype(np.uint8)
        for index in range(count)
    ]


def label_video(path: Path, count: int = 5, *, rate: Fraction = Fraction(25), **size: int) -> Path:
    """Write moving stripes as label video."""
    return write_label_video(path, label_maps(count, **size), load_palette("camvid"), rate=rate)


def label_folder(folder: Path, count: int = 5, **size: int) -> Path:
    """Write moving stripes as id pictures, with names as people have them."""
    folder.mkdir(parents=True)
    for index, ids in enumerate(label_maps(count, **size)):
        cv2.imwrite(str(folder / f"street_{index}_labels.png"), ids)
    return folder


def write_first(folder: Path, count: int, **size: int) -> tuple[Path, ...]:
    """Write noise to begin a video with."""
    found: list[Path] = []
    for index in range(count):
        shape = (size.get("height", 16), size.get("width", 24), 3)
        rgb = np.random.default_rng(index).integers(0, 256, shape, dtype=np.uint8)
        found.append(folder / f"first_{index}.png")
        cv2.imwrite(str(found[-1]), rgb[..., ::-1])
    return tuple(found)


def with_bad_end(folder: Path, count: int = 8) -> Path:
    """Write a label folder whose last picture has a good header and nothing else."""
    labels = label_folder(folder, count)
    last = labels / f"street_{count - 1}_labels.png"
    last.write_bytes(last.read_bytes()[:50])
    return labels


def pictures(path: Path) -> NDArray[np.uint8]:
    """Read all frames of a video or folder, 't h w 3'."""
    return np.stack([frame.rgb for frame in read_video(path)])


def file_names(folder: Path) -> list[str]:
    """List what a folder holds."""
    return sorted(path.name for path in folder.iterdir())
