"""Fixtures that several test files share."""

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest
import torch
import yaml
from PIL import Image
from torch import Tensor

from flow.confidence import ReferenceFlow
from pipelines.build import build_run, build_state, palette_for
from pipelines.config.file import read_config
from pipelines.config.run import RunConfig
from vid2vid.training.loop import Run
from vid2vid.training.state import TrainingState
from vid2vid.training.targets import Targets

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True, scope="session")
def _heeds_ctrl_c() -> None:
    """Undo what a shell tells the commands that it starts in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _one_thread():
    """Keep torch from competing with the other test workers for two cores."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real clips beside the checkout, or a skip that says why."""
    folder = Path(os.environ.get("VID2VID_SHARED", ROOT.parent / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip(f"real clips are not at {folder}: set VID2VID_SHARED to the folder above data/")
    return folder


@pytest.fixture(scope="session")
def shared_golden() -> Path:
    """The folder of reference numbers beside the checkout, or a skip that says why."""
    folder = Path(os.environ.get("VID2VID_SHARED", ROOT.parent / "shared")) / "golden"
    if not folder.is_dir():
        pytest.skip(
            f"reference numbers are not at {folder}: set VID2VID_SHARED to the folder above golden/"
        )
    return folder


class MovingSquare(NamedTuple):
    """A textured square that moves over a textured ground, with all that is to be known of it."""

    frames: Tensor  # 't 3 h w', [-1, 1]
    labels: Tensor  # 't h w' uint8: 0 ground, 1 square
    flow: Tensor  # 't-1 2 h w', from frame t to frame t - 1, exact
    occlusion: Tensor  # 't-1 1 h w', 1 = not to be seen in the frame before


@pytest.fixture
def moving_square() -> MovingSquare:
    """Eight frames 24x16 in which a square of 6 px moves by (2, 1) a frame."""
    return make_moving_square()


def make_moving_square(
    *, num_frames: int = 8, height: int = 16, width: int = 24, step: tuple[int, int] = (2, 1)
) -> MovingSquare:
    side, (dx, dy) = 6, step
    generator = torch.Generator().manual_seed(0)
    ground, square = (
        torch.rand(3, *size, generator=generator) * 1.2 - shift
        for size, shift in (((height, width), 1.0), ((side, side), 0.2))
    )
    frames = ground.repeat(num_frames, 1, 1, 1)
    labels = torch.zeros(num_frames, height, width, dtype=torch.uint8)
    for time in range(num_frames):
        rows, columns = slice(1 + dy * time, 1 + dy * time + side), slice(dx * time, None)
        frames[time, :, rows, columns][..., :side] = square
        labels[time, rows, columns][..., :side] = 1
    inside = labels[1:, None].bool()
    moved = torch.tensor([-dx, -dy], dtype=torch.float32).view(1, 2, 1, 1)
    uncovered = labels[:-1, None].bool() & ~inside
    return MovingSquare(frames, labels, moved * inside, uncovered.float())


@pytest.fixture
def square_targets(moving_square: MovingSquare) -> Callable[..., Targets]:
    """Turn `moving_square` into what a training step takes, with its exact flow."""

    def make(num_frames: int = 6, *, batch: int = 1, strides: tuple[int, ...] = (1,)) -> Targets:
        frames = moving_square.frames[:num_frames]
        labels = moving_square.labels[:num_frames, None]
        references = [
            ReferenceFlow(
                moving_square.flow[stride - 1 : num_frames - 1] * stride,
                1 - (labels[:-stride] > labels[stride:]).float(),
            )
            for stride in strides
        ]
        conditioning = torch.cat([labels == 0, labels == 1], dim=1).float()
        return Targets(
            conditioning.repeat(batch, 1, 1, 1, 1),
            frames.repeat(batch, 1, 1, 1, 1),
            tuple(ReferenceFlow(*(f.repeat(batch, 1, 1, 1, 1) for f in r)) for r in references),
        )

    return make


@pytest.fixture
def tiny_dataset(tmp_path: Path) -> Callable[..., Path]:
    """Write a data set in the layout `folders`, with its palette beside it; returns its root."""

    def write(
        lengths: Mapping[str, int] = MappingProxyType({"one": 8}), *, with_instances: bool = False
    ) -> Path:
        root = tmp_path / "data"
        for name, num_frames in lengths.items():
            clip = make_moving_square(num_frames=num_frames, height=16, width=16, step=(1, 1))
            pictures = ((clip.frames + 1) * 127.5).byte().permute(0, 2, 3, 1).numpy()
            streams = {"frames": pictures, "labels": clip.labels.numpy()}
            if with_instances:
                streams["instances"] = clip.labels.numpy() * 7
            for stream, maps in streams.items():
                folder = root / "train" / name / stream
                folder.mkdir(parents=True)
                for index, picture in enumerate(maps):
                    Image.fromarray(picture).save(folder / f"{index:03d}.png")
        classes = [
            {"id": 0, "name": "ground", "colour": [0, 0, 0]},
            {"id": 1, "name": "square", "colour": [255, 0, 0]},
        ]
        (root / "palette.yaml").write_text(yaml.safe_dump({"name": "two", "classes": classes}))
        return root

    return write


@pytest.fixture
def tiny_file(tmp_path: Path, tiny_dataset: Callable[..., Path]) -> Path:
    """The file of a run of a few thousand weights, on two sequences, that takes no time."""
    root = tiny_dataset({"one": 8, "two": 7})
    patches = {"width": 4, "layers": 1, "scales": 1}
    settings = {
        "name": "tiny",
        "data": {"root": str(root), "height": 16, "width": 16, "flip": False},
        "labels": {"palette": str(root / "palette.yaml")},
        "generator": {"width": 4, "downsamplings": 1, "blocks": 2, "flow_scale": 4.0},
        "image_discriminator": patches,
        "video_discriminator": {**patches, "temporal_scales": 1},
        "losses": {"perceptual": 0.0},
        "schedule": {"steps": 4, "clip_length": 4, "clip_length_max": 4, "backprop_frames": 2},
        "training": {"log_every": 1, "preview_frames": 2, "output": str(tmp_path / "runs")},
    }
    file = tmp_path / "tiny.yaml"
    file.write_text(yaml.safe_dump(settings))
    return file


@pytest.fixture
def tiny_config(tiny_file: Path) -> Callable[..., RunConfig]:
    """Read `tiny_file`, with changes as on the command line: tiny_config('schedule.steps=2')."""
    return lambda *changes: read_config(tiny_file, RunConfig, overrides=changes)


@pytest.fixture
def tiny_state(tiny_config: Callable[..., RunConfig]) -> Callable[..., tuple[Run, TrainingState]]:
    """Build the run and the state of `tiny_config`, with changes as there."""

    def build(*changes: str) -> tuple[Run, TrainingState]:
        config = tiny_config(*changes)
        palette, device = palette_for(config), torch.device("cpu")
        return build_run(config, palette, device), build_state(config, palette, device)

    return build
