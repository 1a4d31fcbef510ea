"""Our checkpoints become official files: the same keys, every bit back, and what has no place."""

from pathlib import Path

import official_networks as official
import official_pix2pix as pix2pix
import pytest
import torch
from tiny_runs import tiny_checkpoint
from torch import nn

from pipelines.models.exporting import export_legacy
from pipelines.models.importing import import_checkpoint
from pipelines.official.known import ImportOptions
from vid2vid.checkpoint import load_checkpoint, save_checkpoint
from vid2vid.errors import CheckpointError, ConfigError
from vid2vid.legacy.clusters import read_clusters, write_clusters

HD = {"kind": "pix2pixhd", "width": 4, "downsamplings": 1, "blocks": 1}
SMALL = {"layers": 1, "scales": 1, "width": 4}


def load(path: Path) -> dict[str, torch.Tensor]:
    return torch.load(path, weights_only=True)


def street(norm: official.Norm, *, foreground: bool) -> dict[str, nn.Module]:
    torch.manual_seed(0)
    shape = {"depth": 2, "count": 2, "norm": norm, "foreground": foreground}
    return {f"G{s}": official.Scale(18, scale=s, width=8 >> s, **shape) for s in (0, 1)}


def still() -> dict[str, nn.Module]:
    norm = official.instance_norm
    return {
        "G": official.Local(8, width=4, depth=3, count=1, enhancers=1, local=1, norm=norm),
        "E": official.Features(width=4, depth=2, channels=2, norm=norm),
    }


def picture(norm: official.Norm, *, bias: bool) -> dict[str, nn.Module]:
    return {
        "G": pix2pix.UNet(3, width=2, depth=6, norm=norm, bias=bias),
        "D": pix2pix.Patches(6, width=4, layers=2, norm=norm, bias=bias),
    }


def residual() -> dict[str, nn.Module]:
    shape = {"width": 4, "depth": 2, "count": 2, "norm": official.batch_norm}
    return {
        "G": official.Global(3, **shape, bias=False, dropout=True),
        "D": pix2pix.Pixels(6, width=4, norm=official.batch_norm, bias=False),
    }


RUNS = {
    "vid2vid batch": (street(official.batch_norm, foreground=True), {"foreground": (1,)}),
    "vid2vid instance": (street(official.tracked_norm, foreground=False), {}),
    "pix2pixHD": (still(), {}),
    "pix2pix batch": (picture(official.batch_norm, bias=False), {"labels": 0}),
    "pix2pix instance": (picture(official.instance_norm, bias=True), {"labels": 0}),
    "pix2pix residual": (residual(), {"labels": 0}),
}


@pytest.mark.parametrize("name", RUNS)
def test_import_export_import_keeps_every_bit_and_the_official_keys(tmp_path, name):
    networks, more = RUNS[name]
    source = official.save(tmp_path / "theirs", **networks)
    options = ImportOptions(**{"labels": 5, **more})
    first = import_checkpoint(source, tmp_path / "a.safetensors", options)
    exported = export_legacy(first.path, tmp_path / "ours")
    assert {path.name for path in exported.paths} == {path.name for path in source.iterdir()}
    for official_name, network in networks.items():
        path = tmp_path / "ours" / f"latest_net_{official_name}.pth"
        network.load_state_dict(load(path), strict=True)
    second = import_checkpoint(tmp_path / "ours", tmp_path / "b.safetensors", options)
    one, other = (load_checkpoint(done.path, kind="generator").tensors for done in (first, second))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[key], other[key]) for key in one)
    sections = {"name", "fetch", "data"}
    assert first.config.model_dump(exclude=sections) == second.config.model_dump(exclude=sections)


def test_every_golden_checkpoint_comes_back(shared_golden, tmp_path):
    for folder in sorted(path for path in shared_golden.iterdir() if path.is_dir()):
        foreground = (24, 26) if folder.name.endswith("_fg") else None
        options = ImportOptions(palette="cityscapes", foreground=foreground)
        done = import_checkpoint(folder, tmp_path / "a.safetensors", options)
        out = tmp_path / folder.name
        export_legacy(done.path, out)
        for path in folder.glob("*.pth"):
            theirs, ours = (load(each / path.name) for each in (folder, out))
            assert theirs.keys() == ours.keys()
            kept = [key for key in theirs if "running" not in key and "tracked" not in key]
            assert all(torch.equal(theirs[key], ours[key]) for key in kept)


