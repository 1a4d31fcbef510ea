"""What the report shows: the first frames for the player, and the worst frames of each system."""

from base64 import b64encode
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pipelines.evaluation.ledger import When
from pipelines.evaluation.options import BLOCK_FRAMES
from vid2vid.data.augment import Size, resize_frame
from vid2vid.video.levels import to_levels

PLAYER_FRAMES = 96
WORST_FRAMES = 4  # of each system, no two in one block of frames

_PLAYER_WIDTH = 416  # px
_WORST_WIDTH = 320
_QUALITY = 85
_DIFFERENCE_GAIN = 3  # a difference of 85 levels is shown white


class Worst(NamedTuple):
    """A frame of a system that is least like the real one."""

    ssim: float
    when: When
    sequence: str
    pictures: tuple[str, str, str]  # data URIs: real, generated, their difference


class Exhibits:
    """Collects a bounded number of pictures on the way."""

    def __init__(self, systems: tuple[str, ...]) -> None:
        self._systems = systems
        self.strips: dict[str, list[str]] = {name: [] for name in (*systems, "real")}
        """Data URIs of the first frames of the first sequence, by stream."""
        self.worst: dict[str, list[Worst]] = {name: [] for name in systems}
        """The worst frames by system, worst first."""

    def show(self, frames: Tensor, when: When) -> None:
        """Take 's 3 h w': the systems' frames and the real one."""
        if when.sequence > 0 or when.frame >= PLAYER_FRAMES:
            return
        for strip, frame in zip(self.strips.values(), frames, strict=True):
            strip.append(encode(_levels(frame), width=_PLAYER_WIDTH))

    def rank(
        self, frames: Tensor, when: When, similarity: NDArray[np.float64], *, sequence: str
    ) -> None:
        """Keep a frame 's 3 h w' of the systems whose frame is among their worst, by SSIM 's'."""
        real = _levels(frames[-1])
        for index, name in enumerate(self._systems):
            kept, value = self.worst[name], float(similarity[index])
            rival = next((each for each in kept if _is_near(each.when, when)), None)
            if rival is None and len(kept) == WORST_FRAMES:
                rival = kept[-1]
            if rival is not None:
                if value >= rival.ssim:
                    continue
                kept.remove(rival)
            shown = _levels(frames[index])
            pictures = [
                encode(each, width=_WORST_WIDTH) for each in (real, shown, _difference(real, shown))
            ]
            kept.append(Worst(value, when, sequence, (pictures[0], pictures[1], pictures[2])))
            kept.sort(key=lambda each: each.ssim)


def encode(picture: NDArray[np.uint8], *, width: int) -> str:
    """Make a JPEG data URI of 'h w 3' RGB, no wider than `width`."""
    if picture.shape[1] > width:
        height = max(1, round(picture.shape[0] * width / picture.shape[1]))
        picture = resize_frame(picture, Size(height, width)).astype(np.uint8, copy=False)
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
    return f"data:image/jpeg;base64,{b64encode(data).decode('ascii')}"


def _levels(frame: Tensor) -> NDArray[np.uint8]:
    return to_levels(frame).cpu().numpy()


def _difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return cv2.convertScaleAbs(cv2.absdiff(one, other), alpha=_DIFFERENCE_GAIN).astype(np.uint8)


def _is_near(one: When, other: When) -> bool:
    """Whether two frames are of one block."""
    blocks = (one.frame // BLOCK_FRAMES, other.frame // BLOCK_FRAMES)
    return one.sequence == other.sequence and blocks[0] == blocks[1]
