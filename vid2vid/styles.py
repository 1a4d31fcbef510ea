"""Which style features go where: drawn from tables of every class, or taken from a photo.

A style is a vector of as many numbers as the generator has feature channels. It is painted over a
whole region, usually an instance, whose class is that of most of its pixels.
"""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

NUM_IDS = 256  # values of a label map


class StyleSource(Protocol):
    """Paints the style features of a frame."""

    def paint(self, labels: Tensor, regions: Tensor) -> Tensor:
        """Give every region its style.

        Args:
            labels: 'b h w', integer class ids, 255 = ignore.
            regions: 'b h w', integer ids of what shares one style, none negative.

        Returns:
            'b c h w', float32; 0 where there is no style.
        """
        ...


class Styles(NamedTuple):
    """Tables of styles by class, of which every region draws one row."""

    channels: int
    tables: Mapping[int, Tensor]  # class id -> 'n c'
    seed: int = 0

    def paint(self, labels: Tensor, regions: Tensor) -> Tensor:
        """Give every region a row of its class; see `StyleSource`.

        The row follows from the seed and the id of the region, so that it stays over a video. A
        class without rows gets zeros.
        """
        return _paint(self, labels, regions)

    def vector(self, region: int, label: int) -> Tensor | None:
        """Return the style 'c' of a region of a class, or None where there is none."""
        table = self.tables.get(label)
        if table is None or not len(table):
            return None
        return table[int(np.random.default_rng((self.seed, region)).integers(len(table)))]


class PhotoStyles(NamedTuple):
    """The styles of one photo: those of its regions, and their means by class."""

    channels: int
    by_region: Mapping[int, Tensor]  # region id -> 'c'
    by_class: Mapping[int, Tensor]  # class id -> 'c'

    def paint(self, labels: Tensor, regions: Tensor) -> Tensor:
        """Give every region its own style of the photo, else that of its class, else zeros.

        With the layout of the photo itself, that is what the encoder made of it.
        """
        return _paint(self, labels, regions)

    def vector(self, region: int, label: int) -> Tensor | None:
        """Return the style 'c' of a region of a class, or None where there is none."""
        own = self.by_region.get(region)
        return self.by_class.get(label) if own is None else own


def photo_styles(features: Tensor, regions: Tensor, labels: Tensor | None = None) -> PhotoStyles:
    """Gather the styles of a photo.

    Args:
        features: 'c h w', every region holding its mean.
        regions: 'h w', integer ids of what shares one style.
        labels: 'h w', class ids; None knows regions alone.
    """
    pixels = features.flatten(1)
    ids = regions.flatten()
    own = {int(each): pixels[:, ids == each][:, 0] for each in torch.unique(ids)}
    means: dict[int, Tensor] = {}
    if labels is not None:
        classes = labels.flatten()
        means = {int(each): pixels[:, classes == each].mean(1) for each in torch.unique(classes)}
    return PhotoStyles(len(features), own, means)


def _paint(source: Styles | PhotoStyles, labels: Tensor, regions: Tensor) -> Tensor:
    """Paint every picture of a batch."""
    pairs = zip(labels, regions, strict=True)
    return torch.stack([_paint_one(source, *pair) for pair in pairs])


def _paint_one(source: Styles | PhotoStyles, labels: Tensor, regions: Tensor) -> Tensor:
    """Paint 'h w' to 'c h w'."""
    found, places = torch.unique(regions.long(), return_inverse=True)
    votes = torch.bincount((places * NUM_IDS + labels.long()).flatten(), minlength=1)
    counts = votes.new_zeros(len(found) * NUM_IDS)
    counts[: len(votes)] = votes
    classes = counts.view(-1, NUM_IDS).argmax(1)
    rows = torch.zeros(len(found), source.channels, device=labels.device)
    for index, (region, label) in enumerate(zip(found.tolist(), classes.tolist(), strict=True)):
        style = source.vector(region, label)
        if style is not None:
            rows[index] = style
    return rows[places].permute(2, 0, 1)
