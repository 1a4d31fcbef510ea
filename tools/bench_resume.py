"""Kill training runs at random moments, go on, and compare with runs that were left alone.

    python tools/bench_resume.py --kills 3

Both a run that counts steps and a run that was given minutes are killed with SIGKILL and started
again with the same command until they end. The reference takes as many steps in one go. Everything
in the training state is compared bit for bit: weights, averages and optimisers.
"""

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import torch
import typer

from vid2vid.checkpoint import STATE_FILE, Checkpoint, load_checkpoint

COMMAND = [str(Path(sys.executable).with_name("vid2vid-train")), "smoke"]
QUICK = ("training.checkpoint_every=3", "training.preview_every=1000000")


def start(name: str, out: Path, extra: list[str]) -> "subprocess.Popen[bytes]":
    """Start a run in the background."""
    settings = [f"name={name}", f"training.output={out}", *QUICK]
    command = [*COMMAND, *extra, *(part for s in settings for part in ("--set", s))]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)


def state_of(name: str, out: Path) -> Checkpoint | None:
    """Load what a run has saved so far."""
    folder = out / name
    return load_checkpoint(folder, kind="training") if (folder / STATE_FILE).is_file() else None


def run_with_kills(name: str, out: Path, extra: list[str], kills: int) -> Checkpoint:
    """Run to the end, killed `kills` times once something new has been saved."""
    seen = -1
    for attempt in range(kills):
        process = start(name, out, extra)
        while process.poll() is None:
            state = state_of(name, out)
            if state is not None and state.metadata["step"] > seen:
                seen = state.metadata["step"]
                break
            time.sleep(0.02)
        time.sleep(random.uniform(0, 1.5))
        ended = process.poll() is not None
        process.kill()
        process.wait()
        print(f"{name}: kill {attempt + 1} after step {seen}{' (had ended)' if ended else ''}")
    if start(name, out, extra).wait():
        raise SystemExit(f"{name} failed when it was continued")
    state = state_of(name, out)
    if state is None:
        raise SystemExit(f"{name} saved nothing")
    return state


def same(first: Checkpoint, second: Checkpoint) -> bool:
    """Compare every tensor bit for bit."""
    return first.tensors.keys() == second.tensors.keys() and all(
        torch.equal(tensor, second.tensors[key]) for key, tensor in first.tensors.items()
    )


def main(
    kills: Annotated[int, typer.Option(help="Kills of each run.")] = 3,
    steps: Annotated[int, typer.Option(help="Steps of the counted run.")] = 40,
    minutes: Annotated[float, typer.Option(help="Length of the timed run.")] = 0.4,
    out: Annotated[Path, typer.Option(help="Folder for the runs.")] = Path("runs/bench_resume"),
) -> None:
    """Kill, continue, compare, print."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    failed = False
    for kind, extra in (
        ("counted", ["--set", f"schedule.steps={steps}"]),
        ("timed", ["--minutes", str(minutes)]),
    ):
        killed = run_with_kills(f"{kind}_killed", out, extra, kills)
        total = killed.metadata["total_steps"]
        alone = f"{kind}_alone"
        if start(alone, out, ["--set", f"schedule.steps={total}"]).wait():
            raise SystemExit(f"{alone} failed")
        reference = state_of(alone, out)
        equal = reference is not None and same(killed, reference)
        failed |= not equal
        verdict = "equal bit for bit" if equal else "DIFFERENT"
        print(f"{kind}: {total} steps, {len(killed.tensors)} tensors, {verdict}")
    raise SystemExit(int(failed))


if __name__ == "__main__":
    typer.run(main)
