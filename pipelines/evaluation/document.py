"""The report as JSON values: settings, figures, controls, drift, curves, and what was left out."""

import math
from typing import Any, NamedTuple

from pipelines.bench import RenderTiming
from pipelines.evaluation.exhibits import Exhibits
from pipelines.evaluation.instruments import Missing, Toolbox
from pipelines.evaluation.ledger import joined_units
from pipelines.evaluation.options import BLOCK_FRAMES, CONTROLS, EvaluateOptions
from pipelines.evaluation.results import HALF_AGAINST_HALF, REAL_HALVES, Figure, Results
from pipelines.evaluation.sources import Footage
from vid2vid.metrics.bootstrap import RESAMPLES

FORMAT = "vid2vid-evaluation-1"


class Made(NamedTuple):
    """How an evaluation was made."""

    options: EvaluateOptions
    footage: list[Footage]
    toolbox: Toolbox
    missing: list[Missing]
    timing: RenderTiming | None


def describe(
    results: Results, made: Made, exhibits: Exhibits, *, systems: tuple[str, ...]
) -> dict[str, Any]:
    """Put everything together as it stands in report.json; a value that is none is null."""
    shown = {system: _figures(results.figures.get(system, {})) for system in systems}
    controls = {
        name: _figures(results.figures[name])
        for name in (*CONTROLS, *REAL_HALVES, HALF_AGAINST_HALF)
        if results.figures.get(name)
    }
    return {
        "format": FORMAT,
        "settings": _settings(made, systems),
        "metrics": _metrics(results),
        "systems": shown,
        "controls": controls,
        "drift_per_1000_frames": {name: _figures(found) for name, found in results.drift.items()},
        "over_time": {
            key: {stream: [list(point) for point in points] for stream, points in curves.items()}
            for key, curves in results.curves.items()
        },
        "worst_frames": {
            system: [
                {"sequence": each.sequence, "frame": each.when.frame, "ssim": each.ssim}
                for each in found
            ]
            for system, found in exhibits.worst.items()
        },
        "render": made.timing.to_json() if made.timing else None,
        "not_measured": [each._asdict() for each in made.missing],
    }


def _settings(made: Made, systems: tuple[str, ...]) -> dict[str, Any]:
    first, segmenter = made.footage[0], made.toolbox.instruments.segmenter
    native = first.real.size
    return {
        "real": str(made.options.real),
        "generated": {
            name: str(path) for name, path in zip(systems, made.options.generated, strict=True)
        },
        "sequences": [each.name for each in made.footage],
        "num_frames": sum(each.num_frames for each in made.footage),
        "height": first.size.height,
        "width": first.size.width,
        "real_resized_from": None if native == first.size else [native.height, native.width],
        "seed": made.options.seed,
        **_units(made.footage),
        "resamples": RESAMPLES,
        "segmenter": segmenter
        and {"name": segmenter.name, "sha256": segmenter.sha256, "score": segmenter.score},
    }


def _units(footage: list[Footage]) -> dict[str, Any]:
    """Say what the bootstrap resamples, and how many there are."""
    if len(footage) == 1:
        blocks = math.ceil(footage[0].num_frames / BLOCK_FRAMES)
        joined = joined_units(blocks)
        unit = f"blocks of {BLOCK_FRAMES * joined} frames"
        return {"unit": unit, "num_units": math.ceil(blocks / joined)}
    joined = joined_units(len(footage))
    unit = "sequences" if joined == 1 else f"groups of {joined} sequences"
    return {"unit": unit, "num_units": math.ceil(len(footage) / joined)}


def _metrics(results: Results) -> dict[str, Any]:
    return {
        key: {
            "title": metric.title,
            "unit": metric.unit,
            "better": metric.better,
            "group": metric.group,
            "about": metric.about,
            "temporal": metric.is_temporal,
            "trusted": results.trusted.get(key),
            "built_in": metric.built_in or None,
        }
        for key, metric in results.metrics.items()
    }


def _figures(found: dict[str, Figure]) -> dict[str, Any]:
    return {key: figure.to_json() for key, figure in found.items()}
