"""Distances between two sets of features: Fréchet (Heusel et al. 2017) and kernel (MMD²).

Whose features they are gives the figure its name: FID and KID are these on Inception's, `FD-seg`
and `KD-seg` on the segmenter's, FVD on I3D's.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vid2vid.metrics.bootstrap import MIN_UNITS, Interval, draw_counts, percentile_interval
from vid2vid.metrics.statistics import Floats

_WIDE = 256  # features; above, an eigenvalue problem takes seconds and resamples are fewer
_WIDE_RESAMPLES = 40
_RESAMPLES = 200
_KERNEL_VECTORS = 1024  # of each side that enter the kernel matrix, 8 MiB


class Features(NamedTuple):
    """Feature vectors, and the unit (sequence or block of frames) that each comes from."""

    vectors: Floats  # 'n d'
    units: NDArray[np.int64]  # 'n'


class FeatureSample:
    """Keeps a fair sample of feature vectors, of bounded size.

    Every vector draws a number, and those with the smallest stay.
    """

    def __init__(self, *, capacity: int, seed: int) -> None:
        self._capacity = capacity
        self._generator = np.random.default_rng(seed)
        self._kept: tuple[Floats, NDArray[np.int64], Floats] | None = None

    def add(self, vectors: NDArray[np.floating], unit: int) -> None:
        """Add 'n d' of one unit."""
        units = np.full(len(vectors), unit, dtype=np.int64)
        new = (vectors.astype(np.float64), units, self._generator.random(len(vectors)))
        if self._kept is not None:
            pairs = zip(self._kept, new, strict=True)
            new = tuple(np.concatenate(pair) for pair in pairs)
        if len(new[2]) > self._capacity:
            chosen = np.sort(np.argpartition(new[2], self._capacity)[: self._capacity])
            new = tuple(column[chosen] for column in new)
        self._kept = new  # pyright: ignore[reportAttributeAccessIssue]

    def features(self) -> Features:
        """Give what was kept.

        Raises:
            ValueError: if nothing was added.
        """
        if self._kept is None:
            raise ValueError("a feature sample must hold vectors; none was added")
        return Features(*self._kept[:2])


def frechet_distance(one: Features, other: Features) -> float:
    """Measure |μ₁ - μ₂|² + tr(Σ₁ + Σ₂ - 2 (Σ₁Σ₂)^½) (Heusel et al. 2017, equation 6).

    Biased upward by small sets: compare only figures of equal N.

    Raises:
        ValueError: if a set has fewer than two vectors or they differ in length.
    """
    _check(one, other)
    return _frechet(*(_moments(each.vectors, np.ones(len(each.units))) for each in (one, other)))


def frechet_interval(one: Features, other: Features, *, seed: int) -> Interval | None:
    """Find the bootstrap interval of `frechet_distance`, or None where a set has too few units."""
    wide = one.vectors.shape[1] > _WIDE
    resamples = _WIDE_RESAMPLES if wide else _RESAMPLES
    sides: list[tuple[Features, Floats]] = []
    for offset, features in enumerate((one, other)):
        _, index = np.unique(features.units, return_inverse=True)
        if index.max() + 1 < MIN_UNITS:
            return None
        counts = draw_counts(int(index.max()) + 1, seed=seed + offset, resamples=resamples)
        sides.append((features, counts[:, index].astype(np.float64)))
    values = [
        _frechet(*(_moments(features.vectors, weights[k]) for features, weights in sides))
        for k in range(resamples)
    ]
    return percentile_interval(np.array(values))


class KernelSums(NamedTuple):
    """Kernel values added up over the pairs of units; what the kernel distance is made of."""

    one: Floats  # 'u u'
    other: Floats  # 'v v'
    between: Floats  # 'u v'
    sizes: tuple[Floats, Floats]  # vectors of each unit, 'u' and 'v'


def kernel_sums(one: Features, other: Features, *, seed: int) -> KernelSums:
    """Add up k(x, y) = (x·y / d + 1)³ (Bińkowski et al. 2018) over the pairs of units.

    Of more than 1024 vectors a side, so many are drawn.

    Raises:
        ValueError: if a set has fewer than two vectors or they differ in length.
    """
    _check(one, other)
    drawn = [_draw(each, seed + k) for k, each in enumerate((one, other))]
    (x, is_x), (y, is_y) = ((each.vectors, _indicator(each.units)) for each in drawn)

    def kernel(a: Floats, b: Floats) -> Floats:
        return (a @ b.T / a.shape[1] + 1) ** 3

    return KernelSums(
        is_x.T @ kernel(x, x) @ is_x,
        is_y.T @ kernel(y, y) @ is_y,
        is_x.T @ kernel(x, y) @ is_y,
        (is_x.sum(axis=0), is_y.sum(axis=0)),
    )


def kernel_distance(sums: KernelSums) -> float:
    """Measure the squared maximum mean discrepancy, unbiased: it may be below 0.

    Pairs of vectors of one unit are left out, as are a vector and itself: neighbouring frames are
    not independent.

    Returns:
        Not a number where a set has a single unit.
    """
    ones = [np.ones(len(size)) for size in sums.sizes]
    return _discrepancy(sums, ones[0], ones[1])


def kernel_interval(sums: KernelSums, *, seed: int) -> Interval | None:
    """Find the bootstrap interval of `kernel_distance`, or None where a set has too few units."""
    if min(len(size) for size in sums.sizes) < MIN_UNITS:
        return None
    counts = [
        draw_counts(len(size), seed=seed + k, resamples=_RESAMPLES).astype(np.float64)
        for k, size in enumerate(sums.sizes)
    ]
    pairs = zip(counts[0], counts[1], strict=True)
    return percentile_interval(np.array([_discrepancy(sums, *pair) for pair in pairs]))


def _discrepancy(sums: KernelSums, one: Floats, other: Floats) -> float:
    """Weigh every unit by how often it was drawn."""

    def within(values: Floats, size: Floats, weight: Floats) -> float:
        apart = 1 - np.eye(len(size))
        pairs = weight @ (np.outer(size, size) * apart) @ weight
        return float(weight @ (values * apart) @ weight / pairs) if pairs else np.nan

    crossed = (one @ sums.sizes[0]) * (other @ sums.sizes[1])
    across = float(one @ sums.between @ other / crossed)
    return (
        within(sums.one, sums.sizes[0], one) + within(sums.other, sums.sizes[1], other) - 2 * across
    )


def _moments(vectors: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Find the mean and covariance of vectors that occur `weights` times."""
    total = weights.sum()
    mean = weights @ vectors / total
    centred = vectors - mean
    return mean, (centred * weights[:, None]).T @ centred / max(total - 1, 1)


