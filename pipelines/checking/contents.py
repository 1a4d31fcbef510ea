"""Read every file of a sequence once, through training's own readers, and look at what is in it."""

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.checking.headers import read_header
from pipelines.checking.label_maps import (
    LabelTally,
    check_colours,
    check_storage,
    explain_refusal,
)
from pipelines.checking.photographs import MotionCheck, RepeatCheck, check_photograph
from pipelines.checking.problems import Findings, place_of
from pipelines.console import Progress
from vid2vid.data.pairing import Source, Stream
from vid2vid.data.store import FrameStore
from vid2vid.errors import Vid2VidError, VideoError
from vid2vid.labels.maps import is_exact
from vid2vid.labels.palettes import Palette
from vid2vid.video.containers import is_grey_exact
from vid2vid.video.reading import ClipVideo

_COLOUR_MODES = ("RGB", "RGBA")


class Desk(NamedTuple):
    """Where the files of one sequence are read, and where it is noted what is wrong with them."""

    store: FrameStore
    findings: Findings


def read_photographs(
    stream: Stream, sources: Sequence[Source], desk: Desk, *, bar: Progress, motion: bool
) -> bool:
    """Read the photographs: unreadable ones, what is lost in reading, repeats, cuts.

    Args:
        stream: that they are of.
        sources: which of them.
        desk: where they are read.
        bar: counts them.
        motion: whether they must be consecutive.

    Returns:
        Whether they are and move plainly.
    """
    repeats, moves = RepeatCheck(), MotionCheck()
    for source in sources:
        place = place_of(source)
        if source.frame is None and (header := read_header(source.path)):
            check_photograph(header, place, desk.findings)
        bar.advance()
        if desk.findings.is_unreadable(place):
            moves.skip()
            continue
        try:
            picture = desk.store.frames([source], stream.size)[0]
        except Vid2VidError as error:
            desk.findings.error("unreadable", str(error), place)
            if source.frame is not None:
                break  # of a video that breaks off all that follow would be refused alike
            moves.skip()
            continue
        repeats.add(picture, place)
        if motion:
            moves.add(picture, place)
    repeats.report(desk.findings, moves.near_repeats())
    moves.report(desk.findings)
    return moves.is_moving


def read_label_maps(
    stream: Stream, sources: Sequence[Source], desk: Desk, *, palette: Palette, moves: bool
) -> NDArray[np.int64]:
    """Read the label maps: foreign ids and colours, traces of compression, ignored pixels.

    Args:
        stream: that they are of.
        sources: which of them.
        desk: where they are read.
        palette: of the files.
        moves: whether their frames do.

    Returns:
        '256', the pixels of each id of the run's palette.
    """
    tally, findings = LabelTally(), desk.findings
    is_suspect = stream.is_video and _warn_of_lossy_video(stream, palette, findings)
    for source in sources:
        if findings.is_unreadable(place_of(source)):
            continue
        header = read_header(source.path) if source.frame is None else None
        if header:
            check_storage(source.path, header, findings, name="label maps")
            is_suspect = is_suspect or header.format == "JPEG"
        try:
            ids = desk.store.labels([source], stream.size)[0]
        except Vid2VidError as error:
            explain_refusal(error, source, palette, findings=findings)
            if isinstance(error, VideoError) and source.frame is not None:
                break
            continue
        tally.add(ids)
        if header and header.mode in _COLOUR_MODES and header.format != "JPEG":
            is_suspect = check_colours(source, palette, findings) or is_suspect
    tally.report(findings, str(stream.place), is_suspect=is_suspect, moves=moves)
    return tally.pixels


def read_instance_maps(stream: Stream, sources: Sequence[Source], desk: Desk) -> None:
    """Read the instance maps: unreadable ones, and JPEG."""
    for source in sources:
        place = place_of(source)
        if desk.findings.is_unreadable(place):
            continue
        if source.frame is None and (header := read_header(source.path)):
            check_storage(source.path, header, desk.findings, name="instance maps")
        with desk.findings.catch("unreadable", place):
            desk.store.instances([source], stream.size)


def _warn_of_lossy_video(stream: Stream, palette: Palette, findings: Findings) -> bool:
    """Warn of label video that does not keep every value; return whether it does not."""
    try:
        is_grey_exact(stream.place)
    except VideoError as error:
        if _begins_exactly(stream, palette):
            return False
        findings.warn(
            "compressed-labels",
            f"{error} (its colours are snapped to the nearest of the palette, which at crf 18 in "
            "4:2:0 is wrong for 0.1 to 0.6 % of the pixels)",
            str(stream.place),
        )
        return True
    return False


def _begins_exactly(stream: Stream, palette: Palette) -> bool:
    """Tell whether the first frame of a video has the palette's very colours: codecs tell less."""
    with suppress(VideoError):
        return is_exact(ClipVideo(stream.place).read([0])[0], palette)
    return False
