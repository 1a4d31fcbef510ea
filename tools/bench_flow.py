"""Measure DIS on Flying Chairs, where the true flow is known.

Run from a checkout: python tools/bench_flow.py DATA/flying_chairs
The folder holds images/NAME-img0.png, images/NAME-img1.png and flow/NAME.flo, the true flow from
img0 to img1. img0 is the current frame and img1 the previous one. "swapped" gives the estimator
the two in the wrong order: its error shows which way a flow points. "trusted" is the mean error of
the pixels that a forward-backward check keeps: the mean of all pixels is mostly that of the ones
that are occluded or lost.
"""

import time
from itertools import product
from pathlib import Path
from typing import NamedTuple

import torch
import typer
from torch import Tensor
from torchvision.io import ImageReadMode, decode_image

from flow import DIS, FlowEstimator, end_point_error, outlier_rate, read_flo, reference_flow


class Pair(NamedTuple):
    """Two frames and the true flow between them."""

    name: str
    current: Tensor  # '1 3 h w' in [-1, 1]
    previous: Tensor  # '1 3 h w' in [-1, 1]
    target: Tensor  # '1 2 h w', pixels, current -> previous


class Score(NamedTuple):
    """How one estimate differs from the truth."""

    mean_px: float
    median_px: float
    trusted_px: float
    outliers: float  # share, Fl-all
    seconds: float


def read_pairs(folder: Path) -> list[Pair]:
    """Read every pair of a Flying Chairs folder."""
    return [
        Pair(
            path.stem,
            _read_frame(folder / "images" / f"{path.stem}-img0.png"),
            _read_frame(folder / "images" / f"{path.stem}-img1.png"),
            read_flo(path)[None],
        )
        for path in sorted((folder / "flow").glob("*.flo"))
    ]


def score(estimator: FlowEstimator, pair: Pair, *, repeats: int = 5) -> Score:
    """Compare the estimate for one pair with the truth; the time is the shortest of `repeats`."""
    seconds: list[float] = []
    for _ in range(repeats):
        start = time.perf_counter()
        flow = estimator(pair.current, pair.previous)
        seconds.append(time.perf_counter() - start)
    trusted = reference_flow(estimator, pair.current, pair.previous)
    distance = torch.linalg.vector_norm(flow - pair.target, dim=1)
    return Score(
        mean_px=distance.mean().item(),
        median_px=distance.median().item(),
        trusted_px=end_point_error(trusted.flow, pair.target, trusted.confidence).item(),
        outliers=outlier_rate(flow, pair.target).item(),
        seconds=min(seconds),
    )


def zero_flow(current: Tensor, previous: Tensor) -> Tensor:
    """Claim that nothing moves."""
    return torch.zeros_like(current[:, :2])


def main(folder: Path) -> None:
    """Print the errors of DIS and of zero flow on every pair of FOLDER."""
    pairs = read_pairs(folder)
    if not pairs:
        raise typer.BadParameter(f"{folder / 'flow'} must hold .flo files; it has none")
    estimators: dict[str, FlowEstimator] = {
        "DIS ultrafast": DIS("ultrafast"),
        "DIS fast": DIS("fast"),
        "DIS medium": DIS("medium"),
        "zero flow": zero_flow,
    }
    print(f"{'estimator':<14}{'order':<8}{'pair':<8}", end="")
    print("  mean px  median px  trusted px  Fl-all %  pairs/s")
    for (name, estimator), order in product(estimators.items(), ("correct", "swapped")):
        for pair in pairs:
            if order == "swapped":
                pair = pair._replace(current=pair.previous, previous=pair.current)
            result = score(estimator, pair)
            print(f"{name:<14}{order:<8}{pair.name:<8}{result.mean_px:>9.2f}", end="")
            print(f"{result.median_px:>11.3f}{result.trusted_px:>12.2f}", end="")
            print(f"{100 * result.outliers:>10.1f}{1 / result.seconds:>9.0f}")


def _read_frame(path: Path) -> Tensor:
    return decode_image(str(path), ImageReadMode.RGB)[None].float() / 127.5 - 1


if __name__ == "__main__":
    typer.run(main)
