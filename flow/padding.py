"""Pad a picture to the multiple that a network needs, and crop it back."""

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Padding(NamedTuple):
    """Pixels added on each side of a picture."""

    left: int
    right: int
    top: int
    bottom: int

    def pad(self, tensor: Tensor, *, mode: Literal["replicate", "zeros"] = "replicate") -> Tensor:
        """Add the pixels.

        Unlike `torch.nn.functional.pad`, replicates integers too and any number of leading axes.

        Args:
            tensor: '... h w' of any dtype.
            mode: "replicate" repeats the border pixel, "zeros" adds zeros.

        Returns:
            '... top+h+bottom left+w+right'.

        Raises:
            ValueError: if `mode` is neither of the two.
        """
        if mode == "zeros":
            return F.pad(tensor, tuple(self))
        if mode != "replicate":
            raise ValueError(f"mode must be 'replicate' or 'zeros'; got {mode!r}")
        return _replicate(_replicate(tensor, -1, self.left, self.right), -2, self.top, self.bottom)

    def padded_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the height and width of a padded picture."""
        return height + self.top + self.bottom, width + self.left + self.right

    def crop(self, tensor: Tensor) -> Tensor:
        """Take the pixels away again: the inverse of `pad`.

        Args:
            tensor: '... top+h+bottom left+w+right'.

        Returns:
            '... h w', a view.
        """
        height, width = tensor.shape[-2:]
        return tensor[..., self.top : height - self.bottom, self.left : width - self.right]


def pad_to_multiple(height: int, width: int, multiple: int) -> Padding:
    """Find the padding that makes both sides multiples of a number.

    The rest is split evenly between the two sides; of an odd rest, the bottom or the right side
    gets the pixel more.

    Raises:
        ValueError: if a size or the multiple is less than 1.
    """
    if min(height, width, multiple) < 1:
        raise ValueError(
            "height, width and multiple must be at least 1; "
            f"got height {height}, width {width}, multiple {multiple}"
        )
    rows, columns = -height % multiple, -width % multiple
    left, top = columns // 2, rows // 2
    return Padding(left=left, right=columns - left, top=top, bottom=rows - top)


def _replicate(tensor: Tensor, axis: int, before: int, after: int) -> Tensor:
    """Repeat the first and the last slice along one axis."""
    if before == after == 0:
        return tensor
    last = tensor.shape[axis] - 1
    first_slice, last_slice = tensor.narrow(axis, 0, 1), tensor.narrow(axis, last, 1)
    return torch.cat([*[first_slice] * before, tensor, *[last_slice] * after], dim=axis)
