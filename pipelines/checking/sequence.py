"""Check one sequence: open and pair its streams, then read every file of it once."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.checking.contents import (
    Desk,
    read_instance_maps,
    read_label_maps,
    read_photographs,
)
from pipelines.checking.controls import read_control
from pipelines.checking.names import check_links, check_numbers
from pipelines.checking.problems import Findings, Problem
from pipelines.checking.streams import Opener, Paired, open_whole, pair_whole
from pipelines.console import Progress
from vid2vid.controls.config import FRAMES, INSTANCES, LABELS, AnyControl
from vid2vid.data.augment import Size
from vid2vid.data.layout import Paired as PairedStreams
from vid2vid.data.layout import Sequence
from vid2vid.data.locating import Places
from vid2vid.data.measuring import in_words
from vid2vid.data.pairing import Source, Stream, open_control, open_instances, open_stream
from vid2vid.data.store import FrameStore
from vid2vid.labels.files import LabelReader
from vid2vid.labels.palettes import Palette

_CACHE_BYTES = 0  # each file is needed once


class Expected(NamedTuple):
    """What a training takes of each sequence."""

    controls: Mapping[str, AnyControl]  # by stream
    reader: LabelReader | None  # None = no labels
    file_palette: Palette | None  # of the label files, before a mapping
    instances: bool  # whether instance maps are read
    motion: bool  # whether frames must be consecutive
    mixed: bool  # whether the pictures of a folder may differ in size, as of stills
    kept: slice  # of each sequence's frames
    size: Size | None  # at which it trains; None = any


class SequenceReport(NamedTuple):
    """What was found in one sequence."""

    name: str
    num_frames: int
    size: Size | None  # of the frames
    label_pixels: NDArray[np.int64]  # '256', of each id
    problems: tuple[Problem, ...]
    sequences: tuple[Sequence, ...]  # as training gets them; none where it would refuse it


class _Seen(NamedTuple):
    """What the photographs of a sequence turned out to be."""

    size: Size | None  # None = not known, or several
    moves: bool  # whether they differ plainly from one to the next


def check_sequence(places: Places, expected: Expected, bar: Progress) -> SequenceReport:
    """Find everything that is wrong within one sequence.

    Args:
        places: of its streams; those that are not there were reported before.
        expected: what training takes of it.
        bar: counts frames.
    """
    findings = Findings(places.name)
    desk = Desk(FrameStore(expected.reader, max_bytes=_CACHE_BYTES), findings)
    streams = _open(places, expected, findings)
    frames = streams.pop(FRAMES, None)
    paired: dict[str, Paired | None] = {}
    kept: tuple[Source, ...] = ()
    moves = False
    if frames is not None:
        kept = frames.sources[expected.kept]
        for name, stream in streams.items():
            control = expected.controls.get(name)
            paired[name] = pair_whole(frames, stream, findings, control=control)
        labels = streams[LABELS] if paired.get(LABELS) else None
        _check_sizes(frames, labels, expected, findings=findings)
        moves = read_photographs(frames, kept, desk, bar=bar, motion=expected.motion)
        if expected.motion and all(paired.values()):  # what lacks its partner has been named
            check_numbers(kept, findings)
    size = None if frames is None or frames.sizes else frames.size
    seen = _Seen(size, moves)
    pixels = _read_partners(streams, paired, expected, desk=desk, seen=seen)
    return SequenceReport(
        name=places.name,
        num_frames=len(kept),
        size=None if frames is None else frames.size,
        label_pixels=pixels,
        problems=tuple(findings.problems()),
        sequences=()
        if findings.has_errors
        else _to_sequences(places, frames, paired, expected=expected),
    )


def _open(places: Places, expected: Expected, findings: Findings) -> dict[str, Stream]:
    """Open every stream that is there, by its name."""
    mixed, sides = expected.mixed, places.sides
    openers: dict[str, tuple[Opener, AnyControl | None]] = {
        name: (partial(open_stream, name, side=sides.get(name), mixed=mixed), None)
        for name in (FRAMES, LABELS)
    }
    openers[INSTANCES] = (partial(open_instances, mixed=mixed), None)
    for name, control in expected.controls.items():
        opener = partial(open_control, control, side=sides.get(name), mixed=mixed)
        openers[name] = (opener, control)
    found: dict[str, Stream] = {}
    for name, place in _there(places).items():
        check_links(place, findings)
        opener, control = openers[name]
        if stream := open_whole(name, opener, place, findings=findings, control=control):
            found[name] = stream
    return found


def _read_partners(
    streams: Mapping[str, Stream],
    paired: Mapping[str, Paired | None],
    expected: Expected,
    *,
    desk: Desk,
    seen: _Seen,
) -> NDArray[np.int64]:
    """Read all that lies beside the frames; return the pixels of each label id, '256'."""
    pixels = np.zeros(256, dtype=np.int64)
    for name, stream in streams.items():
        # What has no partner is read too, in its own order: it may be wrong in more than that.
        order = paired.get(name) or stream.sources
        sources = [source for source in order[expected.kept] if source is not None]
        if name == LABELS and expected.file_palette is not None:
            palette, moves = expected.file_palette, seen.moves
            pixels = read_label_maps(stream, sources, desk, palette=palette, moves=moves)
        elif name == INSTANCES and expected.instances:
            read_instance_maps(stream, sources, desk)
        elif name in expected.controls:
            read_control(expected.controls[name], stream, sources, desk=desk, frames=seen.size)
    return pixels


def _check_sizes(
    frames: Stream, labels: Stream | None, expected: Expected, *, findings: Findings
) -> None:
    """Warn of label maps of another size than their frames, and of frames that are enlarged."""
    if labels is not None and labels.size != frames.size:
        findings.warn(
            "resized-labels",
            f"label maps should have the size of their frames; {labels.place} is "
            f"{in_words(labels.size)}, {frames.place} is {in_words(frames.size)}: they are resized "
            "by nearest neighbour, which loses what is thin; make them at the frames' size",
        )
    wanted = expected.size
    if wanted is not None and (
        frames.size.height < wanted.height or frames.size.width < wanted.width
    ):
        findings.warn(
            "upscaled",
            f"frames should be as large as the training size, {in_words(wanted)}; {frames.place} "
            f"is {in_words(frames.size)} and is enlarged: lower data.height and data.width",
        )


def _to_sequences(
    places: Places,
    frames: Stream | None,
    paired: Mapping[str, Paired | None],
    *,
    expected: Expected,
) -> tuple[Sequence, ...]:
    """Put sequences together as training does: one, or one of each size."""
    if frames is None:
        return ()

    def whole(name: str) -> tuple[Source, ...] | None:
        sources = paired.get(name)
        if sources is None:
            return None
        return tuple(source for source in sources if source is not None)

    controls = {name: own for name in expected.controls if (own := paired.get(name)) is not None}
    found = PairedStreams(places.name, frames, whole(LABELS), whole(INSTANCES), controls)
    return tuple(found.sequences(expected.kept))


def _there(places: Places) -> dict[str, Path]:
    """List the streams that are there."""
    named = {FRAMES: places.frames, LABELS: places.labels, INSTANCES: places.instances}
    return {name: place for name, place in named.items() if place} | dict(places.controls)
