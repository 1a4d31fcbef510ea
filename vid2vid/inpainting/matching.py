"""Nearest patches of features, by normalised correlation: a convolution, and the maximum over it.

Yang et al. 2017, section 3.4, and Li and Wand 2016, "Combining Markov Random Fields and
Convolutional Neural Networks", equation 3: the known patches are the filters of a convolution.
"""

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

Metric = Literal["correlation", "distance"]

CHUNK = 2048  # filters at a time: 4000 queries of them take 33 MB
_LEAST_LENGTH = 1e-8


class MatchOptions(NamedTuple):
    """How patches are cut and chosen."""

    size: int = 3  # cells, height and width (Yang et al. 2017, section 3.4)
    stride: int = 1  # cells between known patches; the released code has 2
    most: int = 12_000  # known patches of a layer; more are thinned out


class Patches(NamedTuple):
    """Squares cut out of feature maps."""

    values: Tensor  # 'n d', d = channels x size x size
    inverse: Tensor  # 'n', 1 / length: what normalises them


class Assignment(NamedTuple):
    """What the features of a window should be, by the patches chosen for it.

    The mean of squared distances of overlapping patches depends on their mean at each cell alone,
    but for a constant; so the patches need not be kept.
    """

    target: Tensor  # 'c h w', the mean of the chosen patches that cover a cell
    weight: Tensor  # '1 h w', how many do
    spread: Tensor  # '', squared distances of the chosen patches from the target, summed
    num_windows: int  # that patches were chosen for


def touching(unknown: Tensor, size: int) -> Tensor:
    """Tell which windows of size x size cells hold an unknown one: 'h-size+1 w-size+1' bool."""
    return F.max_pool2d(unknown[None, None].float(), size, stride=1)[0, 0] > 0


def cut_patches(features: Tensor, wanted: Tensor, *, size: int) -> Tensor:
    """Cut windows out of features.

    Args:
        features: 'c h w'.
        wanted: 'h-size+1 w-size+1' bool, by their first cell.
        size: of a window, cells.

    Returns:
        'n d', in the order of the rows.
    """
    windows = features.unfold(1, size, 1).unfold(2, size, 1)
    rows, columns = wanted.nonzero(as_tuple=True)
    return windows[:, rows, columns].transpose(0, 1).flatten(1)


def make_patches(values: Tensor) -> Patches:
    """Prepare 'n d' patches to be matched against."""
    return Patches(values, 1 / values.norm(dim=1).clamp_min(_LEAST_LENGTH))


def thin(wanted: Tensor, *, stride: int, most: int) -> Tensor:
    """Choose of the wanted windows those on a grid, the last row and column included.

    Args:
        wanted: 'h w' bool.
        stride: cells between rows and columns; it grows while too many are left.
        most: windows that may be left.
    """
    while True:
        rows, columns = (_is_on_grid(side, stride, wanted) for side in wanted.shape)
        chosen = wanted & rows[:, None] & columns[None]
        if int(chosen.sum()) <= most or stride >= max(wanted.shape):
            return chosen
        stride += 1


def _is_on_grid(side: int, stride: int, like: Tensor) -> Tensor:
    index = torch.arange(side, device=like.device)
    return (index % stride == 0) | (index == side - 1)


@torch.no_grad()
def match(
    queries: Tensor, patches: Patches, *, metric: Metric = "correlation", chunk: int = CHUNK
) -> Tensor:
    """Find for every query the nearest patch: in direction, or in squared distance.

    The length of a query changes no maximum, and is not divided by.

    Args:
        queries: 'm d'.
        patches: at least one; of equals the first is chosen.
        metric: what is nearest.
        chunk: patches that are compared at a time.

    Returns:
        'm' int64, numbers of patches.
    """
    best = queries.new_full((len(queries),), -torch.inf)
    found = torch.zeros(len(queries), dtype=torch.int64, device=queries.device)
    for start in range(0, len(patches.values), chunk):
        part = slice(start, start + chunk)
        values = patches.values[part]
        if metric == "correlation":
            scores = queries @ (values * patches.inverse[part, None]).T
        else:
            scores = torch.addmm(values.square().sum(dim=1) / -2, queries, values.T)
        score, index = scores.max(dim=1)
        is_better = score > best
        best = torch.where(is_better, score, best)
        found = torch.where(is_better, index + start, found)
    return found


@torch.no_grad()
def assign(features: Tensor, wanted: Tensor, patches: Patches, *, size: int) -> Assignment:
    """Choose the nearest patch for every wanted window, and lay them over one another.

    Args:
        features: 'c h w'.
        wanted: 'h-size+1 w-size+1' bool, at least one.
        patches: what is chosen from.
        size: of a window, cells.
    """
    queries = cut_patches(features, wanted, size=size)
    chosen = patches.values[match(queries, patches)]
    target, weight = overlay(chosen, wanted, size=size)
    spread = (chosen - cut_patches(target, wanted, size=size)).square().sum()
    return Assignment(target, weight, spread, int(wanted.sum()))


def overlay(
    chosen: Tensor, wanted: Tensor, *, size: int, kernel: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Lay patches over one another.

    Args:
        chosen: 'm d'.
        wanted: 'h-size+1 w-size+1' bool, where their first cells lie, in the order of the rows.
        size: of a patch, cells.
        kernel: 'size size' above 0, how much each cell of a patch counts; None = alike.

    Returns:
        Their mean at each cell, 'c h w', 0 where there is none; and how many there are, or the sum
        of what they count, '1 h w'.
    """
    side = (wanted.shape[0] + size - 1, wanted.shape[1] + size - 1)
    if kernel is None:
        kernel = torch.ones(size, size, device=chosen.device)
    share = kernel.flatten()
    cells = torch.zeros(chosen.shape[1], wanted.numel(), device=chosen.device)
    cells[:, wanted.flatten()] = (chosen.unflatten(1, (-1, len(share))) * share).flatten(1).T
    weight = F.fold((wanted.flatten().float() * share[:, None])[None], side, size)[0]
    total = F.fold(cells[None], side, size)[0]
    return torch.where(weight > 0, total / weight.clamp_min(1e-12), 0), weight


def texture_energy(features: Tensor, assignment: Assignment) -> Tensor:
    """Compute the mean squared distance of patches from those chosen for them (section 3.4).

    Args:
        features: 'c h w', of the same window.
        assignment: which patches are constants of.

    Returns:
        '', at least 0.
    """
    apart = (assignment.weight * (features - assignment.target).square()).sum()
    return (apart + assignment.spread) / assignment.num_windows
