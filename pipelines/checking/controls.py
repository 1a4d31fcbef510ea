"""Read every file of a control's own stream once, and look at what is in it."""

from collections.abc import Sequence

from pipelines.checking.contents import Desk
from pipelines.checking.problems import place_of
from vid2vid.controls.config import DRAWN, STREAMLESS, AnyControl, DepthConfig, Drawn, Stored
from vid2vid.controls.points import Points, doubt_points
from vid2vid.data.augment import Picture, Size
from vid2vid.data.measuring import in_words
from vid2vid.data.pairing import Source, Stream


def read_control(
    control: AnyControl,
    stream: Stream,
    sources: Sequence[Source],
    *,
    desk: Desk,
    frames: Size | None,
) -> None:
    """Read the stored pictures or key points of a control: those that its reader refuses, and more.

    Args:
        control: that they are of.
        stream: that they are of.
        sources: which of them.
        desk: where they are read.
        frames: size of the photographs, which key points lie in; None = not known.
    """
    if isinstance(control, STREAMLESS):  # has no files of its own
        return
    if isinstance(control, DRAWN):
        _read_points(control, stream, sources, desk=desk, frames=frames)
    else:
        _read_stored(control, stream, sources, desk=desk)


def _read_points(
    control: Drawn,
    stream: Stream,
    sources: Sequence[Source],
    *,
    desk: Desk,
    frames: Size | None,
) -> None:
    """Read key points; warn where nobody is found, and where they are no pixels of the frames."""
    points: list[Points] = []
    for source in sources:
        with desk.findings.catch("unreadable", place_of(source)):
            points += desk.store.points(control, [source])
    if points and not any((each[..., 2] > 0).any() for each in points):
        desk.findings.warn(
            "key-points",
            f"key points should show somebody; the {len(points)} files in {stream.place} hold no "
            "point that was found: look for people again, or leave the sequence out",
        )
    canvas = frames if control.canvas is None else Size(*control.canvas)
    if points and canvas is not None and (doubt := doubt_points(points, canvas)):
        desk.findings.warn(
            "key-points",
            f"key points must be pixels of their picture, {in_words(canvas)}; of those in "
            f"{stream.place} {doubt}",
        )


def _read_stored(control: Stored, stream: Stream, sources: Sequence[Source], *, desk: Desk) -> None:
    """Read stored pictures; warn of depth that says nothing."""
    levels: set[float] = set()
    for source in sources:
        if desk.findings.is_unreadable(place_of(source)):
            continue
        with desk.findings.catch("unreadable", place_of(source)):
            pictures = desk.store.stored(control, [source], stream.size)
            levels |= {level for each in pictures if each is not None for level in _ends(each)}
    if isinstance(control, DepthConfig) and levels in ({1.0}, {-1.0}):
        where = (
            f"below {control.near:g} m (near)"
            if levels == {1.0}
            else f"unknown (0) or beyond {control.far:g} m (far)"
        )
        desk.findings.warn(
            "depth",
            f"depth should differ within the pictures; all of it in {stream.place} is {where}: "
            "check its unit (the control's unit is metres of one level of a PNG, a .npy holds "
            "metres), near and far",
        )


def _ends(picture: Picture) -> tuple[float, float]:
    return float(picture.min()), float(picture.max())
