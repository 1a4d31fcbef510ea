"""Where the streams of each sequence of a data set lie, in any of the known layouts.

folders   `<root>/<split>/<sequence>/{frames,labels,instances}`, and a folder for any other stream
official  `<root>/<split>_B/<sequence>` or `<split>_img` frames, `_A` labels, `_inst` instances, any
          other stream under its name, as `_openpose` (as vid2vid's users keep them); every
          directory with pictures is a sequence, and every video file
videos    every video file below `<root>/<split>`, or below `<root>` where there is no such folder,
          is a sequence of photographs and nothing else
pictures  likewise every folder with pictures
pairs, side_by_side  as pix2pix has them, see `sides`
patterns  anything else, see `StreamPatterns`

A stream is a folder of pictures or a video file of the same name; instance video is lossless.
"""

import re
from pathlib import Path

from vid2vid.controls.config import FRAMES, INSTANCES, LABELS
from vid2vid.data.config import DataLayout, Direction, NamedLayout, StreamPatterns
from vid2vid.data.locating import (
    Places,
    Wanted,
    describe_pictures,
    gather,
    gather_parallel,
    has_pictures,
    locate,
    name_of_folder,
    walk,
)
from vid2vid.data.pairing import is_video_file
from vid2vid.data.sides import has_pairs, in_halves, in_pairs, pair_folders
from vid2vid.errors import DataError
from vid2vid.video.reading import VIDEO_SUFFIXES


def find_places(
    root: Path,
    split: str,
    layout: DataLayout,
    *,
    wanted: Wanted,
    direction: Direction = "a_to_b",
) -> list[Places]:
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
        case "pictures":
            return _in_pictures(root, split, wanted)
        case "pairs":
            return in_pairs(root, split, wanted, direction)
        case "side_by_side":
            return in_halves(root, split, wanted, direction)
        case patterns:
            return _by_patterns(root, split, patterns, wanted=wanted)


def _choose(root: Path, split: str, wanted: Wanted) -> NamedLayout:
    """Tell which layout is there.

    Raises:
        DataError: if there are several, or none.
    """
    endings = ("A", "B", "img", *wanted.controls)
    there: dict[NamedLayout, str] = {}
    if (root / split).is_dir() and not (wanted.nothing and not _has_frames(root / split)):
        there["folders"] = split
    if any((root / f"{split}_{ending}").is_dir() for ending in endings):
        there["official"] = f"{split}_A, {split}_B or the like"
    if has_pairs(root, split):
        there["pairs"] = " and ".join(
            folder.relative_to(root).as_posix() for folder in pair_folders(root, split)
        )
    if len(there) > 1:
        both = " and ".join(f"{names} (layout '{layout}')" for layout, names in there.items())
        raise DataError(
            f"the layout of a data set must be clear; {root} holds both {both}: set layout to one "
            "of them"
        )
    if there:
        return next(iter(there))
    if wanted.nothing:
        return _choose_photographs(root, split)
    streams = [*(["labels"] if wanted.labels else []), *wanted.controls]
    official = ", ".join(f"{split}_{official_ending(each)}" for each in streams)
    raise DataError(
        f"no data of split '{split}' in {root}; looked for {split}/<sequence>/frames with "
        f"{', '.join(streams)} beside (layout 'folders'), for {split}_B or {split}_img with "
        f"{official} (layout 'official'), and for {split}A and {split}B (layout 'pairs'): "
        "mend root or split, or set layout to patterns such as {frames: 'images/{sequence}', "
        "labels: 'labels/{sequence}', controls: {NAME: 'NAME/{sequence}'}}"
    )


def _choose_photographs(root: Path, split: str) -> NamedLayout:
    """Tell videos from pictures; videos where there are both or neither."""
    files = [file for _, inside in walk(_base(root, split), set()) for file in inside]
    has_videos = any(file.suffix.lower() in VIDEO_SUFFIXES for file in files)
    return "pictures" if has_pictures(files) and not has_videos else "videos"


def _base(root: Path, split: str) -> Path:
    """Return the folder of photographs alone: the split's, or the root."""
    return root / split if (root / split).is_dir() else root


def _has_frames(base: Path) -> bool:
    """Tell whether there is a sequence of the layout 'folders'."""
    return any(locate(folder / FRAMES) for folder, _ in walk(base, {FRAMES}))


