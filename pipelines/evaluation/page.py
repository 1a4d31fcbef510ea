"""The report as one self-contained page: tables, charts, player, worst frames, what was done."""

import json
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from pipelines.bench import RenderTiming
from pipelines.evaluation.catalogue import FLOW_TITLES, GROUP_TITLES, Group, Metric, warping_key
from pipelines.evaluation.charts import Line, Mark, line_chart
from pipelines.evaluation.exhibits import Exhibits
from pipelines.evaluation.options import CONTROLS, REAL
from pipelines.evaluation.results import Results
from pipelines.evaluation.tables import (
    control_table,
    definitions,
    drift_table,
    figure_table,
    render_table,
)
from vid2vid.metrics.warping import STRIDES

# Those of which a curve over time says something.
_CURVES = (
    "psnr", "ssim", "gradient_ratio", "colour_shift", "warping_known_1", "warping_dis_1", "tof",
    "flicker",
)  # fmt: skip
_WITH_REAL = ("warping_known_1", "warping_dis_1", "flicker")  # where the real video has a curve


def render_page(
    report: dict[str, Any],
    results: Results,
    exhibits: Exhibits,
    *,
    systems: tuple[str, ...],
    timing: RenderTiming | None,
) -> str:
    """Write the page; everything it shows is inside it."""
    template = Template((files("pipelines.evaluation") / "page.html").read_text("utf-8"))
    of = "Comparison of " if len(systems) > 1 else "Evaluation of "
    return template.substitute(
        title=escape(of + ", ".join(systems)),
        facts=_facts(report),
        legend=_legend(systems, CONTROLS),
        legend_time=_legend(systems, (REAL,)),
        tables="".join(_group(results, group, systems) for group in GROUP_TITLES),
        player=_player(exhibits),
        strips=json.dumps({"strips": exhibits.strips}).replace("<", "\\u003c"),
        over_time=_curve_charts(results, systems),
        over_stride=_stride_charts(results, systems),
        drift=drift_table(results, systems),
        worst=_worst(exhibits),
        controls=control_table(results),
        render=render_table(timing),
        definitions=definitions(results),
        missing=_missing(report),
    )


def _facts(report: dict[str, Any]) -> str:
    settings = report["settings"]
    segmenter = settings["segmenter"]
    resized = settings["real_resized_from"]
    facts = {
        "Real frames": settings["real"],
        "Frames": f"{settings['num_frames']} in {len(settings['sequences'])} "
        + ("sequence" if len(settings["sequences"]) == 1 else "sequences"),
        "Size": f"{settings['width']}x{settings['height']}"
        + (f", real frames resized from {resized[1]}x{resized[0]}" if resized else ""),
        "Intervals": f"95 %, bootstrap over {settings['num_units']} {settings['unit']}, "
        f"{settings['resamples']} resamples, seed {settings['seed']}",
        "Segmenter": _describe_segmenter(segmenter) if segmenter else "none",
    }
    for name, path in settings["generated"].items():
        facts[f"System {name}"] = path
    return "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(str(value))}</dd></div>"
        for name, value in facts.items()
    )


def _describe_segmenter(segmenter: dict[str, Any]) -> str:
    names = {"mean_iou": "mean IoU", "pixel_accuracy": "pixel accuracy"}
    known = {names[key]: value for key, value in segmenter["score"].items() if key in names}
    score = ", ".join(f"{name} {value:.3f}" for name, value in known.items())
    unseen = f", on unseen worlds {score}" if score else ""
    return f"{segmenter['name']}, SHA-256 {segmenter['sha256'][:16]}{unseen}"


def _legend(systems: tuple[str, ...], controls: tuple[str, ...]) -> str:
    styles = {**{name: f"s{k % 6}" for k, name in enumerate(systems)}, **{c: c for c in controls}}
    return "".join(
        f'<span><svg viewBox="0 0 24 8"><line class="{style}" x1="1" x2="23" y1="4" y2="4"/></svg>'
        f"{escape(name)}</span>"
        for name, style in styles.items()
    )


