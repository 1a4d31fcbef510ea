"""Context and global critics, several of their updates a step, and the ID-MRF loss in a run."""

import json
import logging

import pytest
import torch
from tiny_runs import tiny_checkpoint, tiny_config

from pipelines.build import build_players, build_run, build_state
from pipelines.config.file import validate_config
from pipelines.config.run import RunConfig
from pipelines.models.inspect import describe, inspect_config
from pipelines.train import TrainOptions, train
from pipelines.training.beginning import initialise_from
from pipelines.training.dry_run import describe_dry_run, dry_run
from pipelines.training.memory import estimate_memory
from vid2vid.checkpoint import load_checkpoint
from vid2vid.data.clips import ClipRequest
from vid2vid.errors import ConfigError
from vid2vid.losses.config import LossConfig
from vid2vid.losses.spatial import SpatialWeighting, known_loss, spatial_loss, spatial_weights
from vid2vid.networks.cost import count_parameters
from vid2vid.networks.features import SegmenterFeatures, VggFeatures
from vid2vid.training.loop import take_steps
from vid2vid.weights.features import empty_mrf_features, load_mrf_features

CRITICS = {"width": 4}
LOSSES = {"perceptual": 0, "pixel": 0, "matching": 0, "spatial": "rsv"}
FILLS = {
    "data": {"root": "nowhere", "height": 16, "width": 16},
    "labels": None,
    "controls": [
        {"kind": "known", "shape": "window", "height": 8, "width": 8, "position": "random"}
    ],
    "generator": {"kind": "srn", "width": 4},
    "image_discriminator": None,
    "video_discriminator": None,
    "losses": LOSSES,
    "schedule": {"steps": 4, "constant": 1, "clip_length": 1, "clip_length_max": 1},
}
JUDGED = {**FILLS, "critics": CRITICS}
SETTINGS = tuple(
    f"{name}={json.dumps(value)}"
    for name, value in JUDGED.items()
    if name not in ("data", "losses")
) + tuple(f"losses.{name}={value}" for name, value in LOSSES.items())


@pytest.fixture
def run(tiny_file):
    """Train `tiny_file` as an SRN with critics, with changes."""

    def start(*changes):
        chosen = (*SETTINGS, "training.log_every=1", *changes)
        return train(tiny_file, TrainOptions(overrides=chosen, device="cpu"))

    return start


def lines(trained):
    return [
        json.loads(each) for each in (trained.folder / "metrics.jsonl").read_text().splitlines()
    ]


def tensors(trained):
    return load_checkpoint(trained.folder, kind="training").tensors


def differing(first, second):
    assert first.keys() == second.keys()
    return [name for name in first if not torch.equal(first[name], second[name])]


# Configuration


def refused(message, **changes):
    data = tiny_config(**FILLS).model_dump(mode="json")
    for name, value in changes.items():
        data[name] = {**data[name], **value} if isinstance(data[name], dict) else value
    with pytest.raises(ConfigError, match=message):
        validate_config(data, RunConfig, where="here")


def test_critics_need_to_know_what_was_generated():
    edges = {"controls": [{"kind": "edges"}], "generator": {"kind": "pix2pix_resnet"}}
    data = tiny_config(**FILLS).model_dump(mode="json")
    data |= {**edges, "critics": CRITICS, "losses": {"pixel": 1}}
    with pytest.raises(ConfigError, match=r"controls has none of kind known: add one, or set crit"):
        validate_config(data, RunConfig, where="here")


@pytest.mark.parametrize("setting", [{"critic_steps": 5}, {"critic_warmup": 0.1}])
def test_turns_of_discriminators_need_discriminators(setting):
    refused(rf"schedule\.{next(iter(setting))} trains .*; there are none: add", schedule=setting)


def test_the_mrf_loss_needs_a_level():
    refused(r"mrf_levels must have a level above 0", losses={"mrf": 1, "mrf_levels": [0] * 5})


@pytest.mark.parametrize(
    ("scope", "names"),
    [
        ("both", ["context_discriminator", "global_discriminator"]),
        ("context", ["context_discriminator"]),
        ("global", ["global_discriminator"]),
    ],
)
def test_the_critics_that_are_asked_for_are_made(scope, names):
    players = build_players(tiny_config(**FILLS, critics={**CRITICS, "scope": scope}), None)
    assert [name for name, _ in players.trained()] == ["generator", *names]


