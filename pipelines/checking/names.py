"""What the names of the frames of a sequence say: numbers left out, links that lead nowhere."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from pipelines.checking.problems import Findings
from vid2vid.data.pairing import Source, shared_ending

USUAL_SHARE = 0.8
"""Of the steps between numbers, that must be alike for the others to be gaps: else they are times,
or takes of several videos."""


def check_numbers(sources: Sequence[Source], findings: Findings) -> None:
    """Warn where the numbers at the end of names jump further than they mostly do."""
    paths = [source.path for source in sources if source.frame is None]
    ending = shared_ending([path.stem for path in paths]) if paths else ""
    numbers = [re.search(r"(\d+)$", path.stem.removesuffix(ending)) for path in paths]
    values = [int(number[1]) for number in numbers if number]
    if len(values) < len(paths) or len(values) < 3:
        return
    steps = [later - earlier for earlier, later in pairwise(values)]
    usual, count = Counter(steps).most_common(1)[0]
    gaps = [index for index, step in enumerate(steps) if step > usual]
    if gaps and usual > 0 and count >= USUAL_SHARE * len(steps):
        before, after = paths[gaps[0]], paths[gaps[0] + 1]
        findings.warn(
            "gap",
            f"frames must be consecutive; their numbers go up by {usual}, and {after} comes after "
            f"{before.name}: add what is missing, or split the sequence there",
            *(str(paths[index + 1]) for index in gaps),
        )


def check_links(place: Path, findings: Findings) -> None:
    """Warn of links in a folder whose files are not there, which are left out."""
    if not place.is_dir():
        return
    dangling = [path for path in sorted(place.iterdir()) if path.is_symlink() and not path.exists()]
    if dangling:
        first = dangling[0]
        findings.warn(
            "link",
            f"links must lead to files; {first} leads to {first.readlink()}, which is not there, "
            "so that it is left out: put the file there, or remove the link",
            *map(str, dangling),
        )
