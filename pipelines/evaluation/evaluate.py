"""Evaluate generated videos: read, judge, work out figures, and write the report.

`evaluate(EvaluateOptions(real, (generated,), report))` is the pipeline's door.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.console import progress
from pipelines.evaluation.document import Made, describe
from pipelines.evaluation.driving import measure_palindromes, open_drive, time_drive
from pipelines.evaluation.exhibits import Exhibits
from pipelines.evaluation.footage import Readings, read_moments
from pipelines.evaluation.instruments import Missing, Toolbox, open_toolbox
from pipelines.evaluation.judging import Judge
from pipelines.evaluation.ledger import When
from pipelines.evaluation.options import CONTROLS, EvaluateOptions
from pipelines.evaluation.page import render_page
from pipelines.evaluation.results import Results, collect
from pipelines.evaluation.sources import Footage, find_footage
from vid2vid.errors import DataError
from vid2vid.metrics.similarity import MS_SSIM_SIDE
from vid2vid.video.encoding import claim

JSON_NAME, PAGE_NAME = "report.json", "report.html"


@dataclass(frozen=True)
class Evaluation:
    """What was measured, and where it is written."""

    systems: tuple[str, ...]
    results: Results
    json_path: Path
    page_path: Path
    report: dict[str, Any]  # what stands in report.json


def evaluate(options: EvaluateOptions) -> Evaluation:
    """Measure every system and every control, and write report.json and report.html.

    Memory does not grow with the length of the videos.

    Raises:
        Vid2VidError: if what was given does not fit; nothing was written.
        OSError: if the report cannot be written.
    """
    footage = find_footage(options)
    systems = name_systems(options.generated)
    drive = open_drive(options, footage)
    toolbox = open_toolbox(options, drive.generation if drive else None)
    _claim(options.report)
    judge = Judge(systems, toolbox.instruments, seed=options.seed)
    exhibits = Exhibits(systems)
    readings = Readings(toolbox.reader, options.seed, toolbox.device)
    timing = time_drive(drive, footage[0]) if drive else None
    measure_palindromes(footage, judge, drive, readings=readings)
    with progress(sum(each.num_frames for each in footage), "evaluating") as bar:
        for sequence, each in enumerate(footage):
            judge.begin_sequence()
            when = When(sequence, 0, len(footage) == 1)
            for moment in read_moments(each, sequence, readings, is_only=when.is_only):
                when = moment.when
                similarity = judge.judge(moment)
                shown = moment.frames[: len(systems) + 1]
                exhibits.show(shown, when)
                exhibits.rank(shown, when, similarity, sequence=each.name)
                bar.advance()
            judge.end_sequence(when)
    results = collect(judge, systems, seed=options.seed)
    made = Made(options, footage, toolbox, _missing(toolbox, footage), timing)
    return _write(results, made, exhibits, systems=systems)


def name_systems(places: tuple[Path, ...]) -> tuple[str, ...]:
    """Name each system by the end of its path that tells it from the others.

    Raises:
        DataError: if two systems are the same place.
    """
    resolved = [place.resolve() for place in places]
    if len(set(resolved)) < len(resolved):
        raise DataError(
            f"the systems must be different places; got {', '.join(map(str, places))}: leave the "
            "repeated one out"
        )
    longest = max(len(path.parts) for path in resolved)
    for depth in range(1, longest + 1):
        names = ["/".join(path.with_suffix("").parts[-depth:]) for path in resolved]
        if len(set(names)) == len(names):
            return tuple(f"{name} (system)" if name in CONTROLS else name for name in names)
    return tuple(str(path) for path in resolved)


def _claim(folder: Path) -> None:
    """Make the folder of the report, and make sure that it can be written."""
    probe = folder / f"{JSON_NAME}.partial"
    claim(probe)
    probe.unlink()


def _missing(toolbox: Toolbox, footage: list[Footage]) -> list[Missing]:
    """Add what the frames themselves do not allow."""
    found = list(toolbox.missing)
    side = min(min(each.size) for each in footage)
    if side < MS_SSIM_SIDE:
        why = f"needs frames of at least {MS_SSIM_SIDE} pixels a side; these have {side}"
        found.append(Missing("MS-SSIM", why))
    return found


def _write(
    results: Results, made: Made, exhibits: Exhibits, *, systems: tuple[str, ...]
) -> Evaluation:
    report = describe(results, made, exhibits, systems=systems)
    folder = made.options.report
    paths = folder / JSON_NAME, folder / PAGE_NAME
    page = render_page(report, results, exhibits, systems=systems, timing=made.timing)
    for path, text in zip(paths, (json.dumps(report, indent=1), page), strict=True):
        partial = path.with_name(f"{path.name}.partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    return Evaluation(systems, results, *paths, report)
