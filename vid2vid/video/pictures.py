"""Writing pictures: one, or a folder of numbered PNGs with a times.csv."""

import re
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vid2vid.errors import VideoError
from vid2vid.video.encoding import check_frame, claim
from vid2vid.video.times import TIMES_NAME, write_times

PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp"})
"""Of the pictures that are written; `reading.IMAGE_SUFFIXES` are those that are read."""

_PROBE = "probe"


DEFAULT_JPEG_QUALITY = 95


def write_picture(
    path: Path, picture: NDArray[np.uint8] | NDArray[np.uint16], *, quality: int | None = None
) -> None:
    """Write 'h w 3' RGB in the format that the suffix names, whole or not at all.

    Args:
        path: .png, .jpg, .jpeg or .webp.
        picture: 8 bits, or 16 for a PNG.
        quality: of JPEG and WebP, 1 to 100; None = 95, and WebP without loss.

    Raises:
        OSError: if it cannot be written.
    """
    partial = path.with_name(f"{path.stem}.partial{path.suffix}")
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    data = cv2.imencode(path.suffix, bgr, _parameters(path.suffix.lower(), quality))[1]
    try:
        partial.write_bytes(data.tobytes())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def _parameters(suffix: str, quality: int | None) -> list[int]:
    """List what OpenCV is told of a format."""
    if suffix in (".jpg", ".jpeg"):
        return [cv2.IMWRITE_JPEG_QUALITY, quality or DEFAULT_JPEG_QUALITY]
    if suffix == ".webp" and quality is not None:
        return [cv2.IMWRITE_WEBP_QUALITY, quality]
    return []


def not_whole(path: Path, error: OSError, *, what: str = "it") -> VideoError:
    """Make the error for an output of which `what` could not be written."""
    return VideoError(
        f"{path} must be written whole; {what} could not be ({error.strerror}): check the space "
        f"and rights on {path.parent}"
    )


def require_empty(folder: Path) -> None:
    """Make sure that nothing would be overwritten.

    Raises:
        VideoError: unless the folder is new or empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise VideoError(
            f"the output folder must be new or empty; {folder} "
            f"{'holds files' if folder.is_dir() else 'is a file'}: choose another name or empty it"
        )


class PartialFolder:
    """The folder `out.partial`, which becomes `out` when it is complete."""

    def __init__(self, path: Path, *, own_names: str) -> None:
        """Make the folder.

        Args:
            path: the final one, new or empty.
            own_names: regular expression of the files that an earlier run may have left under the
                partial name; they are removed, and anything else is left alone.

        Raises:
            VideoError: if either folder holds other files, or cannot be written.
        """
        self._path = path
        self.partial = path.with_name(f"{path.name}.partial")
        require_empty(path)
        self._remove_leftover(own_names)
        claim(self.partial / _PROBE)
        (self.partial / _PROBE).unlink()

    def save(self, name: str, write: Callable[[Path], None]) -> None:
        """Let `write` make the file `name`.

        Raises:
            VideoError: if it cannot.
        """
        try:
            write(self.partial / name)
        except OSError as error:
            raise not_whole(self._path, error, what=name) from error

    def publish(self) -> Path:
        """Give the folder its final name, which is returned.

        Raises:
            VideoError: if the name was taken meanwhile.
        """
        try:
            return self.partial.replace(self._path)
        except OSError as error:
            raise not_whole(self._path, error) from error

    def discard(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.partial, ignore_errors=True)

    def _remove_leftover(self, own_names: str) -> None:
        if not self.partial.is_dir():
            return
        names = [file.name for file in self.partial.iterdir()]
        foreign = [n for n in names if n != _PROBE and not re.fullmatch(own_names, n)]
        if foreign:
            raise VideoError(
                f"{self.partial} must be free for unfinished files; it holds {foreign[0]}: move it "
                "away"
            )
        self.discard()


class PngWriter:
    """Writes the folder `out.partial` and renames it to `out` when it is complete."""

    def __init__(self, path: Path, *, width: int, height: int) -> None:
        self._path = path
        self._shape = (height, width, 3)
        self._times: list[Fraction] = []
        self._names: list[str] = []
        own_names = rf"\d{{6,}}(\.partial)?\.png|{re.escape(TIMES_NAME)}"
        self._folder = PartialFolder(path, own_names=own_names)

    def write(
        self, rgb: NDArray[np.uint8], time: Fraction, *, duration: Fraction | None = None
    ) -> None:
        """Add a frame; see `FrameWriter`. A folder tells when pictures come, not how long."""
        del duration
        check_frame(rgb, self._shape)
        if self._times and time <= self._times[-1]:
            raise VideoError(
                f"the time stamps of {self._path} must increase; frame {len(self._times)} comes at "
                f"{time} s after {self._times[-1]} s: mend the times of the source"
            )
        name = f"{len(self._times):06d}.png"
        self._folder.save(name, lambda file: write_picture(file, rgb))
        self._names.append(name)
        self._times.append(time)

    def close(self) -> Path:
        """Write times.csv and rename the folder; see `FrameWriter`."""
        if not self._times:
            self._folder.discard()
            raise VideoError(
                f"a frame folder must have at least one frame; none was written to {self._path}"
            )
        self._folder.save(TIMES_NAME, self._write_times)
        return self._folder.publish()

    def abort(self, *, keep_partial: bool) -> Path | None:
        """End early; see `FrameWriter`."""
        if not (keep_partial and self._times):
            self._folder.discard()
            return None
        try:
            self._folder.save(TIMES_NAME, self._write_times)
        except VideoError:  # a full disk; without times.csv the pictures can still be read
            (self._folder.partial / TIMES_NAME).unlink(missing_ok=True)
        return self._folder.partial

    def _write_times(self, path: Path) -> None:
        write_times(path.parent, self._names, self._times)
