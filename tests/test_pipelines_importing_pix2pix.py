"""Checkpoints of pix2pix become ours: the same pixels as of independent networks."""

from collections.abc import Callable
from pathlib import Path

import official_networks as official
import official_pix2pix as pix2pix
import pytest
import torch
from torch import nn

from pipelines.build import build_state, load_generation
from pipelines.models.importing import Imported, import_checkpoint, write_config
from pipelines.official.known import ImportOptions
from pipelines.training.beginning import initialise_from
from pipelines.training.dry_run import dry_run
from vid2vid.controls.config import PictureConfig
from vid2vid.errors import ConfigError
from vid2vid.networks.pix2pixhd import Pix2PixHDConfig
from vid2vid.rollout import rollout

CPU = torch.device("cpu")


def take(source: Path, options: ImportOptions) -> Imported:
    return import_checkpoint(source, source.parent / "out.safetensors", options)


def paint(done: Imported, maps: torch.Tensor) -> torch.Tensor:
    """Paint a still with an imported checkpoint, rebuilt as the renderer does it."""
    generation = load_generation(done.path, CPU)
    assert generation.palette is None
    with torch.inference_mode():
        conditioning = generation.conditioning(pictures=maps[None])[0]
        return next(rollout(generation.generator, [conditioning])).frame


U_NETS: dict[str, Callable[[], nn.Module]] = {
    "unet_128": lambda: pix2pix.UNet(3, width=2, depth=7, norm=official.batch_norm, dropout=0.0),
    "unet_256": lambda: pix2pix.UNet(3, width=2, depth=8, norm=official.batch_norm),
    "instance": lambda: pix2pix.UNet(1, width=2, depth=6, norm=official.instance_norm, bias=True),
    "none": lambda: pix2pix.UNet(3, width=2, depth=5, norm=official.no_norm),
}


def residual(count: int, norm: official.Norm, **more: bool) -> nn.Module:
    return official.Global(3, width=2, depth=2, count=count, norm=norm, **more)


RESIDUAL: dict[str, Callable[[], nn.Module]] = {
    "resnet_6blocks": lambda: residual(6, official.batch_norm, bias=False),
    "resnet_9blocks": lambda: residual(9, official.batch_norm, bias=False, dropout=True),
    "instance": lambda: residual(2, official.tracked_norm),
}


@pytest.mark.parametrize("name", [*U_NETS, *(f"residual {name}" for name in RESIDUAL)])
def test_pix2pix_paints_what_an_independent_network_paints(tmp_path, name):
    torch.manual_seed(1)
    network = (RESIDUAL if name.startswith("residual") else U_NETS)[name.split()[-1]]()
    source = official.save(tmp_path / "run", G=network)
    channels = next(network.parameters()).shape[1]
    maps = torch.rand(1, channels, 256, 256) * 2 - 1
    with torch.no_grad():
        golden = network(maps)
    painted = paint(take(source, ImportOptions(arch="pix2pix")), maps)
    assert (painted - golden).abs().max() / golden.abs().max() < 1e-4


def test_running_statistics_are_the_eval_mode_of_pix2pix(tmp_path):
    torch.manual_seed(1)
    network = pix2pix.UNet(3, width=2, depth=5, norm=official.batch_norm, dropout=0.5)
    maps = torch.rand(1, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        for _ in range(5):
            network(torch.rand(1, 3, 64, 64) * 2 - 1)
        golden = network.eval()(maps)
    source = official.save(tmp_path / "run", G=network)
    painted = paint(take(source, ImportOptions(statistics="running")), maps)
    assert (painted - golden).abs().max() / golden.abs().max() < 1e-4
    assert (paint(take(source, ImportOptions()), maps) - golden).abs().max() > 0.01


def test_dropout_of_pix2pix_is_a_choice(tmp_path):
    source = official.save(tmp_path / "run", G=U_NETS["unet_128"]())
    assert take(source, ImportOptions()).config.generator.dropout == 0.5
    done = take(source, ImportOptions(dropout=False, render_dropout="fixed"))
    assert done.config.generator.dropout == 0
    assert done.config.generator.render_dropout == "fixed"
    dropped = official.save(tmp_path / "dropped", G=RESIDUAL["resnet_9blocks"]())
    assert take(dropped, ImportOptions()).config.generator.dropout == 0.5
    with pytest.raises(ConfigError, match="--dropout must agree with the keys"):
        take(dropped, ImportOptions(dropout=False))


def test_pictures_are_a_control_and_can_be_trained_on(tmp_path, caplog):
    done = take(official.save(tmp_path / "run", G=U_NETS["unet_128"]()), ImportOptions())
    write_config(done, tmp_path / "a.yaml")
    config = dry_run(tmp_path / "a.yaml").config
    assert config.labels is None
    assert config.controls == (PictureConfig(stream="A", channels=3),)
    assert caplog.text == ""


def test_a_configuration_that_cannot_train_says_so(tmp_path, caplog):
    done = take(official.save(tmp_path / "run", G=U_NETS["unet_128"]()), ImportOptions())
    styled = Pix2PixHDConfig(features=2, encoder=None)
    write_config(
        done._replace(config=done.config.model_copy(update={"generator": styled})),
        tmp_path / "a.yaml",
    )
    assert "a.yaml was written, but training will refuse it: generator.features" in caplog.text


def test_running_statistics_need_batch_norm(tmp_path):
    source = official.save(tmp_path / "run", G=U_NETS["instance"]())
    with pytest.raises(ConfigError, match="--statistics running needs a generator with BatchNorm"):
        take(source, ImportOptions(statistics="running"))


@pytest.mark.parametrize("kind", ["patches", "five layers", "pixels"])
def test_discriminators_of_pix2pix_come_along(tmp_path, kind):
    torch.manual_seed(2)
    norm = official.batch_norm
    theirs = (
        pix2pix.Pixels(6, width=4, norm=norm, bias=False)
        if kind == "pixels"
        else pix2pix.Patches(
            6, width=4, layers=3 if kind == "patches" else 5, norm=norm, bias=False
        )
    )
    source = official.save(tmp_path / "run", G=U_NETS["unet_128"](), D=theirs)
    done = take(source, ImportOptions())
    state = build_state(done.config, done.palette, CPU)
    initialise_from(done.path, state, done.config, palette=done.palette)
    pictures = torch.rand(1, 6, 128, 128)
    assert state.players.image_discriminator is not None
    with torch.no_grad():
        ours = state.players.image_discriminator(pictures)[0][-1]
        golden = theirs(pictures)
    assert (ours - golden).abs().max() / golden.abs().max() < 1e-4
