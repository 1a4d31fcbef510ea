"""Train a model in a process of its own with one thread, so that its CPU minutes are one core's."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

MINUTES_FILE = "cpu_minutes.json"


def is_trained(folder: Path) -> bool:
    """Tell whether a run was trained to its end."""
    return (folder / MINUTES_FILE).is_file()


def cpu_minutes(folder: Path) -> float:
    """Return what a run that was trained took."""
    return float(json.loads((folder / MINUTES_FILE).read_text()))


def train_apart(
    config: str, folder: Path, settings: Sequence[str], *, minutes: float | None = None
) -> float:
    """Train a configuration from its beginning into `folder`; return its CPU minutes.

    Args:
        config: name or file.
        folder: of the run; what lies there is deleted.
        settings: overrides, each `a.b=c`.
        minutes: how long; None trains the steps of the configuration.
    """
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
