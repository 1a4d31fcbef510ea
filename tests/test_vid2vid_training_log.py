import json

from vid2vid.training.log import MetricsLog
from vid2vid.training.loop import StepReport
from vid2vid.training.schedule import Moment


def report(step, **terms):
    moment = Moment(rate_factor=1.0, clip_length=6, scales=1, frozen=0)
    return StepReport(step, terms, moment, seconds=0.5)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def write(path, steps, *, start=0):
    log = MetricsLog(path, step=start)
    for step in steps:
        log.add(report(step, pixel=float(step)))
        log.write(report(step), learning_rate=0.1)


def test_a_line_holds_the_means_since_the_last_one(tmp_path):
    log = MetricsLog(tmp_path / "metrics.jsonl", step=0)
    log.add(report(1, pixel=1.0))
    log.add(report(2, pixel=3.0, flow=5.0))
    log.write(report(2), learning_rate=2e-4)
    log.add(report(3, pixel=7.0))
    log.write(report(3), learning_rate=1e-4)
    first, second = lines(tmp_path / "metrics.jsonl")
    assert first == {
        "step": 2,
        "seconds_per_step": 0.5,
        "learning_rate": 2e-4,
        "clip_length": 6,
        "scales": 1,
        "flow": 5.0,
        "pixel": 2.0,
    }
    assert (second["step"], second["pixel"], "flow" in second) == (3, 7.0, False)


def test_lines_of_lost_steps_are_dropped_when_a_run_goes_on(tmp_path):
    write(tmp_path / "metrics.jsonl", [1, 2, 3, 4])
    write(tmp_path / "metrics.jsonl", [3, 4, 5], start=2)
    assert [line["step"] for line in lines(tmp_path / "metrics.jsonl")] == [1, 2, 3, 4, 5]


def test_a_line_that_was_cut_off_is_dropped(tmp_path):
    path = tmp_path / "metrics.jsonl"
    write(path, [1, 2])
    path.write_text(path.read_text()[:-20])
    write(path, [2], start=2)
    assert [line["step"] for line in lines(path)] == [1, 2]


def test_a_run_that_begins_anew_drops_the_lines_of_the_one_before(tmp_path):
    write(tmp_path / "metrics.jsonl", [1, 2])
    write(tmp_path / "metrics.jsonl", [1], start=0)
    assert [line["step"] for line in lines(tmp_path / "metrics.jsonl")] == [1]


def test_scores_stand_in_the_line_of_their_step(tmp_path):
    log = MetricsLog(tmp_path / "metrics.jsonl", step=0)
    log.add(report(1, pixel=2.0))
    line = log.write(report(1), learning_rate=0.5, scores={"validation_psnr": 20.0})
    assert [line] == lines(tmp_path / "metrics.jsonl")
    assert (line["pixel"], line["validation_psnr"]) == (2.0, 20.0)