def _frechet(one: tuple[Floats, Floats], other: tuple[Floats, Floats]) -> float:
    (mean, spread), (other_mean, other_spread) = one, other
    values, directions = np.linalg.eigh(spread)
    root = (directions * np.sqrt(values.clip(min=0))) @ directions.T
    # The eigenvalues of Σ₁Σ₂ are those of the symmetric Σ₁^½ Σ₂ Σ₁^½.
    shared = np.sqrt(np.linalg.eigvalsh(root @ other_spread @ root).clip(min=0)).sum()
    apart = np.square(mean - other_mean).sum()
    return float(max(apart + np.trace(spread) + np.trace(other_spread) - 2 * shared, 0.0))


def _indicator(units: NDArray[np.int64]) -> Floats:
    """Tell which vector is of which unit: 'n u', 0 or 1."""
    return (units[:, None] == np.unique(units)).astype(np.float64)


def _draw(features: Features, seed: int) -> Features:
    if len(features.units) <= _KERNEL_VECTORS:
        return features
    generator = np.random.default_rng(seed)
    chosen = generator.choice(len(features.units), _KERNEL_VECTORS, replace=False)
    return Features(features.vectors[chosen], features.units[chosen])


def _check(one: Features, other: Features) -> None:
    shapes = one.vectors.shape, other.vectors.shape
    if min(len(one.units), len(other.units)) < 2 or shapes[0][1] != shapes[1][1]:
        raise ValueError(
            f"two sets of at least two vectors of one length are needed; got {shapes[0]} and "
            f"{shapes[1]}"
        )
