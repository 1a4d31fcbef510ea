"""Where the streams of each sequence of a data set lie, in any of the known layouts.

folders   `<root>/<split>/<sequence>/{frames,labels,instances}`, and a folder for any other stream
official  `<root>/<split>_B/<sequence>` or `<split>_img` frames, `_A` labels, `_inst` instances, any
          other stream under its name, as `_openpose` (as vid2vid's users keep them); every
          directory with pictures is a sequence, and every video file
videos    every video file below `<root>/<split>`, or below `<root>` where there is no such folder,
          is a sequence of photographs and nothing else
patterns  anything else, see `StreamPatterns`

A stream is a folder of pictures or a video file of the same name; instance video is lossless.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from glob import escape
from pathlib import Path
from typing import Literal, NamedTuple

from vid2vid.controls.config import FRAMES, INSTANCES, LABELS, AnyControl
from vid2vid.data.config import DataLayout, StreamPatterns
from vid2vid.data.pairing import is_video_file
from vid2vid.errors import DataError
from vid2vid.video.reading import IMAGE_SUFFIXES, VIDEO_SUFFIXES


class Places(NamedTuple):
    """Where the streams of one sequence lie: folders, video files or patterns of pictures."""

    name: str
    frames: Path
    labels: Path | None
    instances: Path | None
    controls: Mapping[str, Path]


class Wanted(NamedTuple):
    """What the frames are paired with."""

    labels: bool
    controls: Mapping[str, AnyControl]  # by stream

    @property
    def nothing(self) -> bool:
        """Whether photographs are enough."""
        return not (self.labels or self.controls)


def find_places(root: Path, split: str, layout: DataLayout, *, wanted: Wanted) -> list[Places]:
    """Find the streams of all sequences of a split, sorted by name.

    Raises:
        DataError: if nothing is found, or a sequence lacks a stream.
    """
    match _choose(root, split, wanted) if layout == "auto" else layout:
        case "folders":
            return _in_folders(root, split, wanted)
        case "official":
            return _in_official(root, split, wanted)
        case "videos":
            return _in_videos(root, split, wanted)
        case patterns:
            return _by_patterns(root, split, patterns, wanted=wanted)


def _choose(root: Path, split: str, wanted: Wanted) -> Literal["folders", "official", "videos"]:
    has_folders = (root / split).is_dir()
    endings = ("A", "B", "img", *wanted.controls)
    has_official = any((root / f"{split}_{ending}").is_dir() for ending in endings)
    if wanted.nothing and not has_official and not _has_frames(root / split):
        return "videos"
    if has_folders and has_official:
        raise DataError(
            f"the layout of a data set must be clear; {root} holds both {split} (layout 'folders') "
            f"and {split}_A, {split}_B or the like (layout 'official'): set layout to one of them"
        )
    if not has_folders and not has_official:
        streams = [*(["labels"] if wanted.labels else []), *wanted.controls]
        official = ", ".join(f"{split}_{official_ending(each)}" for each in streams)
        raise DataError(
            f"no data of split '{split}' in {root}; looked for {split}/<sequence>/frames with "
            f"{', '.join(streams)} beside (layout 'folders') and for {split}_B or {split}_img with "
            f"{official} (layout 'official'): "
            "mend root or split, or set layout to patterns such as {frames: 'images/{sequence}', "
            "labels: 'labels/{sequence}', controls: {NAME: 'NAME/{sequence}'}}"
        )
    return "folders" if has_folders else "official"


def _has_frames(base: Path) -> bool:
    """Tell whether there is a sequence of the layout 'folders'."""
    return any(_locate(folder / FRAMES) for folder, _ in _walk(base, {FRAMES}))


def official_ending(stream: str) -> str:
    """Name a stream as the layout 'official' does."""
    return {LABELS: "A", INSTANCES: "inst"}.get(stream, stream)


def _in_folders(root: Path, split: str, wanted: Wanted) -> list[Places]:
    base = root / split
    places: list[Places] = []
    for folder, _ in _walk(base, {FRAMES, LABELS, INSTANCES, *wanted.controls}):
        if frames := _locate(folder / FRAMES):

            def place(stream: str, folder: Path = folder) -> Path:
                return folder / stream

            places.append(_gather(_name(folder, base, split), frames, place, wanted=wanted))
    if not places:
        raise DataError(
            f"layout 'folders' needs {split}/<sequence>/frames, a folder of pictures or a video; "
            f"found none below {base}: mend root or split, or set layout"
        )
    return places


def _in_official(root: Path, split: str, wanted: Wanted) -> list[Places]:
    base = root / f"{split}_B"
    if not base.is_dir() and (root / f"{split}_img").is_dir():
        base = root / f"{split}_img"
    places: list[Places] = []
    for folder, files in _walk(base, set()):
        videos = [file for file in files if file.suffix.lower() in VIDEO_SUFFIXES]
        has_pictures = any(file.suffix.lower() in IMAGE_SUFFIXES for file in files)
        for frames in [folder] * has_pictures + videos:
            relative = frames.relative_to(base)
            partner = relative.with_suffix("") if frames in videos else relative

            def place(stream: str, partner: Path = partner) -> Path:
                return root / f"{split}_{official_ending(stream)}" / partner

            places.append(_gather(_name(base / partner, base, split), frames, place, wanted=wanted))
    if not places:
        raise DataError(
            f"layout 'official' needs pictures or videos in {split}_B or {split}_img; found none "
            f"below {base}: mend root or split, or set layout"
        )
    return places


def _in_videos(root: Path, split: str, wanted: Wanted) -> list[Places]:
    if not wanted.nothing:
        names = ", ".join([*(["labels"] if wanted.labels else []), *wanted.controls])
        raise DataError(
            f"layout 'videos' holds photographs alone; {names} must lie beside them: set layout to "
            "another, or train on controls that are found in the photographs"
        )
    base = root / split if (root / split).is_dir() else root
    places = [
        Places(_name(file.with_suffix(""), base, split), file, None, None, {})
        for _, files in _walk(base, set())
        for file in files
        if file.suffix.lower() in VIDEO_SUFFIXES
    ]
    if not places:
        raise DataError(
            f"layout 'videos' needs video files; found none below {base}: put them there, mend "
            "root, or set layout"
        )
    return sorted(places, key=lambda place: place.name)


def _by_patterns(
    root: Path, split: str, patterns: StreamPatterns, *, wanted: Wanted
) -> list[Places]:
    known = {LABELS: patterns.labels, INSTANCES: patterns.instances, **patterns.controls}

    def fill(pattern: str, name: str) -> Path:
        return root / pattern.replace("{split}", split).replace("{sequence}", name)

    places: list[Places] = []
    for name in _match_names(root, patterns.frames.replace("{split}", split)) or [split]:
        if frames := _locate(fill(patterns.frames, name)):

            def place(stream: str, name: str = name) -> Path | None:
                pattern = known.get(stream)
                if pattern is None and stream != INSTANCES:
                    raise DataError(
                        f"layout must say where '{stream}' lies; it has patterns of "
                        f"{', '.join(k for k, v in known.items() if v)}: add one"
                    )
                return None if pattern is None else fill(pattern, name)

            places.append(_gather(name, frames, place, wanted=wanted, strict=True))
    if not places:
        raise DataError(
            f"layout needs frames at '{patterns.frames}', folders of pictures or videos; found "
            f"none below {root}: mend root, split or the pattern"
        )
    return places


def _gather(
    name: str,
    frames: Path,
    place: Callable[[str], Path | None],
    *,
    wanted: Wanted,
    strict: bool = False,
) -> Places:
    """Find the streams of one sequence.

    Args:
        name: of the sequence.
        frames: where its photographs are.
        place: where a stream must be; None = nowhere.
        wanted: what the run needs.
        strict: whether instance maps that have a place must be there.
    """
    own = place(INSTANCES)
    instances = own and (_require(INSTANCES, own) if strict else _locate(own))
    return Places(
        name,
        frames,
        _require(LABELS, place(LABELS)) if wanted.labels else None,
        instances,
        {stream: _require(stream, place(stream)) for stream in wanted.controls},
    )


def _match_names(root: Path, pattern: str) -> list[str]:
    """Return what `{sequence}` stands for in the existing files and folders, sorted."""
    if "{sequence}" not in pattern:
        return []
    first, *rest = (re.escape(part).replace(r"\*", "[^/]*") for part in pattern.split("{sequence}"))
    shape = re.compile(first + "([^/]+)" + r"\1".join(rest))
    found = re.sub(r"[\[?]", r"[\g<0>]", pattern).replace("{sequence}", "*")  # only * is special
    names: set[str] = set()
    for path in [*root.glob(found), *root.glob(found + ".*")]:
        relative = path.relative_to(root).as_posix()
        if is_video_file(path) and not pattern.endswith(path.suffix):
            relative = relative.removesuffix(path.suffix)
        if match := shape.fullmatch(relative):
            names.add(match[1])
    return sorted(names)


def _walk(base: Path, streams: set[str]) -> Iterator[tuple[Path, list[Path]]]:
    """Walk the folders at and below `base`, sorted, without entering those named in `streams`."""
    for folder, folders, files in os.walk(base):
        folders[:] = sorted(set(folders) - streams)
        yield Path(folder), sorted(Path(folder) / file for file in files)


def _name(path: Path, base: Path, split: str) -> str:
    return split if path == base else path.relative_to(base).as_posix()


def _locate(place: Path) -> Path | None:
    """Return the folder, the video file or the pattern of existing pictures at `place`."""
    if "*" in place.name:
        return place if any(place.parent.glob(place.name)) else None
    files = [
        path for path in place.parent.glob(f"{escape(place.name)}.*") if path.stem == place.name
    ]
    videos = [path for path in [place, *sorted(files)] if is_video_file(path)]
    found = [place] * place.is_dir() + videos
    if len(found) > 1:
        raise DataError(
            f"a stream must be one folder or one video; got both {found[0]} and {found[1].name}: "
            "move one away"
        )
    return found[0] if found else None


def _require(stream: str, place: Path | None) -> Path:
    if place is not None and (found := _locate(place)):
        return found
    raise DataError(
        f"every sequence needs its {stream}; there is no folder or video {place}: add it, or move "
        "its frames away"
    )
