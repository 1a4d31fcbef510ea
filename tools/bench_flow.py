"""Measure each flow estimator on Flying Chairs, where the true flow is known.

Run from a checkout: python tools/bench_flow.py DATA/flying_chairs [--raft FILE ...]
The folder holds images/NAME-img0.png, images/NAME-img1.png and flow/NAME.flo, the true flow from
img0 to img1. img0 is the current frame and img1 the previous one. All errors are means over the
pairs: "mean" and "median" of the end-point error of all pixels, "trusted" the mean of those that a
forward-backward check keeps (the mean of all is mostly that of the ones that are occluded or lost),
"swapped" the median where the estimator is given the two frames in the wrong order, which shows
which way a flow points, "Fl-all" the share of wrong vectors. Then the cache: how long the reference
flow of a pair takes, both ways and with its confidence. Times are of the processor.
"""

import pipelines  # isort: skip  # noqa: F401 - before torch: says how its threads wait

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import torch
import typer
from torch import Tensor

from flow import (
    DIS,
    CachedFlow,
    FlowEstimator,
    end_point_error,
    outlier_rate,
    read_flo,
    reference_flow,
)
from flow.raft import load_raft, weight_file
from vid2vid.video.levels import from_levels
from vid2vid.video.reading import read_image

_CACHE_BYTES = 2**30


class Pair(NamedTuple):
    """Two frames and the true flow between them."""

    current: Tensor  # '1 3 h w' in [-1, 1]
    previous: Tensor  # '1 3 h w' in [-1, 1]
    target: Tensor  # '1 2 h w', pixels, current -> previous


class Score(NamedTuple):
    """How estimates differ from the truth, in pixels unless said."""

    mean: float
    median: float
    trusted: float
    swapped: float
    outliers: float  # per cent, Fl-all
    milliseconds: float  # a pair, shortest of `repeats`


def read_pairs(folder: Path) -> list[Pair]:
    """Read every pair of a Flying Chairs folder."""
    return [
        Pair(
            _read_frame(folder / "images" / f"{path.stem}-img0.png"),
            _read_frame(folder / "images" / f"{path.stem}-img1.png"),
            read_flo(path)[None],
        )
        for path in sorted((folder / "flow").glob("*.flo"))
    ]


def score(estimator: FlowEstimator, pair: Pair, *, repeats: int = 3) -> Score:
    """Compare the estimate for one pair with the truth."""
    flow, confidence = reference_flow(estimator, pair.current, pair.previous)
    seconds = _shortest(lambda: estimator(pair.current, pair.previous), repeats)
    swapped = estimator(pair.previous, pair.current)
    return Score(
        mean=end_point_error(flow, pair.target).item(),
        median=_median_error(flow, pair.target),
        trusted=end_point_error(flow, pair.target, confidence).item(),
        swapped=_median_error(swapped, pair.target),
        outliers=100 * outlier_rate(flow, pair.target).item(),
        milliseconds=1000 * seconds,
    )


def zero_flow(current: Tensor, previous: Tensor) -> Tensor:
    """Claim that nothing moves."""
    return torch.zeros_like(current[:, :2])


def time_cache(pair: Pair, folder: Path) -> tuple[float, float, float]:
    """Time the reference flow of a pair, in milliseconds: no cache, new to it, known to it."""
    dis = DIS()
    cached = CachedFlow(dis, folder, max_bytes=_CACHE_BYTES)

    def ask(estimator: FlowEstimator) -> None:
        reference_flow(estimator, pair.current, pair.previous)

    plain = _shortest(lambda: ask(dis), 5)
    new = _shortest(lambda: ask(cached), 1)
    return 1000 * plain, 1000 * new, 1000 * _shortest(lambda: ask(cached), 5)


def main(
    folder: Path,
    raft: Annotated[
        list[Path] | None, typer.Option(help="torchvision's weights of RAFT; may be repeated.")
    ] = None,
) -> None:
    """Print the errors of each estimator on the pairs of FOLDER, and what the cache saves."""
    pairs = read_pairs(folder)
    if not pairs:
        raise typer.BadParameter(f"{folder / 'flow'} must hold .flo files; it has none")
    estimators: dict[str, FlowEstimator] = {
        "DIS medium": DIS("medium"),
        "DIS fast": DIS("fast"),
        "DIS ultrafast": DIS("ultrafast"),
    }
    for path in raft or []:
        network = load_raft(path)
        estimators[network.name] = network
    estimators["zero flow"] = zero_flow
    print("| | mean px | median px | trusted px | swapped px | Fl-all % | ms a pair |")
    print("|---" * 7 + "|")
    for name, estimator in estimators.items():
        mean = Score(*np.mean([score(estimator, pair) for pair in pairs], axis=0))
        print(f"| {name} | {mean.mean:.2f} | {mean.median:.3f} | {mean.trusted:.2f} ", end="")
        print(f"| {mean.swapped:.2f} | {mean.outliers:.1f} | {mean.milliseconds:.0f} |")
    if not raft:
        print(f"\nRAFT is measured where its weights are given: --raft {weight_file('raft_small')}")
    with tempfile.TemporaryDirectory() as cache:
        times = np.mean([time_cache(pair, Path(cache)) for pair in pairs], axis=0)
    print(
        "\nreference flow by DIS medium, both ways: "
        + "{:.0f} ms a pair, {:.0f} when new to the cache, {:.0f} when known".format(*times)
    )


def _shortest(work: Callable[[], object], repeats: int) -> float:
    """Time work in processor seconds, the shortest of `repeats`."""
    seconds: list[float] = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return min(seconds)


def _median_error(flow: Tensor, target: Tensor) -> float:
    return torch.linalg.vector_norm(flow - target, dim=1).median().item()


def _read_frame(path: Path) -> Tensor:
    return from_levels(torch.from_numpy(read_image(path)))[None]


if __name__ == "__main__":
    typer.run(main)
