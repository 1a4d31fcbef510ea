"""The programs that make and measure the generator of the package."""

import json
from fractions import Fraction

import numpy as np
import pytest
import torch
from tiny_runs import tiny_checkpoint
from tool_modules import load_tool

from pipelines import render
from pipelines.build import load_generation
from pipelines.config.file import read_config
from pipelines.config.run import RunConfig
from vid2vid.errors import CheckpointError
from vid2vid.labels.palettes import load_palette
from vid2vid.video.reading import find_frames, read_image
from vid2vid.video.writing import write_label_video
from vid2vid.weights import package
from vid2vid.weights.street import LARGEST_BYTES, packaged_street

TRAIN = load_tool("train_street")
BENCH = load_tool("bench_street")
CPU = torch.device("cpu")
STREETS = {"labels": {"palette": "cityscapes", "void": True}}


def test_the_second_stage_begins_with_all_that_the_first_one_has():
    first, second = (read_config(name, RunConfig).generator for name in TRAIN.STAGES)
    changed = {
        name
        for name, value in first.model_dump().items()
        if value != getattr(second, name) and name not in ("flow_scale", "warp", "detail_px")
    }
    assert changed == {"flow"}


def test_packed_weights_paint_as_the_run_does(tmp_path):
    run = tiny_checkpoint(tmp_path / "run")
    TRAIN.pack(run, tmp_path / "packed.safetensors")
    whole, packed = (load_generation(p, CPU) for p in (run, tmp_path / "packed.safetensors"))
    assert packed.config == whole.config
    for name, tensor in packed.generator.state_dict().items():
        torch.testing.assert_close(tensor, whole.generator.state_dict()[name], rtol=1e-3, atol=1e-4)
        assert torch.equal(tensor, tensor.half().float()), name


def test_weights_that_are_too_large_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(TRAIN, "LARGEST_BYTES", 1000)
    with pytest.raises(SystemExit, match="bytes in half precision, above 1000"):
        TRAIN.pack(tiny_checkpoint(tmp_path / "run"), tmp_path / "packed.safetensors")
    assert not (tmp_path / "packed.safetensors").exists()


def test_curves_of_two_runs_lie_one_after_the_other(tmp_path):
    for name, terms in (("a", ["pixel"]), ("b", ["pixel", "flow"])):
        entries = [{"step": step, **dict.fromkeys(terms, 1 / step)} for step in range(1, 90)]
        (tmp_path / name).write_text("\n".join(json.dumps(entry) for entry in entries))
    TRAIN.draw_curves([tmp_path / "a", tmp_path / "b"], tmp_path / "curves.png")
    drawn = read_image(tmp_path / "curves.png")
    panels = [half for row in np.split(drawn, 2, axis=0) for half in np.split(row[:, :798], 3, 1)]
    colours = [len(np.unique(panel.reshape(-1, 3), axis=0)) for panel in panels]
    assert colours[0] > colours[4] > colours[5]  # two curves, one, none


def test_the_package_carries_a_generator_of_streets():
    generation = load_generation(packaged_street(), CPU)
    assert packaged_street().stat().st_size <= LARGEST_BYTES
    assert generation.palette.name == "cityscapes"
    assert generation.generator.has_flow


def test_a_package_without_its_weights_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(package, "files", lambda _: tmp_path)
    with pytest.raises(CheckpointError, match=r"rendering without .* is missing: install .*--ch"):
        packaged_street()


@pytest.mark.parametrize(
    ("found", "bound", "is_least", "verdict"),
    [(3.2, 3, True, "reached"), (2.9, 3, True, "NOT reached"), (2.9, 3, False, "reached")],
)
def test_what_is_asked_is_held_against_what_was_found(found, bound, is_least, verdict):
    assert str(BENCH.Asked("PSNR", found, bound, is_least)).endswith(f"asked at "
        f"{'least' if is_least else 'most'} 3: {verdict}")  # fmt: skip


def test_streets_are_rendered_painted_judged_and_shown(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(BENCH, "TRAINING_STREETS", 2)
    sizes = {"data": {"root": "nowhere", "height": 32, "width": 64}}
    run = tiny_checkpoint(tmp_path / "run", **STREETS, **sizes)
    still = {"generator": {"flow": False, "width": 4, "downsamplings": 1, "blocks": 1}}
    alone = tiny_checkpoint(tmp_path / "still", **STREETS, **sizes, **still)
    out = tmp_path / "out"
    BENCH.main(out, run, alone, streets=2, frames=3, style_seed=1)
    told = capsys.readouterr().out
    for _, name in BENCH.ROWS:
        assert name in told
    assert told.count("reached") == 7
    assert "warping error, x that of frame by frame" in told
    for system in (BENCH.OURS, BENCH.STILL, BENCH.PAINTING):
        assert len(find_frames(out / system / "street_800001")) == 3
    painted = read_image(find_frames(out / BENCH.PAINTING / "street_800000")[1])
    labels = read_image(find_frames(out / "real/street_800000/labels")[1])
    assert len(np.unique(painted.reshape(-1, 3), axis=0)) <= len(np.unique(labels))
    assert read_image(out / "sheet.png").shape[1] == 5 * 64
    assert (out / "report/report.html").is_file()


def test_the_package_renders_and_says_at_which_size_it_is_at_home(tmp_path, caplog, monkeypatch):
    sizes = {"data": {"root": "nowhere", "height": 16, "width": 32}}
    own = tiny_checkpoint(tmp_path / "own", **STREETS, **sizes)
    monkeypatch.setattr(render, "packaged_street", lambda: own)
    caplog.set_level("INFO")
    palette = load_palette("cityscapes")
    for height, width, is_foreign in ((16, 32, False), (32, 64, True)):
        caplog.clear()
        ids = [np.full((height, width), 7, np.uint8)] * 2
        video = write_label_video(tmp_path / f"{height}.mp4", ids, palette, rate=Fraction(25))
        rendered = render.Renderer.load().render(video, tmp_path / f"out{height}.mp4")
        assert rendered.num_frames == 2
        assert "paints with the small generator of the package" in caplog.text
        assert (
            "64x32, and the generator of the package knows streets at 32x16" in caplog.text
        ) == (is_foreign)
