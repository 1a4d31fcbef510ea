"""Find what is evaluated, and pair it: sequences of real frames, generated frames, labels, worlds.

A place is a video, a folder or glob of pictures, a world, a folder of those, or a .txt file with
one place a line. Sequences pair by name where all names agree, otherwise in order. Frames pair in
order; where pictures are numbered, the same numbers must be there, counted from the first, and
where they share names, the same names.
"""

from pathlib import Path
from typing import NamedTuple

from pipelines.evaluation.alignment import check_names
from pipelines.evaluation.options import EvaluateOptions
from pipelines.evaluation.worlds import World, open_world
from pipelines.parts import read_part
from vid2vid.data.augment import Size
from vid2vid.data.measuring import in_words
from vid2vid.data.pairing import (
    ASPECT_TOLERANCE,
    Stream,
    open_instances,
    open_stream,
    pair,
)
from vid2vid.errors import DataError
from vid2vid.metrics.similarity import WINDOW as SMALLEST_SIDE
from vid2vid.video.reading import IMAGE_SUFFIXES, is_video

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
    world: World | None
    size: Size  # at which it is evaluated: that of the generated frames
    instances: Path | None = None  # of the labels, for a checkpoint that is driven
    palindromes: tuple[Stream, ...] = ()  # of the systems: 1 ... N ... 1
    part: str | None = None  # A:B, that `labels` are of what lies at their place; None = all of it

    @property
    def num_frames(self) -> int:
        """How many frames each stream has."""
        return len(self.real.sources)


def find_places(path: Path, *, stream: str = "frames") -> list[Place]:
    """List the sequences at a place; of a world, the folder of a stream.

    Raises:
        DataError: if there is none.
    """
    if _is_list(path):
        listed = [
            Place(each.stem, each / stream if _is_world(each) else each)
            for each in _read_list(path)
        ]
        return _require(listed, path)
    if not path.is_dir():
        return [Place(path.stem, path)]
    if _is_world(path):
        return [Place(path.name, path / stream)]
    inside = sorted(path.iterdir())
    if worlds := [each for each in inside if _is_world(each)]:
        return [Place(each.name, each / stream) for each in worlds]
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
    folders = _read_list(path) if _is_list(path) else folders
    found = [each for each in folders if (each / _WORLD_STREAM).is_dir()]
    if found:
        return [Place(each.name, each) for each in found]
    raise DataError(
        f"--world must be a folder that 'vid2vid world' has written, with '{_WORLD_STREAM}' in it, "
        f"a folder of such, or a .txt list; {path} is not: check the path"
    )


def find_footage(options: EvaluateOptions) -> list[Footage]:
    """Find and pair all sequences, and check counts and sizes before anything is measured.

    Raises:
        DataError: if streams do not fit each other.
        VideoError: if one cannot be read.
    """
    real = find_places(options.real)

    def match(path: Path, stream: str = "frames") -> list[Path]:
        found = find_worlds(path) if stream == "world" else find_places(path, stream=stream)
        return [place.path for place in match_places(real, found, path)]

    systems = [match(each) for each in options.generated]
    palindromes = [match(each) for each in options.palindrome]
    worlds = match(options.world, "world") if options.world else None
    labels = match(options.labels, "labels") if options.labels else None
    if labels is None and worlds is not None:
        labels = [world / "labels" for world in worlds]
    instances = match(options.instances, "instances") if options.instances else None
    found: list[Footage] = []
    for k, place in enumerate(real):
        footage = _open(
            place,
            [each[k] for each in systems],
            labels=labels[k] if labels else None,
            frames=options.frames,
        )
        if worlds is not None:
            footage = footage._replace(world=_open_world(footage, worlds[k], options.frames))
        if instances is not None and labels is not None:
            pair(open_stream("labels", labels[k]), open_instances(instances[k]))
            footage = footage._replace(instances=instances[k])
        visits = tuple(_open_palindrome(each[k], footage.num_frames) for each in palindromes)
        found.append(footage._replace(palindromes=visits))
    return found


def _open(place: Place, systems: list[Path], *, labels: Path | None, frames: str | None) -> Footage:
    """Open the streams of a sequence, and check that they fit each other."""
    opened = [open_stream("frames", place.path)]
    opened += [open_stream("generated frames", each) for each in systems]
    opened += [open_stream("labels", labels)] if labels else []
    real, *others = cut_alike(opened, frames)
    generated = tuple(others[: len(systems)])
    labelled = others[-1] if labels else None
    for stream in (*generated, *([labelled] if labelled else [])):
        if len(stream.sources) != len(real.sources):
            raise DataError(
                f"the {stream.name} must be as many as the real frames, {len(real.sources)} in "
                f"{real.place}; {stream.place} has {len(stream.sources)}: cut one like the other"
            )
        check_names(real, stream)
    _check_sizes(real, generated)
    footage = Footage(place.name, real, generated, labelled, world=None, size=generated[0].size)
    is_cut = labelled is not None and len(opened[-1].sources) != len(labelled.sources)
    return footage._replace(part=frames if is_cut else None)


def cut_alike(streams: list[Stream], frames: str | None) -> list[Stream]:
    """Take the part A:B of streams of one sequence; one that has as many frames is it already.

    Raises:
        DataError: if one has no frame there.
    """
    part = read_part(frames)
    count = len(range(*part.indices(max(len(stream.sources) for stream in streams))))
    for stream in streams:
        if not stream.sources[part] and len(stream.sources) != count:
            raise DataError(
                f"the {stream.name} must have a frame in the part --frames {frames}; "
                f"{stream.place} has {len(stream.sources)}: choose another part"
            )
    return [
        stream if len(stream.sources) == count else stream._replace(sources=stream.sources[part])
        for stream in streams
    ]


def _check_sizes(real: Stream, generated: tuple[Stream, ...]) -> None:
    """Check that generated frames are large enough, of one size and of the real aspect."""
    size = generated[0].size
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


def _open_world(footage: Footage, folder: Path, frames: str | None) -> World:
    """Open the world of a sequence, whose own frames say which of them are shown."""
    if _is_world(folder):
        shown = open_stream("frames of the world", folder / "frames")
        if len(shown.sources) > footage.num_frames:
            (shown,) = cut_alike([shown], frames)
        if len(shown.sources) >= footage.num_frames:
            check_names(footage.real, shown)
    skipped = read_part(frames).start
    return open_world(folder, num_frames=footage.num_frames, size=footage.size, skipped=skipped)


def _open_palindrome(place: Path, num_frames: int) -> Stream:
    """Open a video that was rendered from label maps 1 ... N ... 1."""
    stream = open_stream("palindrome", place)
    if len(stream.sources) != 2 * num_frames - 1:
        raise DataError(
            f"a palindrome of {num_frames} frames must have {2 * num_frames - 1}, each but the "
            f"last twice; {place} has {len(stream.sources)}: render the label maps 1 ... N ... 1"
        )
    return stream


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


def _is_list(path: Path) -> bool:
    return path.suffix.lower() == ".txt" and path.is_file()


def _read_list(path: Path) -> list[Path]:
    """Read a list of places, one a line, relative to the list."""
    lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    return [path.parent / line for line in lines if line]


def _is_world(folder: Path) -> bool:
    """Tell whether `vid2vid world` has written a folder, its frames included."""
    return (folder / _WORLD_STREAM).is_dir() and (folder / "frames").is_dir()


def _has_pictures(folder: Path) -> bool:
    return any(each.suffix.lower() in IMAGE_SUFFIXES for each in folder.iterdir())