def official_ending(stream: str) -> str:
    """Name a stream as the layout 'official' does."""
    return {LABELS: "A", INSTANCES: "inst"}.get(stream, stream)


def _in_folders(root: Path, split: str, wanted: Wanted) -> list[Places]:
    base = root / split
    places: list[Places] = []
    for folder, _ in walk(base, {FRAMES, LABELS, INSTANCES, *wanted.controls}):
        if frames := locate(folder / FRAMES):

            def place(stream: str, folder: Path = folder) -> Path:
                return folder / stream

            places.append(gather(name_of_folder(folder, base, split), frames, place, wanted=wanted))
    if not places:
        raise DataError(
            f"layout 'folders' needs {split}/<sequence>/frames, a folder of pictures or a video; "
            f"found none below {base}{describe_pictures(base)}: rename the folders, mend root or "
            "split, or set layout (patterns such as {frames: '{split}/{sequence}/images', labels: "
            "'{split}/{sequence}/masks'}, or side_by_side, where each picture shows what it is "
            "painted from beside it)"
        )
    return places


def _in_official(root: Path, split: str, wanted: Wanted) -> list[Places]:
    base = root / f"{split}_B"
    if not base.is_dir() and (root / f"{split}_img").is_dir():
        base = root / f"{split}_img"

    def place(stream: str, partner: Path) -> Path:
        return root / f"{split}_{official_ending(stream)}" / partner

    places = gather_parallel(base, split, place, wanted=wanted)
    if not places:
        raise DataError(
            f"layout 'official' needs pictures or videos in {split}_B or {split}_img; found none "
            f"below {base}: mend root or split, or set layout"
        )
    return places


def _in_videos(root: Path, split: str, wanted: Wanted) -> list[Places]:
    _refuse_more(wanted, "videos")
    base = _base(root, split)
    places = [
        Places(name_of_folder(file.with_suffix(""), base, split), file, None, None, {})
        for _, files in walk(base, set())
        for file in files
        if file.suffix.lower() in VIDEO_SUFFIXES
    ]
    if not places:
        raise DataError(
            f"layout 'videos' needs video files; found none below {base}: put them there, mend "
            "root, or set layout"
        )
    return sorted(places, key=lambda place: place.name)


def _in_pictures(root: Path, split: str, wanted: Wanted) -> list[Places]:
    _refuse_more(wanted, "pictures")
    base = _base(root, split)
    places = [
        Places(name_of_folder(folder, base, split), folder, None, None, {})
        for folder, files in walk(base, set())
        if has_pictures(files)
    ]
    if not places:
        raise DataError(
            f"layout 'pictures' needs folders of pictures; found none below {base}: put them "
            "there, mend root, or set layout"
        )
    return places


def _refuse_more(wanted: Wanted, layout: str) -> None:
    if not wanted.nothing:
        names = ", ".join([*(["labels"] if wanted.labels else []), *wanted.controls])
        raise DataError(
            f"layout '{layout}' holds photographs alone; {names} must lie beside them: set layout "
            "to another, or train on controls that are found in the photographs"
        )


def _by_patterns(
    root: Path, split: str, patterns: StreamPatterns, *, wanted: Wanted
) -> list[Places]:
    known = {LABELS: patterns.labels, INSTANCES: patterns.instances, **patterns.controls}

    def fill(pattern: str, name: str) -> Path:
        return root / pattern.replace("{split}", split).replace("{sequence}", name)

    places: list[Places] = []
    for name in _match_names(root, patterns.frames.replace("{split}", split)) or [split]:
        if frames := locate(fill(patterns.frames, name)):

            def place(stream: str, name: str = name) -> Path | None:
                pattern = known.get(stream)
                if pattern is None and stream != INSTANCES:
                    raise DataError(
                        f"layout must say where '{stream}' lies; it has patterns of "
                        f"{', '.join(k for k, v in known.items() if v)}: add one"
                    )
                return None if pattern is None else fill(pattern, name)

            places.append(gather(name, frames, place, wanted=wanted, strict=True))
    if not places:
        raise DataError(
            f"layout needs frames at '{patterns.frames}', folders of pictures or videos; found "
            f"none below {root}: mend root, split or the pattern"
        )
    return places


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
