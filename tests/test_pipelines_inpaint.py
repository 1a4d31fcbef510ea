import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from pipelines.cli.app import app
from vid2vid.video.reading import read_image

QUICK = ["--device", "cpu", "--iterations", "1"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a tiled picture of 56x64 px that hides behind noise, and a mask within that."""
    rng = np.random.default_rng(0)
    picture = np.tile(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8), (7, 8, 1))
    picture[20:36, 22:40] = rng.integers(0, 256, (16, 18, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    mask = np.zeros((56, 64), np.uint8)
    mask[24:32, 26:36] = 255
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*words])
    return done.exit_code, done.output


def test_a_hole_is_filled_and_the_rest_is_as_it_was(place: Path):
    status, output = _run("inpaint", "a.png", "mask.png", "b.png", "--dilate", "0", *QUICK)
    assert status == 0, output
    before, after = read_image(place / "a.png"), read_image(place / "b.png")
    changed = (before != after).any(axis=2)
    hole = read_image(place / "mask.png")[..., 0] > 0
    assert changed[hole].mean() > 0.5
    assert not changed[~hole].any()


def test_pictures_of_a_folder_have_masks_of_their_names_and_grow_them(place: Path):
    for folder, source in (("in", "a.png"), ("masks", "mask.png")):
        (place / folder).mkdir()
        (place / source).rename(place / folder / "one.png")
    status, output = _run("inpaint", "in", "masks", "out", "--json", *QUICK)
    assert status == 0, output
    assert json.loads(output[output.index("{") :])["num_frames"] == 1
    before, after = read_image(place / "in" / "one.png"), read_image(place / "out" / "one.png")
    rows, columns, _ = np.nonzero(before != after)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (20, 35, 22, 39)


def test_a_pasted_object_is_fitted_in(place: Path):
    pasted = np.full((56, 64, 3), 200, np.uint8)
    cv2.imwrite("object.png", pasted)
    status, output = _run("harmonise", "a.png", "object.png", "mask.png", "b.png", *QUICK)
    assert status == 0, output
    before, after = read_image(place / "a.png"), read_image(place / "b.png")
    assert (before[:18] == after[:18]).all()
    assert (after[26:30, 28:34] != before[26:30, 28:34]).any()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("a.png", "mask.png", "b.png", "--chunk", "9"), "options of video say nothing"),
        (("a.png", "small.png", "b.png"), "must have the size of its picture, 64x56"),
        (("a.png", "white.png", "b.png"), "covers all"),
        (("a.png", "masks", "b.png"), "one by the name of each; a.png has none"),
        (("a.png", "mask.png", "mask.png"), "holds the masks"),
        (("a.png", "mask.mp4", "b.png"), "is a video and a.png is none"),
        (("a.png", "mask.png", "b.mp4", "--quality", "9"), "--quality is for"),
        (("a.png", "mask.png", "b.png", "--vgg-weights", "no.pth"), "there is no no.pth"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_line(place: Path, words: tuple[str, ...], message: str):
    cv2.imwrite("small.png", np.zeros((4, 4), np.uint8))
    cv2.imwrite("white.png", np.full((56, 64), 255, np.uint8))
    (place / "masks").mkdir()
    for name in ("x", "y"):
        cv2.imwrite(f"masks/{name}.png", np.zeros((56, 64), np.uint8))
    (place / "mask.mp4").write_bytes(b"")
    status, output = _run("inpaint", *words, *QUICK)
    assert status == 2
    assert message in output
    assert not (place / "b.png").exists()


def test_sizes_of_picture_and_object_must_agree(place: Path):
    cv2.imwrite("object.png", np.zeros((8, 8, 3), np.uint8))
    status, output = _run("harmonise", "a.png", "object.png", "mask.png", "b.png", *QUICK)
    assert status == 2
    assert "must have one size" in output
