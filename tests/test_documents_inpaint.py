"""What docs/extend_inpaint.md says of inpainting is true: its commands run."""

import re
import shlex
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipelines.cli import app as cli
from vid2vid.video.reading import read_image, read_video
from vid2vid.video.writing import open_writer

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "extend_inpaint.md").read_text("utf-8")
SECTION = re.split(r"^## ", TEXT.partition("\n## Inpaint\n")[2], flags=re.MULTILINE)[0]
COMMANDS = [shlex.split(line) for line in re.findall(r"^    vid2vid (.*)$", SECTION, re.MULTILINE)]


def _write_video(name: str, pictures: list[str]) -> None:
    writer = open_writer(name, width=64, height=48, rate=Fraction(25))
    for index, picture in enumerate(pictures):
        writer.write(read_image(picture), Fraction(index, 25))
    writer.close()


def test_its_commands_run_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for folder in ("photographs", "more_photographs", "masks"):
        Path(folder).mkdir()
    pictures = ["in.png", "picture.png", "object.png", "photographs/a.png"]
    for name in (*pictures, "more_photographs/b.png"):
        rgb = rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)
        cv2.imwrite(name, cv2.GaussianBlur(rgb, (5, 5), 0))
    for name in ("mask.png", "masks/a.png"):
        cv2.imwrite(name, cv2.circle(np.zeros((48, 64), np.uint8), (30, 20), 6, 255, -1))
    _write_video("in.mp4", ["in.png"] * 2)
    _write_video("masks.mp4", ["mask.png"] * 2)
    for words in COMMANDS:
        with pytest.raises(SystemExit) as ended:
            cli.main([*words, "--device", "cpu", "--iterations", "1"])
        assert not ended.value.code, words
    assert [words[0] for words in COMMANDS] == ["inpaint"] * 3 + ["harmonise"]
    assert Path("filled/a.png").is_file()
    assert len(list(read_video("out.mp4"))) == 2
    assert (read_image("out.png")[:8] == read_image("picture.png")[:8]).all()
