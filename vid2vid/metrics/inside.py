"""Judge what was filled in: likeness and sharpness within a mask, and nothing beyond it."""

import torch
from torch import Tensor

from vid2vid.metrics.image import check_pair, luma
from vid2vid.metrics.similarity import WINDOW, ssim_windows


def psnr_inside(frame: Tensor, real: Tensor, mask: Tensor) -> Tensor:
    """Measure the peak signal-to-noise ratio within a mask; the peak is the whole range of 2.

    Args:
        frame: 'b 3 h w' in [-1, 1].
        real: 'b 3 h w' in [-1, 1].
        mask: 'b 1 h w' or '1 1 h w'; counts where it is above 0.

    Returns:
        'b', dB; infinite where the two are equal, not a number where the mask is empty.

    Raises:
        ValueError: if the shapes differ.
    """
    check_pair(frame, real)
    where = _check_mask(frame, mask)
    squares = (frame.double() - real.double()).square().mean(dim=1, keepdim=True)
    error = (squares * where).sum(dim=(1, 2, 3)) / where.sum(dim=(1, 2, 3))
    return (10 * torch.log10(4 / error)).float()


def ssim_inside(frame: Tensor, real: Tensor, mask: Tensor) -> Tensor:
    """Measure the structural similarity of windows whose middle lies within a mask.

    Pixels nearer than 5 px to the edge of the frame are the middle of none.

    Args:
        frame: 'b 3 h w' in [-1, 1], at least 11 pixels a side.
        real: 'b 3 h w' in [-1, 1].
        mask: as in `psnr_inside`.

    Returns:
        'b', at most 1; not a number where no window counts. No gradient.

    Raises:
        ValueError: if the shapes differ or a side is shorter than the window.
    """
    check_pair(frame, real)
    edge = WINDOW // 2
    where = _check_mask(frame, mask)[:, 0, edge:-edge, edge:-edge].bool().cpu().numpy()
    pairs = zip(frame, real, where, strict=True)
    values = [ssim_windows(one, other)[own] for one, other, own in pairs]
    return torch.tensor([own.mean() if own.size else torch.nan for own in values])


def gradient_energy_inside(frame: Tensor, mask: Tensor) -> Tensor:
    """Measure sharpness within a mask, as `gradient_energy` does, from pairs that both lie there.

    Args:
        frame: 'b 3 h w' in [-1, 1].
        mask: as in `psnr_inside`.

    Returns:
        'b', with the luma in [0, 1]; not a number where there is no pair.

    Raises:
        ValueError: if the shapes differ.
    """
    where, light = _check_mask(frame, mask), luma(frame)
    total = torch.zeros(len(frame), device=frame.device)
    for axis in (2, 3):
        count = frame.shape[axis] - 1
        both = where.narrow(axis, 0, count) * where.narrow(axis, 1, count)
        squares = light.diff(dim=axis).square() * both
        total = total + squares.sum(dim=(1, 2, 3)) / both.sum(dim=(1, 2, 3))
    return total


def _check_mask(frame: Tensor, mask: Tensor) -> Tensor:
    """Check a mask, and return it for every frame: 'b 1 h w', 0 or 1."""
    fits = mask.ndim == 4 and mask.shape[0] in (1, len(frame)) and mask.shape[1] == 1
    if not fits or mask.shape[2:] != frame.shape[2:]:
        raise ValueError(
            f"mask must be 'b 1 h w' of the frames' size; got {tuple(mask.shape)} for frames "
            f"{tuple(frame.shape)}"
        )
    return (mask > 0).to(frame.device, torch.float32).expand(len(frame), -1, -1, -1)
