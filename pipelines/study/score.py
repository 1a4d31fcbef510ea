"""Read the answers of a study with its key: preferences with Wilson intervals."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.study.make import KEY_FORMAT, KEY_NAME
from vid2vid.errors import DataError
from vid2vid.metrics.preference import Preference, preference

ANSWERS_FORMAT = "vid2vid-study-answers-1"

ATTENTIVE = 0.8
"""The share of sentinels that must be answered right; other answers are left out whole."""


@dataclass(frozen=True)
class Score:
    """What people preferred."""

    first: str  # system A, as the key names it
    second: str
    overall: Preference  # of the first
    shown_left: Preference  # of the first where it stood left, and right: a bias shows here
    shown_right: Preference
    left_chosen: Preference  # how often the left side was chosen, whatever stood there
    people: int  # whose answers count
    left_out: tuple[str, ...]  # files of people who missed sentinels

    def to_json(self) -> dict[str, Any]:
        """Describe it in JSON values."""

        def describe(found: Preference) -> dict[str, Any]:
            low, high = found.interval
            share = found.share if found.total else None
            return {
                "share": share,
                "low": low,
                "high": high,
                "wins": found.wins,
                "n": found.total,
            }

        return {
            "a": self.first,
            "b": self.second,
            "a_preferred": describe(self.overall),
            "a_preferred_shown_left": describe(self.shown_left),
            "a_preferred_shown_right": describe(self.shown_right),
            "left_chosen": describe(self.left_chosen),
            "people": self.people,
            "left_out": list(self.left_out),
        }


def score_study(answers: Sequence[Path], *, key: Path | None = None) -> Score:
    """Score the answers of one or more people.

    Args:
        answers: the files that the page gave them.
        key: key.json of the study; None = it lies beside the first of them.

    Raises:
        DataError: if a file is not what it should be, or of another study.
    """
    if not answers:
        raise DataError("answers are needed; none was given: pass the JSON that the page saved")
    key_path = key or answers[0].parent / KEY_NAME
    held = _read(key_path, KEY_FORMAT, what="the key of the study")
    trials = {trial["id"]: trial for trial in held["trials"]}
    choices: list[tuple[dict[str, Any], str]] = []
    left_out: list[str] = []
    for path in answers:
        given = _read_answers(path, held["study"], trials)
        sentinels = [
            _is_right(t, side) for t, side in given if "damaged" in (t["left"], t["right"])
        ]
        if sentinels and sum(sentinels) < ATTENTIVE * len(sentinels):
            left_out.append(str(path))
        else:
            choices += [(t, side) for t, side in given if "damaged" not in (t["left"], t["right"])]
    return Score(
        first=held["a"],
        second=held["b"],
        overall=_prefer([(t, side) for t, side in choices]),
        shown_left=_prefer([(t, side) for t, side in choices if t["left"] == "a"]),
        shown_right=_prefer([(t, side) for t, side in choices if t["right"] == "a"]),
        left_chosen=preference(sum(side == "left" for _, side in choices), len(choices)),
        people=len(answers) - len(left_out),
        left_out=tuple(left_out),
    )


def describe_score(score: Score) -> str:
    """Write a score as lines for the terminal."""

    def line(text: str, found: Preference) -> str:
        if not found.total:
            return f"{text}: no answers"
        low, high = found.interval
        return f"{text}: {found.share:.1%} [{low:.1%}, {high:.1%}], {found.wins} of {found.total}"

    lines = [
        line(f"{score.first} preferred to {score.second}", score.overall),
        line("  where it stood left", score.shown_left),
        line("  where it stood right", score.shown_right),
        line("left side chosen", score.left_chosen),
        f"people: {score.people}",
    ]
    return "\n".join([*lines, *(f"left out, missed sentinels: {path}" for path in score.left_out)])


def _prefer(choices: list[tuple[dict[str, Any], str]]) -> Preference:
    """Count how often A was chosen."""
    return preference(sum(trial[side] == "a" for trial, side in choices), len(choices))


def _is_right(trial: dict[str, Any], side: str) -> bool:
    return trial[side] != "damaged"


def _read_answers(
    path: Path, study: str, trials: dict[int, dict[str, Any]]
) -> list[tuple[dict[str, Any], str]]:
    """Read the answers of one person, each with the trial it is about."""
    held = _read(path, ANSWERS_FORMAT, what="the answers to a study")
    if held.get("study") != study:
        raise DataError(
            f"answers and key must be of one study; the key is of {study!r}, {path} of "
            f"{held.get('study')!r}: pass the right key.json with --key"
        )
    found: list[tuple[dict[str, Any], str]] = []
    for answer in held.get("answers", []):
        if answer.get("id") not in trials or answer.get("choice") not in ("left", "right"):
            raise DataError(
                f"an answer must name a pair of the study and left or right; {path} has {answer}: "
                "use the file as the page saved it"
            )
        found.append((trials[answer["id"]], answer["choice"]))
    return found


def _read(path: Path, expected: str, *, what: str) -> dict[str, Any]:
    try:
        held = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{what} must be readable JSON; {path} is not: check the path") from error
    if not isinstance(held, dict) or held.get("format") != expected:
        raise DataError(f"{what} must be of the format {expected}; {path} is not: check the path")
    return held
