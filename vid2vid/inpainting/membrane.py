"""A membrane spanned over the holes of a picture: what fills them where nothing is learnt."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import cg
from torch import Tensor

from flow.completion import harmonic
from flow.laplace import Laplace

MOST_DIRECT = 100_000
"""Unknown pixels up to which the equation is factorised, in about 2 s and 200 MB; above, a coarse
solution is refined by conjugate gradients, which need memory only for the pixels themselves."""
_TOLERANCE = 1e-5  # of the residual of conjugate gradients, relative: below a level of 8 bits


def membrane(picture: Tensor, unknown: Tensor) -> Tensor:
    """Fill holes by Laplace's equation, free where they meet the edge; an `Inventor`.

    Args:
        picture: 'c h w', any range, any channels. What it holds at unknown pixels counts for
            nothing.
        unknown: 'h w' bool, True = to be filled.

    Returns:
        'c h w' within the range of the known values. Known pixels are those of `picture`, bit for
        bit; a linear ramp goes on through a hole. Where nothing is known, 0.
    """
    if not unknown.any():
        return picture
    mask = unknown.cpu().numpy()
    filled = _solve(picture.detach().cpu().double().numpy(), mask)
    result = picture.clone()
    result[:, unknown] = torch.from_numpy(filled).to(picture)
    return result


def _solve(values: NDArray[np.float64], unknown: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Find 'c n' for the unknown pixels of 'c h w'."""
    if unknown.all():
        return np.zeros((len(values), int(unknown.sum())))
    # Around their mean, so that a constant stays one exactly.
    level = values[:, ~unknown].mean(axis=1)[:, None]
    values = values - level[..., None]
    if unknown.sum() <= MOST_DIRECT:
        return Laplace(unknown, ~unknown).membrane(values) + level
    start = harmonic(values, unknown)[:, unknown]
    matrix, right = laplace_equation(values, unknown)
    return refine(matrix, right, begin=start, tolerance=_TOLERANCE, most_steps=500) + level


def refine(
    matrix: sparse.csr_matrix,
    sides: NDArray[np.float64],
    *,
    begin: NDArray[np.float64],
    tolerance: float,
    most_steps: int,
) -> NDArray[np.float64]:
    """Solve for 'c n' right sides by conjugate gradients, from a guess of the same shape."""
    return np.stack(
        [
            cg(matrix, side, x0=guess, rtol=tolerance, maxiter=most_steps)[0]
            for side, guess in zip(sides, begin, strict=True)
        ]
    )


def laplace_equation(
    values: NDArray[np.float64], unknown: NDArray[np.bool_]
) -> tuple[sparse.csr_matrix, NDArray[np.float64]]:
    """Set up Laplace's equation, 'n n', and its right sides, 'c n'."""
    count = int(unknown.sum())
    number = np.full(unknown.shape, -1, np.int64)
    number[unknown] = np.arange(count)
    degree, right = np.zeros(count), np.zeros((len(values), count))
    links: list[NDArray[np.int64]] = []
    for one, other in (
        ((slice(1, None), slice(None)), (slice(None, -1), slice(None))),
        ((slice(None), slice(1, None)), (slice(None), slice(None, -1))),
    ):
        for here, beside in ((one, other), (other, one)):
            own = number[here][unknown[here]]
            theirs = number[beside][unknown[here]]
            degree += np.bincount(own, minlength=count)
            links.append(np.stack([own, theirs])[:, theirs >= 0])
            at_rim = theirs < 0
            for side, plane in zip(right, values, strict=True):
                rim = plane[beside][unknown[here]][at_rim]
                side += np.bincount(own[at_rim], rim, minlength=count)
    row, column = np.concatenate(links, axis=1)
    inner = sparse.csr_matrix((np.full(len(row), -1.0), (row, column)), shape=(count, count))
    return (inner + sparse.diags(degree)).tocsr(), right
