"""The table of wrong pixels, on small maps."""

import re

import cv2
import numpy as np
import pytest
from PIL import Image
from tool_modules import load_tool

PLACES = (
    "camvid15/labels/0016E5",
    "cityscapes_pairs/labels_only/labels",
    "cityscapes_labels_2048/labels",
)


@pytest.fixture(scope="module")
def tool():
    return load_tool("bench_label_video")


def blobs(seed, *, size=(96, 128), num_classes=10):
    """A label map of round fields."""
    noise = np.random.default_rng(seed).normal(size=(num_classes, *size))
    return np.stack([cv2.GaussianBlur(plane, None, 9) for plane in noise]).argmax(axis=0)


def test_each_way_is_counted_for_each_data_set_and_coding(tool, tmp_path, capsys):
    for seed, place in enumerate(PLACES):
        (tmp_path / place).mkdir(parents=True)
        Image.fromarray(blobs(seed).astype(np.uint8)).save(tmp_path / place / "0.png")
    tool.main(tmp_path, most=1)
    tables = capsys.readouterr().out.split("wrong pixels, %")[1:]
    assert len(tables) == 3
    for table in tables:
        rows = dict(re.findall(r"^\| ([^|]*[a-z]) \| ([\d. |]+) \|$", table, re.MULTILINE))
        assert rows.keys() == tool.WAYS.keys()
        shares = {way: [float(cell) for cell in row.split("|")[:5]] for way, row in rows.items()}
        assert all(row[:3] == [0, 0, 0] for row in shares.values())
        for column in (3, 4):
            assert 0 < shares["as it is read"][column] < shares["nearest colour"][column]


def test_no_way_changes_exact_colours(tool):
    palette = tool.load_palette("camvid")
    ids = blobs(7).astype(np.uint8)
    rgb = tool.ids_to_colours(ids, palette)
    for way in tool.WAYS.values():
        assert np.array_equal(way(rgb, palette), ids)
