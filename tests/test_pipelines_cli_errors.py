import re
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tiny_runs import label_folder, label_video, tiny_checkpoint

from pipelines.cli.app import main
from vid2vid.video.reading import read_video


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


def complaint(capsys):
    """The one line on stderr, nothing being on stdout."""
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert len(lines) == 1, err
    assert lines[0].startswith("vid2vid: ")
    return lines[0]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--crf", 99),
        ("--dtype", "float16"),
        ("--fps", "fast"),
        ("--fps", "1/0"),
        ("--height", 0),
        ("--boundary", "edges"),
        ("--codec", "h265"),
        ("--nonsense",),
    ],
)
def test_a_bad_option_value_is_2(checkpoint, labels, tmp_path, capsys, arguments):
    assert run("render", labels, tmp_path / "out.mp4", "-c", checkpoint, *arguments) == 2
    assert arguments[0] in capsys.readouterr().err
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize("arguments", [("--frames", "5"), ("--device", "cuda:99")])
def test_a_value_that_is_checked_later_is_2(checkpoint, labels, tmp_path, capsys, arguments):
    assert run("render", labels, tmp_path / "out.mp4", "-c", checkpoint, *arguments) == 2
    assert f"{arguments[0]} must be" in complaint(capsys)


def refuse(capsys, tmp_path, labels, checkpoint, *arguments, out="out.mp4"):
    """Render in vain; return the complaint."""
    target = tmp_path / out
    before = sorted(tmp_path.rglob("*"))
    assert run("render", labels, target, "--checkpoint", checkpoint, *arguments) == 2
    assert sorted(tmp_path.rglob("*")) == before
    return complaint(capsys)


def test_a_missing_file_is_2(capsys, tmp_path, checkpoint):
    assert "there is no file" in refuse(capsys, tmp_path, tmp_path / "no.mp4", checkpoint)
    assert "does not exist" in refuse(capsys, tmp_path, tmp_path / "no", checkpoint)


def test_a_text_file_named_mp4_is_2(capsys, tmp_path, checkpoint):
    (tmp_path / "labels.mp4").write_text("these are no labels\n" * 50)
    said = refuse(capsys, tmp_path, tmp_path / "labels.mp4", checkpoint)
    assert "must be one that FFmpeg can read" in said


def test_a_truncated_mp4_is_2(capsys, tmp_path, checkpoint):
    whole = label_video(tmp_path / "whole.mp4", 40)
    data = whole.read_bytes()
    (tmp_path / "labels.mp4").write_bytes(data[: len(data) // 2])
    whole.unlink()
    said = refuse(capsys, tmp_path, tmp_path / "labels.mp4", checkpoint)
    assert "cut off" in said


def test_an_empty_folder_is_2(capsys, tmp_path, checkpoint):
    (tmp_path / "labels").mkdir()
    assert "has none" in refuse(capsys, tmp_path, tmp_path / "labels", checkpoint)


def test_an_id_outside_the_classes_is_2(capsys, tmp_path, checkpoint):
    labels = label_folder(tmp_path / "labels", 2)
    cv2.imwrite(str(labels / "street_0_labels.png"), np.full((16, 24), 77, np.uint8))
    said = refuse(capsys, tmp_path, labels, checkpoint)
    assert "ids must be 0 to 10 of the palette 'camvid'" in said
    assert "got 77" in said


def test_another_palette_is_2(capsys, tmp_path, checkpoint, labels):
    said = refuse(capsys, tmp_path, labels, checkpoint, "--palette", "camvid32")
    assert "pass --map camvid32-to-camvid" in said


def test_a_checkpoint_of_another_network_is_2(capsys, tmp_path, checkpoint, labels):
    foreign = tmp_path / "foreign.safetensors"
    save_file({"weight": torch.zeros(3)}, foreign)
    assert "must be a checkpoint of vid2vid" in refuse(capsys, tmp_path, labels, foreign)
    said = refuse(capsys, tmp_path, labels, checkpoint / "state.safetensors")
    assert "must hold a generator; it holds a training" in said


def test_without_a_checkpoint_labels_must_be_in_the_palette_of_the_package(
    capsys, tmp_path, labels
):
    for command in ("render", "still"):
        assert run(command, labels, tmp_path / "out.mp4") == 2
        told, refused = capsys.readouterr().err.splitlines()
        assert "the small generator of the package" in told
        assert "must be those of the palette 'cityscapes'" in refused
        assert "camvid-to-cityscapes" in refused


def test_an_unwritable_output_folder_is_2(capsys, tmp_path, checkpoint, labels):
    (tmp_path / "file").touch()
    said = refuse(capsys, tmp_path, labels, checkpoint, out="file/out.mp4")
    assert "output folder must be writable" in said


def test_a_misspelt_key_is_2_with_the_nearest(capsys, tmp_path):
    assert run("train", "smoke", "--set", "generator.widht=8") == 2
    assert "did you mean 'generator.width'" in complaint(capsys)
    assert run("train", "smok") == 2
    assert "did you mean 'smoke'" in complaint(capsys)


def test_trouble_after_the_first_frame_is_1(capsys, tmp_path, checkpoint):
    labels = label_folder(tmp_path / "labels", 6)
    last = labels / "street_5_labels.png"
    last.write_bytes(last.read_bytes()[:50])
    assert run("render", labels, tmp_path / "out.mp4", "-c", checkpoint) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("vid2vid: a label map must be")
    assert said.endswith(f"the 5 frames before are in {tmp_path / 'out.partial.mp4'}")
    assert not (tmp_path / "out.mp4").exists()


def test_debug_shows_the_traceback(capsys, tmp_path, labels):
    assert run("render", labels, tmp_path / "out.mp4", "-c", tmp_path, "--debug") == 2
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_is_130_and_leaves_what_plays(tmp_path, checkpoint):
    labels = label_video(tmp_path / "labels.mp4", 400)
    flow = tmp_path / "flow.partial"
    code = "from pipelines.cli.app import main; main()"
    arguments = [labels, tmp_path / "out.mp4", "-c", checkpoint, "--save-flow", tmp_path / "flow"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, "render", *map(str, arguments)],
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not (flow.is_dir() and len(list(flow.iterdir())) > 5) and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1].splitlines()
    assert process.returncode == 130
    assert said[-1] == "vid2vid: interrupted"
    assert not (tmp_path / "out.mp4").exists()
    num_frames = int(re.search(r"(\d+) frames are in", "\n".join(said))[1])
    assert 5 < num_frames < 400
    assert sum(1 for _ in read_video(tmp_path / "out.partial.mp4")) == num_frames
