import json

import cv2
import numpy as np
import pytest
from evaluations import run, write
from tool_modules import load_tool

SIZE = {"height": 48, "width": 64}


@pytest.fixture(scope="module")
def tool():
    return load_tool("make_degraded")


def read(folder):
    return [cv2.imread(str(path)).astype(float) for path in sorted(folder.iterdir())]


def gradients(frames):
    return np.mean([np.square(np.diff(frame, axis=1)).mean() for frame in frames])


def test_both_copies_have_the_names_and_size_of_the_source_and_less_of_its_detail(tool, tmp_path):
    source = write(tmp_path / "frames", 5, first=7, **SIZE)
    tool.main(source, tmp_path / "out", crf=38, sigma=1.5)
    real = read(source)
    for name in ("codec", "blurred"):
        copies = read(tmp_path / "out" / name)
        assert [p.name for p in sorted((tmp_path / "out" / name).iterdir())] == [
            f"{k:06d}.png" for k in range(7, 12)
        ]
        assert copies[0].shape == (48, 64, 3)
        assert gradients(copies) < 0.7 * gradients(real)
        assert np.mean([np.abs(a - b).mean() for a, b in zip(copies, real, strict=True)]) < 40


def test_the_blurred_copy_is_the_gaussian_of_each_frame(tool, tmp_path):
    source = write(tmp_path / "frames", 2, **SIZE)
    tool.degrade(source, tmp_path / "out", crf=38, sigma=1.5)
    frame = cv2.imread(str(source / "000001.png"))
    found = cv2.imread(str(tmp_path / "out" / "blurred" / "000001.png"))
    assert np.array_equal(found, cv2.GaussianBlur(frame, (0, 0), 1.5))


def test_copies_are_not_written_over_others_and_a_missing_source_is_named(tool, tmp_path):
    source = write(tmp_path / "frames", 2, **SIZE)
    write(tmp_path / "out" / "codec", 1)
    with pytest.raises(SystemExit, match="codec must be new or empty"):
        tool.main(source, tmp_path / "out", crf=38, sigma=1.5)
    with pytest.raises(SystemExit, match="does not exist"):
        tool.main(tmp_path / "nowhere", tmp_path / "other", crf=38, sigma=1.5)


def test_a_report_says_of_both_copies_that_they_are_worse(tool, tmp_path, capsys):
    source = write(tmp_path / "frames", 3, **SIZE)
    tool.main(source, tmp_path / "out", crf=38, sigma=1.5)
    capsys.readouterr()
    copies = [tmp_path / "out" / name for name in ("codec", "blurred")]
    words = ("evaluate", "--real", source, "--compare", *copies, "--report", tmp_path / "r")
    assert run(*words, "--json") == 0
    systems = json.loads(capsys.readouterr().out)["systems"]
    assert list(systems) == ["codec", "blurred"]
    for found in systems.values():
        assert found["gradient_ratio"]["value"] < 0.7
        assert found["ssim"]["value"] < 0.95
