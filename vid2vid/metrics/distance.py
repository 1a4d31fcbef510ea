"""Distances between two sets of features: Fréchet (Heusel et al. 2017) and kernel (MMD²).

Whose features they are gives the figure its name: FID and KID are these on Inception's, `FD-seg`
and `KD-seg` on the segmenter's, FVD on I3D's.

Sets are paired where each vector of one shows what the vector at its place in the other shows, as
real and generated frames do. A resample then draws the same units of both: with other units on each
side it would measure how far scenes are from each other, too.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vid2vid.metrics.bootstrap import MIN_UNITS, Interval, draw_counts, percentile_interval
from vid2vid.metrics.statistics import Floats, mean

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


def frechet_interval(one: Features, other: Features, *, seed: int, paired: bool) -> Interval | None:
    """Find the bootstrap interval of `frechet_distance`, or None where a set has too few units.

    A resample repeats units and lacks others, which by itself sets two sides apart; so much as the
    resamples exceed the figure on average is taken off them.

    Raises:
        ValueError: if the sets do not fit, or paired ones are not of the same units, vector by
            vector.
    """
    _check(one, other)
    if paired:
        _check_paired(one, other)
    wide = one.vectors.shape[1] > _WIDE
    resamples = _WIDE_RESAMPLES if wide else _RESAMPLES
    sides: list[tuple[Features, Floats]] = []
    for side, features in enumerate((one, other)):
        units, index = np.unique(features.units, return_inverse=True)
        if len(units) < MIN_UNITS:
            return None
        own_seed = seed if paired else seed + side
        counts = draw_counts(len(units), seed=own_seed, resamples=resamples)
        sides.append((features, counts[:, index].astype(np.float64)))
    values = np.array(
        [
            _frechet(*(_moments(features.vectors, weights[k]) for features, weights in sides))
            for k in range(resamples)
        ]
    )
    excess = values.mean() - frechet_distance(one, other)
    return percentile_interval((values - excess).clip(min=0))


class KernelSums(NamedTuple):
    """Kernel values added up over the pairs of units; what the kernel distance is made of."""

    one: Floats  # 'u u'
    other: Floats  # 'v v'
    between: Floats  # 'u v'
    sizes: tuple[Floats, Floats]  # vectors of each unit, 'u' and 'v'
    paired: bool


def kernel_sums(one: Features, other: Features, *, seed: int, paired: bool) -> KernelSums:
    """Add up k(x, y) = (x·y / d + 1)³ (Bińkowski et al. 2018) over the pairs of units.

    Of more than 1024 vectors a side, so many are drawn, of paired sets the same.

    Raises:
        ValueError: if a set has fewer than two vectors, they differ in length, or paired sets are
            not of the same units, vector by vector.
    """
    _check(one, other)
    if paired:
        _check_paired(one, other)
    drawn = [_draw(each, seed if paired else seed + k) for k, each in enumerate((one, other))]
    (x, is_x), (y, is_y) = ((each.vectors, _indicator(each.units)) for each in drawn)

    def kernel(a: Floats, b: Floats) -> Floats:
        return (a @ b.T / a.shape[1] + 1) ** 3

    return KernelSums(
        is_x.T @ kernel(x, x) @ is_x,
        is_y.T @ kernel(y, y) @ is_y,
        is_x.T @ kernel(x, y) @ is_y,
        (is_x.sum(axis=0), is_y.sum(axis=0)),
        paired,
    )


def kernel_distance(sums: KernelSums) -> float:
    """Measure the squared maximum mean discrepancy, unbiased: it may be below 0.

    Pairs of vectors of one unit are left out, as are a vector and itself: neighbouring frames are
    not independent. Of paired sets they are left out across the sets, too (Gretton et al. 2012,
    equation 4).

    Returns:
        Not a number where a set has a single unit.
    """
    once = [np.ones((1, len(size))) for size in sums.sizes]
    return float(_discrepancies(sums, once[0], once[1])[0])


def kernel_interval(sums: KernelSums, *, seed: int) -> Interval | None:
    """Find the bootstrap interval of `kernel_distance`, or None where a set has too few units."""
    if min(len(size) for size in sums.sizes) < MIN_UNITS:
        return None
    seeds = (seed, seed) if sums.paired else (seed, seed + 1)
    one, other = (
        draw_counts(len(size), seed=own_seed, resamples=_RESAMPLES).astype(np.float64)
        for size, own_seed in zip(sums.sizes, seeds, strict=True)
    )
    return percentile_interval(_discrepancies(sums, one, other))


def _discrepancies(sums: KernelSums, one: Floats, other: Floats) -> Floats:
    """Weigh every unit by how often it was drawn, 'r u' and 'r v': 'r'."""

    def average(values: Floats, sides: tuple[int, int], *, apart: bool) -> Floats:
        counts = np.outer(*(sums.sizes[side] for side in sides))
        if apart:
            values, counts = (each * (1 - np.eye(len(each))) for each in (values, counts))
        first, second = ((one, other)[side] for side in sides)
        totals = [((first @ each) * second).sum(axis=1) for each in (values, counts)]
        return mean(np.stack(totals, axis=-1))

    return (
        average(sums.one, (0, 0), apart=True)
        + average(sums.other, (1, 1), apart=True)
        - 2 * average(sums.between, (0, 1), apart=sums.paired)
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


def _check_paired(one: Features, other: Features) -> None:
    if not np.array_equal(one.units, other.units):
        raise ValueError(
            "paired sets must be of the same units, vector by vector; got "
            f"{len(one.units)} vectors of {len(np.unique(one.units))} units and "
            f"{len(other.units)} of {len(np.unique(other.units))}"
        )
