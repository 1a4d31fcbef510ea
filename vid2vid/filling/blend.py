"""Paint the unknown pixels of a frame from a recipe, with no seam in colour.

Neighbouring pixels keep the difference that the picture shows which they come from (Poisson
blending, Perez et al. 2003); where they come from different ones, the mean of what both show. The
correction that this asks for is exactly 0 where one picture fills a hole and fits its border.
"""

import numpy as np
import torch
from torch import Tensor

from flow.laplace import OFFSETS, Laplace, Neighbours
from vid2vid.filling.recipes import Recipe, Sources

COHERENT_PX = 0.3
"""Two neighbours whose origins lie side by side up to this come from one place: no seam."""
COHERENT_SHARE = 0.1
"""And whose mixtures differ by at most this."""
ROBUST = 0.25
"""A border that differs by more than this, of a range of 2, is another object's, not a drift."""


class Blender:
    """Blends one frame after the other; holes that stay the same are factorised once."""

    def __init__(self) -> None:
        self._masks: tuple[Tensor, Tensor] | None = None
        self._laplace: Laplace | None = None

    def paint(self, frame: Tensor, recipe: Recipe, sources: Sources, *, known: Tensor) -> Tensor:
        """Paint the pixels of a frame that a recipe has colours for.

        Args:
            frame: '3 h w' in [-1, 1]; unchanged where it is known.
            recipe: of all its unknown pixels, in the order of the frame.
            sources: what the recipe's pixels are taken from.
            known: 'h w' bool.

        Returns:
            '3 h w' in [-1, 1]. Where the recipe has nothing, what `frame` holds.
        """
        found = recipe.found()
        if not found.any():
            return frame
        painted = ~known
        painted[~known] = found
        chosen = recipe.select(found)
        colours = chosen.colours(sources)
        right = _right_side(self._equation(painted, known), frame, chosen, colours, sources)
        correction = self._equation(painted, known).solve(right)
        result = frame.clone()
        result[:, painted] = (colours.T + torch.from_numpy(correction).float()).clamp(-1, 1)
        return result

    def _equation(self, painted: Tensor, known: Tensor) -> Laplace:
        before = self._masks
        same = before is not None and torch.equal(before[0], painted)
        if self._laplace is None or before is None or not (same and torch.equal(before[1], known)):
            self._masks = (painted, known.clone())
            self._laplace = Laplace(painted.numpy(), known.numpy())
        return self._laplace


def close_gaps(frame: Tensor, gaps: Tensor) -> Tensor:
    """Span slits of a few pixels by a membrane.

    Args:
        frame: '3 h w' in [-1, 1].
        gaps: 'h w' bool; all else is known.
    """
    if not gaps.any():
        return frame
    result = frame.clone()
    membrane = Laplace(gaps.numpy(), ~gaps.numpy()).membrane(frame.double().numpy())
    result[:, gaps] = torch.from_numpy(membrane).float().clamp(-1, 1)
    return result


def _right_side(
    laplace: Laplace,
    frame: Tensor,
    recipe: Recipe,
    colours: Tensor,
    sources: Sources,
) -> np.ndarray:
    """Say what correction the seams and the border ask for: 'c n'."""
    right = torch.zeros(3, len(colours), dtype=torch.float64)
    for offset, side in zip(OFFSETS, laplace.sides, strict=True):
        rim, gap = _border_gap(frame, recipe, sources, side=side, offset=offset)
        right.index_add_(1, rim, gap.T.double())
        if sum(offset) > 0:  # each pair of unknown pixels once
            one, other, jump = _seam_jump(recipe, colours, sources, side=side, offset=offset)
            right.index_add_(1, one, -jump.T.double())
            right.index_add_(1, other, jump.T.double())
    return right.numpy()


def _border_gap(
    frame: Tensor,
    recipe: Recipe,
    sources: Sources,
    *,
    side: Neighbours,
    offset: tuple[int, int],
) -> tuple[Tensor, Tensor]:
    """Compare known pixels with what the pictures beside them show in their place.

    Returns:
        Numbers of the unknown pixels, and 'k 3' how much lighter the frame is than the picture.
    """
    rim = torch.from_numpy(side.rim)
    true = frame.flatten(1)[:, torch.from_numpy(side.beside)].T
    gap = true - recipe.select(rim).colours(sources, offset=offset)
    # What no picture shows gives no reason to change anything.
    gap = gap.nan_to_num(nan=0.0)
    size = gap.abs().amax(dim=-1, keepdim=True)
    return rim, gap / (1 + (size / ROBUST) ** 4)


def _seam_jump(
    recipe: Recipe,
    colours: Tensor,
    sources: Sources,
    *,
    side: Neighbours,
    offset: tuple[int, int],
) -> tuple[Tensor, Tensor, Tensor]:
    """Find how far neighbours differ from what one picture would show: numbers, and 'm 3'."""
    one, other = torch.from_numpy(side.inner), torch.from_numpy(side.other)
    seam = ~_is_coherent(recipe.select(one), recipe.select(other), offset)
    one, other = one[seam], other[seam]
    ahead = recipe.select(one).colours(sources, offset=offset) - colours[one]
    behind = recipe.select(other).colours(sources, offset=(-offset[0], -offset[1]))
    steps = torch.stack((ahead, colours[other] - behind))
    jump = steps.nanmean(dim=0) - (colours[other] - colours[one])
    return one, other, jump.nan_to_num(nan=0.0)


def _is_coherent(one: Recipe, other: Recipe, offset: tuple[int, int]) -> Tensor:
    """Tell which neighbours come from one place: 'm' bool."""
    step = torch.tensor(offset, dtype=torch.float32)
    coherent = (one.share - other.share).abs() <= COHERENT_SHARE
    for here, there in ((one.first, other.first), (one.second, other.second)):
        drift = (there.position - here.position - step).abs().amax(dim=-1)
        absent = ~here.found() & ~there.found()
        coherent &= (here.frame == there.frame) & (absent | (drift <= COHERENT_PX))
    return coherent