def test_without_their_term_they_are_not_made():
    config = tiny_config(**{**JUDGED, "losses": {**LOSSES, "critic_gan": 0}})
    assert build_players(config, None).critics() == {}


# Training


def test_a_run_with_turns_goes_on_bit_for_bit(run):
    turns = ("schedule.critic_steps=2", "losses.mrf=0.05", "losses.mrf_network=segmenter")
    run(*turns, "schedule.steps=1")
    parts = run(*turns, "schedule.steps=2")
    whole = run(*turns, "schedule.steps=2", "name=whole")
    assert differing(tensors(parts), tensors(whole)) == []
    terms = lines(whole)[-1]
    assert {"spatial", "known", "mrf_3", "mrf_4", "context_gan", "global_gan"} < terms.keys()
    for name in ("context", "global"):
        assert terms[f"{name}_penalty"] > 0
        assert terms[f"{name}_discriminator_gradient"] > 0


def test_critics_take_their_turns_and_warm_up_alone(run):
    done = run("schedule.critic_steps=3", "schedule.critic_warmup=0.5", "training.ema=0")
    taken = {
        name.split(".")[0]: int(each)
        for name, each in tensors(done).items()
        if name.endswith(".step")
    }
    assert taken == {
        "optimizer:generator": 2,
        "optimizer:context_discriminator": 12,
        "optimizer:global_discriminator": 12,
    }
    warm, trained = lines(done)[0], lines(done)[-1]
    assert "spatial" not in warm
    assert "generator_gradient" not in warm
    assert trained["spatial"] > 0


def test_the_generator_stands_still_while_critics_warm_up(run):
    config = tiny_config(**JUDGED, training={"seed": 0})
    begun = build_state(config, None, torch.device("cpu")).players.generator.state_dict()
    warm = tensors(run("schedule.steps=3", "schedule.critic_warmup=0.9", "training.seed=0"))
    assert all(torch.equal(each, warm[f"generator.{name}"]) for name, each in begun.items())
    assert all(torch.equal(each, warm[f"average.{name}"]) for name, each in begun.items())


class Recorded:
    """Clips of a run, and which of them were asked for."""

    def __init__(self, dataset):
        self.dataset, self.asked = dataset, []
        self.workers, self.check_length = 0, dataset.check_length

    def clip(self, request: ClipRequest):
        self.asked.append((request.step, request.position))
        return self.dataset.clip(request)


def test_every_turn_has_clips_of_its_own(tiny_dataset):
    root = str(tiny_dataset())
    data = {"root": root, "layout": "folders", "height": 16, "width": 16}
    schedule = {**FILLS["schedule"], "critic_steps": 3}
    training = {"batch_size": 2}
    config = tiny_config(**{**JUDGED, "data": data, "schedule": schedule, "training": training})
    device = torch.device("cpu")
    made = build_run(config, None, device)
    clips = Recorded(made.dataset)
    state = build_state(config, None, device)
    list(take_steps(made._replace(dataset=clips), state, config.schedule, end=2))
    assert clips.asked == [(step, position) for step in (0, 1) for position in range(6)]