def test_a_run_folder_is_exported_with_its_discriminators(tmp_path):
    run = tiny_checkpoint(
        tmp_path / "run",
        image_discriminator=SMALL,
        video_discriminator={**SMALL, "temporal_scales": 2},
    )
    done = export_legacy(run, tmp_path / "out", label="7")
    names = ["7_net_D.pth", "7_net_D_T0.pth", "7_net_D_T1.pth", "7_net_G0.pth"]
    assert sorted(path.name for path in done.paths) == names
    assert done.norm == "batch"  # gains begin around 1, so there is something to keep
    state = load_checkpoint(run, kind="training").tensors
    theirs = load(tmp_path / "out" / "7_net_D_T1.pth")
    weight = state["video_discriminator_1.patches.0.stages.0.0.weight"]
    assert torch.equal(theirs["scale0_layer0.0.weight"], weight)


def test_learnt_gains_have_no_place_in_instance_norm(tmp_path):
    run = tiny_checkpoint(tmp_path / "run", image_discriminator=None, video_discriminator=None)
    with pytest.raises(CheckpointError, match=r"has learnt gains.*--norm batch"):
        export_legacy(run, tmp_path / "out", norm="instance")
    assert not (tmp_path / "out").exists()


def test_styles_are_written_as_clusters(tmp_path):
    source = official.save(tmp_path / "theirs", **still())
    styles = {1: torch.rand(3, 2), 4: torch.rand(12, 2)}
    write_clusters(source / "features_clustered_012.npy", styles)
    done = import_checkpoint(source, tmp_path / "a.safetensors", ImportOptions(labels=5))
    export_legacy(done.path, tmp_path / "out")
    found = read_clusters(tmp_path / "out" / "features_clustered_012.npy")
    assert all(torch.equal(found[label], styles[label]) for label in styles)


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"generator": {"norm": "group"}}, "vid2vid has no generator.norm 'group'"),
        ({"generator": {"spectral": True}}, "no generator.spectral True"),
        ({"generator": {"upsampling": "resize"}}, "no generator.upsampling 'resize'"),
        ({"generator": {"warp": "bicubic"}}, "no generator.warp 'bicubic'"),
        ({"generator": {"detail_px": 1.5}}, "no generator.detail_px 1.5"),
        ({"generator": {"flow_scale": 4.0}}, "no generator.flow_scale 4.0"),
        ({"labels": {"void": True}}, "no labels.void True"),
        ({"controls": [{"kind": "edges"}]}, r"no controls \['edges'\]"),
        ({"image_discriminator": {"norm": "none"}}, "no image_discriminator.norm 'none'"),
        ({"image_discriminator": {"width": 72}}, "no image_discriminator.width 72"),
        ({"image_discriminator": {"pixel": True}}, "no image_discriminator.pixel True"),
        ({"video_discriminator": {"spectral": True}}, "no video_discriminator.spectral True"),
        ({"image_discriminator": {"width": 4, "widening": False}}, "widening False"),
        ({"image_discriminator": {"width": 64, "widest": 256}}, "discriminator.widest 256"),
        (
            {"image_discriminator": {"width": 4, "layers": 4, "scales": 1, "widest": None}},
            "has no image_discriminator.widest None",
        ),
        (
            {
                "generator": {**HD, "features": 2, "encoder": {"width": 4, "norm": "none"}},
                "image_discriminator": None,
                "video_discriminator": None,
                "losses": {"perceptual": 0, "pixel": 1},
            },
            "pix2pixHD has no generator.encoder.norm 'none'",
        ),
        (  # it renders with the statistics of each frame
            {
                "generator": {**HD, "norm": "batch"},
                "image_discriminator": None,
                "video_discriminator": None,
                "losses": {"perceptual": 0, "pixel": 1},
            },
            "pix2pixHD has no generator.norm 'batch'",
        ),
    ],
)
def test_what_the_official_program_has_not_is_refused(tmp_path, sections, message):
    small = {"image_discriminator": {"width": 4}, "video_discriminator": {"width": 4}}
    run = tiny_checkpoint(tmp_path / "run", **{**small, **sections})
    with pytest.raises(ConfigError, match=message):
        export_legacy(run, tmp_path / "out")


