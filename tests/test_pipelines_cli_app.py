import json
import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from tiny_runs import label_folder, label_maps, label_video, tiny_checkpoint, tiny_config

from pipelines.cli.app import main, render_main, still_main, train_main
from pipelines.config.file import dump_config
from vid2vid.labels.maps import ids_to_colours
from vid2vid.labels.palettes import load_palette
from vid2vid.video.reading import read_image, read_video


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return tiny_checkpoint(tmp_path_factory.mktemp("runs") / "tiny")


@pytest.fixture
def labels(tmp_path):
    return label_video(tmp_path / "labels.mp4", 4)


def run(*arguments, door=main):
    """Run a command in-process; return its status."""
    with pytest.raises(SystemExit) as left:
        door([str(argument) for argument in arguments])
    return left.value.code or 0


def test_torch_is_not_imported_for_help():
    code = (
        "import sys; from pipelines.cli.app import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'torch', 'cv2', 'av'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_help_answers_in_half_a_second():
    command = [sys.executable, "-c", "from pipelines.cli.app import main; main()", "--help"]
    seconds = []
    for _ in range(3):  # processor time, since other tests may run beside this one
        before = os.times()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        after = os.times()
        seconds.append(
            after.children_user
            + after.children_system
            - before.children_user
            - before.children_system
        )
    assert min(seconds) < 0.5


@pytest.mark.parametrize("name", ["vid2vid", "vid2vid-train", "vid2vid-render", "vid2vid-still"])
def test_the_installed_scripts_start(name):
    script = Path(sys.executable).parent / name
    done = subprocess.run([script, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"Usage: {name} " in done.stdout


@pytest.mark.parametrize("command", ["train", "render", "still", "inspect"])
def test_every_command_has_help(command, capsys):
    assert run(command, "--help") == 0
    assert f"Usage: vid2vid {command}" in capsys.readouterr().out


def test_render_prints_where_the_video_is(checkpoint, labels, tmp_path, capsys):
    assert run("render", labels, tmp_path / "out.mp4", "--checkpoint", checkpoint) == 0
    out, err = capsys.readouterr()
    assert out == f"{tmp_path / 'out.mp4'}\n"
    assert re.fullmatch(r"rendering: 4 of 4 frames, .*frames/s, .*\n", err)


def test_render_takes_every_option(checkpoint, tmp_path, capsys):
    labels = label_folder(tmp_path / "labels", 6)
    first = tmp_path / "first.png"
    cv2.imwrite(str(first), np.full((32, 48, 3), 90, np.uint8))
    beside = {name: tmp_path / name.strip("-") for name in ("--preview", "--save-flow")}
    beside |= {name: tmp_path / name.strip("-") for name in ("--save-occlusion",)}
    beside |= {"--save-hallucinated": tmp_path / "hallucinated.mkv"}
    status = run(
        *("render", labels, tmp_path / "out.mkv", "--checkpoint", checkpoint / "model.safetensors"),
        *("--palette", "camvid", "--frames", "1:5", "--fps", "30000/1001", "--height", 32),
        *("--width", 48, "--codec", "ffv1", "--lossless", "--device", "cpu"),
        *("--dtype", "bfloat16", "--first-frame", first, "--first-frame", first, "--json"),
        *(part for option in beside.items() for part in option),
    )
    result = json.loads(capsys.readouterr().out)
    assert status == 0
    assert (result["num_frames"], result["height"], result["width"]) == (4, 32, 48)
    assert set(result["extras"]) == {str(path) for path in beside.values()}
    assert all(path.exists() for path in beside.values())
    frames = [frame.rgb for frame in read_video(result["path"])]
    assert (frames[1] == 90).all()
    assert (frames[2] != 90).any()


def test_a_crf_is_for_what_loses_something(checkpoint, labels, tmp_path, capsys):
    command = ("render", labels, tmp_path / "out.mp4", "-c", checkpoint, "--crf", 20)
    assert run(*command, "--audio", "none") == 0
    assert run(*command, "--lossless") == 2
    assert "got 20, but" in capsys.readouterr().err
    assert run("render", labels, tmp_path / "out", "-c", checkpoint, "--crf", 20) == 2
    assert "--crf is for video files" in capsys.readouterr().err


def test_still_and_render_have_doors_of_their_own(checkpoint, tmp_path, capsys):
    labels = label_folder(tmp_path / "labels", 1)
    picture = labels / "street_0_labels.png"
    assert run(picture, tmp_path / "a.png", "-c", checkpoint, door=still_main) == 0
    assert run("still", picture, tmp_path / "b.png", "-c", checkpoint, "--json") == 0
    assert run(labels, tmp_path / "c", "-c", checkpoint, door=render_main) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0] == str(tmp_path / "a.png")
    assert (read_image(tmp_path / "a.png") == read_image(tmp_path / "c" / "000000.png")).all()


def test_inspect_prints_a_table_or_json(checkpoint, capsys):
    assert run("inspect", checkpoint) == 0
    table = capsys.readouterr().out
    assert "generator, total" in table
    assert "trained for 0 steps" in table
    assert run("inspect", "smoke", "--set", "data.height=64", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["name"], found["height"], found["step"]) == ("smoke", 64, None)
    assert {"name", "parameters", "macs"} <= set(found["networks"][0])


def test_a_dry_run_prints_the_run_and_touches_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(dump_config(tiny_config()))
    assert run("tiny.yaml", "--dry-run", "--set", "schedule.steps=7", door=train_main) == 0
    text = capsys.readouterr().out
    assert "steps: 7" in text
    assert "# generator, total" in text
    assert "# steps 0 to 1: clips of 6 frames" in text
    assert run("train", "tiny.yaml", "--dry-run", "--json", "--minutes", 2) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["config"]["name"] == "tiny"
    assert (plan["minutes"], plan["schedule"][0]["first"]) == (2.0, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.yaml"]


def write_data(root):
    """A data set of one short sequence."""
    palette = load_palette("camvid")
    for name in ("frames", "labels"):
        (root / "train" / "a" / name).mkdir(parents=True)
    for index, ids in enumerate(label_maps(8, height=32, width=48)):
        cv2.imwrite(str(root / "train" / "a" / "labels" / f"{index}.png"), ids)
        rgb = ids_to_colours(ids, palette)
        cv2.imwrite(str(root / "train" / "a" / "frames" / f"{index}.png"), rgb[..., ::-1])
    return root


def test_a_run_is_trained_and_then_renders(tmp_path, labels, capsys):
    config = tiny_config(
        data={"root": str(write_data(tmp_path / "data")), "height": 32, "width": 48},
        image_discriminator=None,
        video_discriminator=None,
        schedule={"steps": 2, "clip_length": 2, "clip_length_max": 2},
        training={"output": str(tmp_path / "runs")},
    )
    (tmp_path / "tiny.yaml").write_text(dump_config(config))
    assert run("train", tmp_path / "tiny.yaml", "--device", "cpu") == 0
    folder = tmp_path / "runs" / "tiny"
    assert capsys.readouterr().out == f"{folder}\n"
    assert run("train", tmp_path / "tiny.yaml", "--device", "cpu", "--json") == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {"folder": str(folder), "step": 2, "total_steps": 2}
    assert "already at step 2 of 2: nothing to do" in err
    assert run("render", labels, tmp_path / "out.mp4", "-c", folder) == 0
