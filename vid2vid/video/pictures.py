"""Writing a folder of numbered PNGs with a times.csv."""

import re
import shutil
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vid2vid.errors import VideoError
from vid2vid.video.encoding import check_frame, claim
from vid2vid.video.times import TIMES_NAME, write_times


class PngWriter:
    """Writes the folder `out.partial` and renames it to `out` when it is complete."""

    def __init__(self, path: Path, *, width: int, height: int) -> None:
        self._path = path
        self._partial = path.with_name(f"{path.name}.partial")
        self._shape = (height, width, 3)
        self._times: list[Fraction] = []
        self._names: list[str] = []
        if path.is_dir() and any(path.iterdir()):
            raise VideoError(
                f"the output folder must be new or empty; {path} holds files: choose another name "
                "or empty it"
            )
        _remove_leftover(self._partial)
        claim(self._partial / TIMES_NAME)

    def write(self, rgb: NDArray[np.uint8], time: Fraction) -> None:
        """Add a frame; see `FrameWriter`."""
        check_frame(rgb, self._shape)
        if self._times and time <= self._times[-1]:
            raise VideoError(
                f"the time stamps of {self._path} must increase; frame {len(self._times)} comes at "
                f"{time} s after {self._times[-1]} s: mend the times of the source"
            )
        name = f"{len(self._times):06d}.png"
        data = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1]
        try:
            (self._partial / name).write_bytes(data.tobytes())
        except OSError as error:
            raise self._failed(name, error) from error
        self._names.append(name)
        self._times.append(time)

    def close(self) -> Path:
        """Write times.csv and rename the folder; see `FrameWriter`."""
        if not self._times:
            self.abort(keep_partial=False)
            raise VideoError(
                f"a frame folder must have at least one frame; none was written to {self._path}"
            )
        try:
            write_times(self._partial, self._names, self._times)
            self._partial.replace(self._path)
        except OSError as error:
            raise self._failed(TIMES_NAME, error) from error
        return self._path

    def abort(self, *, keep_partial: bool) -> Path | None:
        """End early; see `FrameWriter`."""
        if not (keep_partial and self._times):
            shutil.rmtree(self._partial, ignore_errors=True)
            return None
        try:
            write_times(self._partial, self._names, self._times)
        except OSError:  # a full disk; without times.csv the pictures can still be read
            (self._partial / TIMES_NAME).unlink(missing_ok=True)
        return self._partial

    def _failed(self, what: str, error: OSError) -> VideoError:
        return VideoError(
            f"{self._path} must be written whole; {what} could not be ({error.strerror}): check "
            f"the space and rights on {self._path.parent}"
        )


def _remove_leftover(partial: Path) -> None:
    """Remove what an earlier run left under the partial name, and nothing else."""
    if not partial.is_dir():
        return
    foreign = [
        p.name for p in partial.iterdir() if not re.fullmatch(r"\d{6,}\.png|times\.csv", p.name)
    ]
    if foreign:
        raise VideoError(
            f"{partial} must be free for unfinished frames; it holds {foreign[0]}: move it away"
        )
    shutil.rmtree(partial)
