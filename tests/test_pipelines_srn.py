"""A run of an SRN: what its configuration must say, what it learns, and who renders it."""

import re
import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from pydantic import ValidationError
from srn_checkpoints import srn_checkpoint
from tiny_runs import tiny_config

from pipelines.build import build_generator, load_generation
from pipelines.cli import app as cli
from pipelines.config.file import read_config
from pipelines.config.known import known_channel
from pipelines.config.run import RunConfig
from pipelines.render import Renderer
from pipelines.rendering.input_choice import check_renders
from vid2vid.controls.config import EdgesConfig
from vid2vid.controls.known import make_known
from vid2vid.controls.known_config import KnownConfig
from vid2vid.errors import ConfigError
from vid2vid.losses.config import LossConfig
from vid2vid.losses.spatial import known_loss, spatial_loss, spatial_weights
from vid2vid.networks.outputs import GeneratorOutput
from vid2vid.networks.srn import SRNConfig
from vid2vid.networks.still import StillGenerator
from vid2vid.training.chunks import Chunk
from vid2vid.training.players import Players
from vid2vid.training.terms import generator_terms

TEXT = (Path(__file__).parent.parent / "docs" / "extend_inpaint.md").read_text("utf-8")
WINDOW = {"kind": "known", "shape": "window", "height": 16, "width": 24, "position": "centre"}
EXTENDS = {
    "data": {"height": 32, "width": 48},
    "labels": None,
    "controls": [WINDOW],
    "generator": {"kind": "srn", "width": 4},
    "image_discriminator": None,
    "video_discriminator": None,
    "losses": {"perceptual": 0.0, "pixel": 0.0, "matching": 0.0, "spatial": "rsv"},
}


def test_a_run_learns_from_the_weighted_losses_alone():
    assert tiny_config(**EXTENDS).losses.is_spatial
    with pytest.raises(ValidationError, match="losses must compare frames with something"):
        tiny_config(**EXTENDS | {"losses": {"matching": 0.0, "pixel": 0.0}})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"controls": [{"kind": "edges"}], "losses": {}}, "controls has none of kind known: add {"),
        ({"controls": [WINDOW | {"width": 16}]}, "1/2 as high and 1/2 as wide as the canvas"),
        ({"data": {"height": 30, "width": 48}}, "must be multiples of 4 for an SRN; got 48x30"),
        ({"data": {"height": 32, "width": 48, "fit": "whole"}}, "data.fit 'whole' leaves them"),
        ({"controls": [WINDOW | {"height": 33}]}, "the window of control 'known' must lie in"),
        (
            {"controls": [{"kind": "known", "shape": "hole", "size": 8}]},
            "what is known is of another shape",
        ),
        ({"generator": {"kind": "pix2pix_resnet"}}, "keeps what is known, of kind srn or"),
        (
            {"generator": {"kind": "pix2pix_resnet"}, "controls": [{"kind": "edges"}]},
            "losses.spatial 'rsv' weighs pixels by what is known",
        ),
    ],
)
def test_a_run_that_cannot_be_trained_is_refused(changed, message: str):
    with pytest.raises(ValidationError, match=message):
        tiny_config(**EXTENDS | changed)


def test_it_reads_what_is_known_behind_the_labels_and_other_controls():
    edges, known = EdgesConfig(), KnownConfig.model_validate(WINDOW)
    assert known_channel([edges, known], 12) == 13
    assert known_channel([edges], 12) is None
    config = tiny_config(**EXTENDS | {"labels": {"palette": "camvid"}, "controls": [WINDOW]})
    generator = build_generator(config, None)
    assert isinstance(generator, StillGenerator)
    assert generator.conditioning_channels == 4


def test_rendering_names_the_command_that_fills(tmp_path):
    renderer = Renderer.load(srn_checkpoint(tmp_path / "run"), device="cpu")
    with pytest.raises(ConfigError, match="use vid2vid extend --checkpoint"):
        renderer.render(tmp_path / "in.mp4", tmp_path / "out.mp4")
    hole = KnownConfig(shape="hole", size=8)
    with pytest.raises(ConfigError, match="use vid2vid inpaint --checkpoint"):
        check_renders([EdgesConfig(), hole])


