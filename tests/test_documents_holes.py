"""What docs/extend_inpaint.md says of content networks is true: commands run, tables fit."""

import re
import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from pipelines.build import build_generator
from pipelines.cli import app as cli
from pipelines.config.file import read_config
from pipelines.config.run import RunConfig
from vid2vid.networks.context_encoder import ContextEncoderConfig
from vid2vid.networks.cost import count_parameters
from vid2vid.video.reading import read_image

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "extend_inpaint.md").read_text("utf-8")
SECTION = re.split(
    r"^## ", TEXT.partition("\n## Train what a hole holds\n")[2], flags=re.MULTILINE
)[0]
COMMANDS = [shlex.split(line) for line in re.findall(r"^    vid2vid (.*)$", SECTION, re.MULTILINE)]
QUICK = (
    *("schedule.steps=2", "training.batch_size=2", "data.frame_range=[0, 2]", "validation=null"),
    *("generator.width=2", "generator.bottleneck=4", "hole_discriminator.width=2"),
)


def _photograph(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    rgb = np.random.default_rng(len(path.name)).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    cv2.imwrite(str(path), cv2.GaussianBlur(rgb, (9, 9), 0))


def test_its_commands_run_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for name in ("in.png", "photographs/one.png", "photographs/three.png"):
        _photograph(Path(name))
    cv2.imwrite("mask.png", cv2.circle(np.zeros((48, 64), np.uint8), (30, 20), 8, 255, -1))
    for words in COMMANDS:
        if words[0] == "train":
            where = words.index("--minutes")
            quick = [part for setting in QUICK for part in ("--set", setting)]
            words[where : where + 2] = quick
        with pytest.raises(SystemExit) as ended:
            cli.main([*words, "--device", "cpu"])
        assert not ended.value.code, words
    assert [words[0] for words in COMMANDS] == ["train", "inpaint"]
    before, after = (read_image(f"{name}.png").astype(int) for name in ("in", "out"))
    changed = (before != after).any(axis=2)
    assert changed[16:24, 26:34].mean() > 0.9
    assert not changed[:, 52:].any()


def test_its_tables_say_what_the_configurations_say():
    for name in ("nps", "nps_small"):
        config = read_config(name, RunConfig)
        assert isinstance(config.generator, ContextEncoderConfig)
        (control,) = config.controls
        assert control.kind == "known"
        said = f"a frame of {config.data.width}x{config.data.height} without "
        if control.size is not None:
            said += f"{control.size}x{control.size}"
        elif control.share is not None:
            said += f"{100 * control.share[0]:.0f} to {100 * control.share[1]:.0f} %"
        assert re.search(rf"^\| `{name}` \| .* \| {said} \| .* \|$", TEXT, re.MULTILINE)
        with torch.device("meta"):
            millions = count_parameters(build_generator(config, None)) / 1e6
        number = f"{millions:.0f}" if name == "nps" else f"{millions:.1f}"
        assert re.search(rf"`{name}`[^;]*\b{number} million", SECTION)
