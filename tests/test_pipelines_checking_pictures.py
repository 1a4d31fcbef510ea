"""Checking data sets of stills: side by side, in folders A and B, loose and of any size."""

import numpy as np
import pytest
import yaml
from broken_data import label_maps, texture, write

from pipelines.checking.check import check
from pipelines.checking.subject import Asked
from pipelines.train import TrainOptions, train
from vid2vid.errors import DataError
from vid2vid.labels.maps import ids_to_colours
from vid2vid.labels.palettes import load_palette

PICTURE = {"kind": "picture", "stream": "sketch"}
COLOURS = [ids_to_colours(ids, load_palette("camvid")) for ids in label_maps(4)]
FRAMES = [texture(seed, count=1)[0] for seed in range(4)]  # of nothing in common


def write_config(root, layout, *, controls=(), labels=None, direction="a_to_b", **data):
    """Write the file of a tiny still run on the data set beside it."""
    base = {"root": str(root), "layout": layout, "direction": direction, "height": 16, "width": 16}
    settings = {
        "name": "tiny",
        "data": {**base, **data},
        "labels": labels,
        "controls": list(controls),
        "generator": {"kind": "pix2pix_unet", "width": 2, "downsamplings": 2},
        "image_discriminator": {"width": 4, "layers": 1, "scales": 1},
        "video_discriminator": None,
        "losses": {"perceptual": 0.0},
        "schedule": {"steps": 2, "clip_length": 1, "clip_length_max": 1},
        "training": {"preview_frames": 1, "output": str(root / "runs")},
    }
    (root / "tiny.yaml").write_text(yaml.safe_dump(settings))
    return str(root / "tiny.yaml")


def write_pairs(root, *, count=4):
    for index in range(count):
        write(root / f"trainA/{index}.png", COLOURS[index])
        write(root / f"trainB/{index}.png", FRAMES[index])


def write_halves(root, *, count=4):
    for index in range(count):
        both = np.concatenate([COLOURS[index], FRAMES[index]], axis=1)
        write(root / f"train/{index}.png", both)


@pytest.mark.parametrize(
    ("layout", "write_all"), [("side_by_side", write_halves), ("pairs", write_pairs)]
)
@pytest.mark.parametrize("side", [{"labels": {"palette": "camvid"}}, {"controls": [PICTURE]}])
def test_a_healthy_set_of_two_sides_is_checked_and_trains(tmp_path, layout, write_all, side):
    write_all(tmp_path)
    file = write_config(tmp_path, layout, **side)
    report = check(file, Asked(sheet=True))
    assert [problem.to_line() for problem in report.problems] == []
    assert [(each.num_frames, each.size) for each in report.sequences] == [(4, (48, 64))]
    assert report.sheet is not None
    assert train(file, TrainOptions(device="cpu")).step == 2


def test_label_colours_of_a_half_are_looked_at_alone(tmp_path):
    write_halves(tmp_path)
    noisy = np.concatenate([COLOURS[0] ^ 1, FRAMES[0]], axis=1)
    write(tmp_path / "train/9.png", noisy)
    report = check(write_config(tmp_path, "side_by_side", labels={"palette": "camvid"}))
    assert {problem.kind for problem in report.problems} == {"compressed-labels", "duplicates"}
    assert "9.png" in report.problems[1].message or "9.png" in report.problems[0].message


def test_a_missing_partner_and_a_missing_side_are_named(tmp_path):
    write_pairs(tmp_path)
    (tmp_path / "trainA/2.png").unlink()
    file = write_config(tmp_path, "pairs", controls=[PICTURE])
    (problem,) = check(file).problems
    assert (problem.kind, "2.png" in problem.message) == ("missing-partner", True)
    for path in (tmp_path / "trainA").iterdir():
        path.unlink()
    (tmp_path / "trainA").rmdir()
    (problem,) = check(file).problems
    assert problem.kind == "missing-stream"
    assert "there is no folder or video" in problem.message
    assert "trainA" in problem.message


def test_folders_a_and_b_without_a_configuration_are_pairs_of_pictures(tmp_path):
    for index, frame in enumerate(FRAMES):
        write(tmp_path / f"trainA/{index}.png", 255 - frame[: 48 - 5 * index])
        write(tmp_path / f"trainB/{index}.png", frame[: 48 - 5 * index])
    report = check(str(tmp_path))
    assert report.problems == ()
    assert report.sequences[0].num_frames == 4


def test_a_picture_without_two_halves_is_named(tmp_path):
    write_halves(tmp_path)
    write(tmp_path / "train/9.png", FRAMES[0][:, :31])
    (problem,) = [
        each
        for each in check(write_config(tmp_path, "side_by_side", controls=[PICTURE])).problems
        if each.kind == "unreadable"
    ]
    assert "9.png is 31x48 (width x height), which has no two equal halves" in problem.message


def test_stills_may_differ_in_size_and_a_whole_fit_trains_on_them(tmp_path):
    for index, frame in enumerate(FRAMES):
        write(tmp_path / f"train/{index}.png", frame[: 48 - 5 * index])
    file = write_config(tmp_path, "auto", controls=[{"kind": "edges"}], fit="whole")
    assert check(file).problems == ()
    assert train(file, TrainOptions(device="cpu")).step == 2


def test_a_third_stream_is_refused_by_both(tmp_path):
    write_halves(tmp_path)
    file = write_config(tmp_path, "side_by_side", controls=[PICTURE], labels={"palette": "camvid"})
    (problem,) = check(file).problems
    assert (problem.kind, "one side beside the frames" in problem.message) == ("layout", True)
    with pytest.raises(DataError, match="one side beside the frames"):
        train(file, TrainOptions(device="cpu"))
