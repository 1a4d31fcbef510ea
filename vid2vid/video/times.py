"""times.csv: when each picture of a frame folder is shown, exactly."""

import csv
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from vid2vid.errors import VideoError

DEFAULT_RATE = Fraction(25)
"""Frames per second of pictures without a times.csv."""

TIMES_NAME = "times.csv"
_FIELDS = ["name", "seconds"]


def write_times(folder: Path, names: Sequence[str], times: Sequence[Fraction]) -> None:
    """Write the time of each picture as a fraction of seconds, such as 1001/30000."""
    with (folder / TIMES_NAME).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(_FIELDS)
        writer.writerows(zip(names, map(str, times), strict=True))


def read_times(frames: Sequence[Path], *, rate: Fraction) -> list[Fraction]:
    """Read the time of each picture in seconds; without a times.csv they are 1 / `rate` apart.

    Raises:
        VideoError: if the times.csv beside the pictures cannot be read, leaves one of them out,
            or its times do not increase.
    """
    path = frames[0].parent / TIMES_NAME
    if not path.is_file():
        return [index / rate for index in range(len(frames))]
    try:
        with path.open(newline="", encoding="utf-8") as file:
            times = {row["name"]: Fraction(row["seconds"]) for row in csv.DictReader(file)}
    except (OSError, KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise VideoError(
            f"{path} must have the columns {' and '.join(_FIELDS)}, seconds as 0.04 or 1/25; "
            "mend it or remove it"
        ) from error
    missing = [frame.name for frame in frames if frame.name not in times]
    if missing:
        raise VideoError(
            f"{path} must have a row for each picture; {missing[0]} and {len(missing) - 1} others "
            "have none: add them or remove the file"
        )
    found = [times[frame.name] for frame in frames]
    for earlier, later, frame in zip(found[:-1], found[1:], frames[1:], strict=True):
        if later <= earlier:
            raise VideoError(
                f"the times in {path} must increase; {frame.name} comes at {later} s after "
                f"{earlier} s: mend it or remove it"
            )
    return found