def _group(results: Results, group: Group, systems: tuple[str, ...]) -> str:
    metrics = [metric for metric in results.metrics.values() if metric.group == group]
    shown = [metric for metric in metrics if not _is_long_stride(metric)]
    if not shown:
        return ""
    return f"<h3>{GROUP_TITLES[group]}</h3>{figure_table(results, shown, systems)}"


def _is_long_stride(metric: Metric) -> bool:
    """Tell whether a metric stands in the charts over stride, not in the tables."""
    return metric.key.startswith("warping_") and not metric.key.endswith("_1")


def _curve_charts(results: Results, systems: tuple[str, ...]) -> str:
    charts: list[str] = []
    for key in _CURVES:
        if key not in results.metrics:
            continue
        metric = results.metrics[key]
        shown = (*systems, "real") if key in _WITH_REAL else systems
        lines = [
            Line(name, _style(name, systems), [Mark(float(x), y) for x, y in points])
            for name in shown
            if (points := results.curves[key].get(name))
        ]
        if any(len(line.marks) > 1 for line in lines):
            chart = line_chart(lines, x_label="frame", y_label=metric.title)
            charts.append(_figure(metric, chart))
    return "".join(charts)


def _stride_charts(results: Results, systems: tuple[str, ...]) -> str:
    charts: list[str] = []
    for flow, title in FLOW_TITLES.items():
        lines: list[Line] = []
        for name in (*systems, *CONTROLS):
            marks: list[Mark] = []
            for stride in STRIDES:
                figure = results.figures.get(name, {}).get(warping_key(flow, stride))
                if figure is not None:
                    low, high = figure.interval or (None, None)
                    marks.append(Mark(stride, figure.value, low, high))
            if marks:
                lines.append(Line(name, _style(name, systems), marks))
        if any(mark.y > 0 for line in lines for mark in line.marks):
            chart = line_chart(
                lines, x_label="stride, frames", y_label=f"Warping error, {title}", is_log=True
            )
            first = results.metrics[warping_key(flow, 1)]
            charts.append(_figure(first, chart, title=f"Warping error over stride, {title}"))
    return "".join(charts)


def _figure(metric: Metric, chart: str, *, title: str | None = None) -> str:
    unit = f' <span class="unit">{escape(metric.unit)}</span>' if metric.unit else ""
    name = escape(title or metric.title)
    return (
        f"<figure><figcaption>{name}{unit}</figcaption>{chart}"
        '<p class="readout" aria-live="polite"></p></figure>'
    )


def _style(name: str, systems: tuple[str, ...]) -> str:
    return name if name in CONTROLS else f"s{systems.index(name) % 6}"


def _player(exhibits: Exhibits) -> str:
    ordered = ("real", *(name for name in exhibits.strips if name != "real"))
    return "".join(
        f'<figure><img alt="{escape(name)}" data-stream="{escape(name)}" '
        f'src="{exhibits.strips[name][0]}"><figcaption>{escape(name)}</figcaption></figure>'
        for name in ordered
    )


def _worst(exhibits: Exhibits) -> str:
    parts: list[str] = []
    for system, found in exhibits.worst.items():
        rows = "".join(
            f'<div class="triple"><p>{escape(each.sequence)}, frame {each.when.frame}: SSIM '
            f"{each.ssim:.3f}</p>"
            + "".join(
                f'<figure><img loading="lazy" alt="{caption}" src="{picture}">'
                f"<figcaption>{caption}</figcaption></figure>"
                for caption, picture in zip(
                    ("real", "generated", "difference x 3"), each.pictures, strict=True
                )
            )
            + "</div>"
            for each in found
        )
        parts.append(f"<h3>{escape(system)}</h3>{rows}")
    return "".join(parts)


def _missing(report: dict[str, Any]) -> str:
    items = "".join(
        f"<li><strong>{escape(each['what'])}</strong>: {escape(each['why'])}</li>"
        for each in report["not_measured"]
    )
    return f"<ul>{items}</ul>" if items else "<p>Everything was measured.</p>"
