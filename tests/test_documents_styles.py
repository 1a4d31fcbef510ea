"""What docs/styles.md says is true: its commands run, its Python runs."""

import re
import shlex
from pathlib import Path

import cv2
import pytest
import torch
from PIL import Image
from tiny_runs import tiny_checkpoint

from pipelines.cli import app as cli
from vid2vid.checkpoint import load_checkpoint, save_checkpoint
from vid2vid.video.reading import read_image

TEXT = (Path(__file__).parent.parent / "docs" / "styles.md").read_text("utf-8")
COMMANDS = [shlex.split(line) for line in re.findall(r"^    vid2vid (.*)$", TEXT, re.MULTILINE)]


@pytest.fixture
def workplace(tmp_path, tiny_dataset, monkeypatch):
    """A folder with RUN, DATA, labels.png, and photo.png with its ids.png."""
    root = tiny_dataset({"one": 8}, with_instances=True)
    monkeypatch.chdir(tmp_path)
    root.rename("DATA")
    encoder = {"width": 2, "downsamplings": 1, "norm": "none"}
    network = {"kind": "pix2pixhd", "width": 4, "downsamplings": 1, "blocks": 1}
    made = tiny_checkpoint(
        Path("RUN"),
        generator={**network, "features": 3, "encoder": encoder},
        labels={"palette": "DATA/palette.yaml"},
        data={"root": "DATA", "height": 16, "width": 16},
    )
    saved = load_checkpoint(made, kind="generator")
    louder = {
        key: each * 20 if key.startswith("encoder.") else each
        for key, each in saved.tensors.items()
    }
    save_checkpoint(saved.path, louder, saved.metadata)
    sequence = Path("DATA/train/one")
    for source, name in (("labels/000", "labels"), ("labels/003", "ids"), ("frames/003", "photo")):
        with Image.open(sequence / f"{source}.png") as picture:
            picture.save(f"{name}.png")
    return tmp_path


def run(*words):
    with pytest.raises(SystemExit) as ended:
        cli.main([*words, "--device", "cpu"])
    assert not ended.value.code, words


def test_its_commands_and_its_python_run_in_order(workplace):
    for words in COMMANDS:
        run(*words)
    assert [words[0] for words in COMMANDS] == ["styles", "still", "still", "still", "still"]
    assert cv2.imread("styles.png") is not None
    assert read_image(Path("drawn.png")).shape == (16, 16, 3)
    assert read_image(Path("grid.png")).size > 8 * 16 * 16 * 3 - 1
    (block,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(block.replace("seed=1)", 'seed=1, device="cpu")'), "styles.md", "exec"), names)
    assert (names["before"] != names["again"].render()).any()
    assert torch.tensor(names["before"]).shape == (16, 16, 3)
