"""Holes in pictures: 'h w' bool, True = to be generated."""

from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


class Hole(NamedTuple):
    """Unknown pixels that are filled together, and the box that holds them."""

    unknown: Tensor  # 'h w' bool, of the whole picture
    rows: slice
    columns: slice

    @property
    def longest_side(self) -> int:
        """Height or width of the box, px."""
        return max(self.rows.stop - self.rows.start, self.columns.stop - self.columns.start)


def grow(unknown: Tensor, radius: int) -> Tensor:
    """Let a mask grow by a disc.

    Args:
        unknown: 'h w' bool.
        radius: px; 0 = as it is.
    """
    if radius == 0 or not unknown.any():
        return unknown
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    grown = cv2.dilate(unknown.cpu().numpy().astype(np.uint8), disc)
    return torch.from_numpy(grown > 0).to(unknown.device)


def split_holes(unknown: Tensor, *, apart: int) -> list[Hole]:
    """Find the holes of a mask, from the top.

    Args:
        unknown: 'h w' bool.
        apart: pixels no further from each other than this, along either axis, are of one hole.

    Returns:
        Their boxes hold the hole and nothing more.
    """
    mask = unknown.cpu().numpy().astype(np.uint8)
    joined = cv2.dilate(mask, np.ones((apart + 1, apart + 1), np.uint8))
    count, labels = cv2.connectedComponents(joined, connectivity=8)
    holes: list[Hole] = []
    for label in range(1, count):
        own = (labels == label) & (mask > 0)
        rows, columns = (np.flatnonzero(own.any(axis=axis)) for axis in (1, 0))
        holes.append(
            Hole(
                torch.from_numpy(own).to(unknown.device),
                slice(int(rows[0]), int(rows[-1]) + 1),
                slice(int(columns[0]), int(columns[-1]) + 1),
            )
        )
    return holes


def shrink_mask(unknown: Tensor, size: tuple[int, int]) -> Tensor:
    """Bring a mask to a smaller size; a cell of which more than half is unknown is unknown.

    If any unknown pixel made its cell unknown, strokes would be so broad at a coarse level that
    little is known between them: PSNR of irregular holes was 0.9 dB less.

    Args:
        unknown: 'h w' bool.
        size: height and width, at most those of the mask.
    """
    return F.adaptive_avg_pool2d(unknown[None, None].float(), size)[0, 0] > 0.5


def widen_slice(part: slice, by: int, *, limit: int) -> slice:
    """Widen a range of rows or columns on both sides, within a picture that ends at `limit`."""
    return slice(max(part.start - by, 0), min(part.stop + by, limit))
