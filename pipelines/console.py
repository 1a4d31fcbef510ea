"""What every command shares at the terminal: exit statuses, one-line errors, progress.

Results go to stdout, everything here to stderr. Nothing here imports torch, so that `--help` and
a wrong option answer at once.
"""

import contextlib
import os
import re
import select
import sys
import time
import traceback
from collections.abc import Callable, Generator
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from typer import Abort, BadParameter, Exit

from vid2vid.errors import ConfigError, TrainingError, Vid2VidError

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import Task, TaskID

STATUS_DONE = 0
STATUS_FAILED = 1  # disk, device or stream
STATUS_WRONG_INPUT = 2
STATUS_INTERRUPTED = 130  # 128 + SIGINT, as shells have it

SECONDS_BETWEEN_LINES = 10.0

_DEVICE_ERRORS = {"OutOfMemoryError", "AcceleratorError", "DistError"}  # torch's, by name
# What torch says in a plain RuntimeError when a device, and not the program, has failed.
_DEVICE_TROUBLE = re.compile(
    r"out of memory|can't allocate memory|\b(?:CUDA|HIP|MPS|XPU|NCCL|cu(?:DNN|BLAS)) ?\w* error"
    r"|DataLoader worker .* (?:killed|exited)|No (?:CUDA GPUs|HIP GPUs) are available"
    r"|NVIDIA driver",
    re.IGNORECASE,
)


def exit_status(error: BaseException) -> int:
    """Tell how a command ends that an error has stopped.

    Returns:
        2 for what the user can mend, 130 for Ctrl-C, 1 for all else: disk, device, stream, program.
    """
    if isinstance(error, Vid2VidError):
        return STATUS_WRONG_INPUT
    return STATUS_INTERRUPTED if isinstance(error, KeyboardInterrupt) else STATUS_FAILED


def run_command(function: Callable[[], None], *, debug: bool) -> int:
    """Run a command and turn an error into one line on stderr and an exit status.

    Several problems of a configuration are one line each. An error that is nobody's but the
    program's shows its traceback always, since hours may have passed and it may not come again.
    typer's own exceptions pass through.

    Args:
        function: the command, its arguments bound.
        debug: show the traceback of any error.

    Returns:
        The status to exit with.
    """
    try:
        function()
        sys.stdout.flush()
    except (Exit, Abort, BadParameter):
        raise
    except BrokenPipeError as error:
        return STATUS_FAILED if _abandon_stdout() else _report(error, debug=debug)
    except (Exception, KeyboardInterrupt) as error:
        return _report(error, debug=debug)
    return STATUS_DONE


def _report(error: BaseException, *, debug: bool) -> int:
    if debug or not _is_expected(error):
        _say("".join(traceback.format_exception(error)).rstrip())
    for line in _message(error):
        _say(f"vid2vid: {line}")
    return exit_status(error)


def _is_expected(error: BaseException) -> bool:
    if isinstance(error, (Vid2VidError, TrainingError, OSError, MemoryError, KeyboardInterrupt)):
        return True
    if not isinstance(error, RuntimeError):
        return _lacks_memory(error)
    names = {kind.__name__ for kind in type(error).__mro__ if kind.__module__.startswith("torch")}
    return bool(names & _DEVICE_ERRORS) or bool(_DEVICE_TROUBLE.search(str(error)))


def _lacks_memory(error: BaseException) -> bool:
    """Tell whether OpenCV could not get memory, for which it has no error of its own kind."""
    return type(error).__module__ == "cv2" and "Insufficient memory" in str(error)


def _message(error: BaseException) -> list[str]:
    text = str(error).strip()
    if text.startswith("Caught ") and "Traceback" in text:
        # torch hands the error of a DataLoader worker on with its traceback as the message.
        text = text.splitlines()[-1].partition(": ")[2]
    first = text.partition("\n")[0] or type(error).__name__
    if _lacks_memory(error):  # without the place in OpenCV's source
        first = first.rpartition(") ")[2]
    if isinstance(error, KeyboardInterrupt):
        return [first if text else "interrupted"]
    if not _is_expected(error):
        return [f"{type(error).__name__}: {first}"]
    if isinstance(error, ConfigError):
        return text.splitlines()
    if isinstance(error, (Vid2VidError, TrainingError)):
        return [" ".join(text.split())]
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return [f"{where}{error.strerror[:1].lower()}{error.strerror[1:]}"]
    if isinstance(error, MemoryError) or "memory" in text:
        return [f"{first}; use smaller frames, shorter clips or a smaller batch"]
    return [first]


