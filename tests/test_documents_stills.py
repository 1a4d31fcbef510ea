"""What docs/stills.md says is true: its commands run in order, its figures are those of inspect."""

import re
import shlex
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from pipelines.build import build_generator, palette_for
from pipelines.cli import app as cli
from pipelines.config.file import config_names, read_config
from pipelines.config.run import RunConfig
from vid2vid.networks.cost import count_parameters, generator_macs
from vid2vid.video.reading import read_video

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "stills.md").read_text("utf-8")
COMMANDS = [shlex.split(line) for line in re.findall(r"^    (vid2vid\S* .*)$", TEXT, re.MULTILINE)]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in re.findall(r"^\| `.* \|$", TEXT.split("## Stages")[0], re.MULTILINE)
]
DOORS = {
    "vid2vid-train": cli.train_main,
    "vid2vid-render": cli.render_main,
    "vid2vid-still": cli.still_main,
}
FILM = ROOT / "configs" / "clips" / "robot_kitchen" / "train" / "ep0" / "frames.mp4"
QUICK = [
    *("schedule.steps=2", "schedule.clip_length=1", "schedule.clip_length_max=3", "data.workers=0"),
    *("image_discriminator.width=4", "video_discriminator=null", "training.precision=float32"),
]
SMALL = {
    "camvid": ["generator.width=4", "generator.blocks=2"],
    "pix2pixhd_small": ["generator.width=4", "generator.blocks=1"],
    "fusion": ["generator.base.width=4", "generator.base.blocks=1"],
}


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """Data of the configurations that need no Cityscapes, and labels and a film to render."""
    rng = np.random.default_rng(0)
    for data, count, part in (("camvid", 8, "/s"), ("camvid1hz", 26, "")):
        for stream in ("images", "labels"):
            folder = tmp_path / "data" / data / f"{stream}{part}"
            folder.mkdir(parents=True)
            for index in range(count):
                ids = rng.integers(0, 11, (12, 16)).repeat(8, 0).repeat(8, 1).astype(np.uint8)
                picture = ids if stream == "labels" else np.stack([ids * 20] * 3, axis=2)
                cv2.imwrite(str(folder / f"{index:03d}.png"), picture)
    (tmp_path / "data" / "videos").mkdir()
    shutil.copy(FILM, tmp_path / "data" / "videos" / "film.mp4")
    frames = [frame.rgb for _, frame in zip(range(2), read_video(FILM), strict=False)]
    (tmp_path / "film").mkdir()
    (tmp_path / "labels").mkdir()
    for index, frame in enumerate(frames):
        cv2.imwrite(str(tmp_path / "film" / f"{index}.png"), frame[:48, :64])
        cv2.imwrite(str(tmp_path / "labels" / f"{index}.png"), frame[:48, :64, 0] // 25)
    shutil.copy(tmp_path / "labels" / "0.png", tmp_path / "labels.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def adapted(words):
    """Let a command end in seconds: two steps where there is data, else a dry run."""
    if words[0] != "vid2vid-train":
        places = {"labels.mp4": "labels", "film.mp4": "film"}
        return [*(places.get(word, word) for word in words), "--device", "cpu"]
    if "--minutes" in words:
        where = words.index("--minutes")
        words = words[:where] + words[where + 2 :]
    if words[1] not in SMALL:
        return [*words, "--dry-run", "--set", "losses.perceptual=0"]
    settings = [*QUICK, *SMALL[words[1]]]
    return [*words, *(each for setting in settings for each in ("--set", setting))]


def test_its_commands_run_in_order(workplace, monkeypatch):
    for words in map(adapted, COMMANDS):
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as ended:
            DOORS[words[0]]()
        assert not ended.value.code, " ".join(words)
    assert {words[0] for words in COMMANDS} == set(DOORS)
    begun, plain = (
        next(iter(read_video(workplace / name))).rgb for name in ("out.mp4", "plain.mp4")
    )
    assert (begun != plain).any()


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_its_figures_are_those_of_inspect(row):
    name = re.findall(r"`(\w+)`", row[0])[0]
    config = read_config(name, RunConfig)
    size = (config.data.height, config.data.width)
    with torch.device("meta"):
        generator = build_generator(config, palette_for(config))
    height, width = generator.padding(*size, 1).padded_size(*size)
    assert row[3] == f"{count_parameters(generator.network):,}"
    assert row[4] == f"{generator_macs(generator, height=height, width=width) / 1e9:.1f}"
    assert row[2] in (f"{config.data.width}x{config.data.height}", "to 2048x1024")
    assert (row[6] == "yes") == (
        config.losses.perceptual > 0 and "segmenter" not in str(config.losses)
    )


def test_it_names_every_configuration_of_a_still_generator():
    named = set(re.findall(r"`(\w+)`", " ".join(row[0] for row in ROWS)))
    generators = {n: read_config(n, RunConfig).generator for n in config_names()}
    # Those that fill photographs have a document of their own.
    filling = ("srn", "context_encoder")
    assert named == {n for n, g in generators.items() if g.history == 0 and g.kind not in filling}
