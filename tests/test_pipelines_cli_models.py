"""The commands `import` and `export-legacy`: what they print, their status, their one line."""

import json
import re
from pathlib import Path

import cv2
import numpy as np
import official_networks as official
import pytest
import torch
from safetensors.torch import load_file
from tiny_runs import label_folder, label_video, pictures

from pipelines.build import load_generation
from pipelines.cli import app as cli
from vid2vid.rollout import rollout
from vid2vid.video.levels import from_levels, to_levels

ARCHITECTURES = {"street": "vid2vid", "still": "pix2pixHD"}


@pytest.fixture
def street(tmp_path: Path) -> Path:
    """One scale of vid2vid for the classes of CamVid, with a foreground model."""
    torch.manual_seed(0)
    shape = {"depth": 1, "count": 2, "norm": official.batch_norm, "foreground": True}
    return official.save(tmp_path / "theirs", G0=official.Scale(33, scale=0, width=4, **shape))


def run(*words: str | Path) -> int:
    """Run `vid2vid` with these words, and return its exit status."""
    with pytest.raises(SystemExit) as ended:
        cli.main([str(word) for word in words])
    return int(ended.value.code or 0)


def test_an_imported_checkpoint_renders_like_any_other(street, tmp_path, capsys):
    out = tmp_path / "street.safetensors"
    assert run("import", street, out, "--palette", "camvid", "--foreground", "8,3") == 0
    assert capsys.readouterr().out == f"{out}\n"
    labels, video = label_video(tmp_path / "labels.mp4"), tmp_path / "out.mp4"
    assert run("render", labels, video, "--checkpoint", out, "--device", "cpu") == 0
    assert len(pictures(video)) == 5
    still = tmp_path / "out.png"
    one = next(label_folder(tmp_path / "ids", 1).iterdir())
    assert run("still", one, still, "--checkpoint", out, "--device", "cpu") == 0
    assert still.is_file()


def test_import_answers_in_json_and_writes_a_configuration(street, tmp_path, capsys):
    out, config = tmp_path / "a.safetensors", tmp_path / "a.yaml"
    words = ("--labels", "11", "--foreground", "8", "--config", config, "--json")
    assert run("import", street, out, *words, "--height", "64", "--width", "128") == 0
    assert json.loads(capsys.readouterr().out) == {
        "path": str(out),
        "arch": "vid2vid",
        "networks": ["G0"],
        "left_behind": [],
        "palette": "labels11",
        "config": str(config),
    }
    assert run("inspect", config, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["height"], found["width"], found["num_classes"]) == (64, 128, 11)


def test_the_configuration_leads_to_training(street, tmp_path, capsys):
    config = tmp_path / "a.yaml"
    words = ("--labels", "11", "--foreground", "8", "--config", config)
    assert run("import", street, tmp_path / "a.safetensors", *words) == 0
    capsys.readouterr()
    assert run("train", config, "--dry-run", "--set", "losses.perceptual=0") == 0
    assert "a.safetensors" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["street", "still"])
