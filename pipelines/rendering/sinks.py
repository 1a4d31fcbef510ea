"""Places where rendered frames go: a writer, a folder of named files, one picture."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pipelines.rendering.label_stream import LabelFrame
from vid2vid.errors import VideoError
from vid2vid.video.encoding import claim
from vid2vid.video.writing import FrameWriter

Rgb = NDArray[np.uint8]


class RenderedFrame(NamedTuple):
    """A frame on its way to the encoder, and the parts that are written beside it."""

    source: LabelFrame
    frame: Tensor  # 'h w 3' uint8
    hallucinated: Tensor | None = None  # 'h w 3' uint8
    occlusion: Tensor | None = None  # 'h w 3' uint8, white = hallucinated
    flow: Tensor | None = None  # '2 h w', pixels; None also where there is no past


class Sink(Protocol):
    """Takes rendered frames; nothing has the final name before `close`."""

    def write(self, rendered: RenderedFrame) -> None:
        """Write what this one keeps of a frame.

        Raises:
            VideoError: if it cannot be written.
        """
        ...

    def close(self) -> Path:
        """Complete the output and give it its final name, which is returned.

        Raises:
            VideoError: if it cannot be completed.
        """
        ...

    def abort(self, *, keep_partial: bool) -> Path | None:
        """End early; return the partial output if there is one to keep."""
        ...


class WriterSink:
    """Draws a picture of every frame and gives it to a writer."""

    def __init__(self, writer: FrameWriter, draw: Callable[[RenderedFrame], Rgb]) -> None:
        self._writer = writer
        self._draw = draw

    def write(self, rendered: RenderedFrame) -> None:
        """Add a frame; see `Sink`."""
        self._writer.write(self._draw(rendered), rendered.source.time)

    def close(self) -> Path:
        """Complete the output; see `Sink`."""
        return self._writer.close()

    def abort(self, *, keep_partial: bool) -> Path | None:
        """End early; see `Sink`."""
        return self._writer.abort(keep_partial=keep_partial)


class FolderSink:
    """Writes `out.partial`, a file named as each frame of the input, and renames it to `out`."""

    def __init__(
        self, path: Path, suffix: str, save: Callable[[Path, RenderedFrame], None]
    ) -> None:
        """Make the partial folder.

        Args:
            path: folder, new or empty.
            suffix: of every file.
            save: writes a frame's file, or none where the frame has nothing to save.

        Raises:
            VideoError: if the folder holds files or cannot be written.
        """
        self._path, self._suffix, self._save = path, suffix, save
        self._partial = path.with_name(f"{path.name}.partial")
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise VideoError(
                f"the output folder must be new or empty; {path} is not: choose another name or "
                "empty it"
            )
        self._remove_leftover()
        probe = self._partial / "probe"
        claim(probe)
        probe.unlink()

    def write(self, rendered: RenderedFrame) -> None:
        """Add a file; see `Sink`."""
        file = self._partial / f"{rendered.source.name}{self._suffix}"
        if file.exists():
            raise VideoError(
                f"the pictures of the input must have different names; two are called "
                f"{rendered.source.name}: rename one"
            )
        try:
            self._save(file, rendered)
        except OSError as error:
            raise _not_whole(self._path, error) from error

    def close(self) -> Path:
        """Rename the folder; see `Sink`."""
        return _publish(self._partial, self._path)

    def abort(self, *, keep_partial: bool) -> Path | None:
        """End early; see `Sink`."""
        if keep_partial:
            return self._partial
        shutil.rmtree(self._partial, ignore_errors=True)
        return None

    def _remove_leftover(self) -> None:
        """Remove what an earlier run left under the partial name, and nothing else."""
        if not self._partial.is_dir():
            return
        foreign = [file.name for file in self._partial.iterdir() if file.suffix != self._suffix]
        if foreign:
            raise VideoError(
                f"{self._partial} must be free for unfinished files; it holds {foreign[0]}: move "
                "it away"
            )
        shutil.rmtree(self._partial)


class PictureSink:
    """Writes the only frame of an input as a picture."""

    def __init__(self, path: Path, draw: Callable[[RenderedFrame], Rgb]) -> None:
        """Make sure that the picture can be written.

        Raises:
            VideoError: if it cannot.
        """
        self._path, self._draw = path, draw
        self._partial = path.with_name(f"{path.stem}.partial{path.suffix}")
        claim(self._partial)

    def write(self, rendered: RenderedFrame) -> None:
        """Write the picture under its partial name; see `Sink`."""
        try:
            write_picture(self._partial, self._draw(rendered))
        except OSError as error:
            raise _not_whole(self._path, error) from error

    def close(self) -> Path:
        """Give it its final name; see `Sink`."""
        return _publish(self._partial, self._path)

    def abort(self, *, keep_partial: bool) -> Path | None:
        """End early; see `Sink`."""
        if keep_partial:
            return self._partial
        self._partial.unlink(missing_ok=True)
        return None


def write_picture(path: Path, rgb: Rgb) -> None:
    """Write 'h w 3' RGB in the picture format that the suffix names."""
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    path.write_bytes(cv2.imencode(path.suffix, bgr)[1].tobytes())


def _publish(partial: Path, path: Path) -> Path:
    """Give a complete output its final name."""
    try:
        return partial.replace(path)
    except OSError as error:
        raise _not_whole(path, error) from error


def _not_whole(path: Path, error: OSError) -> VideoError:
    return VideoError(
        f"{path} must be written whole; it could not be ({error.strerror}): check the space and "
        f"rights on {path.parent}"
    )
