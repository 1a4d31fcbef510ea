import contextlib
import os
import pty
import re
import select
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
import torch
import typer

from pipelines.console import LineProgress, exit_status, progress, run_command
from vid2vid.errors import (
    CheckpointError,
    ConfigError,
    DataError,
    TrainingError,
    Vid2VidError,
    VideoError,
)

DISK_FULL = OSError(28, "No space left on device", "out.mp4")


def failing(error: BaseException):
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Vid2VidError("x"), 2),
        (ConfigError("x"), 2),
        (DataError("x"), 2),
        (CheckpointError("x"), 2),
        (VideoError("x"), 2),
        (KeyboardInterrupt(), 130),
        (TrainingError("x"), 1),
        (DISK_FULL, 1),
        (torch.OutOfMemoryError("CUDA out of memory"), 1),
        (RuntimeError("CUDA error: device-side assert triggered"), 1),
        (ValueError("x"), 1),
    ],
)
def test_each_error_has_its_exit_status(capsys, error, status):
    assert exit_status(error) == status
    assert run_command(failing(error), debug=False) == status
    assert run_command(failing(error), debug=True) == status
    assert capsys.readouterr().out == ""


def test_a_command_that_succeeds_says_nothing(capsys):
    assert run_command(lambda: None, debug=False) == 0
    assert capsys.readouterr() == ("", "")


def worker_error() -> DataError:
    """The error as torch rebuilds it from a DataLoader worker."""
    return DataError(
        "Caught DataError in DataLoader worker process 0.\nOriginal Traceback (most recent call"
        ' last):\n  File "x.py", line 3, in y\nvid2vid.errors.DataError: a.png is 8x8\n'
    )


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (VideoError("a.mp4 has no frames"), "a.mp4 has no frames"),
        (VideoError("a.mp4 has\n  no frames"), "a.mp4 has no frames"),
        (worker_error(), "a.png is 8x8"),
        (TrainingError("term 'flow' is not finite"), "term 'flow' is not finite"),
        (DISK_FULL, "out.mp4: no space left on device"),
        (OSError(5, "Input/output error"), "input/output error"),
        (OSError("stream ended"), "stream ended"),
        (OSError(), "OSError"),
        (KeyboardInterrupt(), "interrupted"),
        (RuntimeError("CUDA error: unspecified\nCompile with"), "CUDA error: unspecified"),
        (torch.AcceleratorError("device lost"), "device lost"),
        (MemoryError(), "MemoryError; use smaller frames, shorter clips or a smaller batch"),
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
            "CUDA out of memory. Tried to allocate 2 GiB;"
            " use smaller frames, shorter clips or a smaller batch",
        ),
    ],
)
def test_a_known_error_is_one_line_on_stderr(capsys, error, line):
    run_command(failing(error), debug=False)
    assert capsys.readouterr() == ("", f"vid2vid: {line}\n")


def test_a_picture_that_does_not_fit_into_memory_is_one_line(capsys):
    def enlarge():
        cv2.resize(np.zeros((2, 2, 3), np.uint8), (6_000_000, 4_000_000))

    assert run_command(enlarge, debug=False) == 1
    said = capsys.readouterr().err
    assert said.startswith("vid2vid: Failed to allocate 72000000000000 bytes")
    assert said.endswith("; use smaller frames, shorter clips or a smaller batch\n")


def test_several_problems_of_a_configuration_are_a_line_each(capsys):
    run_command(failing(ConfigError("a.yaml:1: x\na.yaml:2: y")), debug=False)
    assert capsys.readouterr().err == "vid2vid: a.yaml:1: x\nvid2vid: a.yaml:2: y\n"


@pytest.mark.parametrize("error", [RuntimeError("sizes differ\nat x"), KeyError("memory")])
def test_an_error_of_the_program_shows_its_traceback(capsys, error):
    run_command(failing(error), debug=False)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == f"vid2vid: {type(error).__name__}: {str(error).splitlines()[0]}"


def test_debug_shows_the_traceback_before_the_line(capsys):
    run_command(failing(VideoError("a.mp4 is empty")), debug=True)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-2:] == ["vid2vid.errors.VideoError: a.mp4 is empty", "vid2vid: a.mp4 is empty"]


@pytest.mark.parametrize("error", [typer.Exit(3), typer.Abort(), typer.BadParameter("x")])
def test_exceptions_of_typer_pass_through(error):
    with pytest.raises(type(error)):
        run_command(failing(error), debug=False)


def run_script(body: str, **options) -> subprocess.Popen:
    code = f"import sys\nfrom pipelines.console import progress, run_command\n{body}"
    return subprocess.Popen([sys.executable, "-c", code], text=True, **options)


