"""Train models in processes of their own with one thread, so that CPU minutes are one core's."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

MINUTES_FILE = "cpu_minutes.json"


class Training(NamedTuple):
    """A run that is wanted."""

    config: str  # name or file
    folder: Path  # of the run
    settings: Sequence[str]  # overrides, each `a.b=c`


def is_trained(folder: Path) -> bool:
    """Tell whether a run was trained to its end."""
    return (folder / MINUTES_FILE).is_file()


def cpu_minutes(folder: Path) -> float:
    """Return what a run that was trained took."""
    return float(json.loads((folder / MINUTES_FILE).read_text()))


def train_all(wanted: Sequence[Training], *, workers: int, minutes: float | None = None) -> None:
    """Train what has not been trained yet, `workers` models at a time.

    Args:
        wanted: the runs.
        workers: processes, one core each.
        minutes: of each; None trains the steps of the configuration.
    """
    left = [training for training in wanted if not is_trained(training.folder)]
    began = time.monotonic()
    with ThreadPoolExecutor(workers) as pool:
        results = pool.map(lambda training: train_apart(training, minutes=minutes), left)
        for count, (training, taken) in enumerate(zip(left, results, strict=True), start=1):
            rest = (time.monotonic() - began) / count * (len(left) - count) / 60
            print(
                f"{training.folder.name}: {taken:.1f} CPU minutes; about {rest:.0f} minutes left",
                file=sys.stderr,
            )


def train_apart(training: Training, *, minutes: float | None = None) -> float:
    """Train one run from its beginning; return its CPU minutes.

    What lies in its folder is deleted.
    """
    config, folder, settings = training
    command = [str(Path(sys.executable).with_name("vid2vid-train")), config]
    own = [f"name={folder.name}", f"training.output={folder.parent}", *settings]
    command += [part for setting in own for part in ("--set", setting)]
    command += ["--minutes", str(minutes)] if minutes else []
    shutil.rmtree(folder, ignore_errors=True)  # minutes are counted from the beginning
    folder.parent.mkdir(parents=True, exist_ok=True)
    place = folder.with_name(f"{folder.name}.log")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with (
        place.open("w") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log) as process,
    ):
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{folder.name} ended with status {process.returncode}: see {place}")
    taken = (usage.ru_utime + usage.ru_stime) / 60
    (folder / MINUTES_FILE).write_text(json.dumps(taken))
    return taken
