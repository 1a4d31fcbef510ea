"""Which style features go where: drawn from tables of every class, or taken from a photo.

A style is a vector of as many numbers as the generator has feature channels. It is painted over a
whole region, usually an instance, whose class is that of most of its pixels.
"""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from vid2vid.errors import DataError
from vid2vid.labels.palettes import ID_IGNORE
from vid2vid.networks.feature_encoder import instance_mean
from vid2vid.regions import Regions, count_classes, find_regions

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


class ChosenStyles(NamedTuple):
    """Styles that were chosen for some regions and classes; the rest is left to another source."""

    rest: Styles | PhotoStyles
    by_region: Mapping[int, Tensor | int]  # region id -> 'c', or a row of the table of its class
    by_class: Mapping[int, Tensor]  # class id -> 'c'; regions go before their class
    tables: Mapping[int, Tensor]  # class id -> 'n c', for rows

    @property
    def channels(self) -> int:
        """Numbers of a style."""
        return self.rest.channels

    def paint(self, labels: Tensor, regions: Tensor) -> Tensor:
        """Give every region what was chosen for it, else for its class; see `StyleSource`.

        Raises:
            DataError: if a row was chosen for a region that its class does not have.
        """
        return _paint(self, labels, regions)

    def vector(self, region: int, label: int) -> Tensor | None:
        """Return the style 'c' of a region of a class, or None where there is none.

        Raises:
            DataError: if a row was chosen that the class does not have.
        """
        own = self.by_region.get(region)
        if isinstance(own, int):
            return self._row(region, label, own)
        if own is None:
            own = self.by_class.get(label)
        return self.rest.vector(region, label) if own is None else own

    def _row(self, region: int, label: int, row: int) -> Tensor:
        table = self.tables.get(label)
        count = 0 if table is None else len(table)
        if table is None or not 0 <= row < count:
            there = f"styles 0 to {count - 1}" if count else "no styles"
            raise DataError(
                f"style {row} was picked for instance {region}; its class, {label}, has {there}: "
                "pick another"
            )
        return table[row]


class RegionStyles(NamedTuple):
    """The regions of some pictures with the style that the encoder gave each."""

    regions: Tensor  # 'n', ids as they were given
    labels: Tensor  # 'n', the class of most pixels of each, 255 = of none
    shares: Tensor  # 'n', of the pixels of its picture, (0, 1]
    styles: Tensor  # 'n c'


def region_styles(features: Tensor, regions: Tensor, labels: Tensor | None = None) -> RegionStyles:
    """Read off the style of every region.

    Args:
        features: 'b c h w', every region holding its mean.
        regions: 'b h w', integer ids of what shares one style.
        labels: 'b h w', class ids, 255 = ignore; None knows no classes.
    """
    found = find_regions(regions)
    pixels = features.transpose(0, 1).flatten(1)
    return RegionStyles(
        regions=found.ids,
        labels=torch.full_like(found.ids, ID_IGNORE)
        if labels is None
        else _majority(found, labels),
        shares=found.sizes / regions[0].numel(),
        styles=pixels.index_select(1, found.firsts).T,
    )


def photo_styles(features: Tensor, regions: Tensor, labels: Tensor | None = None) -> PhotoStyles:
    """Gather the styles of a photo.

    Args:
        features: 'c h w', every region holding its mean.
        regions: 'h w', integer ids of what shares one style.
        labels: 'h w', class ids; None knows regions alone.
    """
    own = region_styles(features[None], regions[None])
    means: dict[int, Tensor] = {}
    if labels is not None:
        classes = region_styles(instance_mean(features[None], labels[None]), labels[None])
        means = dict(zip(classes.regions.tolist(), classes.styles, strict=True))
    by_region = dict(zip(own.regions.tolist(), own.styles, strict=True))
    return PhotoStyles(len(features), by_region, means)


def _paint(source: Styles | PhotoStyles | ChosenStyles, labels: Tensor, regions: Tensor) -> Tensor:
    """Paint 'b h w' to 'b c h w'."""
    found = find_regions(regions)
    rows = torch.zeros(source.channels, len(found.ids), device=labels.device)
    classes = _majority(found, labels)
    for index, (region, label) in enumerate(zip(found.ids.tolist(), classes.tolist(), strict=True)):
        style = source.vector(region, label)
        if style is not None:
            rows[:, index] = style
    painted = rows.index_select(1, found.places.flatten())
    return painted.view(-1, *regions.shape).transpose(0, 1).contiguous()


def _majority(regions: Regions, labels: Tensor) -> Tensor:
    """Find the class of most pixels of each region, 'n'."""
    return count_classes(regions, labels, NUM_IDS).argmax(1)
