"""How styles are found in a data set. Imports no torch, for the command line."""

from dataclasses import dataclass
from pathlib import Path

SMALLEST_SHARE = 1 / 64
"""Of its picture, that an instance must be above to count (official)."""
CLUSTERS = 10
"""Styles of a class, at most (official)."""


@dataclass(frozen=True)
class StyleOptions:
    """How styles are found, and where they go."""

    clusters: int = CLUSTERS
    """Styles of a class, at most."""
    seed: int = 0
    """Of the clustering."""
    min_area: float = SMALLEST_SHARE
    """Share of its picture that an instance must be above to count."""
    limit: int | None = None
    """Frames that are read, evenly apart; None = all."""
    out: Path | None = None
    """Checkpoint to write; None = a copy beside the one that is read."""
    sheet: Path | None = None
    """Picture of every style; None = none."""
    map: str | None = None
    """Mapping of the label maps' ids to those of the checkpoint's palette."""
    overrides: tuple[str, ...] = ()
    """'a.b=c', settings of the data's configuration."""
    device: str | None = None
    """None takes a GPU where there is one."""
