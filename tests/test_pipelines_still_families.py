"""Still-image generators through the whole engine: configuration, training, checkpoint, video."""

import json
import shutil

import pytest
import torch
from tiny_runs import label_folder, label_video, pictures, tiny_checkpoint, tiny_config

from pipelines.build import load_generation, palette_for
from pipelines.models.inspect import describe, inspect
from pipelines.render import Renderer
from pipelines.rendering.options import RenderOptions
from pipelines.still import render_stills
from pipelines.train import TrainOptions, train
from pipelines.training.beginning import initialise_from
from pipelines.training.dry_run import describe_dry_run, dry_run
from vid2vid.checkpoint import load_checkpoint, save_checkpoint
from vid2vid.errors import CheckpointError, ConfigError

HD = {"kind": "pix2pixhd", "width": 4, "downsamplings": 1, "blocks": 1, "enhancer_blocks": 1}
ENCODER = {"width": 2, "downsamplings": 1}
STYLED = {**HD, "features": 2, "pooling": "labels", "encoder": ENCODER}
DROPPING = {"kind": "pix2pix_resnet", "width": 2, "blocks": 2, "norm": "instance"}
FAMILIES = {
    "unet": {"kind": "pix2pix_unet", "width": 2, "downsamplings": 3},
    "resnet": {"kind": "pix2pix_resnet", "width": 2, "blocks": 1},
    "global": HD,
    "local": {**HD, "enhancers": 1},
    "styled": STYLED,
    "crn": {"kind": "crn", "height": 8, "width": 4, "outputs": 2},
    "encoder_decoder": {"kind": "encoder_decoder", "width": 2, "downsamplings": 2},
    "full_resolution": {"kind": "full_resolution", "width": 4, "dilations": [1, 2]},
}
ALONE = "video_discriminator=null"
every_family = pytest.mark.parametrize("generator", FAMILIES.values(), ids=FAMILIES)


@pytest.fixture
def run(tiny_file):
    """Train `tiny_file` with a generator and changes."""

    def start(generator, *changes):
        changes = (f"generator={json.dumps(generator)}", "schedule.steps=2", *changes)
        return train(tiny_file, TrainOptions(overrides=changes, device="cpu"))

    return start


def tensors(folder, kind="training"):
    return load_checkpoint(folder, kind=kind).tensors


def differing(first, second):
    assert first.keys() == second.keys()
    return [name for name in first if not torch.equal(first[name], second[name])]


# Training


@every_family
def test_every_family_trains_on_single_frames(run, generator):
    single = ("schedule.clip_length=1", "schedule.clip_length_max=1", "training.ema=0")
    start = run(generator, ALONE, *single, "name=start", "optimizer.learning_rate=1.0e-30")
    done = run(generator, ALONE, *single)
    assert (done.folder / "previews" / "000002.png").is_file()
    moved = differing(tensors(start.folder, "generator"), tensors(done.folder, "generator"))
    assert any(name.startswith("network.") for name in moved)
    if generator is STYLED:  # the encoder learns with the generator
        assert any(name.startswith("encoder.") for name in moved)


@every_family
def test_every_family_goes_on_bit_for_bit(run, generator):
    constant = "schedule.constant=1"  # so that the course does not depend on its length
    run(generator, constant)
    parts = run(generator, constant, "schedule.steps=4")
    whole = run(generator, constant, "schedule.steps=4", "name=whole")
    assert differing(tensors(parts.folder), tensors(whole.folder)) == []


def test_a_video_discriminator_judges_a_still_generator_too(run):
    done = run(FAMILIES["global"])
    line = json.loads((done.folder / "metrics.jsonl").read_text().splitlines()[-1])
    assert "video_0_gan" in line
    assert "generated_warp" not in line
    assert "flow" not in line


def test_dropout_of_training_follows_from_the_seed(run):
    fixed = ("training.ema=0", ALONE)
    first = run(DROPPING, *fixed, "name=first")
    again = run(DROPPING, *fixed, "name=again")
    without = run({**DROPPING, "dropout": 0.0}, *fixed, "name=without")
    assert differing(tensors(first.folder), tensors(again.folder)) == []
    assert differing(tensors(first.folder), tensors(without.folder)) != []


