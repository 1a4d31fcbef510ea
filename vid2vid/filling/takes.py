"""Mark, in a stream of frames, where a shot begins; a few frames are looked ahead."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from vid2vid.data.shots import NEAR, Change, ChangeMeter, find_breaks
from vid2vid.video.decoding import VideoFrame


class Take(NamedTuple):
    """A frame, and whether it is the first of a shot after another."""

    frame: VideoFrame
    begins_shot: bool


def mark_shots(frames: Iterable[VideoFrame]) -> Iterator[Take]:
    """Find the cuts of `vid2vid.data.shots.find_shots` on the way; memory does not grow.

    Args:
        frames: of one size.

    Yields:
        The frames in order.
    """
    meter = ChangeMeter()
    changes: list[Change] = []  # of the waiting frames, and of as many before as count
    waiting: deque[VideoFrame] = deque()

    def decide() -> Take:
        position = len(changes) - len(waiting)
        is_break = position + 1 in find_breaks(changes)
        if position >= NEAR:
            del changes[0]
        return Take(waiting.popleft(), is_break)

    for frame in frames:
        change = meter.add(frame.rgb)
        if change is None:
            yield Take(frame, begins_shot=False)
            continue
        changes.append(change)
        waiting.append(frame)
        if len(waiting) > NEAR:
            yield decide()
    while waiting:
        yield decide()
