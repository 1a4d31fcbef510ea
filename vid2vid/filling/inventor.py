"""What makes up pixels that no frame shows: an inpainter, an extrapolator, or a membrane."""

from typing import Protocol

import torch
from torch import Tensor


class Inventor(Protocol):
    """Anything that fills the unknown pixels of one picture."""

    def __call__(self, picture: Tensor, unknown: Tensor, /) -> Tensor:
        """Fill a picture; the same call gives the same bits, for any size and any mask.

        Args:
            picture: '3 h w', RGB in [-1, 1]. What it holds at unknown pixels counts for nothing.
            unknown: 'h w', bool; True = to be generated.

        Returns:
            '3 h w' in [-1, 1]. Known pixels are those of `picture`, bit for bit.
        """
        ...


def invent(inventor: Inventor, picture: Tensor, unknown: Tensor) -> Tensor:
    """Ask an inventor, and hold it to its promise.

    Args:
        inventor: what fills.
        picture: '3 h w', RGB in [-1, 1].
        unknown: 'h w', bool; True = to be generated.

    Returns:
        '3 h w' in [-1, 1], on the device of `picture`. Where nothing is unknown `picture` itself.

    Raises:
        ValueError: if mask and picture do not fit, all of the picture is unknown, or the inventor
            changed known pixels, the size, or left a value that is not finite.
    """
    if picture.ndim != 3 or unknown.shape != picture.shape[1:] or unknown.dtype != torch.bool:
        raise ValueError(
            "unknown must be 'h w' bool of the picture's h and w; "
            f"got {tuple(unknown.shape)} {unknown.dtype} for picture {tuple(picture.shape)}"
        )
    if not unknown.any():
        return picture
    filled = inventor(picture, unknown).to(picture.device)
    if filled.shape != picture.shape or not filled.isfinite().all():
        raise ValueError(
            f"an inventor must return finite values of shape {tuple(picture.shape)}; "
            f"got {tuple(filled.shape)}"
        )
    if not torch.equal(filled[:, ~unknown], picture[:, ~unknown]):
        raise ValueError("an inventor must return known pixels bit for bit; it changed some")
    return filled