def test_a_local_enhancer_begins_from_a_global_generator(run):
    coarse = run(FAMILIES["global"], ALONE, "name=coarse")
    begin = f"training.init_from={coarse.folder}"
    frozen = ("schedule.freeze=1", "schedule.steps=1", "training.ema=0", begin)
    fine = run(FAMILIES["local"], ALONE, "name=fine", *frozen)
    ours, theirs = tensors(fine.folder), tensors(coarse.folder)
    trunk = [name for name in ours if name.startswith("generator.network.trunk.")]
    assert trunk
    assert all(torch.equal(ours[name], theirs[name]) for name in trunk)


def test_instance_maps_are_needed_where_styles_are_those_of_instances(run, tiny_dataset, tmp_path):
    by_instance = {**STYLED, "pooling": "instances"}
    with pytest.raises(ConfigError, match=r"generator\.pooling 'instances' needs instance maps"):
        run(by_instance, ALONE)
    shutil.rmtree(tmp_path / "data")
    root = tiny_dataset({"one": 8, "two": 7}, with_instances=True)
    assert run(by_instance, ALONE, f"data.root={root}").step == 2


def test_what_renders_but_cannot_be_trained_is_refused(run):
    with pytest.raises(ConfigError, match=r"learnt with an encoder; generator\.encoder is null"):
        run({**STYLED, "encoder": None})


# Checkpoints


def with_companions(folder, **more):
    """Rewrite a run's rendering checkpoint as an import would: with what came along."""
    saved, state = load_checkpoint(folder, kind="generator"), tensors(folder)
    judges = {name: t for name, t in state.items() if name.startswith("image_discriminator.")}
    path = folder / "imported.safetensors"
    save_checkpoint(path, saved.tensors | judges | more, saved.metadata)
    return path


def test_training_goes_on_from_a_file_with_its_discriminators(run, tiny_state, tiny_config):
    done = run(STYLED, ALONE)
    path = with_companions(done.folder, **{"styles.0": torch.ones(3, 2)})
    changes = (f"generator={json.dumps(STYLED)}", ALONE, "training.seed=5")
    _, state = tiny_state(*changes)
    config = tiny_config(*changes)
    initialise_from(path, state, config, palette=palette_for(config))
    saved = load_checkpoint(path, kind="generator").tensors
    ours = state.players.generator.state_dict() | {
        f"image_discriminator.{name}": tensor
        for name, tensor in state.players.image_discriminator.state_dict().items()
    }
    assert ours.keys() == saved.keys() - {"styles.0"}
    assert all(torch.equal(ours[name], saved[name]) for name in ours)
    assert run(STYLED, ALONE, "name=next", f"training.init_from={path}").step == 2


def test_companions_are_split_off_and_styles_come_with_the_generator(run):
    done = run(STYLED, ALONE)
    path = with_companions(done.folder, **{"styles.1": torch.ones(3, 2)})
    generation = load_generation(path, torch.device("cpu"))
    assert generation.styles.tables[1].tolist() == [[1, 1]] * 3
    assert generation.styles.channels == 2
    assert generation.generator.encoder is not None


@pytest.mark.parametrize(
    ("name", "tensor", "message"),
    [
        ("styles.1", torch.ones(3, 4), r"'styles\.1' must have 2 columns.*; it is \(3, 4\)"),
        ("styles.1", torch.ones(3), r"'styles\.1' must have 2 columns"),
        ("sttyles.1", torch.ones(3, 2), "holds 'sttyles.1', which the configured network"),
        ("image_judge.weight", torch.ones(1), "holds 'image_judge.weight'"),
    ],
)
def test_companions_that_do_not_fit_are_named(run, name, tensor, message):
    path = with_companions(run(STYLED, ALONE).folder, **{name: tensor})
    with pytest.raises(CheckpointError, match=message):
        load_generation(path, torch.device("cpu"))


# Inspection


@every_family
def test_every_family_is_inspected_and_dry_run(tiny_file, generator):
    changes = (f"generator={json.dumps(generator)}", ALONE)
    names = [network.name for network in inspect(tiny_file, overrides=changes).networks]
    encoder = ["feature encoder"] if generator is STYLED else []
    assert names == ["generator", *encoder, "image discriminator"]
    text = describe_dry_run(dry_run(tiny_file, overrides=changes))
    assert "1 of 1 scales" in text
    assert f"kind: {generator['kind']}" in text


