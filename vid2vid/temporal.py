"""Which frames a video discriminator looks at together (Wang et al. 2018, section 3.2)."""

from collections.abc import Sequence


def frame_stride(scale: int, window: int) -> int:
    """Return how many frames lie between neighbours at a temporal scale: window ** scale."""
    return window**scale


def window_indices(
    num_frames: int, num_new: int, *, window: int, stride: int
) -> list[tuple[int, ...]]:
    """List the windows that a chunk of new frames completes.

    Windows end at the newest frame and at every `window`-th frame before it, so that each new frame
    is judged about once, and none ends before the new frames begin.

    Args:
        num_frames: frames of the clip so far, the new ones included.
        num_new: how many of them are new.
        window: frames in a window.
        stride: frames between neighbours of a window.

    Returns:
        Indices into the frames so far, oldest first in each window, newest window first.
    """
    span = stride * (window - 1)
    first_end = max(span, num_frames - num_new)
    ends = range(num_frames - 1, first_end - 1, -window)
    return [tuple(range(end - span, end + 1, stride)) for end in ends]


def farthest_back(scales: int, window: int) -> int:
    """Return how many past frames the windows of all temporal scales reach back."""
    return max((frame_stride(s, window) * (window - 1) for s in range(scales)), default=0)


def strides(scales: int, window: int) -> Sequence[int]:
    """List the frame strides of all temporal scales, finest in time first."""
    return [frame_stride(scale, window) for scale in range(scales)]
