"""Regions of pictures, such as instances: which there are, where, and means over them.

Neighbours mostly belong to one region, so that everything is found by runs of equal ids along the
rows: of two million pixels a street has some ten thousand runs, and only those are sorted.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

BLOCK = 2**17
"""Pixels that are worked on at a time on a CPU: fresh memory costs more than the arithmetic."""


class Regions(NamedTuple):
    """The regions of some pictures; those of different pictures are different ones."""

    ids: Tensor  # 'n', as they were given, rising within each picture, one picture after the other
    pictures: Tensor  # 'n', the picture that each lies in
    sizes: Tensor  # 'n', pixels
    firsts: Tensor  # 'n', index of the first pixel of each, in 'b h w' laid out in a row
    run_regions: Tensor  # 'r', index of the region that each run belongs to
    run_lengths: Tensor  # 'r', pixels
    block_ends: tuple[tuple[int, int], ...]  # of each block: pixels, and runs, up to its end
    shape: torch.Size  # 'b h w'

    @property
    def places(self) -> Tensor:
        """Index of the region of every pixel, 'b h w'."""
        return self.spread(torch.arange(len(self.ids), device=self.ids.device))

    def spread(self, values: Tensor) -> Tensor:
        """Give every pixel the value of its region: from 'n' to 'b h w'."""
        pixels = values.new_empty(self.shape.numel())
        runs = values.index_select(0, self.run_regions)
        for own_pixels, own_runs in self._blocks():
            lengths, count = self.run_lengths[own_runs], own_pixels.stop - own_pixels.start
            pixels[own_pixels] = torch.repeat_interleave(runs[own_runs], lengths, output_size=count)
        return pixels.view(self.shape)

    def sum(self, values: Tensor) -> Tensor:
        """Add up the values of the pixels of every region: from 'b h w' to 'n', float64."""
        pixels = values.reshape(-1)
        runs = [
            torch.segment_reduce(
                pixels[own_pixels].double(), "sum", lengths=self.run_lengths[own_runs]
            )
            for own_pixels, own_runs in self._blocks()
        ]
        sums = runs[0].new_zeros(len(self.ids))
        return sums.index_add(0, self.run_regions, torch.cat(runs))

    def _blocks(self) -> Iterator[tuple[slice, slice]]:
        """List the pixels and runs of every block."""
        for (pixel, run), (next_pixel, next_run) in pairwise(((0, 0), *self.block_ends)):
            yield slice(pixel, next_pixel), slice(run, next_run)


def find_regions(ids: Tensor) -> Regions:
    """Find the regions of pictures.

    Args:
        ids: 'b h w', integers: pixels of a picture with one id are one region.
    """
    own = ids.reshape(len(ids), -1)
    num_pixels = own.numel()
    block = BLOCK if ids.device.type == "cpu" else num_pixels
    is_start = torch.ones_like(own, dtype=torch.bool)
    torch.ne(own[:, 1:], own[:, :-1], out=is_start[:, 1:])
    is_start.view(-1)[::block] = True
    starts = is_start.flatten().nonzero().flatten()
    lengths = torch.diff(starts, append=starts.new_tensor([num_pixels]))
    run_ids = own.flatten().index_select(0, starts).long()
    low, high = (int(each) for each in run_ids.aminmax())
    span = high - low + 1  # so that ids of different pictures differ
    codes = starts // own.shape[1] * span + run_ids - low
    found, run_regions = torch.unique(codes, return_inverse=True)
    firsts = starts.new_full((len(found),), num_pixels)
    ends = [*range(block, num_pixels, block), num_pixels]
    run_ends = torch.searchsorted(starts, starts.new_tensor(ends)).tolist()
    return Regions(
        ids=found % span + low,
        pictures=found // span,
        sizes=lengths.new_zeros(len(found)).index_add(0, run_regions, lengths),
        firsts=firsts.scatter_reduce(0, run_regions, starts, "amin"),
        run_regions=run_regions,
        run_lengths=lengths,
        block_ends=tuple(zip(ends, run_ends, strict=True)),
        shape=ids.shape,
    )


def count_classes(regions: Regions, labels: Tensor, num_labels: int) -> Tensor:
    """Count the pixels of every class in every region.

    Args:
        regions: of pictures 'b h w'.
        labels: 'b h w', integers below `num_labels`.
        num_labels: k.

    Returns:
        'n k', int64.
    """
    codes = regions.places * num_labels + labels.long()
    counts = torch.bincount(codes.flatten(), minlength=len(regions.ids) * num_labels)
    return counts.view(-1, num_labels)


def region_means(features: Tensor, regions: Regions) -> Tensor:
    """Give every pixel the mean of the features of its region.

    Args:
        features: 'b c h w', any range; sums are of float64.
        regions: of pictures 'b h w'.

    Returns:
        'b c h w', contiguous.
    """
    return _RegionMeans.apply(features, regions)  # pyright: ignore[reportReturnType]


class _RegionMeans(torch.autograd.Function):
    """The mean over every region. As a matrix it is symmetric, so that it is its own gradient."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, regions: Regions) -> Tensor:  # noqa: ANN401 - torch's
        ctx.regions = regions
        return _means(features, regions)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride] - of the decorator
        ctx: Any,  # noqa: ANN401 - torch's
        *grad_outputs: Tensor,
    ) -> tuple[Tensor, None]:
        return _means(grad_outputs[0], ctx.regions), None


def _means(features: Tensor, regions: Regions) -> Tensor:
    """Compute the means channel by channel."""
    means = features.new_empty(features.shape[1], *regions.shape)
    for channel, own in enumerate(means):
        sums = regions.sum(features[:, channel])
        own.copy_(regions.spread((sums / regions.sizes).to(means.dtype)))
    return means.transpose(0, 1).contiguous()
