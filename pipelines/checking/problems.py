"""What is wrong with a data set: one problem for each defect, however many files have it."""

import re
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vid2vid.data.pairing import Source
from vid2vid.errors import Vid2VidError

Severity = Literal["error", "warning"]
Kind = Literal[
    "alpha",
    "animation",
    "aspect",
    "bit-depth",
    "compressed-labels",
    "cut",
    "depth",
    "duplicates",
    "empty",
    "foreign-labels",
    "gap",
    "ignored",
    "instances",
    "key-points",
    "layout",
    "link",
    "misnamed",
    "missing-partner",
    "missing-stream",
    "mixed-sizes",
    "not-consecutive",
    "resized-labels",
    "short",
    "size",
    "training",
    "unreadable",
    "upscaled",
]
"""What kind of defect it is, for programs that read the JSON."""

_SHOWN = 3  # names of further files with the same defect


@dataclass(frozen=True)
class Problem:
    """A defect of one sequence, or of the whole data set."""

    severity: Severity  # error: training would stop at it, or could not learn
    kind: Kind
    sequence: str | None  # None = the data set
    message: str  # of the first file: what was needed, what came, where, what to do
    places: tuple[str, ...]  # every file, or frame of a video, that has it

    def to_line(self) -> str:
        """Write it as one line."""
        others = [_shorten(place) for place in self.places[1:]]
        named = ", ".join(others[:_SHOWN]) + (", ..." if len(others) > _SHOWN else "")
        more = f" ({len(others)} more like it: {named})" if others else ""
        return f"{self.severity} [{self.kind}] {self.message}{more}"


def _shorten(place: str) -> str:
    """Leave the folder out of a file's name, or of a frame's."""
    return place.partition(" of ")[0] if place.startswith("frame ") else Path(place).name


class Findings:
    """Gathers the problems of one sequence; those that differ in numbers alone are one."""

    def __init__(self, sequence: str | None = None) -> None:
        self._sequence = sequence
        self._places: dict[tuple[Severity, Kind, str], list[str]] = {}
        self._messages: dict[tuple[Severity, Kind, str], str] = {}

    def error(self, kind: Kind, message: str, *places: str) -> None:
        """Note a defect that training would stop at; see `warn`."""
        self._add("error", kind, message, places=places)

    def warn(self, kind: Kind, message: str, *places: str) -> None:
        """Note a defect that training would bear.

        Args:
            kind: which defect.
            message: what was needed, what came, where, what to do.
            places: the files, or frames of videos, that have it, as the message names the first.
        """
        self._add("warning", kind, message, places=places)

    @contextmanager
    def catch(self, kind: Kind, *places: str) -> Generator[None]:
        """Note an error that training would stop at, and go on."""
        try:
            yield
        except Vid2VidError as error:
            self.error(kind, str(error), *places)

    def _add(
        self, severity: Severity, kind: Kind, message: str, *, places: tuple[str, ...]
    ) -> None:
        skeleton = message.replace(places[0], "") if places else message
        key = (severity, kind, re.sub(r"\d+", "#", skeleton))
        self._messages.setdefault(key, message)
        self._places.setdefault(key, []).extend(places)

    def is_unreadable(self, place: str) -> bool:
        """Whether it was noted that a file, or frame of a video, cannot be read."""
        return any(place in self._places[key] for key in self._places if key[1] == "unreadable")

    @property
    def has_errors(self) -> bool:
        """Whether training would stop at any of them."""
        return any(severity == "error" for severity, _, _ in self._messages)

    def problems(self) -> list[Problem]:
        """List the problems in the order in which they were found."""
        return [
            Problem(key[0], key[1], self._sequence, message, tuple(self._places[key]))
            for key, message in self._messages.items()
        ]


def place_of(source: Source) -> str:
    """Name a file, or a frame of a video, as messages do."""
    return str(source.path) if source.frame is None else f"frame {source.frame} of {source.path}"


def count_problems(problems: Iterable[Problem]) -> tuple[int, int]:
    """Count errors and warnings."""
    severities = [problem.severity for problem in problems]
    return severities.count("error"), severities.count("warning")
