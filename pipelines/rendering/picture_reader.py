"""Read the pictures that some generators take in place of label maps."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vid2vid.video.reading import read_image

RENDERABLE_CHANNELS = (1, 3)  # grey and colour; of other counts no file is a picture


class PictureReader:
    """Gives pictures as they are, and of one channel their light."""

    far_share = 0.0  # of the pixels: there is no palette that they could be far from

    def __init__(self, channels: int) -> None:
        """Make a reader of pictures of 1 or 3 channels."""
        self._is_grey = channels == 1

    def from_image(self, path: str | Path) -> NDArray[np.uint8]:
        """Read 'h w 3' from a picture.

        Raises:
            VideoError: if it cannot be read.
        """
        return self.from_colours(read_image(path), str(path))

    def from_colours(self, rgb: NDArray[np.uint8], where: str) -> NDArray[np.uint8]:
        """Return 'h w 3' uint8; of one channel all three are the light (ITU-R BT.601)."""
        del where
        if not self._is_grey:
            return rgb
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        return np.repeat(grey[..., None], 3, axis=2).astype(np.uint8)
