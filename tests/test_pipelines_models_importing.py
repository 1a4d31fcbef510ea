"""Official checkpoints become ours: what is inferred, asked for and refused; the same pixels."""

import re
import shutil
from pathlib import Path

import official_networks as official
import pytest
import torch
from official_judges import MultiScale
from torch import nn

from pipelines.build import build_state
from pipelines.config.file import read_config
from pipelines.config.run import RunConfig
from pipelines.models.importing import Imported, import_checkpoint, write_config
from pipelines.official.known import ImportOptions, numbered_palette
from pipelines.training.beginning import initialise_from
from vid2vid.checkpoint import load_checkpoint
from vid2vid.errors import CheckpointError, ConfigError
from vid2vid.labels.palettes import load_palette

STREET = ImportOptions(labels=5, foreground=(1,))
CPU = torch.device("cpu")


@pytest.fixture
def street(tmp_path: Path) -> Path:
    """A whole run of vid2vid: two scales, foreground, image and temporal discriminators."""
    torch.manual_seed(0)
    coarse, fine = (
        official.Scale(
            18, scale=s, width=8 >> s, depth=2, count=2, norm=official.batch_norm, foreground=True
        )
        for s in (0, 1)
    )
    judges = {"D": judge(9), "D_T0": judge(13), "D_T1": judge(13)}
    return official.save(tmp_path / "street", G0=coarse, G1=fine, **judges)


@pytest.fixture
def still(tmp_path: Path) -> Path:
    """A whole run of pix2pixHD: an enhancer, features, encoder, discriminator."""
    torch.manual_seed(0)
    norm = official.instance_norm
    return official.save(
        tmp_path / "still",
        G=official.Local(8, width=4, depth=3, count=1, enhancers=1, local=1, norm=norm),
        E=official.Features(width=4, depth=2, channels=2, norm=norm),
        D=judge(9, widening=False),
    )


def judge(channels_in: int, *, widening: bool = True) -> nn.Module:
    """A multi-scale discriminator whose finest network has 8 channels."""
    norm = official.batch_norm if widening else official.no_norm
    return MultiScale(channels_in, width=8, layers=2, widening=widening, norm=norm)


def take(source: Path, options: ImportOptions) -> Imported:
    return import_checkpoint(source, source.parent / "out.safetensors", options)


def test_a_street_run_is_inferred(street):
    done = take(street, STREET)
    config = done.config
    assert done.networks == ("D", "D_T0", "D_T1", "G0", "G1")
    assert (config.generator.width, config.generator.downsamplings) == (8, 2)
    assert (config.generator.blocks, config.generator.refiner_blocks) == (2, 2)
    assert (config.generator.refiners, config.generator.history) == (1, 2)
    assert (config.labels.boundary, config.labels.foreground) == ("instances", (1,))
    video = config.video_discriminator
    assert video is not None
    assert (video.width, video.layers, video.scales) == (8, 2, 2)
    assert (video.window, video.temporal_scales) == (3, 2)


def test_training_goes_on_with_every_network(street):
    done = take(street, STREET)
    state = build_state(without_vgg(done.config), done.palette, CPU)
    initialise_from(done.path, state, done.config, palette=done.palette)
    saved = load_checkpoint(done.path, kind="generator").tensors
    own = {name: network.state_dict() for name, network in state.players.trained()}
    for key, tensor in saved.items():
        player, _, rest = key.partition(".")
        name, inner = (player, rest) if player in own else ("generator", key)
        assert torch.equal(own[name][inner], tensor), key
    assert len(own) == 4


def without_vgg(config: RunConfig) -> RunConfig:
    losses = config.losses.model_copy(update={"perceptual": 0.0})
    return config.model_copy(update={"losses": losses})


def test_the_written_configuration_trains_on(street, tmp_path):
    done = take(street, STREET)
    write_config(done, tmp_path / "go on.yaml")
    config = read_config(tmp_path / "go on.yaml", RunConfig)
    assert config.training.init_from == str(done.path.resolve())
    assert load_palette(config.labels.palette) == done.palette
    assert config.generator == done.config.generator
    with pytest.raises(ConfigError, match="could not be written"):
        write_config(done, tmp_path / "gone" / "a.yaml")


