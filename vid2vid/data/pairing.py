"""Pair the streams of one sequence, frame by frame: by name, never by order.

The key of a picture is the stem of its file without the ending that all pictures of its folder
share (`_leftImg8bit`, `_gtFine_labelIds`). Frame k of a video pairs with the picture numbered k.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from vid2vid.controls.config import DRAWN, AnyControl, FlowControlConfig, name_of
from vid2vid.controls.files import may_be_video, sizer_of, suffixes_of
from vid2vid.data.augment import Size
from vid2vid.data.measuring import Side, in_words, measure
from vid2vid.errors import DataError
from vid2vid.video.containers import is_grey_exact
from vid2vid.video.reading import (
    IMAGE_SUFFIXES,
    VIDEO_SUFFIXES,
    ClipVideo,
    find_frames,
    is_video,
    open_video,
)

# Widest difference of aspect at which label maps are still resized to their frames: a row or
# column that a scaler rounded away, not another crop.
ASPECT_TOLERANCE = 0.01

NO_SIZE = Size(0, 0)
"""Of a stream whose files hold no pictures."""


class Source(NamedTuple):
    """Where one picture of a stream is read from."""

    path: Path
    frame: int | None  # index in the video; None = `path` is a picture
    side: Side | None = None  # half of the picture that is meant; None = all of it


class Stream(NamedTuple):
    """One stream of a sequence as it lies on the disk."""

    name: str  # frames, labels, instances, or that of a control
    place: Path  # folder, video file, or pattern of pictures
    sources: tuple[Source, ...]  # in order
    size: Size  # NO_SIZE of key points; of the first where they differ
    sizes: tuple[Size, ...] = ()  # one of each source where they differ

    def size_at(self, index: int) -> Size:
        """Return the size of one source."""
        return self.sizes[index] if self.sizes else self.size

    @property
    def is_video(self) -> bool:
        """Whether the stream is one video file."""
        return self.sources[0].frame is not None


def is_video_file(path: Path) -> bool:
    """Tell whether `path` is a video file that exists."""
    return is_video(path) and path.is_file()


def open_stream(name: str, place: Path, *, side: Side | None = None, mixed: bool = False) -> Stream:
    """List the pictures of a stream and check that they have one size.

    Args:
        name: of the stream.
        place: folder, video file or pattern of pictures.
        side: the half of each picture that belongs to the stream; None = all of it.
        mixed: whether pictures may differ in size.

    Raises:
        DataError: if the sizes differ and must not, or a picture's header cannot be read.
        VideoError: if there is no picture, or the video cannot be read.
    """
    if is_video_file(place):
        info = open_video(place)
        sources = tuple(Source(place, frame) for frame in range(ClipVideo(place).num_frames))
        return Stream(name, place, sources, Size(info.height, info.width))
    paths = find_frames(place)
    return _of_files(name, place, paths, measure(name, paths, side=side, mixed=mixed), side=side)


def open_instances(place: Path, *, mixed: bool = False) -> Stream:
    """List instance maps as `open_stream` does, and check that a video of them keeps their ids.

    Raises:
        DataError: as `open_stream`.
        VideoError: as `open_stream`, or if the video is lossy.
    """
    if is_video_file(place):
        is_grey_exact(place)
    return open_stream("instances", place, mixed=mixed)


def open_control(
    control: AnyControl, place: Path, *, side: Side | None = None, mixed: bool = False
) -> Stream:
    """List the stored pictures, key points or arrays of a control; see `open_stream`.

    Raises:
        DataError: as `open_stream`, or if the control cannot be in a video.
        VideoError: as `open_stream`.
    """
    name, suffixes = name_of(control), suffixes_of(control)
    if place.suffix.lower() in VIDEO_SUFFIXES and not place.is_dir():
        if may_be_video(control):
            return open_stream(name, place)
        raise DataError(
            f"'{name}' must be files ({', '.join(sorted(suffixes))}), one a frame; {place} is a "
            f"video, which does not hold the values of a control of kind {control.kind}: give the "
            "files"
        )
    paths = find_frames(place, suffixes=suffixes)
    if isinstance(control, DRAWN):
        return _of_files(name, place, paths, (NO_SIZE,))
    # Arrays are brought to the size of their frame, whatever they have.
    measured = paths if mixed or suffixes >= IMAGE_SUFFIXES else paths[:1]
    sizes = measure(name, measured, size_of=sizer_of(control), side=side, mixed=mixed)
    return _of_files(name, place, paths, sizes, side=side)


def _of_files(
    name: str,
    place: Path,
    paths: Sequence[Path],
    sizes: tuple[Size, ...],
    *,
    side: Side | None = None,
) -> Stream:
    """Make the stream of files whose sizes are known, one alone where all have it."""
    sources = tuple(Source(path, None, side) for path in paths)
    return Stream(name, place, sources, sizes[0], sizes if len(sizes) > 1 else ())


def pair_control(frames: Stream, partner: Stream, control: AnyControl) -> tuple[Source | None, ...]:
    """Pair as `pair` does; a flow may be missing at the first frame, which has none before it."""
    one_less = len(partner.sources) == len(frames.sources) - 1
    if isinstance(control, FlowControlConfig) and one_less:
        later = frames._replace(sources=frames.sources[1:], sizes=frames.sizes[1:])
        return (None, *pair(later, partner))
    return pair(frames, partner)


def pair(frames: Stream, partner: Stream) -> tuple[Source, ...]:
    """Return the picture of `partner` that belongs to each frame of `frames`, in their order.

    Raises:
        DataError: if a picture of either lacks its partner, a name is not unique, or the two
            differ in aspect.
    """
    if not (frames.sizes or partner.sizes):
        _check_aspect(frames, partner)
        return _match(frames, partner)
    found = _match(frames, partner)
    sizes = {source: partner.size_at(index) for index, source in enumerate(partner.sources)}
    for index, (ours, theirs) in enumerate(zip(frames.sources, found, strict=True)):
        _check_aspect(
            frames._replace(place=ours.path, size=frames.size_at(index)),
            partner._replace(place=theirs.path, size=sizes[theirs]),
        )
    return found


def _match(frames: Stream, partner: Stream) -> tuple[Source, ...]:
    """Pair as `pair` does, sizes aside."""
    if all(stream.place.is_file() and not stream.is_video for stream in (frames, partner)):
        return partner.sources  # two pictures, each named by itself
    if frames.is_video and partner.is_video:
        if len(frames.sources) != len(partner.sources):
            raise DataError(
                f"the videos of a sequence must have equally many frames; {frames.place} has "
                f"{len(frames.sources)}, {partner.place} has {len(partner.sources)}: cut the "
                "longer one or render the shorter one again"
            )
        return partner.sources
    if frames.is_video or partner.is_video:
        first = frames.sources[0].frame or 0
        ours, theirs = _by_number(frames, first=first), _by_number(partner, first=first)
    else:
        ours, theirs = _by_name(frames, partner)
    _check_missing(ours, theirs)
    _check_missing(theirs, ours)
    return tuple(theirs.sources[key] for key in ours.sources)


def shared_ending(stems: list[str]) -> str:
    """Return what all `stems` end in, from an underscore on, without a number at its front.

    A number is part of the key even where all share it: all of `a_000019_x`, `b_000019_x` end
    in `_x`.
    """
    columns = zip(*map(reversed, stems), strict=False)
    common = "".join(column[0] for column in takewhile(lambda c: len(set(c)) == 1, columns))
    found = re.search(r"(_(?!\d+(_|$))[^_]+)+$", common[::-1])
    return found.group() if found else ""


class _Keyed(NamedTuple):
    """A stream's pictures by the key under which the other stream looks for them."""

    stream: Stream
    sources: dict[str, Source]
    template: str  # name of the picture of a key