def test_training_goes_on_from_an_imported_checkpoint(tmp_path, tiny_dataset, capsys, kind):
    root = tiny_dataset({"one": 8}, with_instances=True)
    shape = {"depth": 1, "norm": official.batch_norm, "width": 4}
    networks = {
        "street": {"G0": official.Scale(9, scale=0, count=2, **shape)},
        "still": {
            "G": official.Local(5, count=1, enhancers=1, local=1, **shape),
            "E": official.Features(width=4, depth=1, channels=2, norm=official.batch_norm),
        },
    }
    source = official.save(tmp_path / "theirs", **networks[kind])
    config, out = tmp_path / "a.yaml", tmp_path / "a.safetensors"
    palette = ("--palette", root / "palette.yaml", "--arch", ARCHITECTURES[kind])
    size = ("--height", "16", "--width", "16")
    assert run("import", source, out, *palette, *size, "--config", config) == 0
    settings = {
        "data.root": root,
        "data.layout": "folders",
        "losses.perceptual": 0,
        "schedule.steps": 1,
        "schedule.clip_length": 1,
        "schedule.clip_length_max": 1,
        "video_discriminator": "null",
        "training.output": tmp_path / "runs",
    }
    words = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    assert run("train", config, *words) == 0
    assert "from" in capsys.readouterr().err
    trained = load_file(tmp_path / "runs" / "a" / "model.safetensors")
    imported = load_file(out)
    assert trained.keys() == imported.keys()
    changes = [(trained[key] - imported[key]).abs().max() for key in imported]
    assert 0 < max(changes) < 0.01


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "pass --palette NAME|FILE or --labels N"),
        (("--labels", "11"), "--foreground 26"),
        (("--labels", "11", "--foreground", "car"), "label ids with commas .* got 'car'"),
        (("--height", "64"), "only one of them was given"),
        (("--label", "30"), "must hold 30_net_"),
        (("--arch", "pix2pix"), "generator of pix2pix"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(street, tmp_path, capsys, words, message):
    assert run("import", street, tmp_path / "a.safetensors", *words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert re.search(message, captured.err)
    assert not (tmp_path / "a.safetensors").exists()


def write_maps(folder: Path, maps: torch.Tensor) -> Path:
    """Write label or instance ids as pictures, one a frame."""
    folder.mkdir()
    for index, ids in enumerate(maps.numpy().astype(np.uint16)):
        cv2.imwrite(str(folder / f"{index:02d}.png"), ids if ids.max() > 255 else np.uint8(ids))
    return folder


def write_frames(folder: Path, frames: torch.Tensor) -> list[Path]:
    """Write frames 't 3 h w' in [-1, 1] as pictures."""
    folder.mkdir()
    paths = [folder / f"{index}.png" for index in range(len(frames))]
    for path, frame in zip(paths, frames, strict=True):
        cv2.imwrite(str(path), to_levels(frame).numpy()[..., ::-1])
    return paths


def test_a_golden_still_comes_out_of_the_command(shared_golden, tmp_path):
    folder, out = shared_golden / "pix2pixHD_global", tmp_path / "a.safetensors"
    golden = load_file(folder / "still.safetensors")
    assert run("import", folder, out, "--palette", "cityscapes") == 0
    labels = write_maps(tmp_path / "labels", golden["labels"]) / "00.png"
    instances = write_maps(tmp_path / "instances", golden["instances"]) / "00.png"
    words = ("--instances", instances, "--checkpoint", out, "--device", "cpu")
    assert run("still", labels, tmp_path / "out.png", *words) == 0
    painted = cv2.imread(str(tmp_path / "out.png"))[..., ::-1].astype(int)
    expected = to_levels(golden["output"][0]).numpy().astype(int)
    assert abs(painted - expected).max() <= 1


def test_the_command_renders_what_the_rollout_gives(shared_golden, tmp_path):
    folder, out = shared_golden / "vid2vid_street_1scale", tmp_path / "a.safetensors"
    golden = load_file(folder / "sequence.safetensors")
    assert run("import", folder, out, "--palette", "cityscapes") == 0
    labels = write_maps(tmp_path / "labels", golden["labels"])
    words: list[str | Path] = ["--instances", write_maps(tmp_path / "ids", golden["instances"])]
    for path in write_frames(tmp_path / "first", golden["first_frames"]):
        words += ["--first-frame", path]
    frames = tmp_path / "frames"
    assert run("render", labels, frames, *words, "--checkpoint", out, "--device", "cpu") == 0
    painted = pictures(frames)[2:].astype(int)
    # A random network enlarges any rounding: begin from frames of 8 bits, in the same layout.
    first = torch.stack([from_levels(to_levels(frame)) for frame in golden["first_frames"]])
    generation = load_generation(out, torch.device("cpu"))
    generation.generator.to(memory_format=torch.channels_last)
    maps = generation.conditioning(golden["labels"][None], golden["instances"][None])
    past = {"past_conditioning": maps[:, :2], "first_frames": first[None]}
    with torch.no_grad():
        outputs = list(rollout(generation.generator, maps[:, 2:].unbind(1), **past))
    expected = np.stack([to_levels(output.frame[0]).numpy() for output in outputs]).astype(int)
    assert abs(painted - expected).max() <= 1


def test_an_imported_still_network_paints_the_first_frames(street, tmp_path):
    network = official.Global(11, width=4, depth=3, count=1, norm=official.tracked_norm)
    still = official.save(tmp_path / "single", G=network)
    painter, out = tmp_path / "still.safetensors", tmp_path / "street.safetensors"
    assert run("import", still, painter, "--palette", "camvid") == 0
    assert run("import", street, out, "--palette", "camvid", "--foreground", "8") == 0
    labels, frames = label_folder(tmp_path / "labels", 4), tmp_path / "frames"
    words = ("--checkpoint", out, "--first-frame", painter, "--device", "cpu")
    assert run("render", labels, frames, *words) == 0
    alone = tmp_path / "alone"
    assert run("still", labels, alone, "--checkpoint", painter, "--device", "cpu") == 0
    painted, stills = pictures(frames), pictures(alone)
    assert len(painted) == 4
    assert (painted[:2] == stills[:2]).all()
    assert (painted[2:] != stills[2:]).any()


def test_export_legacy_names_its_files(street, tmp_path, capsys):
    out = tmp_path / "a.safetensors"
    assert run("import", street, out, "--palette", "camvid", "--foreground", "8") == 0
    capsys.readouterr()
    assert run("export-legacy", out, tmp_path / "ours", "--label", "20") == 0
    path = tmp_path / "ours" / "20_net_G0.pth"
    assert capsys.readouterr().out == f"{path}\n"
    theirs = torch.load(street / "latest_net_G0.pth", weights_only=True)
    assert torch.load(path, weights_only=True).keys() == theirs.keys()
    assert run("export-legacy", out, tmp_path / "ours", "--json") == 0
    assert json.loads(capsys.readouterr().out)["norm"] == "batch"
    assert run("export-legacy", out, tmp_path / "ours", "--norm", "instance") == 2
    assert "--norm batch" in capsys.readouterr().err
