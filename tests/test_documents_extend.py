"""What docs/extend_inpaint.md says of extending is true: its commands run."""

import re
import shlex
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from srn_checkpoints import srn_checkpoint

from pipelines.cli import app as cli
from pipelines.config.file import read_config
from pipelines.config.run import RunConfig
from vid2vid.extension.layout import Layout
from vid2vid.extension.margins import margins_to_aspect
from vid2vid.extension.planning import plan_growth
from vid2vid.video.reading import read_image, read_video
from vid2vid.video.writing import open_writer

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "extend_inpaint.md").read_text("utf-8")
SECTION = re.split(r"^## ", TEXT.partition("\n## Extend\n")[2], flags=re.MULTILINE)[0]
COMMANDS = [shlex.split(line) for line in re.findall(r"^    vid2vid (.*)$", SECTION, re.MULTILINE)]


def photo(path, height=48, width=64):
    path.parent.mkdir(exist_ok=True)
    rgb = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    cv2.imwrite(str(path), cv2.GaussianBlur(rgb, (5, 5), 0))


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A folder with pictures, photographs/, in.mp4, and a network as training leaves it."""
    monkeypatch.chdir(tmp_path)
    names = ["in.png", "day.png", "night.png", "photographs/one.png", "photographs/two.png"]
    for name in names:
        photo(Path(name))
    photo(Path("brick.png"), 16, 20)
    srn_checkpoint(tmp_path / "runs" / "srn_small")
    writer = open_writer("in.mp4", width=64, height=48, rate=Fraction(25))
    for index in range(3):
        writer.write(np.roll(read_image("in.png"), index, axis=1), Fraction(index, 25))
    writer.close()
    return tmp_path


def run(words):
    """Run a command; training is a dry run."""
    if words[0] == "train":
        where = words.index("--minutes")
        words = [*words[:where], *words[where + 2 :], "--dry-run", "--device", "cpu"]
    else:
        words = [*words, "--device", "cpu"]
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert not ended.value.code, words


def test_its_commands_run_in_order(workplace):
    for words in COMMANDS:
        run(words)
    assert {words[0] for words in COMMANDS} == {"extend", "train", "morph"}
    assert read_image("out.png").shape == (48, 64 + 214, 3)
    assert read_image("wide/two.png").shape == (48, 86, 3)
    assert read_image("wall.png").shape == (64, 80, 3)
    assert read_image("both.png").shape == (48, 144, 3)
    assert [frame.rgb.shape for frame in read_video("out.mp4")] == [(48, 86, 3)] * 3


def test_it_quotes_what_is_said():
    margins = margins_to_aspect(480, 640, Fraction(16, 9))
    layout = Layout(128, 128, 64, 64, "random")
    way = plan_growth(480, 640, margins, layout=layout).describe(480, 640)
    assert f"    extends 640x480 to 854x480 {way}\n" in SECTION


def test_its_table_says_what_the_configurations_say():
    rows = dict(re.findall(r"^\| `(srn_\w+)` \|.*\| (\d+x\d+ .*) \|.*\|$", TEXT, re.MULTILINE))
    assert {"srn_256", "srn_scene", "srn_body", "srn_small"} <= set(rows)
    for name, said in rows.items():
        config = read_config(name, RunConfig)
        (control,) = config.controls
        place = {"random": "anywhere", "centre": "in the middle", "top": "at the top"}
        known = f"{control.width}x{control.height} {place[control.position]}"
        assert said == f"{known} -> {config.data.width}x{config.data.height}"