def _by_name(frames: Stream, partner: Stream) -> tuple[_Keyed, _Keyed]:
    stems = [[source.path.stem for source in stream.sources] for stream in (frames, partner)]
    is_plain = not set(stems[0]).isdisjoint(stems[1])
    endings = ["" if is_plain else shared_ending(names) for names in stems]
    return _key_by_stem(frames, endings[0]), _key_by_stem(partner, endings[1])


def _key_by_stem(stream: Stream, ending: str) -> _Keyed:
    found: dict[str, Source] = {}
    for source in stream.sources:
        key = source.path.stem.removesuffix(ending)
        if key in found:
            raise DataError(
                f"each frame needs one picture of {stream.name}; got both {found[key].path} and "
                f"{source.path.name}: remove one, or name the wanted files by a pattern in layout"
            )
        found[key] = source
    return _Keyed(stream, found, "{}" + _literal(ending + stream.sources[0].path.suffix))


def _by_number(stream: Stream, *, first: int) -> _Keyed:
    if stream.is_video:
        return _Keyed(stream, {str(source.frame): source for source in stream.sources}, "frame {}")
    ending = shared_ending([source.path.stem for source in stream.sources])
    found: dict[str, Source] = {}
    template = ""
    for key, source in _key_by_stem(stream, ending).sources.items():
        number = re.search(r"\d+$", key)
        if number is None:
            raise DataError(
                f"pictures beside a video must end in the number of its frame; got {source.path}: "
                "number them from 0"
            )
        frame = str(int(number.group()))
        if frame in found:
            raise DataError(
                f"pictures beside a video must have different numbers; {found[frame].path} and "
                f"{source.path.name} both have {frame}: number them from 0"
            )
        found[frame] = source
        prefix, padding = _literal(key[: number.start()]), len(number.group())
        template = template or prefix + f"{{:0>{padding}}}" + _literal(ending + source.path.suffix)
    _check_first_number(stream, found, first=first)
    return _Keyed(stream, found, template)


def _check_first_number(stream: Stream, sources: Mapping[str, Source], *, first: int) -> None:
    found = min(map(int, sources))
    if found != first:
        raise DataError(
            "frame k of a video pairs with the picture numbered k, counted from 0; the "
            f"{stream.name} in {stream.place} start at {found} "
            f"({sources[str(found)].path.name}): renumber them"
        )


def _check_missing(wanted: _Keyed, present: _Keyed) -> None:
    """Raise if `present` lacks a picture that `wanted` has."""
    missing = [key for key in wanted.sources if key not in present.sources]
    if missing:
        source = wanted.sources[missing[0]]
        whose = source.path if source.frame is None else f"frame {source.frame} of {source.path}"
        raise DataError(
            f"every picture of the {wanted.stream.name} needs one of the {present.stream.name}; "
            f"{len(missing)} of {len(wanted.sources)} are missing in {present.stream.place}, the "
            f"first is '{present.template.format(missing[0])}', partner of {whose}: add what is "
            "missing or take its partner out"
        )


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _check_aspect(frames: Stream, partner: Stream) -> None:
    if NO_SIZE in (frames.size, partner.size):
        return
    ours, theirs = (stream.size.width / stream.size.height for stream in (frames, partner))
    if abs(theirs / ours - 1.0) > ASPECT_TOLERANCE:
        raise DataError(
            f"the {partner.name} must have the aspect of their frames; {frames.place} is "
            f"{in_words(frames.size)}, {partner.place} is {in_words(partner.size)}: crop or "
            "render one like the other"
        )
