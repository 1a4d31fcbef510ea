"""The claims of docs/metrics.md, at a smaller size than its table."""

import re
from pathlib import Path

import pytest
from tool_modules import load_tool

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def tool():
    return load_tool("bench_metrics")


@pytest.fixture(scope="module")
def done(tool, tmp_path_factory):
    return tool.run(tmp_path_factory.mktemp("cases"), num_frames=48, height=64, width=80)


@pytest.fixture(scope="module")
def value(tool, done):
    systems = dict(zip(tool.CASES, done.systems, strict=True))
    return lambda case, key: done.results.figures[systems[case]][key].value


ALL_BUT_TIME = ("psnr", "ssim", "blur_ssim", "canny_f1", "mean_iou", "pixel_accuracy")
WARPING = ("warping_dis_1", "warping_known_1", "warping_known_4", "warping_known_16")


@pytest.mark.parametrize("key", ALL_BUT_TIME)
def test_no_case_beats_the_perfect_one_frame_by_frame(tool, value, key):
    others = [value(case, key) for case in tool.CASES[1:]]
    assert max(others) <= value("perfect", key)
    assert min(others) < value("perfect", key)


@pytest.mark.parametrize("key", ["fd_seg", "colour_shift", "tof", "palindrome"])
def test_the_perfect_case_has_no_distance_from_the_real_one(value, key):
    assert value("perfect", key) == pytest.approx(0, abs=1e-3)


def test_a_frozen_video_fools_flicker_and_palindrome_and_fails_tof(value):
    assert value("frozen", "flicker") == 0
    assert value("frozen", "palindrome") == 0
    assert value("frozen", "tof") > 1


@pytest.mark.parametrize("key", [*WARPING, "tof", "flicker", "surface_variance", "palindrome"])
def test_a_shuffled_video_fails_everything_over_time(value, key):
    assert value("shuffled", key) > 3 * value("perfect", key) + 0.1


def test_a_shuffled_video_keeps_what_has_no_order(value):
    for key in ("gradient_ratio", "contrast_ratio"):
        assert value("shuffled", key) == pytest.approx(1, abs=0.1)
    for key in ("fd_seg", "kd_seg"):
        assert value("shuffled", key) < value("blurred", key)


@pytest.mark.parametrize("key", ["gradient_ratio", "canny_f1", "ssim"])
def test_a_blurred_video_fails_sharpness(value, key):
    assert value("blurred", key) < 0.9 * value("perfect", key)


@pytest.mark.parametrize("key", ["warping_dis_1", "warping_known_1", "flicker"])
def test_a_blurred_video_beats_the_real_one_over_time(value, key):
    assert value("blurred", key) < value("perfect", key)


@pytest.mark.parametrize("key", ["flicker", "warping_dis_1", "warping_known_1", "surface_variance"])
def test_one_planted_flicker_shows_over_time(value, key):
    assert value("flicker", key) > 1.15 * value("perfect", key) + 1e-6


@pytest.mark.parametrize("key", WARPING[1:])
def test_along_known_flow_nothing_but_the_grain_is_left_over_any_stride(tool, value, key):
    # Two frames differ by two grains, and by two roundings of a twelfth.
    expected = 2 * (tool.GRAIN_LEVELS**2 + 1 / 12) / 255**2 * 1000
    assert value("perfect", key) == pytest.approx(expected, rel=0.05)


def test_the_planted_flicker_is_found_in_time_and_as_the_worst_frame(tool, done):
    system = done.systems[tool.CASES.index("flicker")]
    curve = done.results.curves["flicker"][system]
    assert max(curve, key=lambda point: point.value).frame == 24
    assert done.report["worst_frames"][system][0]["frame"] == 24


@pytest.mark.parametrize("key", ["tof", "flicker", "warping_dis_1", "warping_known_1"])
def test_real_beats_its_controls_where_a_metric_is_trusted(done, key):
    assert done.results.trusted[key] is True


def test_the_table_in_the_docs_has_every_metric_and_every_case(tool, done):
    text = (ROOT / "docs" / "metrics.md").read_text()
    table = text.partition(tool.BEGIN)[2].partition(tool.END)[0]
    assert f"| metric | {' | '.join(tool.CASES)} |" in table
    documented = re.findall(r"^\| ([A-Z\w].*?) [↑↓→]", table, re.MULTILINE)
    here = re.findall(r"^\| ([A-Z\w].*?) [↑↓→]", tool.markdown_table(done), re.MULTILINE)
    assert set(here) <= set(documented)
    assert set(documented) - set(here) <= {
        "MS-SSIM",
        "Warping error, DIS, stride 32 (x 1e-3)",
    }  # the scene is too small here


def test_the_docs_say_of_each_case_what_the_table_says(tool):
    table = (ROOT / "docs" / "metrics.md").read_text().partition(tool.BEGIN)[2]
    rows = {
        cells[0].split(" ↓")[0].split(" ↑")[0].split(" →")[0]: [float(c) for c in cells[1:]]
        for cells in (
            [c.strip() for c in line.strip("|").split("|")] for line in table.splitlines()
        )
        if len(cells) == 6 and re.search("[↑↓→]", cells[0])
    }
    perfect, frozen, shuffled, blurred, flicker = rows["Flicker (levels)"]
    assert frozen == 0 < perfect < flicker < shuffled
    assert blurred <= perfect
    assert rows["tOF (px)"][1] > 1 > rows["tOF (px)"][4]
    assert rows["Gradient energy (x real)"][3] < 0.8
