"""Compare the memory that a training step is said to take with what it takes on the CPU.

Run from a checkout: python tools/training_memory.py camvid --set losses.perceptual=0
Counted is what a step holds beside weights, optimiser and clip: gradients and activations. It is
run in a process of its own, whose resident memory is read from /proc at its peak; freed memory is
given back at once, so that what is resident is what is in use. Linux only.
"""

import json
import os
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import torch
import typer

from pipelines.build import build_state, training_palette
from pipelines.config.file import read_config
from pipelines.config.run import RunConfig
from pipelines.training.memory import estimate_memory, make_step

CPU = torch.device("cpu")
MALLOC = {"MALLOC_MMAP_THRESHOLD_": "65536"}
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def resident(name: str) -> int:
    """Read a number of bytes from the status of this process: VmRSS or its peak, VmHWM."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


def measure(config: RunConfig) -> tuple[int, float]:
    """Take two steps and return the peak memory, bytes, and the seconds of the second.

    The first one lets the libraries set themselves up.
    """
    palette = training_palette(config)
    players = build_state(config, palette, CPU).players
    step = make_step(config, palette, players, device=CPU)
    half = config.training.precision == "bfloat16"
    before, began = 0, 0.0
    for _ in range(2):
        for _, network in players.trained():
            network.zero_grad(set_to_none=True)
        CLEAR.write_text("5")  # the peak begins anew
        before, began = resident("VmRSS"), time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16) if half else nullcontext():
            step()
    return resident("VmHWM") - before, time.perf_counter() - began


def main(
    config: Annotated[str, typer.Argument(help="YAML file, or a packaged name.")],
    settings: Annotated[list[str] | None, typer.Option("--set", metavar="A.B=C")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Print the estimate and the measurement, bytes of gradients and activations."""
    if MALLOC.items() - os.environ.items():
        # The allocator reads these when a process begins.
        done = subprocess.run([sys.executable, *sys.argv], env=os.environ | MALLOC, check=False)
        raise typer.Exit(done.returncode)
    run = read_config(config, RunConfig, overrides=tuple(settings or ()))
    estimate = estimate_memory(run, training_palette(run))
    estimated = estimate.gradients + estimate.activations
    measured, seconds = measure(run)
    if as_json:
        print(json.dumps({"estimated": estimated, "measured": measured, "seconds": seconds}))
        return
    how = "recomputed" if run.training.checkpoint_activations else "kept"
    print(
        f"{run.name}, {run.training.precision}, activations {how}: estimated "
        f"{estimated / 1e6:.1f} MB, measured {measured / 1e6:.1f} MB "
        f"({estimated / measured - 1:+.1%}), {seconds:.2f} s a step of the clip"
    )


if __name__ == "__main__":
    typer.run(main)
