"""Official checkpoints become ours: what is inferred, asked for and refused; the same pixels."""

import shutil
from collections.abc import Callable
from pathlib import Path

import official_networks as official
import pytest
import torch
from torch import nn

from pipelines.build import build_state, load_generation
from pipelines.config import RunConfig
from pipelines.config_file import read_config
from pipelines.importing import Imported, import_checkpoint, write_config
from pipelines.official.known import ImportOptions, numbered_palette
from pipelines.resume import initialise_from
from vid2vid.checkpoint import load_checkpoint
from vid2vid.errors import CheckpointError, ConfigError
from vid2vid.labels.palettes import load_palette
from vid2vid.legacy.clusters import write_clusters
from vid2vid.rollout import rollout

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


def judge(channels_in: int, *, widening: bool = True, scales: int = 2) -> nn.Module:
    """A multi-scale discriminator with the keys of feature matching; the finest has 8 channels."""
    network = nn.Module()
    for scale in range(scales):
        width = 8 * 2 ** (scales - 1 - scale) if widening else 8
        widths = [channels_in, *(width * 2**index for index in range(3))]
        for index in range(3):
            conv = nn.Conv2d(widths[index], widths[index + 1], 4)
            norm = [official.batch_norm(widths[index + 1])] if index and widening else []
            setattr(network, f"scale{scale}_layer{index}", nn.Sequential(conv, *norm))
        last = nn.Sequential(nn.Conv2d(widths[-1], 1, 4))
        setattr(network, f"scale{scale}_layer3", last)
    return network


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
    initialise_from(done.path, state)
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
    assert "D_f of" in caplog.text


def test_the_place_of_the_checkpoint_is_checked(street):
    with pytest.raises(ConfigError, match=r"must be a \.safetensors file"):
        import_checkpoint(street, street / "out.pth", STREET)
    with pytest.raises(ConfigError, match=r"there is no .*gone"):
        import_checkpoint(street, street / "gone" / "out.safetensors", STREET)


def test_features_come_from_the_encoder_or_are_asked_for(still):
    assert take(still, ImportOptions(labels=5)).config.generator.features == 2
    with pytest.raises(ConfigError, match=r"E\.pth makes 2, --features says 3"):
        take(still, ImportOptions(labels=5, features=3))
    (still / "latest_net_E.pth").unlink()
    with pytest.raises(ConfigError, match="if the last ones are styles, pass --features N"):
        take(still, ImportOptions(labels=5))
    done = take(still, ImportOptions(labels=5, features=2))
    assert (done.config.generator.features, done.config.generator.encoder) == (2, None)


def test_style_clusters_come_along(still, tmp_path):
    styles = {1: torch.rand(3, 2), 4: torch.rand(1, 2)}
    write_clusters(still / "features_clustered_010.npy", styles)
    generation = load_generation(take(still, ImportOptions(labels=5)).path, CPU)
    assert generation.styles.tables.keys() == {1, 4}
    assert torch.equal(generation.styles.tables[1], styles[1])
    write_clusters(tmp_path / "other.npy", {1: torch.rand(3, 5)})
    with pytest.raises(CheckpointError, match=r"must have 2 features.* class 1 have 5"):
        take(still, ImportOptions(labels=5, styles=tmp_path / "other.npy"))


def paint(done: Imported, maps: torch.Tensor) -> torch.Tensor:
    """Paint a still with an imported checkpoint, rebuilt as the renderer does it."""
    generation = load_generation(done.path, CPU)
    assert generation.palette is None
    with torch.inference_mode():
        return next(rollout(generation.generator, [generation.conditioning(maps[None])[0]])).frame


U_NETS: dict[str, Callable[[], nn.Module]] = {
    "unet_128": lambda: official.UNet(3, width=2, depth=7, norm=official.batch_norm, dropout=0.0),
    "unet_256": lambda: official.UNet(3, width=2, depth=8, norm=official.batch_norm),
    "instance": lambda: official.UNet(1, width=2, depth=6, norm=official.instance_norm, bias=True),
    "none": lambda: official.UNet(3, width=2, depth=5, norm=official.no_norm),
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
    network = official.UNet(3, width=2, depth=5, norm=official.batch_norm, dropout=0.5)
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


def test_running_statistics_need_batch_norm(tmp_path):
    source = official.save(tmp_path / "run", G=U_NETS["instance"]())
    with pytest.raises(ConfigError, match="--statistics running needs a generator with BatchNorm"):
        take(source, ImportOptions(statistics="running"))


@pytest.mark.parametrize("kind", ["patches", "pixels"])
def test_discriminators_of_pix2pix_come_along(tmp_path, kind):
    torch.manual_seed(2)
    norm = official.batch_norm
    theirs = (
        official.Patches(6, width=4, layers=3, norm=norm, bias=False)
        if kind == "patches"
        else official.Pixels(6, width=4, norm=norm, bias=False)
    )
    source = official.save(tmp_path / "run", G=U_NETS["unet_128"](), D=theirs)
    done = take(source, ImportOptions())
    state = build_state(done.config, done.palette, CPU)
    initialise_from(done.path, state)
    pictures = torch.rand(1, 6, 64, 64)
    assert state.players.image_discriminator is not None
    with torch.no_grad():
        ours = state.players.image_discriminator(pictures)[0][-1]
        golden = theirs(pictures)
    assert (ours - golden).abs().max() / golden.abs().max() < 1e-4


def test_numbered_palettes_have_as_many_colours_as_classes():
    palette = numbered_palette(200)
    assert len({c.colour for c in palette.classes}) == palette.num_classes == 200
    with pytest.raises(ConfigError, match="--labels must be at most 255; got 300"):
        numbered_palette(300)