def _say(text: str) -> None:
    """Write a line to stderr; if nobody reads it any more, there is nobody to tell."""
    with contextlib.suppress(BrokenPipeError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def _abandon_stdout() -> bool:
    """If stdout is the pipe that broke (`| head`), drop what is still to be written to it."""
    if sys.platform == "win32":  # reports another error for such a pipe, and has no poll
        return False
    try:
        stdout = sys.stdout.fileno()
    except OSError:  # replaced by something that is no file
        return False
    poll = select.poll()
    poll.register(stdout, select.POLLERR)
    is_broken = any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
    if is_broken:
        # Python flushes stdout once more when it ends, and would complain there.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stdout)
        os.close(nowhere)
    return is_broken


Work = Callable[[int], float]


class Progress(Protocol):
    """How far a command has come."""

    def advance(self, n: int = 1, note: str = "") -> None:
        """Count `n` more units done; `note` says something about the latest, such as its loss."""
        ...


@contextlib.contextmanager
def progress(
    total: int | None,
    description: str,
    *,
    unit: str = "frames",
    done: int = 0,
    work: Work | None = None,
) -> Generator[Progress]:
    """Show progress on stderr: a bar on a terminal, else a line every ten seconds and at the end.

    Args:
        total: number of units of the whole work, or None where it is not known.
        description: what is being done ('rendering').
        unit: what is counted ('frames', 'steps'); the rate is `unit`/s.
        done: units that were done before, as when a training resumes; they count in no rate.
        work: of the first so many units; None = all are alike. It decides the time left.
    """
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        with _rich_progress(unit, work=work, before=done) as bar:
            yield _TerminalProgress(bar, bar.add_task(description, total=total, completed=done))
        return
    lines = LineProgress(total, description, unit=unit, done=done, work=work)
    try:
        yield lines
    finally:
        lines.close()


class LineProgress:
    """Progress as plain lines, for logs."""

    def __init__(
        self,
        total: int | None,
        description: str,
        *,
        unit: str = "frames",
        done: int = 0,
        work: Work | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._work = work
        self._total, self._description, self._unit = total, description, unit
        self._clock = clock
        self._begun_s = self._said_s = clock()
        self._before = self._done = self._said = done
        self._note = ""

    def advance(self, n: int = 1, note: str = "") -> None:
        """Count `n` more units done, and write a line if the last is ten seconds old."""
        self._done += n
        self._note = note
        if self._clock() - self._said_s >= SECONDS_BETWEEN_LINES:
            self._write()

    def close(self) -> None:
        """Write a last line, unless it has been written already."""
        if self._done > self._said:
            self._write()

    def _write(self) -> None:
        now_s = self._clock()
        self._said_s, self._said = now_s, self._done
        elapsed_s = now_s - self._begun_s
        rate = (self._done - self._before) / elapsed_s if elapsed_s > 0 else None
        of_total = "" if self._total is None else f" of {self._total}"
        parts = [f"{self._done}{of_total} {self._unit}", _rate(rate, self._unit)]
        parts.append(f"{_duration(elapsed_s)} elapsed")
        counts = (self._before, self._done, self._total)
        left_s = _seconds_left(*counts, elapsed_s=elapsed_s, work=self._work)
        if left_s:
            parts.append(f"{_duration(left_s)} left")
        said = [part for part in (*parts, self._note) if part]
        _say(f"{self._description}: {', '.join(said)}")


def _seconds_left(
    before: int, done: int, total: int | None, *, elapsed_s: float, work: Work | None
) -> float | None:
    """Estimate the time left from what was done since `before`; None where nothing says it."""
    if total is None or done <= before:
        return None
    begun, now, end = (work(count) if work else float(count) for count in (before, done, total))
    return elapsed_s * (end - now) / (now - begun)


class _TerminalProgress:
    def __init__(self, bar: "RichProgress", task: "TaskID") -> None:
        self._bar, self._task = bar, task

    def advance(self, n: int = 1, note: str = "") -> None:
        self._bar.update(self._task, advance=n, note=note)


def _rich_progress(unit: str, *, work: Work | None, before: int) -> "RichProgress":
    from rich import progress as rich_progress
    from rich.console import Console
    from rich.text import Text

    class RateColumn(rich_progress.ProgressColumn):
        def render(self, task: "Task") -> Text:
            return Text(_rate(task.finished_speed or task.speed, unit))

    class LeftColumn(rich_progress.ProgressColumn):
        def render(self, task: "Task") -> Text:
            total = None if task.total is None else int(task.total)
            counts = (before, int(task.completed), total)
            left_s = _seconds_left(*counts, elapsed_s=task.elapsed or 0.0, work=work)
            return Text("-:--:--" if left_s is None else _duration(left_s))

    class NoteColumn(rich_progress.ProgressColumn):
        def render(self, task: "Task") -> Text:
            return Text(str(task.fields.get("note", "")))

    return rich_progress.Progress(
        rich_progress.TextColumn("{task.description}", markup=False),
        rich_progress.BarColumn(),
        rich_progress.MofNCompleteColumn(),
        RateColumn(),
        rich_progress.TimeElapsedColumn(),
        LeftColumn(),
        NoteColumn(),
        console=Console(stderr=True),
        redirect_stdout=False,  # results stay on stdout
    )


def _rate(rate: float | None, unit: str) -> str:
    if rate is None:
        return ""
    return f"{rate:.0f} {unit}/s" if rate >= 100 else f"{rate:.3g} {unit}/s"


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