def test_parts_of_a_batch_add_up_to_the_whole(run):
    settings = ("training.batch_size=2", "schedule.steps=1", "losses.gradient_penalty=0")
    whole = tensors(run(*settings))
    parts = tensors(run(*settings, "training.accumulation=2", "name=parts"))
    for name, each in whole.items():
        torch.testing.assert_close(parts[name], each, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("mask", ["binary", "rsv", "none"])
def test_it_runs_in_bfloat16_with_any_mask_of_the_penalty(run, mask):
    settings = (f"critics.gp_mask={mask}", "training.precision=bfloat16", "schedule.steps=1")
    assert lines(run(*settings))[-1]["context_penalty"] > 0


def test_one_picture_is_learnt_in_fifty_steps():
    config = tiny_config(**{**FILLS, "generator": {"kind": "srn", "width": 8}})
    generator = build_players(config, None).generator
    rows = torch.linspace(-0.8, 0.8, 16)
    real = torch.stack([rows[:, None].expand(16, 16), rows.expand(16, 16), rows[:, None] * rows])
    mask = torch.ones(1, 1, 16, 16)
    mask[..., 4:12, 4:12] = 0
    maps = torch.cat([torch.where(mask > 0, 0, real[None]), mask], dim=1)
    weights = spatial_weights(mask, SpatialWeighting())
    adam = torch.optim.Adam(generator.parameters(), lr=3e-3, betas=(0.9, 0.99))
    found: list[float] = []
    for _ in range(50):
        adam.zero_grad()
        painted = generator.network(maps)
        loss = 5.04 * spatial_loss(painted, real[None], weights)
        loss = loss + 1.44 * known_loss(painted, real[None], mask)
        loss.backward()
        adam.step()
        found.append(float(loss.detach()))
    assert found[-1] < found[0] / 5


# The second stage


def test_the_second_stage_begins_with_the_generator_alone(tmp_path, caplog):
    source = tiny_checkpoint(tmp_path / "first", **FILLS)
    config = tiny_config(**JUDGED, training={"seed": 5})
    state = build_state(config, None, torch.device("cpu"))
    fresh = {name: each.clone() for name, each in state.players.global_critic.state_dict().items()}
    with caplog.at_level(logging.INFO):
        initialise_from(source, state, config, palette=None)
    saved = load_checkpoint(source, kind="training").tensors
    for name, each in state.players.generator.state_dict().items():
        assert torch.equal(each, saved[f"generator.{name}"])
    assert not differing(fresh, state.players.global_critic.state_dict())
    assert "generator whole, context_discriminator fresh, global_discriminator fresh" in caplog.text


# What is said, and what it costs


def test_it_is_counted():
    judged = {**JUDGED, "losses": {**LOSSES, "mrf": 1, "mrf_network": "segmenter"}}
    turns = {**judged, "schedule": {**FILLS["schedule"], "critic_steps": 4}}
    before, after, with_turns = (
        estimate_memory(tiny_config(**each), None) for each in (FILLS, judged, turns)
    )
    critics = build_players(tiny_config(**JUDGED), None).critics().values()
    assert after.gradients - before.gradients == 4 * sum(map(count_parameters, critics))
    assert after.activations > before.activations
    assert after.perceptual > before.perceptual == 0
    assert with_turns.clip == 4 * after.clip
    assert with_turns.activations < 1.2 * after.activations  # one batch at a time
    text = describe(inspect_config(tiny_config(**judged), None))
    assert "context discriminator" in text
    assert "global discriminator" in text


def test_a_dry_run_tells_the_turns(tiny_file):
    changes = (*SETTINGS, "schedule.critic_steps=5", "schedule.critic_warmup=0.25")
    text = describe_dry_run(dry_run(tiny_file, overrides=changes))
    assert "5 updates of every discriminator a step, each on a batch of its own" in text
    assert "steps 0 to 0: clips of 1 frames, 1 of 1 scales, the discriminators alone" in text
    assert text.endswith("steps 1 to 3: clips of 1 frames, 1 of 1 scales")


# Features of the ID-MRF loss


@pytest.fixture
def without_vgg(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    return tmp_path


def test_without_vgg_the_segmenter_is_taken_and_said(without_vgg, caplog):
    with caplog.at_level(logging.INFO):
        network = load_mrf_features(LossConfig(mrf=1))
    assert isinstance(network, SegmenterFeatures)
    assert "the ID-MRF loss compares what the segmenter of the package sees" in caplog.text
    sizes = [each.shape[2:] for each in network(torch.zeros(1, 3, 32, 48))]
    assert sizes[2:4] == [(8, 12), (4, 6)]


def test_vgg_is_taken_where_it_is_as_deep_as_the_loss_goes(without_vgg):
    whole = VggFeatures("vgg16", layers="second")
    state = {}
    for stage, start in zip(whole.stages, whole.edges, strict=False):
        for name, value in stage.named_parameters():
            index, kind = name.split(".")
            state[f"features.{int(index) + start}.{kind}"] = value.data
    path = without_vgg / "vgg.pth"
    torch.save(state, path)
    losses = LossConfig(mrf=1, vgg="vgg16", vgg_weights=str(path))
    frames = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    found, expected = load_mrf_features(losses)(frames), whole(frames)
    assert len(found) == 4
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=False))
    counts = [count_parameters(each) for each in (empty_mrf_features(losses), whole)]
    assert counts[0] == count_parameters(load_mrf_features(losses)) < counts[1]


@pytest.mark.parametrize("losses", [{"mrf_network": "vgg"}, {"vgg_weights": "nowhere/vgg19.pth"}])
def test_vgg_that_is_asked_for_must_be_there(without_vgg, losses):
    with pytest.raises(ConfigError, match=r"losses\.mrf needs torchvision's vgg19 weights; there"):
        load_mrf_features(LossConfig(mrf=1, **losses))
