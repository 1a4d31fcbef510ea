"""Write filled frames with the times of the frames that they were, and count them."""

from collections import deque
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple, NoReturn

from pipelines.filling.footage import Footage
from pipelines.filling.options import FillOptions
from pipelines.rendering.partial import raise_beside
from vid2vid.filling.window import FilledFrame
from vid2vid.video.decoding import VideoFrame
from vid2vid.video.writing import open_writer


class _When(NamedTuple):
    """When a frame on its way is shown."""

    time: Fraction
    duration: Fraction | None


class Output:
    """A video or folder that is being written."""

    def __init__(
        self, out: Path, footage: Footage, options: FillOptions, *, size: tuple[int, int]
    ) -> None:
        """Open it.

        Args:
            out: .mp4, .mkv, .webm, .gif, or a folder.
            footage: the input, for rate, times and sound.
            options: how it is encoded.
            size: (height, width).

        Raises:
            VideoError: if it cannot be written.
        """
        self.height, self.width = size
        self._writer = open_writer(
            out,
            width=self.width,
            height=self.height,
            rate=footage.info.rate,
            time_base=footage.info.time_base,
            lossless=options.lossless,
            codec=options.codec,
            crf=options.crf,
            pixel_aspect=footage.info.pixel_aspect,
            soundtrack=footage.soundtrack,
        )
        self._whens: deque[_When] = deque()
        self.num_written = self.num_key_frames = 0
        self._carried = self._unknown = 0

    @property
    def carried_share(self) -> float:
        """Of the unknown pixels so far, those that another frame shows."""
        return self._carried / max(self._unknown, 1)

    def expect(self, frame: VideoFrame) -> None:
        """Remember when the next frame is shown; frames are written in this order."""
        self._whens.append(_When(frame.time, frame.duration))

    def write(self, filled: FilledFrame) -> None:
        """Add a frame.

        Raises:
            VideoError: if it cannot be written.
        """
        when = self._whens.popleft()
        self._writer.write(filled.rgb.numpy(), when.time, duration=when.duration)
        self.num_written += 1
        self.num_key_frames += filled.invented
        self._carried += filled.carried
        self._unknown += filled.unknown

    def close(self) -> Path:
        """Complete it and give it its final name.

        Raises:
            VideoError: if it cannot be completed.
        """
        return self._writer.close()

    def leave_partial(self, error: BaseException) -> NoReturn:
        """Finish what was written as a partial output, and raise.

        Raises:
            RenderingError: in place of an error of input or disk, if something was written.
        """
        partial = self._writer.abort(keep_partial=self.num_written > 0)
        raise_beside(error, partial, written=f"{self.num_written} frames")
