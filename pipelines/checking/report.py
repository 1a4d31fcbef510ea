"""What a check found, as text, as JSON, and as a folder."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.checking.problems import Problem, count_problems
from pipelines.checking.sequence import SequenceReport
from pipelines.checking.subject import Subject
from vid2vid.data.measuring import in_words
from vid2vid.labels.palettes import ID_IGNORE, Palette
from vid2vid.video.pictures import write_picture

SHEET_NAME = "contact_sheet.png"
JSON_NAME = "check.json"
_SHOWN_SEQUENCES = 30


@dataclass(frozen=True)
class CheckReport:
    """Everything that was found in a data set."""

    subject: Subject
    palette: Palette | None  # None = no labels
    root: str
    sequences: tuple[SequenceReport, ...]
    problems: tuple[Problem, ...]
    sheet: NDArray[np.uint8] | None  # 'h w 3'; None where nothing could be drawn

    @property
    def num_errors(self) -> int:
        """Problems at which training would stop."""
        return count_problems(self.problems)[0]

    @property
    def label_pixels(self) -> NDArray[np.int64]:
        """'256', the pixels of each label id in all sequences."""
        none = np.zeros(256, dtype=np.int64)
        return sum((sequence.label_pixels for sequence in self.sequences), start=none)

    def to_json(self) -> dict[str, object]:
        """Return JSON values."""
        errors, warnings = count_problems(self.problems)
        return {
            "checked": self.subject.name,
            "root": self.root,
            "palette": None if self.palette is None else self.palette.name,
            "num_sequences": len(self.sequences),
            "num_frames": sum(sequence.num_frames for sequence in self.sequences),
            "errors": errors,
            "warnings": warnings,
            "problems": [
                {
                    "severity": problem.severity,
                    "kind": problem.kind,
                    "sequence": problem.sequence,
                    "message": problem.message,
                    "places": list(problem.places),
                }
                for problem in self.problems
            ],
            "sequences": [
                {
                    "name": sequence.name,
                    "num_frames": sequence.num_frames,
                    "height": sequence.size.height if sequence.size else None,
                    "width": sequence.size.width if sequence.size else None,
                }
                for sequence in self.sequences
            ],
            "classes": [
                {"id": class_id, "name": name, "share": share, "sequences": count}
                for class_id, name, share, count in self._classes()
            ],
        }

    def to_text(self) -> str:
        """Write it for people: the data set, its sequences and classes, then every problem."""
        lines = [*self._describe_data(), ""]
        if self.palette is not None and self.label_pixels.any():
            lines += [*self._describe_classes(), ""]
        errors, warnings = count_problems(self.problems)
        ordered = sorted(self.problems, key=lambda problem: problem.severity)
        lines += [problem.to_line() for problem in ordered]
        lines.append(
            f"{_count(errors, 'error')}, {_count(warnings, 'warning')}"
            if self.problems
            else "nothing is wrong"
        )
        return "\n".join(lines)

    def write(self, folder: Path) -> Path:
        """Write the JSON and the contact sheet into a folder, which is made.

        Raises:
            OSError: if they cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.to_json(), indent=1)
        (folder / JSON_NAME).write_text(text, encoding="utf-8")
        if self.sheet is not None:
            write_picture(folder / SHEET_NAME, self.sheet)
        return folder

    def _describe_data(self) -> Iterator[str]:
        frames = sum(sequence.num_frames for sequence in self.sequences)
        yield (
            f"{self.root}: {_count(len(self.sequences), 'sequence')}, {_count(frames, 'frame')}, "
            f"checked by {self._by()}"
        )
        width = max((len(each.name) for each in self.sequences[:_SHOWN_SEQUENCES]), default=0)
        for each in self.sequences[:_SHOWN_SEQUENCES]:
            size = "" if each.size is None else f"  {in_words(each.size)}"
            errors, warnings = count_problems(each.problems)
            wrong = [(errors, "error"), (warnings, "warning")]
            counts = "".join(f"  {_count(*some)}" for some in wrong if some[0])
            yield f"  {each.name:{width}s} {each.num_frames:6d} frames{size}{counts}"
        if len(self.sequences) > _SHOWN_SEQUENCES:
            yield f"  and {len(self.sequences) - _SHOWN_SEQUENCES} more"

    def _by(self) -> str:
        if not self.subject.is_bare:
            return self.subject.name
        if self.palette is None:
            return "usual settings, as photographs alone (give a configuration for more)"
        return (
            f"usual settings and palette '{self.palette.name}' (give a configuration, or --palette)"
        )

    def _describe_classes(self) -> Iterator[str]:
        yield "label pixels:"
        for class_id, name, share, count in self._classes():
            seen = f"{share:7.2%} in {_count(count, 'sequence')}" if share else "    -"
            yield f"  {class_id:3d} {name:24s} {seen}"

    def _classes(self) -> Iterator[tuple[int, str, float, int]]:
        """Give id, name, share of the pixels and number of sequences of each class."""
        if self.palette is None:
            return
        pixels = self.label_pixels
        names = {each.id: each.name for each in self.palette.classes if not each.ignore}
        for class_id, name in (*sorted(names.items()), (ID_IGNORE, "ignored")):
            count = sum(bool(sequence.label_pixels[class_id]) for sequence in self.sequences)
            yield class_id, name, float(pixels[class_id] / max(1, pixels.sum())), count


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
