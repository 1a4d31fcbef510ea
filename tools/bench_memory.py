"""Measure that rendering a long video takes no more memory than rendering a short one.

Run from a checkout: python tools/bench_memory.py
A label video with sound of 300 and one of 3000 frames are rendered by a small random network, each
in a process of its own, whose resident memory (that of its children included) is read from /proc
every 20 ms. Linux only.
"""

import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from sample_film import label_maps, write_checkpoint, write_film

SAMPLE_SECONDS = 0.02
RENDER = "from pipelines.cli.app import render_main; render_main()"


class Measured(NamedTuple):
    """One rendering."""

    num_frames: int
    peak_mb: float  # resident, of the process tree
    seconds: float


def tree_rss_mb(pid: int) -> float:
    """Add up the resident memory of a process and everything below it."""
    pages, waiting = 0, [pid]
    while waiting:
        process = Path("/proc") / str(waiting.pop())
        try:
            pages += int((process / "statm").read_text().split()[1])
            for task in (process / "task").iterdir():
                waiting += [int(child) for child in (task / "children").read_text().split()]
        except OSError:  # it has ended
            continue
    return pages * 4096 / 2**20


def render(labels: Path, out: Path, checkpoint: Path) -> tuple[float, float]:
    """Render in another process; return its peak memory in MB and how long it took."""
    command = [sys.executable, "-c", RENDER, labels, out, "--checkpoint", checkpoint]
    started, peak = time.perf_counter(), 0.0
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL)
    while process.poll() is None:
        peak = max(peak, tree_rss_mb(process.pid))
        time.sleep(SAMPLE_SECONDS)
    if process.returncode != 0:
        raise typer.Exit(process.returncode)
    return peak, time.perf_counter() - started


def main(
    frames: Annotated[list[int] | None, typer.Option(help="Length; again for the next.")] = None,
    height: Annotated[int, typer.Option(help="Of the frames, pixels.")] = 128,
    width: Annotated[int, typer.Option(help="Of the frames, pixels.")] = 256,
) -> None:
    """Render videos of different lengths and print the peak memory of each."""
    found: list[Measured] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        checkpoint = write_checkpoint(folder / "run")
        for count in frames or [300, 3000]:
            labels = write_film(
                folder / f"{count}.mp4",
                label_maps(count, height=height, width=width),
                (Fraction(index, 25) for index in range(count)),
            )
            found.append(Measured(count, *render(labels, folder / "out.mp4", checkpoint)))
    print(f"{width}x{height}, peak resident memory of the process tree")
    for each in found:
        rate = each.num_frames / each.seconds
        print(f"{each.num_frames:6d} frames  {each.peak_mb:8.1f} MB  {rate:6.1f} frames/s")
    print(f"ratio {found[-1].peak_mb / found[0].peak_mb:.3f} (longest to shortest)")


if __name__ == "__main__":
    typer.run(main)
