"""Judge single frames: against a real one, or by their own sharpness and contrast.

Their structure is compared in `similarity`.
"""

import kornia
import torch
from torch import Tensor


def psnr(frame: Tensor, real: Tensor) -> Tensor:
    """Measure the peak signal-to-noise ratio of each frame; the peak is the whole range of 2.

    Args:
        frame: 'b 3 h w' in [-1, 1].
        real: 'b 3 h w' in [-1, 1].

    Returns:
        'b', dB; infinite where the two are equal.

    Raises:
        ValueError: if the shapes differ.
    """
    check_pair(frame, real)
    # kornia pools the error of a batch, so the frames go one by one.
    pairs = zip(frame.float(), real.float(), strict=True)
    return torch.stack([kornia.metrics.psnr(one, other, max_val=2.0) for one, other in pairs])


def gradient_energy(frame: Tensor) -> Tensor:
    """Measure sharpness: the mean squared difference of the luma to the right and downward.

    Args:
        frame: 'b 3 h w' in [-1, 1], at least 2 pixels a side.

    Returns:
        'b', the sum of the two means, with the luma in [0, 1]. Blur lowers it, noise raises it.

    Raises:
        ValueError: if the frame is not 'b 3 h w' or smaller than 2 x 2.
    """
    light = luma(frame)
    if min(light.shape[2:]) < 2:
        raise ValueError(f"frame must have 2 pixels a side or more; got {tuple(frame.shape)}")
    rightward = light.diff(dim=3).square().mean(dim=(1, 2, 3))
    downward = light.diff(dim=2).square().mean(dim=(1, 2, 3))
    return rightward + downward


def contrast(frame: Tensor) -> Tensor:
    """Measure the contrast: the standard deviation of the luma (RMS contrast, Peli 1990).

    Args:
        frame: 'b 3 h w' in [-1, 1].

    Returns:
        'b' in [0, 0.5], with the luma in [0, 1]: 0 is a flat frame, 0.5 half black, half white.

    Raises:
        ValueError: if the frame is not 'b 3 h w'.
    """
    return luma(frame).std(dim=(1, 2, 3), correction=0)


def check_pair(frame: Tensor, real: Tensor) -> None:
    """Check that frames and their real ones fit each other.

    Raises:
        ValueError: unless both are 'b 3 h w' of one size.
    """
    if frame.ndim != 4 or frame.shape[1] != 3 or frame.shape != real.shape:
        raise ValueError(
            "frame and real must be 'b 3 h w' of one size; "
            f"got {tuple(frame.shape)} and {tuple(real.shape)}"
        )


def luma(frame: Tensor) -> Tensor:
    """Reduce 'b 3 h w' in [-1, 1] to BT.601 luma in [0, 1]: 'b 1 h w'.

    Raises:
        ValueError: if the frame is not 'b 3 h w'.
    """
    if frame.ndim != 4 or frame.shape[1] != 3:
        raise ValueError(f"frame must be 'b 3 h w'; got {tuple(frame.shape)}")
    return kornia.color.rgb_to_grayscale((frame.float() + 1) / 2)
