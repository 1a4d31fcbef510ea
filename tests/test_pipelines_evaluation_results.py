import re

import numpy as np
import pytest
from evaluations import options, write

from pipelines.evaluation.catalogue import list_metrics
from pipelines.evaluation.charts import Line, Mark, line_chart, log_ticks, nice_ticks
from pipelines.evaluation.evaluate import evaluate
from pipelines.evaluation.ledger import Ledger, When, joined_units
from pipelines.evaluation.results import Figure, is_trusted
from pipelines.evaluation.tables import write_number
from vid2vid.metrics.bins import Bins
from vid2vid.metrics.bootstrap import Interval
from vid2vid.metrics.statistics import slope


@pytest.fixture
def pair(tmp_path):
    return write(tmp_path / "real"), write(tmp_path / "ours", change=10)


def test_memory_of_a_long_video_is_bounded(pair, tmp_path):

    ledger = Ledger(list_metrics((1,)))
    for frame in range(20_000):
        ledger.note(("ours", "psnr"), When(0, frame, True), frame / 1000)
    assert len(ledger.units(("ours", "psnr"))) <= 256
    assert len(ledger.curve(("ours", "psnr"))) <= 400
    assert ledger.count(("ours", "psnr")) == 20_000


def note_all(ledger, *, levels, lengths):
    """Note sequences that rise by 2 a frame from a level each."""

    for sequence, (level, length) in enumerate(zip(levels, lengths, strict=True)):
        for frame in range(length):
            ledger.note(("ours", "psnr"), When(sequence, frame, False), level + 2 * frame)
        ledger.end_sequence(sequence)


def test_drift_is_within_each_sequence():

    ledger = Ledger(list_metrics((1,)))
    note_all(ledger, levels=(0, 100, 30), lengths=(5, 30, 9))
    assert slope(ledger.slopes(("ours", "psnr")).sum(axis=0)) == pytest.approx(2)
    assert len(ledger.slopes(("ours", "psnr"))) == 3


@pytest.mark.parametrize(("units", "joined"), [(1, 1), (256, 1), (257, 2), (625, 4)])
def test_the_report_knows_how_many_units_were_put_together(units, joined):

    bins = Bins(256)
    bins.add(units - 1, np.ones(1))
    assert joined_units(units) == bins.width == joined


def test_the_halves_of_the_real_video_count_their_own_frames(tmp_path):
    size = {"height": 28, "width": 48}
    places = write(tmp_path / "real", 20, **size), write(tmp_path / "ours", 20, change=9, **size)
    found = evaluate(options(places, tmp_path)).results.figures
    halves = [found[f"real, {name} half"]["tof"].count for name in ("first", "second")]
    assert halves == [15, 4]  # a block of 16 frames, of which the first has no frame before it


def test_one_block_has_no_halves(pair, tmp_path):
    found = evaluate(options(pair, tmp_path)).results.figures
    assert not any("half" in name for name in found if found[name])


def test_a_metric_is_trusted_where_intervals_do_not_meet():
    def figure(low, high):
        return Figure((low + high) / 2, Interval(low, high), 9)

    assert is_trusted(figure(1, 2), [figure(2.1, 3), figure(4, 5)]) is True
    assert is_trusted(figure(1, 2), [figure(1.9, 3), figure(4, 5)]) is False
    assert is_trusted(Figure(1, None, 9), [figure(2.1, 3), figure(4, 5)]) is None


def test_several_sequences_are_the_units_of_the_bootstrap(tmp_path):
    for name in ("one", "two", "three"):
        write(tmp_path / "real" / name)
        write(tmp_path / "ours" / name, change=len(name) * 4)
    done = evaluate(options((tmp_path / "real", tmp_path / "ours"), tmp_path))
    figure = done.results.figures["ours"]["colour_shift"]
    settings = done.report["settings"]
    assert (settings["num_units"], settings["unit"]) == (3, "sequences")
    assert "bootstrap over 3 sequences" in done.page_path.read_text()
    assert figure.count == 18
    assert figure.interval.low < figure.value < figure.interval.high


def test_ticks_are_round_and_hold_the_values():
    assert nice_ticks(0, 10) == [0, 2, 4, 6, 8, 10]
    assert nice_ticks(0.13, 0.27)[0] <= 0.13
    assert nice_ticks(5, 5)[0] < 5 < nice_ticks(5, 5)[-1]


def test_logarithmic_ticks_are_powers_of_ten_or_their_halves_and_fifths():
    assert log_ticks(0.12, 60) == pytest.approx([0.1, 1, 10, 100])
    assert log_ticks(1.3, 30) == pytest.approx([1, 2, 5, 10, 20, 50])
    assert log_ticks(3, 3) == pytest.approx([2, 5])
    assert log_ticks(10, 10) == pytest.approx([10, 20])


def test_a_logarithmic_chart_leaves_out_what_is_not_above_zero():
    marks = [Mark(1, 0.0), Mark(2, 4, 0.0, 9), Mark(4, 40, 20, 90)]
    chart = line_chart([Line("a", "s0", marks)], x_label="x", y_label="y", is_log=True)
    assert chart.count("<circle") == 2
    height = dict(re.findall(r'y="([\d.]+)">([\d.]+)<', chart))
    assert {"2", "10", "100"} <= set(height.values())


def test_a_chart_draws_each_line_and_refuses_none():
    lines = [Line("a", "s0", [Mark(1, 2, 1, 3), Mark(2, 4, 3, 5)]), Line("b <", "s1", [Mark(1, 1)])]
    chart = line_chart(lines, x_label="stride", y_label="error", is_log=True)
    assert chart.count("<polyline") == 2
    assert chart.count('class="band') == 1
    assert "b <" not in chart
    with pytest.raises(ValueError, match="must have a mark"):
        line_chart([Line("a", "s0", [])], x_label="x", y_label="y")


def test_what_rounds_to_nothing_has_no_sign():
    psnr = list_metrics((1,))["psnr"]
    assert [write_number(x, psnr) for x in (-0.004, 0.004, -0.006)] == ["0.00", "0.00", "-0.01"]
