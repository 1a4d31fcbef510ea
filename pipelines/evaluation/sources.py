"""Find what is evaluated, and pair it: sequences of real frames, generated frames, labels, worlds.

A place is a video, a folder or glob of pictures, a world, a folder of those, or a .txt file with
one place a line. Sequences pair by name where all names agree, otherwise in order. Frames pair in
order; where pictures are numbered, the same numbers must be there, counted from the first.
"""

import logging
from pathlib import Path
from typing import NamedTuple

from pipelines.evaluation.options import EvaluateOptions
from vid2vid.data.augment import Size
from vid2vid.data.pairing import ASPECT_TOLERANCE, Stream, in_words, open_stream
from vid2vid.errors import DataError
from vid2vid.metrics.similarity import WINDOW as SMALLEST_SIDE
from vid2vid.video.reading import IMAGE_SUFFIXES, is_video

LOGGER = logging.getLogger(__name__)

_WORLD_STREAM = "flow"


class Place(NamedTuple):
    """A sequence as it lies on the disk."""

    name: str
    path: Path


class Footage(NamedTuple):
    """One sequence in all its streams, of equally many frames."""

    name: str
    real: Stream
    systems: tuple[Stream, ...]
    labels: Stream | None
    world: Path | None
    size: Size  # at which it is evaluated: that of the generated frames

    @property
    def num_frames(self) -> int:
        """How many frames each stream has."""
        return len(self.real.sources)


def find_places(path: Path) -> list[Place]:
    """List the sequences at a place.

    Raises:
        DataError: if there is none.
    """
    if path.suffix.lower() == ".txt" and path.is_file():
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
        return _require([Place(Path(x).stem, path.parent / x) for x in lines if x], path)
    if not path.is_dir():
        return [Place(path.stem, path)]
    if _is_world(path):
        return [Place(path.name, path / "frames")]
    inside = sorted(path.iterdir())
    if worlds := [each for each in inside if _is_world(each)]:
        return [Place(each.name, each / "frames") for each in worlds]
    if any(each.suffix.lower() in IMAGE_SUFFIXES for each in inside):
        return [Place(path.name, path)]
    found = [each for each in inside if is_video(each) or (each.is_dir() and _has_pictures(each))]
    return _require([Place(each.stem, each) for each in found], path)


def find_worlds(path: Path) -> list[Place]:
    """List the worlds at a place: folders that `vid2vid world` has written.

    Raises:
        DataError: if there is none.
    """
    folders = [path, *sorted(path.iterdir())] if path.is_dir() else []
    found = [each for each in folders if (each / _WORLD_STREAM).is_dir()]
    if found:
        return [Place(each.name, each) for each in found]
    raise DataError(
        f"--world must be a folder that 'vid2vid world' has written, with '{_WORLD_STREAM}' in it, "
        f"or a folder of such; {path} is not: check the path"
    )


def find_footage(options: EvaluateOptions) -> list[Footage]:
    """Find and pair all sequences, and check counts and sizes before anything is measured.

    Raises:
        DataError: if streams do not fit each other.
        VideoError: if one cannot be read.
    """
    real = find_places(options.real)
    systems = [match_places(real, find_places(each), each) for each in options.generated]
    worlds = (
        match_places(real, find_worlds(options.world), options.world) if options.world else None
    )
    labels = (
        match_places(real, find_places(options.labels), options.labels) if options.labels else None
    )
    if labels is None and worlds is not None:
        labels = [Place(each.name, each.path / "labels") for each in worlds]
    return [
        _open(
            place,
            [system[k].path for system in systems],
            labels=labels[k].path if labels else None,
            world=worlds[k].path if worlds else None,
        )
        for k, place in enumerate(real)
    ]


def _open(place: Place, systems: list[Path], *, labels: Path | None, world: Path | None) -> Footage:
    real = open_stream("frames", place.path)
    generated = tuple(open_stream("generated frames", each) for each in systems)
    labelled = open_stream("labels", labels) if labels else None
    size = generated[0].size
    for stream in (*generated, *([labelled] if labelled else [])):
        if len(stream.sources) != len(real.sources):
            raise DataError(
                f"the {stream.name} must be as many as the real frames, {len(real.sources)} in "
                f"{real.place}; {stream.place} has {len(stream.sources)}: cut one like the other"
            )
        _check_numbers(real, stream)
    if world is not None and _is_world(world):
        shown = open_stream("frames of the world", world / "frames")
        if len(shown.sources) >= len(real.sources):
            _check_numbers(real, shown)
    if min(size) < SMALLEST_SIDE:
        raise DataError(
            f"generated frames must have at least {SMALLEST_SIDE} pixels a side, the window of "
            f"SSIM; {generated[0].place} is {in_words(size)}: render them larger"
        )
    for stream in generated[1:]:
        if stream.size != size:
            raise DataError(
                f"the systems must be of one size; {generated[0].place} is {in_words(size)}, "
                f"{stream.place} is {in_words(stream.size)}: resize one like the other"
            )
    if abs(size.width / size.height / (real.size.width / real.size.height) - 1) > ASPECT_TOLERANCE:
        raise DataError(
            f"generated frames must have the aspect of the real ones; {real.place} is "
            f"{in_words(real.size)}, {generated[0].place} is {in_words(size)}: crop one like the "
            "other"
        )
    return Footage(place.name, real, generated, labelled, world, size)


def _check_numbers(real: Stream, other: Stream) -> None:
    """Check that numbered pictures are of the same frames, counted from the first of each.

    Raises:
        DataError: naming the first that is not.
    """
    pairs = [
        (ours.path.stem, theirs.path.stem)
        for ours, theirs in zip(real.sources, other.sources, strict=False)
        if ours.frame is None and theirs.frame is None
    ]
    if not pairs or not all(name.isdecimal() for pair in pairs for name in pair):
        return
    offset = int(pairs[0][1]) - int(pairs[0][0])
    for name, given in pairs:
        wanted = f"{int(name) + offset:0{len(given)}d}"
        if int(given) != int(wanted):
            raise DataError(
                f"the {other.name} must be of the same frames as the real ones; beside {name} of "
                f"{real.place} there is {given} of {other.place}, where {wanted} was "
                "expected: a picture is missing in one of them"
            )
    if offset:
        LOGGER.warning(
            "frame %s of %s is taken for frame %s of %s",
            pairs[0][1],
            other.place,
            *(pairs[0][0], real.place),
        )


def match_places(real: list[Place], others: list[Place], where: Path) -> list[Place]:
    """Bring the sequences of another place into the order of the real ones."""
    if len(real) != len(others):
        raise DataError(
            f"every place must have as many sequences as the real one, {len(real)}; {where} has "
            f"{len(others)}: add or remove sequences, or list them in a .txt file"
        )
    by_name = {place.name: place for place in others}
    if {place.name for place in real} == set(by_name) and len(by_name) == len(others):
        return [by_name[place.name] for place in real]
    return others


def _require(places: list[Place], path: Path) -> list[Place]:
    if places:
        return places
    raise DataError(
        "a place must be a video, a folder of pictures, a folder of such, or a .txt list of them; "
        f"{path} has none: check the path"
    )


def _is_world(folder: Path) -> bool:
    """Tell whether `vid2vid world` has written a folder, its frames included."""
    return (folder / _WORLD_STREAM).is_dir() and (folder / "frames").is_dir()


def _has_pictures(folder: Path) -> bool:
    return any(each.suffix.lower() in IMAGE_SUFFIXES for each in folder.iterdir())
