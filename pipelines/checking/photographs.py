"""What can be wrong with the photographs of a sequence: files, repeated pictures, cuts."""

import hashlib
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.checking.headers import Header
from pipelines.checking.problems import Findings
from vid2vid.data.shots import Change, ChangeMeter, find_breaks

BROKEN_SHARE = 0.5
"""Share of pairs without a common motion above which a sequence is not consecutive at all."""

# Repeated frames of the lossy video of asl_gestures differ by 0.0001 to 0.0007, all others by 0.002
# or more; those of a nearly still one (pose2sim, cam02) by 0.0007 to 0.007.
REPEAT_DIFFERENCE = 0.0007
"""Mean difference, as a share of the range, up to which a frame may be the one before again ..."""
REPEAT_SHARE = 0.15
"""... if it is at most this share of the median of the sequence."""


STILL_DIFFERENCE = 0.01
"""Mean difference up to which a frame may be of a still scene: above those of cam02."""


def check_photograph(header: Header, place: str, findings: Findings) -> None:
    """Warn of what is lost in reading a photograph."""
    if header.has_alpha:
        findings.warn(
            "alpha",
            f"frames are RGB; {place} has transparency ({header.mode}), which is dropped: write "
            "it without, on the ground that it belongs on",
            place,
        )
    if header.num_pictures > 1:
        findings.warn(
            "animation",
            f"a file of a folder is one frame; {place} holds {header.num_pictures} pictures, of "
            "which the first is taken: write each into a file of its own, or all as a video",
            place,
        )
    if header.bits > 8:
        findings.warn(
            "bit-depth",
            f"frames have 8 bits a channel; {place} has {header.bits}, which are cut to the upper "
            "8: spread its values over the full range and write it with 8",
            place,
        )


def digest_of(picture: NDArray[np.uint8]) -> bytes:
    """Condense a picture to 16 bytes that no other shares."""
    return hashlib.blake2b(np.ascontiguousarray(picture).data, digest_size=16).digest()


class RepeatCheck:
    """Finds pictures of a sequence that occur more than once."""

    def __init__(self) -> None:
        self._first: dict[bytes, str] = {}
        self._repeats: list[tuple[str, str]] = []
        self._count = 0

    def add(self, rgb: NDArray[np.uint8], place: str) -> None:
        """Take the next picture, 'h w 3'."""
        self._count += 1
        earlier = self._first.setdefault(digest_of(rgb), place)
        if earlier != place:
            self._repeats.append((place, earlier))

    def report(self, findings: Findings, nearly: Sequence[tuple[str, str]]) -> None:
        """Warn of the pictures that were there before.

        Args:
            findings: takes the warning.
            nearly: pictures that repeat the one before but for the noise of a codec, with it.
        """
        repeats = {**dict(nearly), **dict(self._repeats)}
        if repeats:
            later, earlier = next(iter(repeats.items()))
            is_video = later.startswith("frame ")
            remedy = "write the video again without them" if is_video else "drop them"
            findings.warn(
                "duplicates",
                f"each frame should be a picture of its own; {len(repeats)} of {self._count} "
                f"repeat an earlier one, the first is {later}, the same as {earlier}: {remedy} "
                "with their labels, or training learns to stand still",
                *repeats,
            )


class MotionCheck:
    """Finds frames that do not follow the one before."""

    def __init__(self) -> None:
        self._meter = ChangeMeter()
        self._before = ""
        self._steps: list[_Step] = []

    def add(self, rgb: NDArray[np.uint8], place: str) -> None:
        """Take the next picture, 'h w 3', of the size of those before."""
        change = self._meter.add(rgb)
        if change is not None:
            self._steps.append(_Step(change, self._before, place))
        self._before = place

    def skip(self) -> None:
        """Leave out a picture that cannot be read, and the changes to and from it."""
        self._meter = ChangeMeter()

    @property
    def is_moving(self) -> bool:
        """Whether most pictures differ plainly from the one before."""
        return median([step.change.difference for step in self._steps] or [0.0]) > STILL_DIFFERENCE

    def near_repeats(self) -> list[tuple[str, str]]:
        """List the pictures that hardly differ from the one before, each with it."""
        usual = median([step.change.difference for step in self._steps] or [0.0])
        limit = min(REPEAT_DIFFERENCE, REPEAT_SHARE * usual)
        return [(s.after, s.before) for s in self._steps if s.change.difference <= limit]

    def report(self, findings: Findings) -> None:
        """Warn of cuts, or of frames that have nothing to do with each other at all."""
        changes = [step.change for step in self._steps]
        breaks = [self._steps[index - 1] for index in find_breaks(changes)]
        if not breaks:
            return
        usual = median(change.residual for change in changes)
        if len(breaks) > max(1, BROKEN_SHARE * len(changes)):
            findings.warn(
                "not-consecutive",
                "frames must be consecutive, so that each can be made from the one before; of "
                f"{len(changes)} neighbours {len(breaks)} have no motion in common, the first is "
                f"{breaks[0].after}: extract the video at its full rate, one folder for each shot",
                *(step.after for step in breaks),
            )
            return
        for step in breaks:
            findings.warn(
                "cut",
                f"frames must be consecutive; {step.after} does not follow {step.before}: with "
                f"the motion undone {step.change.residual:.1%} of the range differ, where the "
                f"median of the sequence is {usual:.1%}: split the sequence there",
                step.after,
            )


class _Step(NamedTuple):
    change: Change
    before: str
    after: str
