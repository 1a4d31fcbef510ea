"""Label painting: fill every class with its mean colour, the least that a model must beat."""

import torch
from torch import Tensor

from vid2vid.labels.palettes import ID_IGNORE


def mean_colours(frames: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """Average the colour of each class over frames.

    Args:
        frames: 't 3 h w' in [-1, 1].
        labels: 't h w', integer ids below `num_classes`, or 255 = ignore.
        num_classes: k.

    Returns:
        'k+1 3' in [-1, 1]: the classes and, last, the mean of all pixels, which ignored pixels
        take. A class that is never seen has that mean too.

    Raises:
        ValueError: if the shapes do not fit or an id is neither a class nor 255.
    """
    if frames.ndim != 4 or frames.shape[1] != 3 or frames[:, 0].shape != labels.shape:
        raise ValueError(
            "frames must be 't 3 h w' and labels 't h w' of the same size; "
            f"got {tuple(frames.shape)} and {tuple(labels.shape)}"
        )
    ids = _ids(labels, num_classes).flatten()
    pixels = frames.movedim(1, -1).reshape(-1, 3).double()
    sums = pixels.new_zeros(num_classes + 1, 3).index_add(0, ids, pixels)
    counts = torch.bincount(ids, minlength=num_classes + 1)[:, None]
    overall = pixels.mean(dim=0)
    colours = torch.where(counts > 0, sums / counts.clamp(min=1), overall)
    colours[num_classes] = overall
    return colours.to(frames.dtype)


def paint(labels: Tensor, colours: Tensor) -> Tensor:
    """Paint every pixel in the mean colour of its class.

    Args:
        labels: 't h w', integer ids of the classes, or 255 = ignore.
        colours: 'k+1 3' in [-1, 1] from `mean_colours`; the last is that of ignored pixels.

    Returns:
        't 3 h w' in [-1, 1].

    Raises:
        ValueError: if an id is neither a class nor 255.
    """
    return colours[_ids(labels, len(colours) - 1)].movedim(-1, 1)


def _ids(labels: Tensor, num_classes: int) -> Tensor:
    """Widen to int64 and put `num_classes` in place of ignored pixels."""
    ids = labels.long()
    is_ignored = ids == ID_IGNORE
    if (((ids < 0) | (ids >= num_classes)) & ~is_ignored).any():
        raise ValueError(
            f"labels must be ids from 0 to {num_classes - 1}, or {ID_IGNORE} = ignore; "
            f"got ids from {int(labels.min())} to {int(labels.max())}"
        )
    return torch.where(is_ignored, num_classes, ids)
