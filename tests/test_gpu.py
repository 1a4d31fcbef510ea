"""The same commands use a GPU where there is one; `make gpu` runs this."""

from pathlib import Path

import pytest
import torch

from flow.warp import warp
from pipelines.render import Renderer
from pipelines.train import TrainOptions, train

CLIP = Path(__file__).parent.parent / "configs" / "clips" / "robot_kitchen" / "train" / "ep0"

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_training_and_rendering_run_on_the_gpu(tmp_path: Path, precision: str):
    settings = [f"training.output={tmp_path}", f"training.precision={precision}"]
    trained = train("smoke", TrainOptions(overrides=settings, device="cuda"))
    renderer = Renderer.load(trained.folder, device="cuda", dtype="bfloat16")
    rendered = renderer.render(CLIP / "labels.mp4", tmp_path / "out.mp4")
    assert rendered.num_frames == 69


def test_warping_on_the_gpu_equals_that_on_the_cpu():
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(2, 3, 33, 47, generator=generator)
    flow = torch.randn(2, 2, 33, 47, generator=generator) * 4
    assert warp(image.cuda(), flow.cuda()).cpu().allclose(warp(image, flow), atol=1e-4)
