"""Open and pair the streams of one sequence by training's own functions, past the first error."""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from pipelines.checking.problems import Findings
from vid2vid.controls.config import AnyControl
from vid2vid.controls.files import suffixes_of
from vid2vid.data.augment import Size
from vid2vid.data.measuring import in_words
from vid2vid.data.pairing import (
    NO_SIZE,
    Source,
    Stream,
    is_video_file,
    pair,
    pair_control,
)
from vid2vid.errors import DataError, Vid2VidError, VideoError
from vid2vid.video.reading import IMAGE_SUFFIXES, find_frames

Opener = Callable[[Path], Stream]
Paired = tuple[Source | None, ...]


def open_whole(
    name: str,
    opener: Opener,
    place: Path,
    *,
    findings: Findings,
    control: AnyControl | None = None,
) -> Stream | None:
    """Open a stream; where training would refuse it, name every file that it would refuse.

    Args:
        name: of the stream.
        opener: training's own function.
        place: folder, video file or pattern of pictures.
        findings: takes the errors.
        control: that the stream is of, if it is of one.

    Returns:
        All files of the stream, with the size that most of them have; None where it has none.
    """
    try:
        return opener(place)
    except (DataError, VideoError) as error:
        refusal = error
    paths = _list_files(place, control)
    if not paths:
        kind = "empty" if place.is_dir() else "unreadable"
        findings.error(kind, str(refusal), str(place))
        return None
    before = len(findings.problems())
    sizes = {path: stream.size for path in paths if (stream := _open_one(opener, path, findings))}
    if not sizes:
        return None
    usual = _note_other_sizes(name, sizes, findings)
    if len(findings.problems()) == before:
        findings.error("training", str(refusal))
    return Stream(name, place, tuple(Source(path, None) for path in paths), usual)


def _note_other_sizes(name: str, sizes: Mapping[Path, Size], findings: Findings) -> Size:
    """Name the files that differ from most in their size; return that of most."""
    usual = Counter(sizes.values()).most_common(1)[0][0]
    for path, size in sizes.items():
        if size != usual:
            findings.error(
                "size",
                f"the {name} of a sequence must have one size, here {in_words(usual)} as most have "
                f"it; {path} is {in_words(size)}: resize it or split the sequence",
                str(path),
            )
    return usual


def pair_whole(
    frames: Stream, partner: Stream, findings: Findings, *, control: AnyControl | None = None
) -> Paired | None:
    """Pair a stream with its frames; note what lacks a partner on either side, and the aspect.

    Returns:
        As `pair`, of the same order as the frames; None where training would refuse it.
    """

    def match(ours: Stream, theirs: Stream) -> Paired:
        return pair(ours, theirs) if control is None else pair_control(ours, theirs, control)

    bare, bare_partner = frames._replace(size=NO_SIZE), partner._replace(size=NO_SIZE)
    try:
        match(bare, bare_partner)
    except DataError as error:
        findings.error("missing-partner", str(error))
        _look_from_other_side(bare, bare_partner, known=str(error), findings=findings)
        return None
    with findings.catch("aspect"):
        return match(frames, partner)
    return None


def _look_from_other_side(
    frames: Stream, partner: Stream, *, known: str, findings: Findings
) -> None:
    """Note what `pair` would come to after its first complaint: what the other stream lacks."""
    if frames.is_video and partner.is_video:
        return
    try:
        pair(partner, frames)
    except DataError as error:
        if str(error) != known:
            findings.error("missing-partner", str(error))


def _list_files(place: Path, control: AnyControl | None) -> list[Path]:
    """List the pictures or other files of a stream; none of a video."""
    if is_video_file(place):
        return []
    try:
        return find_frames(place, suffixes=suffixes_of(control) if control else IMAGE_SUFFIXES)
    except VideoError:
        return []


def _open_one(opener: Opener, path: Path, findings: Findings) -> Stream | None:
    """Open one file as a stream of its own."""
    try:
        return opener(path)
    except Vid2VidError as error:
        findings.error("unreadable", str(error), str(path))
        return None