def test_the_norm_of_pix2pix_decides(tmp_path):
    source = official.save(tmp_path / "theirs", **picture(official.batch_norm, bias=False))
    done = import_checkpoint(source, tmp_path / "a.safetensors", ImportOptions())
    with pytest.raises(ConfigError, match=r"generator\.norm 'batch', which decides"):
        export_legacy(done.path, tmp_path / "out", norm="instance")


def test_pix2pix_without_norm_comes_back(tmp_path):
    networks = picture(official.no_norm, bias=False)
    source = official.save(tmp_path / "theirs", **networks)
    done = import_checkpoint(source, tmp_path / "a.safetensors", ImportOptions())
    assert done.config.image_discriminator is not None
    assert (done.config.generator.norm, done.config.image_discriminator.norm) == ("none", "none")
    exported = export_legacy(done.path, tmp_path / "out")
    assert exported.norm == "none"
    for path in exported.paths:
        theirs, ours = (load(each / path.name) for each in (source, path.parent))
        assert theirs.keys() == ours.keys()


@pytest.mark.parametrize("which", ["generator", "image_discriminator"])
def test_pix2pix_has_one_norm_for_both_networks(tmp_path, which):
    other = "image_discriminator" if which == "generator" else "generator"
    generator = {"kind": "pix2pix_unet", "width": 2, "downsamplings": 4}
    judge = {"width": 4, "scales": 1, "layers": 1, "padding": 1, "widest": None}
    sections = {"generator": generator, "image_discriminator": judge}
    sections[which]["norm"], sections[other]["norm"] = "none", "instance"
    run = tiny_checkpoint(tmp_path / "run", **sections, video_discriminator=None)
    with pytest.raises(ConfigError, match=f"one --norm for both networks.*{which}.norm .*'none'"):
        export_legacy(run, tmp_path / "out")
    (run / "state.safetensors").unlink()
    assert len(export_legacy(run, tmp_path / "out").paths) == 1


def test_places_and_labels_that_name_no_files_are_refused(tmp_path):
    run = tiny_checkpoint(tmp_path / "run", image_discriminator=None, video_discriminator=None)
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"go into a folder; .*file is none"):
        export_legacy(run, tmp_path / "file")
    for label in ("a/b", ""):
        with pytest.raises(ConfigError, match=f"--label begins the names .* got '{label}'"):
            export_legacy(run, tmp_path / "out", label=label)


def test_an_unwritable_folder_is_said(tmp_path):
    run = tiny_checkpoint(tmp_path / "run", image_discriminator=None, video_discriminator=None)
    (tmp_path / "out" / "latest_net_G0.pth").mkdir(parents=True)
    with pytest.raises(OSError, match="could not be written"):
        export_legacy(run, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["latest_net_G0.pth"]


def test_a_folder_without_training_state_gives_its_generator(tmp_path):
    run = tiny_checkpoint(tmp_path / "run")
    (run / "state.safetensors").unlink()
    names = [path.name for path in export_legacy(run, tmp_path / "out").paths]
    assert names == ["latest_net_G0.pth"]


def test_what_is_no_checkpoint_of_ours_is_refused(tmp_path):
    save_checkpoint(tmp_path / "a.safetensors", {}, {"kind": "training"})
    with pytest.raises(CheckpointError, match="must hold a generator"):
        export_legacy(Path(tmp_path / "a.safetensors"), tmp_path / "out")


def test_a_generator_of_ours_alone_is_refused(tmp_path):
    base = {"kind": "pix2pixhd", "width": 4, "downsamplings": 1, "blocks": 1}
    fusion = {"kind": "fusion", "base": base, "passes": [["grey"], ["edges"]]}
    controls = [{"kind": "grey"}, {"kind": "edges"}]
    run = tiny_checkpoint(tmp_path / "run", generator=fusion, controls=controls)
    with pytest.raises(
        ConfigError, match=r"generator\.kind is 'fusion', which no official program"
    ):
        export_legacy(run, tmp_path / "out")
