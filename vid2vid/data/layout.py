"""Find the sequences of a data set and pair their frames with label and instance maps.

folders   `<root>/<split>/<sequence>/{frames,labels,instances}`
official  `<root>/<split>_B/<sequence>` frames, `_A` labels, `_inst` instances (as vid2vid's users
          keep them); every directory with pictures is a sequence, and every video file
patterns  anything else, see `StreamPatterns`

A stream is a folder of pictures or a video file of the same name; instance video is lossless.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import Literal, NamedTuple

from vid2vid.data.augment import Size
from vid2vid.data.config import DataLayout, StreamPatterns
from vid2vid.data.pairing import Source, is_video_file, open_instances, open_stream, pair
from vid2vid.errors import DataError
from vid2vid.video.reading import IMAGE_SUFFIXES, VIDEO_SUFFIXES


@dataclass(frozen=True)
class Sequence:
    """Consecutive frames of one shot with their label maps, as they lie on the disk."""

    name: str
    frames: tuple[Source, ...]
    labels: tuple[Source, ...]  # one per frame
    instances: tuple[Source, ...] | None  # one per frame
    size: Size  # of the frames on the disk

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return len(self.frames)


class _Places(NamedTuple):
    """Where the streams of one sequence lie: folders, video files or patterns of pictures."""

    name: str
    frames: Path
    labels: Path
    instances: Path | None


def find_sequences(
    root: str | Path,
    split: str,
    layout: DataLayout = "auto",
    *,
    frame_range: tuple[int, int | None] | None = None,
) -> list[Sequence]:
    """Find all sequences of a split, sorted by name, each frame paired with its maps.

    Args:
        root: folder of the data set.
        split: such as "train", a part of folder names.
        layout: how the files are arranged, see `DataConfig.layout`.
        frame_range: slice (first, end) of each sequence's frames to keep; None = all.

    Raises:
        DataError: if nothing is found, a stream or picture lacks its partner, or sizes differ.
        VideoError: if a folder is empty or a video cannot be read.
    """
    root = Path(root)
    if not root.is_dir():
        raise DataError(f"root must be the folder of the data set; {root} is no folder: mend root")
    match _choose(root, split) if layout == "auto" else layout:
        case "folders":
            places = _in_folders(root, split)
        case "official":
            places = _in_official(root, split)
        case patterns:
            places = _by_patterns(root, split, patterns)
    sequences = [_open(place, slice(*(frame_range or (None,)))) for place in places]
    _check_instances(sequences)
    return sequences


def _choose(root: Path, split: str) -> Literal["folders", "official"]:
    has_folders = (root / split).is_dir()
    has_official = (root / f"{split}_A").is_dir() or (root / f"{split}_B").is_dir()
    if has_folders and has_official:
        raise DataError(
            f"the layout of a data set must be clear; {root} holds both {split} (layout 'folders') "
            f"and {split}_A or {split}_B (layout 'official'): set layout to one of them"
        )
    if not has_folders and not has_official:
        raise DataError(
            f"no data of split '{split}' in {root}; looked for {split}/<sequence>/frames and "
            f"labels (layout 'folders') and for {split}_B and {split}_A (layout 'official'): mend "
            "root or split, or set layout to patterns such as {frames: 'images/{sequence}', "
            "labels: 'labels/{sequence}'}"
        )
    return "folders" if has_folders else "official"


def _in_folders(root: Path, split: str) -> list[_Places]:
    base = root / split
    places: list[_Places] = []
    for folder, _ in _walk(base, {"frames", "labels", "instances"}):
        if frames := _locate(folder / "frames"):
            places.append(
                _Places(
                    _name(folder, base, split),
                    frames,
                    _require("labels", folder / "labels"),
                    _locate(folder / "instances"),
                )
            )
    if not places:
        raise DataError(
            f"layout 'folders' needs {split}/<sequence>/frames, a folder of pictures or a video; "
            f"found none below {base}: mend root or split, or set layout"
        )
    return places


def _in_official(root: Path, split: str) -> list[_Places]:
    base = root / f"{split}_B"
    places: list[_Places] = []
    for folder, files in _walk(base, set()):
        videos = [file for file in files if file.suffix.lower() in VIDEO_SUFFIXES]
        has_pictures = any(file.suffix.lower() in IMAGE_SUFFIXES for file in files)
        for frames in [folder] * has_pictures + videos:
            relative = frames.relative_to(base)
            partner = relative.with_suffix("") if frames in videos else relative
            places.append(
                _Places(
                    _name(base / partner, base, split),
                    frames,
                    _require("labels", root / f"{split}_A" / partner),
                    _locate(root / f"{split}_inst" / partner),
                )
            )
    if not places:
        raise DataError(
            f"layout 'official' needs pictures or videos in {split}_B; found none below {base}: "
            "mend root or split, or set layout"
        )
    return places


def _by_patterns(root: Path, split: str, patterns: StreamPatterns) -> list[_Places]:
    def fill(pattern: str, name: str) -> Path:
        return root / pattern.replace("{split}", split).replace("{sequence}", name)

    places: list[_Places] = []
    for name in _match_names(root, patterns.frames.replace("{split}", split)) or [split]:
        if frames := _locate(fill(patterns.frames, name)):
            instances = patterns.instances and _require("instances", fill(patterns.instances, name))
            labels = _require("labels", fill(patterns.labels, name))
            places.append(_Places(name, frames, labels, instances or None))
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


def _require(stream: str, place: Path) -> Path:
    if found := _locate(place):
        return found
    raise DataError(
        f"every sequence needs its {stream}; there is no folder or video {place}: add it, or move "
        "its frames away"
    )


def _open(places: _Places, kept: slice) -> Sequence:
    frames = open_stream("frames", places.frames)
    labels = pair(frames, open_stream("labels", places.labels))
    instances = None
    if places.instances is not None:
        instances = pair(frames, open_instances(places.instances))[kept]
    return Sequence(places.name, frames.sources[kept], labels[kept], instances, frames.size)


def _check_instances(sequences: list[Sequence]) -> None:
    without = [sequence.name for sequence in sequences if sequence.instances is None]
    if 0 < len(without) < len(sequences):
        raise DataError(
            f"either all sequences have instance maps or none; {len(without)} of {len(sequences)} "
            f"have none, the first is '{without[0]}': add them, or move the others away"
        )