def test_a_checkpoint_keeps_how_it_was_trained(tmp_path):
    generation = load_generation(srn_checkpoint(tmp_path / "run", "top"), torch.device("cpu"))
    assert isinstance(generation.config.generator, SRNConfig)
    assert generation.config.generator.ratio == (4.0, 1.0)


@pytest.mark.parametrize("name", ["srn_256", "srn_scene", "srn_body", "srn_small"])
def test_configurations_are_those_of_the_paper(name: str):
    config = read_config(name, RunConfig)
    (known,) = config.controls
    assert isinstance(known, KnownConfig)
    assert isinstance(config.generator, SRNConfig)
    window = config.generator.window(config.data.height, config.data.width)
    assert known.window == window
    known_weight = 0 if name == "srn_small" else 1.44  # a residual is nothing where it is known
    assert (config.losses.spatial_weight, config.losses.known_weight) == (5.04, known_weight)
    assert config.generator.residual == (name == "srn_small")
    assert config.optimizer.betas == (0.5, 0.9)


def test_its_terms_compare_the_prediction_not_the_composition():
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., 4:] = 1
    real, painted = torch.zeros(1, 3, 8, 8), torch.full((1, 3, 8, 8), 0.5)
    output = GeneratorOutput(torch.where(mask > 0, painted, real), painted, mask=mask)
    chunk = Chunk(output, torch.zeros(1, 4, 8, 8), real, None, None, None)
    losses = LossConfig(perceptual=0, pixel=0, spatial="plain")
    terms = generator_terms(chunk, Players(torch.nn.Identity()), losses, scales=1)
    assert {name: (weight, float(term)) for name, (weight, term) in terms.items()} == {
        "spatial": (5.04, pytest.approx(0.25)),
        "known": (1.44, pytest.approx(0.5)),
    }


def test_one_picture_is_learnt_in_fifty_steps():
    ramp = torch.linspace(-0.1, 0.1, 32)
    rows, columns = ramp[:, None].expand(32, 32), ramp.expand(32, 32)
    picture = torch.stack([rows - 0.5, columns + 0.5, rows + columns + 0.2])[None]
    maps = make_known(KnownConfig(shape="window", height=16, width=16, position="centre"), picture)
    generator = StillGenerator(SRNConfig(width=8), conditioning_channels=4, known=0)
    generator.initialise(0)
    weighting = LossConfig(spatial="rsv").spatial_weighting
    assert weighting is not None
    weights = spatial_weights(maps[:, 3:], weighting)
    optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.9))
    found: list[float] = []
    for _ in range(50):
        (output,) = generator(maps[:, None], [])
        loss = 5.04 * spatial_loss(output.hallucinated, picture, weights)
        loss = loss + 1.44 * known_loss(output.hallucinated, picture, maps[:, 3:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    assert min(found[-5:]) < found[0] / 5


def test_what_the_document_says_of_training_runs(tmp_path, monkeypatch):
    section = TEXT.partition("\n## Train what extends\n")[2].partition("\n## ")[0]
    commands = [shlex.split(line) for line in re.findall(r"^    vid2vid (.*)$", section, re.M)]
    monkeypatch.chdir(tmp_path)
    for index in range(12):
        rgb = np.random.default_rng(index).integers(0, 255, (32, 40, 3), dtype=np.uint8)
        Path("photographs").mkdir(exist_ok=True)
        cv2.imwrite(f"photographs/{index:02d}.png", rgb)
    small = [
        *("data.height=32", "data.width=32", "data.scale=[1, 1]", "generator.width=4"),
        *("training.batch_size=2", "training.precision=float32", "schedule.steps=2"),
        "controls=[{kind: known, shape: window, height: 16, width: 16, position: random}]",
    ]
    for words in commands:
        own = ["critics.width=4"] if "srn_small_adversarial" in words else []
        settings = [part for each in (*small, *own) for part in ("--set", each)]
        with pytest.raises(SystemExit) as ended:
            cli.main([*words, *settings, "--device", "cpu"])
        assert not ended.value.code, words
    assert (Path("runs") / "srn_small_adversarial" / "model.safetensors").is_file()
