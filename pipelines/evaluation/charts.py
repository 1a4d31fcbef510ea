"""Line charts as inline SVG, coloured by the page's style sheet, readable in light and dark."""

import json
import math
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Any, NamedTuple

_WIDTH, _HEIGHT = 560, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 12, 12, 38
_TICKS = 5


class Mark(NamedTuple):
    """A point of a line, and its interval where it has one."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None


class Line(NamedTuple):
    """A named line; its style is a class of the page: s0, s1 ..., real, shuffled, perturbed."""

    name: str
    style: str
    marks: Sequence[Mark]


class _Frame(NamedTuple):
    """Where values lie in the picture."""

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    is_log: bool

    def x(self, value: float) -> float:
        return _LEFT + self._share(value, self.x_range) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        share = self._share(value, self.y_range)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)

    def _share(self, value: float, limits: tuple[float, float]) -> float:
        low, high, value = (math.log(x) if self.is_log else x for x in (*limits, value))
        return (value - low) / ((high - low) or 1)


def line_chart(lines: Sequence[Line], *, x_label: str, y_label: str, is_log: bool = False) -> str:
    """Draw lines over a common axis.

    Args:
        lines: at least one with a mark.
        x_label: below the axis.
        y_label: beside the axis, and what a screen reader says.
        is_log: both axes are logarithmic, with a tick at each x; marks that are not above 0, and
            intervals that reach it, are left out.

    Raises:
        ValueError: if there is nothing to draw.
    """
    if is_log:
        lines = [line._replace(marks=_above_zero(line.marks)) for line in lines]
    marks = [mark for line in lines for mark in line.marks]
    if not marks:
        raise ValueError("a chart must have a mark; all lines are empty")
    xs = [mark.x for mark in marks]
    lows = [mark.y if mark.low is None else min(mark.low, mark.y) for mark in marks]
    highs = [mark.y if mark.high is None else max(mark.high, mark.y) for mark in marks]
    ticks = (log_ticks if is_log else nice_ticks)(min(lows), max(highs))
    frame = _Frame((min(xs), max(xs)), (ticks[0], ticks[-1]), is_log)
    x_ticks = sorted(set(xs)) if is_log else _inside(nice_ticks(*frame.x_range), frame.x_range)
    parts = [
        *(_grid_line(frame, tick, ticks) for tick in ticks),
        *(_x_tick(frame, tick, x_ticks) for tick in x_ticks),
        f'<text class="axis" x="{(_LEFT + _WIDTH) / 2:.0f}" y="{_HEIGHT - 4}">{escape(x_label)}'
        "</text>",
        *(_band(frame, line) for line in lines if any(m.low is not None for m in line.marks)),
        *(_path(frame, line) for line in lines if line.marks),
        '<line class="hair" y1="12" y2="202" visibility="hidden"/>',
    ]
    data = escape(json.dumps({"lines": [_points(frame, line) for line in lines]}))
    return (
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(y_label)}" data-chart="{data}">{"".join(parts)}</svg>'
    )


def nice_ticks(low: float, high: float) -> list[float]:
    """Choose round values from at most `low` to at least `high`, about five."""
    if high - low < 1e-9 * max(abs(low), abs(high), 1e-9):
        low, high = low - (abs(low) or 1) / 2, high + (abs(high) or 1) / 2
    rough = (high - low) / _TICKS
    power = 10 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [k * step for k in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Choose powers of ten from at most `low` to at least `high`; over few of them, 2 and 5 too."""
    first = math.floor(math.log10(low) + 1e-9)
    last = max(first + 1, math.ceil(math.log10(high) - 1e-9))
    if last - first > 2:
        return [10.0**k for k in range(first, last + 1)]
    ticks = [m * 10.0**k for k in range(first, last) for m in (1, 2, 5)] + [10.0**last]
    start = max(k for k, tick in enumerate(ticks) if tick <= low * (1 + 1e-9) or k == 0)
    end = min(k for k, tick in enumerate(ticks) if tick >= high * (1 - 1e-9) and k > start)
    return ticks[start : end + 1]


def _above_zero(marks: Sequence[Mark]) -> list[Mark]:
    """Keep what a logarithmic axis can show."""
    kept = [mark for mark in marks if mark.y > 0]
    return [m if m.low is None or m.low > 0 else m._replace(low=None, high=None) for m in kept]


def _points(frame: _Frame, line: Line) -> dict[str, Any]:
    """Give the points of a line, and where they stand, to the page's script."""
    points = [[mark.x, mark.y, round(frame.x(mark.x), 1)] for mark in line.marks]
    return {"name": line.name, "points": points}


def _inside(ticks: list[float], limits: tuple[float, float]) -> list[float]:
    return [tick for tick in ticks if limits[0] <= tick <= limits[1]]


def _grid_line(frame: _Frame, tick: float, ticks: Sequence[float]) -> str:
    y = frame.y(tick)
    return (
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="tick y" x="{_LEFT - 8}" y="{y + 4:.1f}">'
        f"{f'{tick:g}' if frame.is_log else _text(tick, ticks)}</text>"
    )


def _x_tick(frame: _Frame, tick: float, ticks: Sequence[float]) -> str:
    return (
        f'<text class="tick" x="{frame.x(tick):.1f}" y="{_HEIGHT - _BOTTOM + 16}">'
        f"{f'{tick:g}' if frame.is_log else _text(tick, ticks)}</text>"
    )


def _text(tick: float, ticks: Sequence[float]) -> str:
    """Write a tick with as many digits as tell it from its neighbours."""
    gaps = [abs(b - a) for a, b in pairwise(ticks) if b != a]
    digits = max(0, -math.floor(math.log10(min(gaps)) + 1e-9)) if gaps else 0
    if gaps and round(min(gaps), digits) != round(min(gaps), digits + 1):  # steps of 2.5
        digits += 1
    return f"{tick:.{digits}f}"


def _path(frame: _Frame, line: Line) -> str:
    points = " ".join(f"{frame.x(mark.x):.1f},{frame.y(mark.y):.1f}" for mark in line.marks)
    dots = ""
    if len(line.marks) <= 8:
        dots = "".join(
            f'<circle class="{line.style}" cx="{frame.x(m.x):.1f}" cy="{frame.y(m.y):.1f}" r="3"/>'
            for m in line.marks
        )
    return f'<polyline class="{line.style}" points="{points}"/>{dots}'


def _band(frame: _Frame, line: Line) -> str:
    known = [(m.x, m.low, m.high) for m in line.marks if m.low is not None and m.high is not None]
    upper = [f"{frame.x(x):.1f},{frame.y(high):.1f}" for x, _, high in known]
    lower = [f"{frame.x(x):.1f},{frame.y(low):.1f}" for x, low, _ in reversed(known)]
    return f'<polygon class="band {line.style}" points="{" ".join(upper + lower)}"/>'
