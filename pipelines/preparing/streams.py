"""Write one sequence of a data set: its frames, and the streams that are made of them."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from flow.estimators import DIS
from vid2vid.controls.config import (
    FRAMES,
    LABELS,
    EdgesConfig,
    FlowControlConfig,
    GreyConfig,
    stream_of,
)
from vid2vid.controls.derived import derive
from vid2vid.controls.drawing import draw_control
from vid2vid.data.augment import Size
from vid2vid.video.levels import from_levels
from vid2vid.video.writing import FrameWriter, open_writer

# Measured on carnd_highway, asl_gestures and bikes.mp4: FFV1 takes 41 to 64 % of the bytes of PNG,
# encodes in a third of its time, and decodes as fast, at random places 1.3 to 1.7 times as slowly.
_FRAMES_FILE = f"{FRAMES}.mkv"

DrawnControl = EdgesConfig | GreyConfig | FlowControlConfig
Labeller = Callable[[Tensor], NDArray[np.uint8]]
"""From a frame '3 h w' in [-1, 1] to its label map 'h w' uint8."""


class Streams(NamedTuple):
    """What is made of every frame, beside the frame itself."""

    controls: tuple[DrawnControl, ...]
    label: Labeller | None  # None = no labels


class SequenceWriter:
    """Writes the frames of one sequence and the streams that are made of them."""

    def __init__(self, folder: Path, size: Size, streams: Streams, *, rate: Fraction) -> None:
        """Open the sequence.

        Args:
            folder: of the sequence; exists and is empty.
            size: of the frames.
            streams: what is made of them.
            rate: frames per second.

        Raises:
            VideoError: if it cannot be written.
        """
        self._folder, self._streams, self._rate = folder, streams, rate
        for control in streams.controls:
            self._place(control).mkdir()
        if streams.label is not None:
            (folder / LABELS).mkdir()
        self._frames: FrameWriter = open_writer(
            folder / _FRAMES_FILE, width=size.width, height=size.height, rate=rate, codec="ffv1"
        )
        self._previous: Tensor | None = None
        self.num_frames = 0
        """How many were written."""

    def write(self, rgb: NDArray[np.uint8]) -> None:
        """Add a frame, 'h w 3' of the size of the sequence, with its streams.

        Raises:
            VideoError: if the frame cannot be written.
            OSError: if a stream cannot.
        """
        self._frames.write(rgb, self.num_frames / self._rate)
        frame = from_levels(torch.from_numpy(rgb))
        for control in self._streams.controls:
            self._write_control(control, frame)
        if self._streams.label is not None:
            self._save(self._folder / LABELS, self._streams.label(frame))
        self._previous = frame
        self.num_frames += 1

    def close(self) -> None:
        """Complete the sequence.

        Raises:
            VideoError: if the rest cannot be written.
        """
        self._frames.close()

    def abort(self) -> None:
        """End early; what was written is not kept."""
        self._frames.abort(keep_partial=False)

    def _write_control(self, control: DrawnControl, frame: Tensor) -> None:
        """Write what a control is at a frame; a flow begins at the second one."""
        if not isinstance(control, FlowControlConfig):
            picture = draw_control(control, derive(control, frame[None])[0])
            self._save(self._place(control), picture[..., 0])
        elif self._previous is not None:
            flow = DIS(control.dis)(frame[None], self._previous[None])[0]
            path = self._place(control) / f"{self.num_frames:06d}.npy"
            np.save(path, flow.numpy().astype(np.float16))

    def _save(self, folder: Path, grey: NDArray[np.uint8]) -> None:
        """Write 'h w' as a grey PNG."""
        data = cv2.imencode(".png", np.ascontiguousarray(grey))[1]
        (folder / f"{self.num_frames:06d}.png").write_bytes(data.tobytes())

    def _place(self, control: DrawnControl) -> Path:
        return self._folder / str(stream_of(control))
