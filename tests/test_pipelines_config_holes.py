"""Runs that fill holes: what their configuration must have, and what they learn from."""

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tiny_runs import tiny_config

from pipelines.build import build_players
from pipelines.config.file import read_config
from pipelines.config.run import RunConfig
from vid2vid.controls.known import make_known
from vid2vid.controls.known_config import KnownConfig
from vid2vid.losses.hole import hole_loss
from vid2vid.networks.interface import Generator
from vid2vid.rollout import rollout
from vid2vid.training.chunks import Chunk, pack_chunk
from vid2vid.training.exhibits import hole_exhibit
from vid2vid.training.players import Players
from vid2vid.training.targets import Targets
from vid2vid.training.terms import generator_terms

HOLE = {"kind": "known", "shape": "hole", "size": 14, "fill": [-0.1, 0, 0.1]}
CONTENT = {"kind": "context_encoder", "width": 2, "halvings": 3, "bottleneck": 6, "overlap": 1}
SECTIONS: dict[str, Any] = {
    "data": {"height": 32, "width": 32},
    "labels": None,
    "controls": [HOLE],
    "generator": CONTENT,
    "image_discriminator": None,
    "video_discriminator": None,
    "hole_discriminator": {"width": 2, "size": 16},
    "losses": {"adversarial": "logistic", "hole": 0.999, "hole_gan": 0.001, "pixel": 0}
    | {"matching": 0},
    "schedule": {"clip_length": 1, "clip_length_max": 1, "clip_growth": 0},
}


def _config(**sections: Any) -> RunConfig:
    return tiny_config(**(SECTIONS | sections))


def _chunk(generator: Generator, frames: torch.Tensor) -> Chunk:
    control = KnownConfig.model_validate(HOLE)
    maps = torch.stack([make_known(control, clip) for clip in frames])
    outputs = list(rollout(generator, maps.unbind(1)))
    return pack_chunk(outputs, Targets(maps, frames, ()), start=0, without_past=False)


def _frames(batch: int = 4) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(batch, 3, 4, 4, generator=generator) * 2 - 1
    return F.interpolate(coarse, (32, 32), mode="bilinear").unsqueeze(1)


def _learn_from(players: Players, chunk: Chunk, config: RunConfig) -> torch.Tensor:
    terms = generator_terms(chunk, players, config.losses, scales=1)
    return torch.stack([weight * value for weight, value in terms.values()]).sum()


def test_both_players_learn_from_the_hole_as_published():
    config = _config()
    players = build_players(config, None)
    assert [name for name, _ in players.trained()] == ["generator", "hole_discriminator"]
    chunk = _chunk(players.generator, _frames())
    output = chunk.output
    assert output.mask is not None
    terms = generator_terms(chunk, players, config.losses, scales=1)
    assert terms.keys() == {"hole"}
    expected = hole_loss(output.hallucinated, chunk.real, output.mask, overlap=1)
    assert terms["hole"][0] == 0.999
    torch.testing.assert_close(terms["hole"][1], expected)
    (exhibit,) = hole_exhibit(chunk, players, config.losses)
    verdict = exhibit.judge(config.losses, unused=0, rng=np.random.default_rng(0))
    weight, gan = verdict.generator["hole_gan"]
    judge = players.hole_discriminator
    assert judge is not None
    real, fake = (judge(each)[0][-1] for each in (chunk.real, output.hallucinated))
    assert weight == 0.001
    torch.testing.assert_close(gan, F.softplus(-fake).mean())
    cross = (F.softplus(-real).mean() + F.softplus(fake).mean()) / 2
    torch.testing.assert_close(verdict.discriminator, cross)


def test_a_content_network_learns_a_few_pictures():
    config = _config(generator=CONTENT | {"width": 8, "bottleneck": 16})
    players = build_players(config, None)
    optimizer = torch.optim.Adam(players.generator.parameters(), 5e-3, betas=(0.5, 0.999))
    first = last = torch.zeros(())
    for step in range(60):
        last = _learn_from(players, _chunk(players.generator, _frames()), config)
        first = last.detach() if step == 0 else first
        optimizer.zero_grad()
        last.backward()
        optimizer.step()
    assert last < first / 5


def test_the_border_alone_is_learnt_ten_times_as_hard():
    config = _config()
    players = build_players(config, None)
    assert players.overlap == 1
    chunk = _chunk(players.generator, _frames())
    chunk.output.hallucinated.retain_grad()
    _learn_from(players, chunk, config).backward()
    gradient = chunk.output.hallucinated.grad
    assert gradient is not None
    difference = chunk.output.hallucinated - chunk.real
    pull = (gradient / difference).detach()
    assert pull[0, 0, 8, 16] / pull[0, 0, 16, 16] == pytest.approx(10, rel=1e-3)
    assert not gradient[..., 7, :].any()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"controls": [{"kind": "edges"}]}, r"fills holes; controls has none of kind known: add"),
        (
            {"controls": [HOLE | {"size": 15}]},
            r"at most 14 pixels in size, so that 1 pixels overlap on every side; got size 15",
        ),
        (
            {"controls": [{"kind": "known", "shape": "irregular", "share": [0.2, 0.3]}]},
            r"got shape 'irregular': change it, or set generator.form to whole",
        ),
        ({"data": {"height": 31, "width": 32}}, r"halvings 3 needs frames of at least 32 pixels"),
        (
            {"hole_discriminator": {"width": 2, "size": 64}},
            r"hole_discriminator.size must be at most 32",
        ),
        (
            {"losses": SECTIONS["losses"] | {"adversarial": "wasserstein"}},
            r"hole_discriminator mixes them by batch norm",
        ),
    ],
)
def test_what_cannot_be_filled_is_refused(changes: dict[str, Any], said: str):
    with pytest.raises(ValueError, match=said):
        _config(**changes)


@pytest.mark.parametrize("setting", ["losses.hole", "hole_discriminator"])
def test_holes_are_judged_only_where_there_are_any(setting: str):
    own = {"losses": {"hole": 1}} if setting == "losses.hole" else {"hole_discriminator": {}}
    with pytest.raises(ValueError, match=f"{setting} is for photographs with holes"):
        tiny_config(**own)


def test_a_run_without_a_weight_has_no_hole_discriminator():
    config = _config(losses=SECTIONS["losses"] | {"hole_gan": 0})
    assert build_players(config, None).hole_discriminator is None


def test_the_published_network_fills_the_middle_and_the_other_any_hole():
    centre = read_config("nps", RunConfig)
    with torch.device("meta"):
        players = build_players(centre, None)
    whole = [
        "controls=[{kind: known, shape: irregular, share: [0.2, 0.3]}]",
        "generator.form=whole",
        "hole_discriminator.size=128",
    ]
    config = read_config("nps", RunConfig, overrides=tuple(whole))
    assert config.generator.kind == "context_encoder"
    assert config.generator.form == "whole"
    assert players.overlap == 4
    assert (centre.losses.hole, centre.losses.hole_gan) == (0.999, 0.001)
