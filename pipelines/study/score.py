"""Read the answers of a study with its key: preferences with Wilson intervals."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

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
    given_files = [(path, _read(path, ANSWERS_FORMAT, what="the answers")) for path in answers]
    _check_distinct(given_files)
    key_path = key or answers[0].parent / KEY_NAME
    held = _read(key_path, KEY_FORMAT, what="the key of the study")
    if not isinstance(held.get("trials"), list):
        raise DataError(f"the key of the study must list its trials; {key_path} does not")
    trials = {trial["id"]: trial for trial in held["trials"]}
    num_sentinels = sum(map(_is_sentinel, trials.values()))
    choices: list[tuple[dict[str, Any], str]] = []
    left_out: list[str] = []
    for path, file in given_files:
        given = _pair_answers(path, file, held["study"], trials)
        right = sum(_is_sentinel(trial) and trial[side] != "damaged" for trial, side in given)
        if right < ATTENTIVE * num_sentinels:
            left_out.append(str(path))
        else:
            choices += [(trial, side) for trial, side in given if not _is_sentinel(trial)]
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


def _is_sentinel(trial: dict[str, Any]) -> bool:
    return "damaged" in (trial["left"], trial["right"])


def _check_distinct(files: Sequence[tuple[Path, dict[str, Any]]]) -> None:
    """Refuse the same answers given twice, which would count twice.

    Raises:
        DataError: naming both files.
    """
    for index, (path, file) in enumerate(files):
        for other, again in files[:index]:
            if file == again:
                raise DataError(
                    f"every person counts once; {other} and {path} hold the same answers"
                )


def _pair_answers(
    path: Path, held: dict[str, Any], study: str, trials: dict[int, dict[str, Any]]
) -> list[tuple[dict[str, Any], str]]:
    """Join the answers of one person to the trials that they are about."""
    if held.get("study") != study:
        raise DataError(
            f"answers and key must be of one study; the key is of {study!r}, {path} of "
            f"{held.get('study')!r}: pass the right key.json with --key"
        )
    found: dict[int, tuple[dict[str, Any], str]] = {}
    answers = held.get("answers")
    for answer in answers if isinstance(answers, list) else [answers]:
        number, choice = _answer(answer)
        if number not in trials or number in found or choice not in ("left", "right"):
            raise DataError(
                "every answer must name a pair of the study, each pair once, and left or right; "
                f"{path} has {answer}: use the file as the page saved it"
            )
        found[number] = (trials[number], choice)
    return list(found.values())


def _answer(answer: object) -> tuple[int, str]:
    """Take an answer apart; of one that is none, what no study has."""
    held = cast("dict[str, object]", answer) if isinstance(answer, dict) else {}
    number, choice = held.get("id"), held.get("choice")
    return number if isinstance(number, int) else -1, str(choice)


def _read(path: Path, expected: str, *, what: str) -> dict[str, Any]:
    try:
        held = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{what} must be readable JSON; {path} is not: check the path") from error
    if not isinstance(held, dict) or held.get("format") != expected:
        raise DataError(f"{what} must be of the format {expected}; {path} is not: check the path")
    return held
