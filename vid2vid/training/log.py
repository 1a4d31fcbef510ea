"""metrics.jsonl: one line per interval, and never a step twice."""

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from vid2vid.training.loop import StepReport

NO_SCORES: Mapping[str, float] = MappingProxyType({})


class MetricsLog:
    """Collects the reports of an interval and writes their means as a line of JSON."""

    def __init__(self, path: Path, *, step: int) -> None:
        """Open the log of a run that stands at `step`; later lines are of lost steps and go."""
        self._path = path
        self._reset()
        if path.is_file():
            kept = [
                line
                for line in path.read_text().splitlines()
                if line.endswith("}") and json.loads(line)["step"] <= step
            ]
            path.write_text("".join(f"{line}\n" for line in kept))

    def add(self, report: StepReport) -> None:
        """Take in the report of one step."""
        self._reports += 1
        self._seconds += report.seconds
        for name, value in report.terms.items():
            self._sums[name].append(value)

    def write(
        self,
        report: StepReport,
        *,
        learning_rate: float,
        scores: Mapping[str, float] = NO_SCORES,
    ) -> dict[str, float]:
        """Write the means since the last line, and return it.

        Args:
            report: of the last step.
            learning_rate: of the generator in that step.
            scores: of a validation after it; usually none.
        """
        line: dict[str, float] = {
            "step": report.step,
            "seconds_per_step": round(self._seconds / max(1, self._reports), 4),
            "learning_rate": learning_rate,
            "clip_length": report.moment.clip_length,
            "scales": report.moment.scales,
            **{name: sum(values) / len(values) for name, values in sorted(self._sums.items())},
            **scores,
        }
        with self._path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        self._reset()
        return line

    def _reset(self) -> None:
        self._sums: dict[str, list[float]] = defaultdict(list)
        self._reports = 0
        self._seconds = 0.0
