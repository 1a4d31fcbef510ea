"""The tables of a report: HTML for the page, plain text for the terminal."""

import math
from collections.abc import Sequence
from html import escape

from pipelines.bench import RenderTiming, timing_rows
from pipelines.evaluation.catalogue import Metric
from pipelines.evaluation.options import CONTROLS, PERTURBED, REAL, SHUFFLED
from pipelines.evaluation.results import HALF_AGAINST_HALF, REAL_HALVES, Figure, Results
from vid2vid.metrics.bootstrap import Interval

_ARROWS = {"higher": "↑", "lower": "↓", "one": "→ 1"}
_CONTROLS = (REAL, HALF_AGAINST_HALF, SHUFFLED, PERTURBED)  # those with a column of their own
_DIRECTIONS = {"higher": "higher is better", "lower": "lower is better", "one": "1 is best"}


def figure_table(results: Results, metrics: Sequence[Metric], systems: tuple[str, ...]) -> str:
    """Make a table: a row a metric, a column a system or control."""
    keys = {metric.key for metric in metrics}
    shown = [name for name in _CONTROLS if keys & results.figures.get(name, {}).keys()]
    streams = (*systems, *shown)
    head = "".join(f'<th scope="col"{_control_class(name)}>{escape(name)}</th>' for name in streams)
    rows = "".join(
        f'<tr><th scope="row">{_title(metric)}{_badge(results, metric)}</th>'
        + "".join(
            _cell(figure, metric, is_control=name in _CONTROLS, real=_real(results, metric, name))
            for name, figure in zip(streams, results.table(metric.key, streams), strict=True)
        )
        + "</tr>"
        for metric in metrics
    )
    return (
        f'<div class="scroll"><table><thead><tr><th scope="col">Metric</th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def control_table(results: Results) -> str:
    """Make the table of real against real: the two halves of the footage."""
    streams = tuple(
        name for name in (REAL, *REAL_HALVES, HALF_AGAINST_HALF) if results.figures.get(name)
    )
    halves = (*REAL_HALVES, HALF_AGAINST_HALF)
    metrics = [
        metric
        for metric in results.metrics.values()
        if any(metric.key in results.figures.get(name, {}) for name in halves)
    ]
    if not metrics:
        return "<p>One block of frames has no halves to compare.</p>"
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in streams)
    rows = "".join(
        f'<tr><th scope="row">{_title(metric)}</th>'
        + "".join(_cell(figure, metric) for figure in results.table(metric.key, streams))
        + "</tr>"
        for metric in metrics
    )
    return (
        f'<div class="scroll"><table><thead><tr><th scope="col">Metric</th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def drift_table(results: Results, systems: tuple[str, ...]) -> str:
    """Make the table of slopes over time, of the systems and of the real video."""
    streams = (*systems, REAL)
    metrics = [m for m in results.metrics.values() if m.drifts and m.key in _drifting(results)]
    head = "".join(f'<th scope="col"{_control_class(n)}>{escape(n)}</th>' for n in streams)
    rows = "".join(
        f'<tr><th scope="row">{escape(metric.title)} <span class="unit">{escape(metric.unit)} per '
        "1000 frames</span></th>"
        + "".join(
            _cell(
                results.drift.get(name, {}).get(metric.key),
                metric,
                is_control=name == REAL,
                marks_zero=True,
            )
            for name in streams
        )
        + "</tr>"
        for metric in metrics
    )
    return (
        f'<div class="scroll"><table><thead><tr><th scope="col">Slope</th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def render_table(timing: RenderTiming | None) -> str:
    """Make the table of what a render cost; nothing where none was timed."""
    if timing is None:
        return ""
    body = "".join(
        f'<tr><th scope="row">{name.capitalize()}</th><td>{escape(text)}</td></tr>'
        for name, text in timing_rows(timing).items()
    )
    return f"<h2>Render</h2><table><tbody>{body}</tbody></table>"


def definitions(results: Results) -> str:
    """List what was measured and how; a metric over several strides once."""
    of_about: dict[str, Metric] = {}
    for metric in results.metrics.values():
        of_about.setdefault(metric.about, metric)
    return "".join(
        f"<dt>{escape(metric.title)} <span class='unit'>"
        f"{', '.join(filter(None, (escape(metric.unit), _DIRECTIONS[metric.better])))}</span></dt>"
        f"<dd>{escape(about)}</dd>"
        for about, metric in of_about.items()
    )


def text_table(results: Results, systems: tuple[str, ...]) -> str:
    """Make the table for the terminal: figure, interval and N of every system and control."""
    streams = (*systems, *CONTROLS)
    head = ["", *streams, "trusted"]
    rows = [
        [
            f"{metric.title} {_ARROWS[metric.better]} {metric.unit}".rstrip(),
            *(_plain(figure, metric) for figure in results.table(metric.key, streams)),
            _trust_word(results, metric) + (", partly built in" if metric.built_in else ""),
        ]
        for metric in results.metrics.values()
    ]
    widths = [max(len(row[k]) for row in [head, *rows]) for k in range(len(head))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in [head, *rows]
    )


def _drifting(results: Results) -> set[str]:
    return {key for found in results.drift.values() for key in found}


def _title(metric: Metric) -> str:
    unit = f' <span class="unit">{escape(metric.unit)}</span>' if metric.unit else ""
    arrow = f'<span class="arrow" title="{_DIRECTIONS[metric.better]}">{_ARROWS[metric.better]}'
    return f"{escape(metric.title)}{unit} {arrow}</span>"


def _badge(results: Results, metric: Metric) -> str:
    word = _trust_word(results, metric)
    why = {
        "yes": "real beats shuffled and perturbed, with intervals apart",
        "no": "real does not beat both controls with intervals apart: do not rely on this figure",
        "untested": "too few blocks of frames to tell real from its controls",
    }
    if not word:
        return ""
    name = {"yes": "trusted", "no": "not trusted", "untested": "untested"}[word]
    built_in = metric.built_in and f"<small>partly built in: {escape(metric.built_in)}</small>"
    return f' <span class="badge {word}" title="{why[word]}">{name}</span>{built_in}'


def _trust_word(results: Results, metric: Metric) -> str:
    if metric.key not in results.trusted:
        return ""
    return {True: "yes", False: "no", None: "untested"}[results.trusted[metric.key]]


def _cell(
    figure: Figure | None,
    metric: Metric,
    *,
    is_control: bool = False,
    marks_zero: bool = False,
    real: Interval | None = None,
) -> str:
    style = ["control"] if is_control else []
    if figure is None:
        return f'<td class="{" ".join(style)}">–</td>'
    interval = "no interval"
    if figure.interval is not None:
        low, high = figure.interval
        interval = f"{write_number(low, metric)} … {write_number(high, metric)}"
        if marks_zero and not low <= 0 <= high:
            style.append("moves")
        if real is not None and high < real.low:
            interval += '</small><small class="below">below the real video'
    return (
        f'<td class="{" ".join(style)}"><b>{_value(figure, metric)}</b>'
        f"<small>{interval}</small><small>N {figure.count}</small></td>"
    )


def _real(results: Results, metric: Metric, stream: str) -> Interval | None:
    """Give the interval of the real video where a system is to be held against it."""
    figure = results.figures.get(REAL, {}).get(metric.key)
    if figure is None or not metric.is_temporal or stream in CONTROLS:
        return None
    return figure.interval


def _value(figure: Figure, metric: Metric) -> str:
    return write_number(figure.value, metric) if math.isfinite(figure.value) else "none"


def write_number(value: float, metric: Metric) -> str:
    """Write a number with the digits of its metric; what rounds to nothing has no sign."""
    return f"{round(value, metric.digits) + 0.0:.{metric.digits}f}"


def _plain(figure: Figure | None, metric: Metric) -> str:
    if figure is None:
        return "-"
    value = _value(figure, metric)
    if figure.interval is None:
        return f"{value} N {figure.count}"
    low, high = (write_number(each, metric) for each in figure.interval)
    return f"{value} [{low}, {high}] N {figure.count}"


def _control_class(name: str) -> str:
    return ' class="control"' if name in _CONTROLS else ""
