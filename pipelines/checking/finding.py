"""Find the sequences of a data set by training's own function, past the first that it refuses."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pipelines.checking.problems import Findings
from pipelines.config.problems import did_you_mean
from vid2vid.controls.config import FRAMES, INSTANCES, LABELS
from vid2vid.data.config import (
    TWO_SIDES,
    DataConfig,
    DataLayout,
    Direction,
    StreamPatterns,
)
from vid2vid.data.locating import Places, Wanted
from vid2vid.data.places import find_places, official_ending
from vid2vid.data.sides import other_stream, pair_folders
from vid2vid.errors import DataError
from vid2vid.video.reading import IMAGE_SUFFIXES

_PHOTOGRAPHS = Wanted(labels=False, controls={})


class _Search(NamedTuple):
    """Where is looked for what."""

    root: Path
    split: str
    layout: DataLayout
    wanted: Wanted
    direction: Direction

    def run(self) -> list[Places]:
        """Find it, as training does.

        Raises:
            DataError: where training would.
        """
        return find_places(
            self.root, self.split, self.layout, wanted=self.wanted, direction=self.direction
        )


def find_all(data: DataConfig, wanted: Wanted, findings: Findings) -> list[Places]:
    """Find the streams of every sequence; note each stream that a sequence lacks.

    Args:
        data: of the configuration.
        wanted: what the frames are paired with.
        findings: takes the errors.

    Returns:
        All sequences with frames, each with those of its streams that are there.
    """
    root = Path(data.root).expanduser()
    search = _Search(root, data.split, data.layout, wanted, data.direction)
    try:
        found = search.run()
    except DataError as error:
        settled = _settle(search)
        if settled is None:
            findings.error("layout", str(error))
            return []
        frames = settled._replace(wanted=_PHOTOGRAPHS).run()
        found = [_gather(places, settled, findings) for places in frames]
        if not findings.has_errors:
            findings.error("layout", str(error))
    _warn_of_orphans(search, found, findings)
    _check_instances(found, findings)
    return found


def _settle(search: _Search) -> _Search | None:
    """Choose the layout in which photographs are found; None where there are none."""
    layouts: tuple[DataLayout, ...] = (search.layout,)
    if search.layout == "auto":  # 'videos' has photographs alone, and more is wanted
        layouts = ("folders", "official", "pairs")
    for layout in layouts:
        try:
            search._replace(layout=layout, wanted=_PHOTOGRAPHS).run()
            if isinstance(layout, str) and layout in TWO_SIDES:  # with one stream beside
                other_stream(search.wanted, layout)
        except DataError:
            continue
        return search._replace(layout=layout)
    return None


def _gather(places: Places, search: _Search, findings: Findings) -> Places:
    """Find the streams of one sequence, each by itself."""
    labels = None
    if search.wanted.labels and (found := _look(places, search, LABELS, findings=findings)):
        labels = found.labels
    controls: dict[str, Path] = {}
    for stream in search.wanted.controls:
        if found := _look(places, search, stream, findings=findings):
            controls.update(found.controls)
    return places._replace(labels=labels, controls=controls)


def _look(places: Places, search: _Search, stream: str, *, findings: Findings) -> Places | None:
    """Look for one stream of one sequence, as training does; note where it is missing."""
    controls = {k: v for k, v in search.wanted.controls.items() if k == stream}
    alone = Wanted(stream == LABELS, controls)
    patterns = _patterns(places, search, stream)
    try:
        return search._replace(layout=patterns, wanted=alone).run()[0]
    except DataError as error:
        hint = _near_name(stream, places, search)
        findings.error("misnamed" if hint else "missing-stream", f"{error}{hint}", places.name)
        return None


def _patterns(places: Places, search: _Search, stream: str) -> StreamPatterns:
    """Say where the frames and one other stream of a sequence lie."""
    frames = places.frames.relative_to(search.root).as_posix()
    if isinstance(search.layout, StreamPatterns):
        layout = search.layout
        named = {LABELS: layout.labels, **layout.controls}
        own = (named.get(stream) or "").replace("{sequence}", places.name) or None
    elif search.layout == "folders":
        own = f"{Path(frames).parent.as_posix()}/{stream}"
    elif search.layout == "pairs":
        sides = pair_folders(search.root, search.split)
        theirs, ours = sides if search.direction == "a_to_b" else sides[::-1]
        own = (theirs / places.frames.relative_to(ours)).relative_to(search.root).as_posix()
    else:
        own = f"{search.split}_{official_ending(stream)}"
        own += "" if places.name == search.split else f"/{places.name}"
    # Not validated: a folder may have braces in its name.
    return StreamPatterns.model_construct(
        frames=frames,
        labels=own if stream == LABELS else None,
        instances=None,
        controls={stream: own} if own and stream != LABELS else {},
    )


def _near_name(stream: str, places: Places, search: _Search) -> str:
    """Offer the folder or file that was probably meant."""
    if search.layout == "folders":
        beside = {path.stem for path in places.frames.parent.iterdir()}
    elif search.layout == "official":
        beside = {path.name.removeprefix(f"{search.split}_") for path in search.root.iterdir()}
        stream = official_ending(stream)
    else:
        return ""
    streams = {FRAMES, LABELS, INSTANCES, *search.wanted.controls}
    taken = {*streams, *map(official_ending, streams), "B", "img"}
    return did_you_mean(stream, sorted(beside - taken))


def _warn_of_orphans(search: _Search, found: list[Places], findings: Findings) -> None:
    """Warn of folders with label maps or other streams that no sequence of frames belongs to."""
    base = search.root / search.split
    if isinstance(search.layout, StreamPatterns) or not base.is_dir():
        return
    known = {places.frames.parent for places in found}
    streams = {LABELS, INSTANCES, *search.wanted.controls}
    for folder, children in _walk(base, streams | {FRAMES}):
        if folder not in known and streams & children:
            hint = did_you_mean(FRAMES, sorted(children - streams))
            findings.warn(
                "misnamed" if hint else "missing-stream",
                f"every sequence needs its frames; {folder} has "
                f"{', '.join(sorted(streams & children))} and no frames, so that nothing of it is "
                f"used: add them, or move it away{hint}",
                str(folder),
            )


def _walk(base: Path, streams: set[str]) -> Iterator[tuple[Path, set[str]]]:
    """Walk the folders below `base`, each with the names in it without suffix."""
    for folder, folders, files in os.walk(base):
        pictures = {name for name in files if Path(name).suffix.lower() in IMAGE_SUFFIXES}
        yield Path(folder), {Path(name).stem for name in {*folders, *files} - pictures}
        folders[:] = sorted(set(folders) - streams)


def _check_instances(found: list[Places], findings: Findings) -> None:
    """Note what training refuses: instance maps of some sequences and not of others."""
    without = [places.name for places in found if places.instances is None]
    if 0 < len(without) < len(found):
        findings.error(
            "instances",
            f"either all sequences have instance maps or none; {len(without)} of {len(found)} have "
            f"none, the first is '{without[0]}': add them, or move the others away",
            *without,
        )
