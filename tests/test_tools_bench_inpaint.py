"""The benchmark of inpainting: what it compares with, and how it scores."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from tool_modules import load_tool

from vid2vid.video.levels import from_levels

bench = load_tool("bench_inpaint")


def _hole(height: int, width: int) -> torch.Tensor:
    unknown = torch.zeros(height, width, dtype=torch.bool)
    unknown[8:20, 14:30] = True
    return unknown


def test_the_patch_fill_finds_what_is_there_twice():
    stripes = (torch.arange(48) % 12 / 6 - 1).expand(3, 30, 48).contiguous()
    unknown = _hole(30, 48)
    filled = bench.fill_by_patches(torch.where(unknown, 0.7, stripes), unknown)
    assert torch.equal(filled, stripes)


def test_a_large_picture_is_searched_small_and_filled_at_its_size():
    stripes = (torch.arange(300) % 12 / 6 - 1).expand(3, 40, 300).contiguous()
    unknown = _hole(40, 300)
    filled = bench.fill_by_patches(torch.where(unknown, 0.7, stripes), unknown)
    assert torch.equal(filled, stripes)


def test_scores_are_those_of_the_hole():
    levels = torch.full((30, 48, 3), 100, dtype=torch.uint8)
    levels[::2] = 120
    task = bench.Task("a", from_levels(levels), _hole(30, 48))
    exact = bench.score(task.real, task, 1.5)
    assert (exact.l1, exact.gradient, exact.seconds) == (0, pytest.approx(1), 1.5)
    other = torch.where(task.unknown, from_levels(levels + 51), task.real)
    moved = bench.score(other, task, 0)  # 51 of 255 levels off, and as sharp
    assert moved.l1 == pytest.approx(20, abs=1e-3)
    assert moved.l2 == pytest.approx(4, abs=1e-3)
    assert moved.psnr == pytest.approx(13.979, abs=1e-3)
    assert moved.gradient == pytest.approx(1, abs=1e-3)
    assert bench.score(torch.where(task.unknown, 0.1, task.real), task, 0).gradient == 0


def test_masks_are_brought_to_the_size_of_the_photographs(tmp_path: Path):
    for name, count in (("photographs", 3), ("masks", 2)):
        (tmp_path / name).mkdir()
        for index in range(count):
            side = 40 if name == "photographs" else 20
            picture = np.zeros((side, side, 3), np.uint8)
            picture[: side // 2] = 255
            cv2.imwrite(str(tmp_path / name / f"{index}.png"), picture)
    tasks = bench.read_tasks(tmp_path / "photographs", tmp_path / "masks", most=None)
    assert [task.name for task in tasks] == ["0", "1"]
    assert tasks[0].unknown.shape == (40, 40)
    assert tasks[0].unknown[:20].all()
    assert not tasks[0].unknown[20:].any()
