"""Places where rendered frames go: a writer, a folder of named files, one picture."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pipelines.rendering.input_stream import InputFrame
from vid2vid.errors import VideoError
from vid2vid.video.encoding import claim
from vid2vid.video.pictures import PartialFolder, not_whole
from vid2vid.video.writing import FrameWriter

Rgb = NDArray[np.uint8]


class RenderedFrame(NamedTuple):
    """A frame on its way to the encoder, and the parts that are written beside it."""

    source: InputFrame
    frame: Tensor  # 'h w 3' uint8
    hallucinated: Tensor | None = None  # 'h w 3' uint8
    occlusion: Tensor | None = None  # 'h w 3' uint8, white = hallucinated
    flow: Tensor | None = None  # '2 h w', pixels; None also where there is no past
    deep: Tensor | None = None  # 'h w 3' int32, the frame in levels of 16 bits


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
        source = rendered.source
        self._writer.write(self._draw(rendered), source.time, duration=source.duration)

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
        self._suffix, self._save = suffix, save
        self._folder = PartialFolder(path, own_names=rf".*{re.escape(suffix)}")

    def write(self, rendered: RenderedFrame) -> None:
        """Add a file; see `Sink`."""
        name = f"{rendered.source.name}{self._suffix}"
        if (self._folder.partial / name).exists():
            raise VideoError(
                f"the pictures of the input must have different names; two are called "
                f"{rendered.source.name}: rename one"
            )
        self._folder.save(name, lambda file: self._save(file, rendered))

    def close(self) -> Path:
        """Rename the folder; see `Sink`."""
        return self._folder.publish()

    def abort(self, *, keep_partial: bool) -> Path | None:
        """End early; see `Sink`."""
        if keep_partial:
            return self._folder.partial
        self._folder.discard()
        return None


class PictureSink:
    """Writes the only frame of an input as a picture."""

    def __init__(self, path: Path, save: Callable[[Path, RenderedFrame], None]) -> None:
        """Make sure that the picture can be written.

        Args:
            path: of the picture.
            save: writes it.

        Raises:
            VideoError: if it cannot be written.
        """
        self._path, self._save = path, save
        self._partial = path.with_name(f"{path.stem}.partial{path.suffix}")
        claim(self._partial)

    def write(self, rendered: RenderedFrame) -> None:
        """Write the picture under its partial name; see `Sink`."""
        try:
            self._save(self._partial, rendered)
        except OSError as error:
            raise not_whole(self._path, error) from error

    def close(self) -> Path:
        """Give it its final name; see `Sink`."""
        try:
            return self._partial.replace(self._path)
        except OSError as error:
            raise not_whole(self._path, error) from error

    def abort(self, *, keep_partial: bool) -> Path | None:
        """End early; see `Sink`."""
        if keep_partial:
            return self._partial
        self._partial.unlink(missing_ok=True)
        return None
