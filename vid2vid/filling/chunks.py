"""Fill a stream of frames chunk by chunk; memory does not grow with its length.

A chunk is filled with the help of some frames before and after it. What the frames before were
filled with goes on into it. A pixel that is shown within the overlap comes out the same whatever
the chunks are. Nothing is carried across a cut.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from torch import Tensor

from flow.estimators import FlowEstimator
from vid2vid.filling.blend import Blender
from vid2vid.filling.inventor import Inventor
from vid2vid.filling.memory import return_free_pages
from vid2vid.filling.moments import Calm, MaskedFrame, Moment, calm_frame, link_frames
from vid2vid.filling.window import FilledFrame, fill_window


@dataclass(frozen=True)
class ChunkPlan:
    """How a stream is cut.

    Attributes:
        length: frames that are filled together.
        overlap: frames before and after them from which pixels are carried.

    Raises:
        ValueError: if the length is below 1 or the overlap below 0.
    """

    length: int = 40
    overlap: int = 30

    def __post_init__(self) -> None:
        if self.length < 1 or self.overlap < 0:
            raise ValueError(
                "length must be at least 1 and overlap at least 0; "
                f"got {self.length} and {self.overlap}"
            )


PLAIN = ChunkPlan()


def fill_frames(
    frames: Iterable[MaskedFrame],
    inventor: Inventor,
    estimator: FlowEstimator,
    *,
    plan: ChunkPlan = PLAIN,
) -> Iterator[FilledFrame]:
    """Fill every frame of a stream.

    Args:
        frames: all of one size, read lazily.
        inventor: what makes up what no frame shows.
        estimator: what finds motion.
        plan: how much is looked at together.

    Yields:
        The frames in order. Known pixels are those that came, bit for bit.
    """
    window = _Window(inventor, estimator, plan=plan)
    for frame in frames:
        if frame.begins_shot:
            yield from window.finish()
        window.add(frame)
        yield from window.fill_ready()
    yield from window.finish()


class _Window:
    """The frames of a shot around the chunk that is next."""

    def __init__(self, inventor: Inventor, estimator: FlowEstimator, *, plan: ChunkPlan) -> None:
        self._inventor, self._estimator, self._plan = inventor, estimator, plan
        self._blender = Blender()
        self._moments: list[Moment] = []
        self._num_filled = 0  # of the moments, at their beginning
        self._before: Tensor | None = None  # the last that was filled
        self._latest: Calm | None = None

    def add(self, frame: MaskedFrame) -> None:
        """Take the next frame of the shot."""
        previous, self._latest = self._latest, calm_frame(frame)
        if previous is None:
            self._moments.append(Moment(frame.rgb, frame.unknown))
            return
        forth, back = link_frames(self._estimator, previous, self._latest)
        self._moments[-1] = self._moments[-1]._replace(future=forth)
        self._moments.append(Moment(frame.rgb, frame.unknown, past=back))

    def fill_ready(self) -> Iterator[FilledFrame]:
        """Fill the next chunk once all that it may look at is there."""
        ready = len(self._moments) - self._num_filled >= self._plan.length + self._plan.overlap
        if ready:
            yield from self._fill(self._plan.length)

    def finish(self) -> Iterator[FilledFrame]:
        """Fill the rest of the shot, and forget it."""
        while self._num_filled < len(self._moments):
            yield from self._fill(self._plan.length)
        self._moments, self._num_filled = [], 0
        self._before = self._latest = None

    def _fill(self, length: int) -> list[FilledFrame]:
        end = min(self._num_filled + length, len(self._moments))
        seen = self._moments[: end + self._plan.overlap]
        filled = fill_window(
            seen,
            range(self._num_filled, end),
            inventor=self._inventor,
            blender=self._blender,
            before=self._before,
        )
        self._before = filled[-1].rgb
        start = max(0, end - max(self._plan.overlap, 1))  # one links to what was filled
        del self._moments[:start]
        self._num_filled = end - start
        return_free_pages()
        return filled
