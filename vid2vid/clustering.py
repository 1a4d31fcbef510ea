"""Styles of every class: K-means over the features of its instances (Wang et al. 2018, CVPR)."""

import warnings
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2

RESTARTS = 4
"""Clusterings of a class, of which the tightest is kept: one may end in a poor place."""
_ITERATIONS = 50

Floats = NDArray[np.float32]


class Clusters(NamedTuple):
    """The clusters of one class, the largest first."""

    centres: Floats  # 'k c'
    sizes: NDArray[np.int64]  # 'k', rows in each
    members: NDArray[np.int64]  # 'n', the cluster of every row
    nearest: NDArray[np.int64]  # 'k', the row that is nearest to each centre
    spread: float  # root mean square distance of the rows from their mean
    within: float  # the same from the centres of their clusters


def cluster_classes(rows: Mapping[int, Floats], count: int, *, seed: int) -> dict[int, Clusters]:
    """Cluster the rows of every class by itself.

    Args:
        rows: 'n c' by class id, n at least 1.
        count: clusters of a class, at most.
        seed: of the first centres; what a class gets does not depend on the others.
    """
    return {
        label: cluster(rows[label], count, rng=np.random.default_rng((seed, label)))
        for label in sorted(rows)
    }


def cluster(rows: Floats, count: int, *, rng: np.random.Generator) -> Clusters:
    """Find clusters by K-means, in float64, from centres that K-means++ draws.

    Args:
        rows: 'n c', n at least 1.
        count: how many; no more than there are different rows, and none is empty.
        rng: draws the first centres.

    Raises:
        ValueError: if there is no row, or `count` is below 1.
    """
    if rows.ndim != 2 or not len(rows) or count < 1:
        raise ValueError(
            f"clusters need rows 'n c' and a count of at least 1; got {rows.shape} and {count}"
        )
    wide = rows.astype(np.float64)
    different = np.unique(wide, axis=0)
    centres = different
    if count < len(different):
        tried = [_kmeans(wide, count, rng) for _ in range(RESTARTS)]
        centres = min(tried, key=lambda found: float(_distances(wide, found).min(1).sum()))
    members = _distances(wide, centres).argmin(1)
    sizes = np.bincount(members, minlength=len(centres))
    order = np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes)]
    centres = centres[order]
    distances = _distances(wide, centres)
    return Clusters(
        centres=centres.astype(np.float32),
        sizes=sizes[order],
        members=distances.argmin(1),
        nearest=distances.argmin(0),
        spread=float(np.sqrt(_distances(wide, wide.mean(0, keepdims=True)).mean())),
        within=float(np.sqrt(distances.min(1).mean())),
    )


def _kmeans(rows: NDArray[np.float64], count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Find centres once; some may be of empty clusters, of which scipy warns."""
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        centres, _ = kmeans2(rows, count, iter=_ITERATIONS, minit="++", rng=rng)
    return np.asarray(centres)


def _distances(rows: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Find the squared distance of every row from every centre, 'n k'."""
    return np.stack([np.square(rows - centre).sum(1) for centre in centres], axis=1)