def test_frozen_stages_are_in_the_course(tiny_file):
    local = f"generator={json.dumps(FAMILIES['local'])}"
    run = dry_run(tiny_file, overrides=(local, ALONE, "schedule.freeze=0.5"))
    assert [(phase.first, phase.frozen) for phase in run.phases] == [(0, 1), (2, 0)]


def test_a_checkpoint_that_takes_pictures_is_described(tmp_path):
    controls = [{"kind": "picture"}, {"kind": "edges"}]
    folder = tiny_checkpoint(tmp_path / "run", generator=HD, labels=None, controls=controls)
    found = inspect(folder)
    assert (found.palette, found.num_classes) == (None, 0)
    assert found.controls == ("pictures (3 channels)", "edges (1 channel)")
    assert "tiny: pictures (3 channels), edges (1 channel), frames 24x16" in describe(found)


# Rendering


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A checkpoint of every family."""
    root = tmp_path_factory.mktemp("families")
    return {
        name: tiny_checkpoint(root / name, generator=generator, video_discriminator=None)
        for name, generator in FAMILIES.items()
    }


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_renders_videos_and_stills_of_any_size(tmp_path, folders, name):
    renderer = Renderer.load(folders[name], device="cpu")
    labels = label_folder(tmp_path / "labels", 3, height=13, width=22)
    video = renderer.render(labels, tmp_path / "video")
    assert (video.height, video.width, video.num_frames) == (13, 22, 3)
    stills = render_stills(renderer, labels, tmp_path / "stills")
    assert (pictures(video.path) == pictures(stills.path)).all()


def test_a_still_generator_has_no_past_and_no_flow(tmp_path, folders):
    renderer = Renderer.load(folders["unet"], device="cpu")
    labels = label_video(tmp_path / "labels.mp4", 2)
    with pytest.raises(ConfigError, match="--save-flow needs a generator that predicts flow"):
        renderer.render(labels, tmp_path / "a", RenderOptions(save_flow=tmp_path / "flow"))
    with pytest.raises(ConfigError, match="still-image generator, which sees none: leave it out"):
        renderer.render(labels, tmp_path / "a", RenderOptions(first_frames=(tmp_path / "a.png",)))


def test_dropout_of_a_video_is_steady_and_comes_again_with_its_seed(tmp_path):
    config = {**DROPPING, "render_dropout": "fixed"}
    renderer = Renderer.load(tiny_checkpoint(tmp_path / "run", generator=config), device="cpu")
    labels = label_folder(tmp_path / "labels", 1)
    for name in ("second", "third"):
        (labels / f"{name}.png").write_bytes((labels / "street_0_labels.png").read_bytes())

    def render(seed, name):
        out = renderer.render(labels, tmp_path / name, RenderOptions(seed=seed)).path
        return pictures(out)

    first = render(1, "a")
    assert (first[0] == first[1]).all()
    assert (first == render(1, "b")).all()
    assert (first != render(2, "c")).any()


def test_a_seed_is_refused_where_nothing_is_drawn(tmp_path, folders):
    renderer = Renderer.load(folders["global"], device="cpu")
    labels = label_video(tmp_path / "labels.mp4", 2)
    with pytest.raises(ConfigError, match=r"--seed is for .*; this one draws nothing"):
        renderer.render(labels, tmp_path / "out", RenderOptions(seed=1))
    with pytest.raises(ConfigError, match="--seed must be at least 0; got -1"):
        RenderOptions(seed=-1)


def test_the_configuration_of_a_still_generator_reads_back_equal():
    config = tiny_config(generator=STYLED)
    assert type(config).model_validate(config.model_dump(mode="json")) == config


def test_minutes_are_turned_into_steps_of_a_still_generator(tiny_file):
    changes = (f"generator={json.dumps(HD)}", ALONE)
    done = train(tiny_file, TrainOptions(overrides=changes, minutes=0.01, device="cpu"))
    assert done.step == done.total_steps > 11
