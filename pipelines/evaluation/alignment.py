"""Whether the pictures of two streams are of the same frames, as far as their names tell."""

import logging

from vid2vid.data.pairing import Stream, shared_ending
from vid2vid.errors import DataError

LOGGER = logging.getLogger(__name__)


def check_names(real: Stream, other: Stream) -> None:
    """Check pictures that are paired in order.

    Where all are numbered, the numbers must run alike, from the first of each on; where the two
    share names, the names must be the same. A video has no names.

    Raises:
        DataError: naming the first that is not.
    """
    if real.is_video or other.is_video:
        return
    ours, theirs = (_frame_names(stream) for stream in (real, other))
    if all(name.isdecimal() for name in (*ours, *theirs)):
        _check_numbers(real, other, pairs=list(zip(ours, theirs, strict=False)))
    elif not set(ours).isdisjoint(theirs):
        for name, given in zip(ours, theirs, strict=False):
            if given != name:
                raise _misfit(real, other, beside=name, given=given, wanted=name)


def _frame_names(stream: Stream) -> list[str]:
    """Give the names of pictures without what all of them end in."""
    stems = [source.path.stem for source in stream.sources]
    ending = shared_ending(stems)
    return [stem.removesuffix(ending) for stem in stems]


def _check_numbers(real: Stream, other: Stream, *, pairs: list[tuple[str, str]]) -> None:
    """Check that numbers run alike, and say where they begin elsewhere."""
    offset = int(pairs[0][1]) - int(pairs[0][0])
    for name, given in pairs:
        wanted = f"{int(name) + offset:0{len(given)}d}"
        if int(given) != int(wanted):
            raise _misfit(real, other, beside=name, given=given, wanted=wanted)
    if offset:
        LOGGER.warning(
            "frame %s of %s is taken for frame %s of %s",
            *(pairs[0][1], other.place, pairs[0][0], real.place),
        )


def _misfit(real: Stream, other: Stream, *, beside: str, given: str, wanted: str) -> DataError:
    return DataError(
        f"the {other.name} must be of the same frames as the real ones; beside {beside} of "
        f"{real.place} there is {given} of {other.place}, where {wanted} was expected: a picture "
        "is missing in one of them"
    )
