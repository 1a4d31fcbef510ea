"""The streams of one sequence, wherever they lie: folders of pictures, video files, patterns."""

import os
from collections.abc import Callable, Iterator, Mapping
from glob import escape
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from vid2vid.controls.config import INSTANCES, LABELS, AnyControl
from vid2vid.data.measuring import Side
from vid2vid.data.pairing import is_video_file
from vid2vid.errors import DataError
from vid2vid.video.reading import IMAGE_SUFFIXES, VIDEO_SUFFIXES

_SHOWN = 4  # folders in a message


class Places(NamedTuple):
    """Where the streams of one sequence lie: folders, video files or patterns of pictures."""

    name: str
    frames: Path
    labels: Path | None
    instances: Path | None
    controls: Mapping[str, Path]
    sides: Mapping[str, Side] = MappingProxyType({})  # of streams that are halves of pictures


class Wanted(NamedTuple):
    """What the frames are paired with."""

    labels: bool
    controls: Mapping[str, AnyControl]  # by stream

    @property
    def nothing(self) -> bool:
        """Whether photographs are enough."""
        return not (self.labels or self.controls)


def gather(
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
    instances = own and (require(INSTANCES, own) if strict else locate(own))
    return Places(
        name,
        frames,
        require(LABELS, place(LABELS)) if wanted.labels else None,
        instances,
        {stream: require(stream, place(stream)) for stream in wanted.controls},
    )


def gather_parallel(
    base: Path, split: str, place: Callable[[str, Path], Path | None], *, wanted: Wanted
) -> list[Places]:
    """Find the sequences of a folder whose other streams lie in folders built alike.

    Every folder with pictures is a sequence, and every video file.

    Args:
        base: folder of the photographs.
        split: name of a sequence that lies in `base` itself.
        place: says where a stream must be, of the sequence at a path relative to `base`; None =
            nowhere.
        wanted: what the run needs.
    """
    places: list[Places] = []
    for folder, files in walk(base, set()):
        videos = [file for file in files if file.suffix.lower() in VIDEO_SUFFIXES]
        for frames in [folder] * has_pictures(files) + videos:
            relative = frames.relative_to(base)
            partner = relative.with_suffix("") if frames in videos else relative

            def place_own(stream: str, partner: Path = partner) -> Path | None:
                return place(stream, partner)

            name = name_of_folder(base / partner, base, split)
            places.append(gather(name, frames, place_own, wanted=wanted))
    return places


def walk(base: Path, streams: set[str]) -> Iterator[tuple[Path, list[Path]]]:
    """Walk the folders at and below `base`, sorted, without entering those named in `streams`."""
    for folder, folders, files in os.walk(base):
        folders[:] = sorted(set(folders) - streams)
        own = [file for file in files if not file.startswith("._")]  # which macOS keeps beside them
        yield Path(folder), sorted(Path(folder) / file for file in own)


def has_pictures(files: list[Path]) -> bool:
    """Tell whether any of the files of a folder is a picture."""
    return any(file.suffix.lower() in IMAGE_SUFFIXES for file in files)


def describe_pictures(base: Path) -> str:
    """List the folders below `base` that hold pictures, for a message; nothing where none does."""
    found = [
        f"{folder.relative_to(base).as_posix()} ({count} pictures)"
        for folder, files in walk(base, set())
        if (count := sum(file.suffix.lower() in IMAGE_SUFFIXES for file in files))
    ]
    if not found:
        return ""
    listed = ", ".join(found[:_SHOWN]) + (", ..." if len(found) > _SHOWN else "")
    return f", but there are {listed}"


def name_of_folder(path: Path, base: Path, split: str) -> str:
    """Name a sequence after its folder; the pictures at the top after the split."""
    return split if path == base else path.relative_to(base).as_posix()


def locate(place: Path) -> Path | None:
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


def require(stream: str, place: Path | None) -> Path:
    """Return what `locate` finds.

    Raises:
        DataError: if there is nothing.
    """
    if place is not None and (found := locate(place)):
        return found
    raise DataError(
        f"every sequence needs its {stream}; there is no folder or video {place}: add it, or move "
        "its frames away"
    )