def test_a_reader_that_leaves_ends_the_command_without_a_word():
    body = (
        "def command():\n  for _ in range(100000): sys.stdout.write('line\\n')\n"
        "sys.exit(run_command(command, debug=False))"
    )
    with run_script(body, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == "line\n"
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_a_few_results_for_a_reader_that_has_left_end_without_a_word_too():
    body = (
        "def command():\n  sys.stdin.readline()\n  sys.stdout.write('result')\n"
        "sys.exit(run_command(command, debug=False))"
    )
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with run_script(body, **pipes) as process:
        process.stdout.close()
        process.stdin.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_a_broken_pipe_that_is_not_stdout_is_reported(capsys):
    assert run_command(failing(BrokenPipeError(32, "Broken pipe")), debug=False) == 1
    assert capsys.readouterr().err == "vid2vid: broken pipe\n"


def test_a_closed_stderr_does_not_stop_the_work():
    body = (
        "def command():\n"
        "  with progress(2, 'rendering') as bar: bar.advance(2)\n"
        "  sys.stdout.write('done')\n"
        "sys.stdin.readline()\n"
        "sys.exit(run_command(command, debug=False))"
    )
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with run_script(body, **pipes) as process:
        process.stderr.close()
        process.stdin.close()
        assert process.stdout.read() == "done"


def test_the_console_does_not_import_torch():
    body = "sys.exit('torch' in sys.modules)"
    with run_script(body) as process:
        pass
    assert process.returncode == 0


class Clock:
    """Seconds that pass when the test says so."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_lines_come_every_ten_seconds_and_at_the_end(capsys):
    clock = Clock()
    lines = LineProgress(100, "rendering", clock=clock)
    for second in range(1, 26):
        clock.seconds = float(second)
        lines.advance(2, note=f"shot {second}")
    lines.close()
    lines.close()
    assert capsys.readouterr().err.splitlines() == [
        "rendering: 20 of 100 frames, 2 frames/s, 0:00:10 elapsed, 0:00:40 left, shot 10",
        "rendering: 40 of 100 frames, 2 frames/s, 0:00:20 elapsed, 0:00:30 left, shot 20",
        "rendering: 50 of 100 frames, 2 frames/s, 0:00:25 elapsed, 0:00:25 left, shot 25",
    ]


def test_steps_done_before_a_resumption_count_in_no_rate(capsys):
    clock = Clock()
    lines = LineProgress(1000, "training", unit="steps", done=900, clock=clock)
    clock.seconds = 20.0
    lines.advance(10)
    line = "training: 910 of 1000 steps, 0.5 steps/s, 0:00:20 elapsed, 0:03:00 left\n"
    assert capsys.readouterr().err == line


def test_units_that_are_more_work_take_more_of_the_time_left(capsys):
    clock = Clock()
    lines = LineProgress(10, "training", unit="steps", work=lambda step: step**2, clock=clock)
    clock.seconds = 20.0
    lines.advance(5)  # a quarter of the work
    assert "0:00:20 elapsed, 0:01:00 left" in capsys.readouterr().err


def test_an_unknown_total_has_no_time_left(capsys):
    clock = Clock()
    lines = LineProgress(None, "reading", clock=clock)
    clock.seconds = 3600.0
    lines.advance(720_000)
    assert capsys.readouterr().err == "reading: 720000 frames, 200 frames/s, 1:00:00 elapsed\n"


def test_without_a_terminal_progress_writes_plain_lines(capsys):
    with progress(3, "rendering") as bar:
        for _ in range(3):
            bar.advance(note="[now]")
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"rendering: 3 of 3 frames, \S+ frames/s, 0:00:00 elapsed, \[now\]\n", err)


def test_an_interrupted_work_still_writes_its_last_line(capsys):
    def command() -> None:
        with progress(3, "rendering") as bar:
            bar.advance()
            raise KeyboardInterrupt

    run_command(command, debug=False)
    assert capsys.readouterr().err.startswith("rendering: 1 of 3 frames")


def on_terminal(monkeypatch, term: str) -> str:
    """Return what progress writes to a terminal of the given kind while stdout is not one."""
    outer, inner = pty.openpty()
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("COLUMNS", "120")
    with os.fdopen(inner, "w") as stderr, os.fdopen(outer, "rb", buffering=0) as screen:
        monkeypatch.setattr(sys, "stderr", stderr)
        with progress(4, "training [all]", unit="steps", done=1) as bar:
            for _ in range(3):
                bar.advance(note="loss [0.5]")
                time.sleep(0.01)
        monkeypatch.undo()
        written = b""
        while select.select([screen], [], [], 0.2)[0]:  # one read gives no more than one write
            written += screen.read(65536)
    return written.decode()


def test_on_a_terminal_progress_is_a_bar_with_count_rate_and_times(monkeypatch, capsys):
    written = on_terminal(monkeypatch, "xterm")
    last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written).replace("\r", "\n").strip()
    pattern = r"training \[all\] .*4/4 [\d.]+ steps/s 0:00:00 0:00:00 loss \[0.5\]"
    assert re.search(pattern, last)
    assert capsys.readouterr().out == ""


def test_on_a_dumb_terminal_progress_is_plain_lines(monkeypatch):
    assert "\x1b" not in on_terminal(monkeypatch, "dumb")


def test_a_bar_of_unknown_length_runs_on_a_terminal(monkeypatch):
    outer, inner = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(inner, "w") as stderr, os.fdopen(outer, "rb", buffering=0) as screen:
        with contextlib.redirect_stderr(stderr), progress(None, "reading") as bar:
            bar.advance(5)
        shown = ""
        while "5/?" not in shown:  # a terminal hands on what it has, not all at once
            shown += screen.read(65536).decode()
