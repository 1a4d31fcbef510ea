"""The display matrix of a video: how a player turns its frames upright, cameras being held so.

It is that of QuickTime (ISO/IEC 14496-12, 6.2.2): nine 32-bit numbers a b u, c d v, x y w, by which
a pixel at (x, y) is shown at (a x + c y, b x + d y).
"""

from pathlib import Path
from typing import cast

import numpy as np
from av import VideoFrame
from av.sidedata.sidedata import SideDataContainer, Type
from numpy.typing import NDArray

from vid2vid.errors import VideoError
from vid2vid.video.containers import source_name

_OBLIQUE = 0.01  # share of the smaller part of a direction from which it counts as no right angle


def turn_upright(rgb: NDArray[np.uint8], frame: VideoFrame, path: Path) -> NDArray[np.uint8]:
    """Turn and mirror a picture as its frame says that it is to be shown.

    Args:
        rgb: 'h w 3', the pixels of `frame` in the order in which they are stored.
        frame: As it comes out of the decoder.
        path: Its video, for a message.

    Returns:
        'h w 3', or 'w h 3' where it was turned to its side.

    Raises:
        VideoError: if it is to be shown at an angle that is no right one.
    """
    beside = cast(SideDataContainer, frame.side_data)
    if Type.DISPLAYMATRIX not in beside:
        return rgb
    matrix = np.frombuffer(bytes(beside[Type.DISPLAYMATRIX]), dtype=np.int32)
    (a, b), (c, d) = matrix.reshape(3, 3)[:2, :2].astype(np.float64)
    is_upright, is_lying = (
        abs(off[0]) + abs(off[1]) <= _OBLIQUE * (abs(on[0]) + abs(on[1]))
        for on, off in (((a, d), (b, c)), ((b, c), (a, d)))
    )
    if is_upright == is_lying:
        raise VideoError(
            f"a video must be turned by a right angle or not at all; {source_name(path)} is turned "
            f"by {np.degrees(np.arctan2(b, a)):.0f} degrees: encode it anew without its display "
            "matrix"
        )
    shown, (along_x, along_y) = (rgb, (a, d)) if is_upright else (rgb.transpose(1, 0, 2), (c, b))
    return np.ascontiguousarray(shown[:: -1 if along_y < 0 else 1, :: -1 if along_x < 0 else 1])