def test_recipes_are_the_official_ones(street, still):
    first = take(street, STREET).config
    assert (first.losses.occlusion, first.training.first_frames) == (0, "real")
    assert first.optimizer.learning_rate == pytest.approx(1e-4)
    zeros = take(street, ImportOptions(labels=5, foreground=(1,), first_frames="zeros")).config
    assert (zeros.losses.occlusion, zeros.training.first_frames) == (1, "zeros")
    picture = take(still, ImportOptions(labels=5)).config
    assert (picture.losses.matching, picture.losses.flow) == (10, 0)
    assert picture.video_discriminator is None


def test_everything_that_must_be_said_is_asked_for_at_once(street):
    with pytest.raises(ConfigError) as caught:
        take(street, ImportOptions())
    for option in ("6 conditioning channels", "--palette", "--labels N", "--foreground"):
        assert option in str(caught.value)
    with pytest.raises(ConfigError, match=r"G0\.pth does not say .* --foreground 26"):
        take(street, ImportOptions(labels=5))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (ImportOptions(labels=4, foreground=(1,)), "6 label ids, or 5 and a boundary; --labels"),
        (ImportOptions(palette="camvid", foreground=(1,)), "palette 'camvid' has 11"),
        (ImportOptions(palette="camvid", labels=5), "palette 'camvid' has 11 .*--labels says 5"),
        (ImportOptions(labels=5, instances=False, foreground=(1,)), "and --no-instances was"),
        (ImportOptions(labels=6, instances=True, foreground=(1,)), "and --instances was given"),
        (ImportOptions(labels=0, foreground=(1,)), "foreground model, which needs label ids"),
        (ImportOptions(labels=5, foreground=(9,)), r"labels\.foreground must hold ids"),
        (ImportOptions(labels=5, foreground=(-1,)), r"labels\.foreground must .* got \[-1\]"),
        (ImportOptions(labels=5, foreground=()), "does not say what its foreground is"),
        (ImportOptions(features=3), "--features is for pix2pixHD; this is vid2vid"),
        (ImportOptions(styles=Path("a.npy")), "--styles is for pix2pixHD; this is vid2vid"),
        (ImportOptions(dropout=True), "--dropout is for pix2pix; this is vid2vid"),
        (ImportOptions(statistics="frame"), "--statistics is for pix2pix; this is vid2vid"),
        (ImportOptions(render_dropout="off"), "--render-dropout is for pix2pix; this is vid2vid"),
    ],
)
def test_what_does_not_fit_is_refused(street, options, message):
    with pytest.raises(ConfigError, match=message):
        take(street, options)


def test_a_foreground_is_refused_where_there_is_none(tmp_path):
    network = official.Scale(9, scale=0, width=4, depth=1, count=2, norm=official.instance_norm)
    source = official.save(tmp_path / "run", G0=network)
    with pytest.raises(ConfigError, match="--foreground is for a foreground model"):
        take(source, ImportOptions(labels=3, foreground=(1,)))


def test_a_single_file_of_any_name_is_a_generator(street, tmp_path):
    shutil.copy(street / "latest_net_G0.pth", tmp_path / "street.pth")
    done = take(tmp_path / "street.pth", STREET)
    assert (done.arch, done.config.generator.refiners) == ("vid2vid", 0)


def test_another_architecture_is_refused(street, still):
    with pytest.raises(CheckpointError, match=r"generator of pix2pixHD, \*_net_G.pth; it has D"):
        take(street, ImportOptions(arch="pix2pixHD"))
    with pytest.raises(CheckpointError, match=r"generators of vid2vid, .* it has D, E, G"):
        take(still, ImportOptions(arch="vid2vid"))
    with pytest.raises(CheckpointError, match=r"G\.pth must have residual blocks from model\.10"):
        take(still, ImportOptions(arch="pix2pix"))
    with pytest.raises(ConfigError, match="--first-frames is for vid2vid; this is pix2pixHD"):
        take(still, ImportOptions(first_frames="zeros"))


def test_a_missing_scale_or_discriminator_is_named(street):
    (street / "latest_net_D_T0.pth").unlink()
    with pytest.raises(CheckpointError, match="from D_T0 to D_T1; D_T0 is missing"):
        take(street, STREET)
    shutil.move(street / "latest_net_G1.pth", street / "latest_net_G2.pth")
    with pytest.raises(CheckpointError, match="every scale from G0 to G2; G1 is missing"):
        take(street, STREET)


