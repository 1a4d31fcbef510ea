"""Turn the ledger into figures with intervals, find which metrics can be trusted, and the drift."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.evaluation.catalogue import Metric
from pipelines.evaluation.featuring import SetFigure
from pipelines.evaluation.judging import Judge
from pipelines.evaluation.ledger import Ledger, Point
from pipelines.evaluation.options import CONTROLS, REAL
from vid2vid.metrics.bootstrap import Interval, bootstrap
from vid2vid.metrics.statistics import slope

REAL_HALVES = ("real, first half", "real, second half")
HALF_AGAINST_HALF = "real, half against half"

_DRIFT_FRAMES = 1000  # slopes are given per so many frames


@dataclass(frozen=True)
class Figure:
    """A figure, its 95 % interval, and how much it is made of."""

    value: float
    interval: Interval | None
    count: int

    def to_json(self) -> dict[str, Any]:
        """Describe it in JSON values."""
        low, high = self.interval or (None, None)
        value = self.value if math.isfinite(self.value) else None
        return {"value": value, "low": low, "high": high, "n": self.count}


@dataclass(frozen=True)
class Results:
    """Everything that was measured."""

    metrics: dict[str, Metric]  # those that were measured
    figures: dict[str, dict[str, Figure]]  # by stream, then by metric; controls are streams too
    drift: dict[str, dict[str, Figure]]  # likewise, slopes per 1000 frames
    trusted: dict[str, bool | None]  # of temporal metrics; None = could not be tested
    curves: dict[str, dict[str, list[Point]]]  # by metric, then by stream

    def table(self, metric: str, streams: tuple[str, ...]) -> list[Figure | None]:
        """Give the figure of a metric for each stream that has it."""
        return [self.figures.get(stream, {}).get(metric) for stream in streams]


def collect(judge: Judge, systems: tuple[str, ...], *, seed: int) -> Results:
    """Work out all figures of what a judge has seen."""
    ledger = judge.ledger
    figures: dict[str, dict[str, Figure]] = {}
    drift: dict[str, dict[str, Figure]] = {}
    curves: dict[str, dict[str, list[Point]]] = {}
    for stream, key in ledger.measured():
        figures.setdefault(stream, {})[key] = _figure(ledger, (stream, key), seed=seed)
        if (units := ledger.slopes((stream, key))) is not None:
            drift.setdefault(stream, {})[key] = _drift(units, ledger.count((stream, key)), seed)
        curves.setdefault(key, {})[stream] = ledger.curve((stream, key))
    for key, metric in ledger.metrics.items():
        if (REAL, key) in ledger.measured():
            _add_halves(figures, ledger, metric, seed=seed)
    for system in systems:
        figures.setdefault(system, {}).update(_sets(judge.features.distances(system)))
    figures.setdefault(HALF_AGAINST_HALF, {}).update(_sets(judge.features.halves()))
    measured = {key for of_stream in figures.values() for key in of_stream}
    return Results(
        metrics={key: metric for key, metric in ledger.metrics.items() if key in measured},
        figures=figures,
        drift=drift,
        trusted=_find_trust(ledger.metrics, figures),
        curves=curves,
    )


def is_trusted(real: Figure, controls: list[Figure]) -> bool | None:
    """Tell whether the real video beats every control, with intervals that do not meet.

    Returns:
        None where an interval is missing, as with a single block of frames.
    """
    if real.interval is None or any(control.interval is None for control in controls):
        return None
    high = real.interval.high
    lows = [control.interval.low for control in controls if control.interval is not None]
    return all(high < low for low in lows)


def _find_trust(
    metrics: dict[str, Metric], figures: dict[str, dict[str, Figure]]
) -> dict[str, bool | None]:
    trusted: dict[str, bool | None] = {}
    for key, metric in metrics.items():
        of_controls = [figures.get(stream, {}).get(key) for stream in CONTROLS]
        known = [figure for figure in of_controls if figure is not None]
        if metric.is_temporal and len(known) == len(CONTROLS):
            trusted[key] = is_trusted(known[0], known[1:])
    return trusted


def _figure(ledger: Ledger, key: tuple[str, str], *, seed: int) -> Figure:
    units = ledger.units(key)
    statistic = ledger.metrics[key[1]].statistic
    return Figure(
        value=float(statistic(units.sum(axis=0))),
        interval=ledger.interval(key) or bootstrap(units, statistic, seed=seed),
        count=ledger.count(key),
    )


def _drift(units: np.ndarray, count: int, seed: int) -> Figure:
    scaled = units * np.array([1, 1 / _DRIFT_FRAMES, 1, _DRIFT_FRAMES**-2, 1 / _DRIFT_FRAMES])
    return Figure(float(slope(scaled.sum(axis=0))), bootstrap(scaled, slope, seed=seed), count)


def _add_halves(
    figures: dict[str, dict[str, Figure]], ledger: Ledger, metric: Metric, *, seed: int
) -> None:
    """Judge the two halves of the real footage apart: how much a figure depends on the footage."""
    units = ledger.units((REAL, metric.key))
    middle = len(units) // 2
    if not metric.is_temporal or not middle or metric.key == "surface_variance":  # counts points
        return
    for name, half in zip(REAL_HALVES, (units[:middle], units[middle:]), strict=True):
        total = half.sum(axis=0)  # of the values, and their number
        interval = bootstrap(half, metric.statistic, seed=seed)
        figure = Figure(float(metric.statistic(total)), interval, round(total[1]))
        figures.setdefault(name, {})[metric.key] = figure


def _sets(found: dict[str, SetFigure]) -> dict[str, Figure]:
    return {key: Figure(*figure) for key, figure in found.items()}
