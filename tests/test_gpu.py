"""The same commands use a GPU where there is one; `make gpu` runs this."""

from pathlib import Path

import pytest
import torch
from tiny_runs import label_folder, pictures, tiny_checkpoint

from flow.warp import warp
from pipelines.render import Renderer
from pipelines.rendering.options import RenderOptions
from pipelines.train import TrainOptions, train
from vid2vid.networks.feature_encoder import instance_mean
from vid2vid.world.render import Renderer as WorldRenderer
from vid2vid.world.render import World

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


def test_dropout_and_styles_of_still_generators_run_on_the_gpu(tmp_path: Path):
    dropping = {"kind": "pix2pix_resnet", "width": 4, "blocks": 2, "render_dropout": "fixed"}
    encoder = {"width": 4, "downsamplings": 1}
    styled = {"kind": "pix2pixhd", "width": 8, "downsamplings": 2, "blocks": 1, "features": 3}
    for index, generator in enumerate((dropping, {**styled, "encoder": encoder})):
        folder = tiny_checkpoint(tmp_path / f"run_{index}", generator=generator)
        renderer = Renderer.load(folder, device="cuda")
        labels = label_folder(tmp_path / f"labels_{index}", 3)
        options = RenderOptions(seed=3)
        first = pictures(renderer.render(labels, tmp_path / f"a_{index}", options).path)
        again = pictures(renderer.render(labels, tmp_path / f"b_{index}", options).path)
        assert (first == again).all()


def test_the_mean_of_instances_on_the_gpu_equals_that_on_the_cpu():
    random = torch.Generator().manual_seed(0)
    features = torch.randn(2, 3, 33, 47, generator=random)
    instances = torch.randint(9, (2, 33, 47), generator=random)
    found = instance_mean(features.cuda(), instances.cuda())
    assert found.cpu().allclose(instance_mean(features, instances), atol=1e-6)


def test_a_procedural_street_on_the_gpu_is_that_on_the_cpu():
    worlds, size = [World(1, 2), World(3, 3)], (40, 72)
    first = WorldRenderer(worlds[:1], size).render(60)
    rendered = WorldRenderer(worlds, size, device="cuda").render(60)
    assert (rendered.labels[:1].cpu() == first.labels).double().mean() > 0.995
    assert (rendered.frames[:1].cpu() - first.frames).abs().mean() < 1e-3


def test_training_takes_streets_that_are_rendered_on_the_gpu(tmp_path: Path):
    data = "data={kind: world, height: 32, width: 48, worlds: 2, num_frames: 30}"
    labels = "labels={palette: cityscapes}"
    settings = [data, labels, f"training.output={tmp_path}"]
    done = train("smoke", TrainOptions(overrides=settings, device="cuda"))
    assert done.step == done.total_steps