def test_a_key_that_is_missing_or_left_over_is_named(street):
    path = street / "latest_net_G1.pth"
    tensors = torch.load(path, weights_only=True)
    torch.save({**tensors, "extra.weight": torch.zeros(1)}, path)
    with pytest.raises(CheckpointError, match=r"G1\.pth holds 'extra\.weight'"):
        take(street, STREET)
    torch.save({key: value for key, value in tensors.items() if "final_w" not in key}, path)
    with pytest.raises(CheckpointError, match=r"G1\.pth must hold 'model_final_w\.1\.weight'"):
        take(street, STREET)


def test_a_discriminator_of_other_channels_is_refused(street):
    official.save(street, D=judge(12))
    with pytest.raises(CheckpointError, match=r"layer0\.0\.weight' must be \(16, 9, 4, 4\)"):
        take(street, STREET)
    official.save(street, D=judge(9), D_T0=judge(12))
    with pytest.raises(CheckpointError, match="5 K - 2 channels; it sees 12"):
        take(street, STREET)


def test_discriminators_without_feature_matching_hold_the_same_tensors(street):
    usual = load_checkpoint(take(street, STREET).path, kind="generator").tensors
    path = street / "latest_net_D.pth"
    flat: dict[str, torch.Tensor] = {}
    for key, tensor in torch.load(path, weights_only=True).items():
        place, kind, name = key.split(".")
        scale, stage = place.removeprefix("scale").split("_layer")
        at = 3 * int(stage) - 1 + int(kind) if stage != "0" else 0
        flat[f"layer{scale}.{at}.{name}"] = tensor
    torch.save(flat, path)
    found = load_checkpoint(take(street, STREET).path, kind="generator").tensors
    assert found.keys() == usual.keys()
    assert all(torch.equal(found[key], usual[key]) for key in usual)


def test_a_network_without_a_place_is_left_behind(street, caplog):
    official.save(street, D_f=judge(9))
    done = take(street, STREET)
    assert done.passed_over == ("D_f",)
    assert re.search(r"D_f of .*street has no place here and was left behind", caplog.text)
    official.save(street, D_g=judge(9))
    take(street, STREET)
    assert "D_f, D_g of" in caplog.text
    assert "have no place here and were left behind" in caplog.text


def test_the_place_of_the_checkpoint_is_checked(street):
    with pytest.raises(ConfigError, match=r"must be a \.safetensors file"):
        import_checkpoint(street, street / "out.pth", STREET)
    with pytest.raises(ConfigError, match=r"there is no .*gone"):
        import_checkpoint(street, street / "gone" / "out.safetensors", STREET)


@pytest.mark.parametrize("shape", [{"width": 4, "layers": 4}, {"width": 128, "layers": 3}])
@pytest.mark.parametrize("name", ["street", "still"])
def test_discriminators_of_any_depth_and_width_come_along(request, name, shape):
    torch.manual_seed(2)
    source: Path = request.getfixturevalue(name)
    theirs = MultiScale(9, **shape, widening=name == "street")
    official.save(source, D=theirs)
    done = take(source, STREET if name == "street" else ImportOptions(labels=5))
    state = build_state(without_vgg(done.config), done.palette, CPU)
    initialise_from(done.path, state, done.config, palette=done.palette)
    assert state.players.image_discriminator is not None
    pictures = torch.rand(1, 9, 64, 64)
    with torch.no_grad():
        ours = [stages[-1] for stages in state.players.image_discriminator(pictures)]
        for mine, golden in zip(ours, theirs(pictures), strict=True):
            assert (mine - golden).abs().max() / golden.abs().max() < 1e-4


def test_tensors_that_share_memory_get_their_own(street):
    path = street / "latest_net_G0.pth"
    tensors = torch.load(path, weights_only=True)
    one, other = (f"model_res_{name}.0.conv_block.1.bias" for name in ("img", "flow"))
    torch.save({**tensors, other: tensors[one]}, path)
    found = load_checkpoint(take(street, STREET).path, kind="generator").tensors
    ours = [f"coarse.{name}_branch.0.body.1.bias" for name in ("image", "flow")]
    assert all(torch.equal(found[key], tensors[one]) for key in ours)


def test_numbered_palettes_have_as_many_colours_as_classes():
    palette = numbered_palette(200)
    assert len({c.colour for c in palette.classes}) == palette.num_classes == 200
    with pytest.raises(ConfigError, match="--labels must be at most 255; got 300"):
        numbered_palette(300)
