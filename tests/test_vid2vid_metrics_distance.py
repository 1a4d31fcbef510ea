import numpy as np
import pytest
import torch

from vid2vid.metrics.adherence import confusion
from vid2vid.metrics.distance import (
    Features,
    FeatureSample,
    frechet_distance,
    frechet_interval,
    kernel_distance,
    kernel_interval,
    kernel_sums,
)
from vid2vid.metrics.edges import canny_edges, edge_tolerance, label_edges, match_edges
from vid2vid.metrics.preference import preference
from vid2vid.metrics.statistics import f1


def features(seed, *, shift=0.0, scale=1.0, count=400, size=3, units=8):
    vectors = np.random.default_rng(seed).normal(shift, scale, (count, size))
    return Features(vectors, np.arange(count) * units // count)


def test_the_frechet_distance_of_gaussians_is_that_of_their_moments():
    # |shift|² + d (s - 1)² where both spreads are multiples of the identity.
    one, other = features(0, count=20000), features(1, shift=2.0, scale=3.0, count=20000)
    assert frechet_distance(one, other) == pytest.approx(3 * 4 + 3 * 4, rel=0.03)
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-6)


def test_the_frechet_distance_is_symmetric_and_bears_few_vectors():
    one, other = features(0, count=5, size=9), features(1, shift=1.0, count=6, size=9)
    assert frechet_distance(one, other) == pytest.approx(frechet_distance(other, one), rel=1e-6)


def test_the_kernel_distance_is_the_unbiased_estimate_over_pairs_of_different_units():
    one, other = features(0, count=12, units=4), features(1, shift=0.7, count=15, units=5)

    def kernel(x, y):
        return (x @ y / 3 + 1) ** 3

    def within(side):
        pairs = [
            kernel(side.vectors[i], side.vectors[j])
            for i in range(len(side.units))
            for j in range(len(side.units))
            if side.units[i] != side.units[j]
        ]
        return np.mean(pairs)

    across = np.mean([kernel(x, y) for x in one.vectors for y in other.vectors])
    expected = within(one) + within(other) - 2 * across
    assert kernel_distance(kernel_sums(one, other, seed=0, paired=False)) == pytest.approx(expected)


def test_the_kernel_distance_of_equal_distributions_is_about_nothing_and_grows_with_shift():
    near, far = (
        kernel_sums(features(0), features(1, shift=s), seed=0, paired=False) for s in (0.0, 1.0)
    )
    low, high = kernel_interval(near, seed=0)
    assert low < 0 < high
    assert kernel_interval(far, seed=0).low > high


def test_intervals_hold_what_was_measured_and_need_three_units():
    one, other = features(0), features(1, shift=1.0)
    interval = frechet_interval(one, other, seed=0, paired=False)
    assert interval.low < frechet_distance(one, other) < interval.high
    assert frechet_interval(features(0, units=2), other, seed=0, paired=False) is None
    sums = kernel_sums(features(0, units=2), other, seed=0, paired=False)
    assert kernel_interval(sums, seed=0) is None


def paired(seed=0, *, noise=0.1, units=8):
    """A set whose units differ widely, and the same with a little noise."""
    generator = np.random.default_rng(seed)
    index = np.arange(400) * units // 400
    vectors = 3 * generator.normal(size=(units, 3))[index] + generator.normal(size=(400, 3))
    return (
        Features(vectors, index),
        Features(vectors + noise * generator.normal(size=vectors.shape), index),
    )


def test_a_paired_interval_is_of_the_system_and_not_of_the_scenes():
    one, other = paired()
    apart, together = (frechet_interval(one, other, seed=0, paired=p) for p in (False, True))
    value = frechet_distance(one, other)
    assert apart.low <= value <= apart.high
    assert together.low < value < together.high
    assert together.high - together.low < 0.02 * (apart.high - apart.low)


def test_a_paired_interval_holds_the_figure_of_much_other_footage():
    many = frechet_distance(*paired(7, units=400))  # as many scenes as vectors
    found = [frechet_interval(*paired(seed), seed=0, paired=True) for seed in range(20)]
    assert sum(low <= many <= high for low, high in found) >= 15


def test_the_distance_of_a_perfect_system_is_nothing_in_every_resample():
    one, _ = paired()
    assert frechet_interval(one, one, seed=0, paired=True) == pytest.approx((0, 0), abs=1e-9)
    sums = kernel_sums(one, one, seed=0, paired=True)
    assert kernel_distance(sums) == pytest.approx(0, abs=1e-9)
    assert kernel_interval(sums, seed=0) == pytest.approx((0, 0), abs=1e-9)


def test_the_paired_kernel_distance_leaves_out_pairs_from_one_unit_on_both_sides():
    # Gretton et al. 2012, equation 4, over pairs (i, j) of different units.
    one, other = paired(units=4)
    x, y, units = one.vectors, other.vectors, one.units

    def kernel(a, b):
        return (a @ b.T / 3 + 1) ** 3

    values = kernel(x, x) + kernel(y, y) - kernel(x, y) - kernel(y, x)
    expected = values[units[:, None] != units].mean()
    assert kernel_distance(kernel_sums(one, other, seed=0, paired=True)) == pytest.approx(expected)


def test_of_many_vectors_a_paired_kernel_distance_draws_the_same_on_both_sides():
    one = features(0, count=3000)
    sums = kernel_sums(one, one, seed=0, paired=True)
    assert sums.sizes[0].sum() == 1024
    assert kernel_distance(sums) == pytest.approx(0, abs=1e-9)


def test_paired_sets_must_be_of_the_same_units():
    one, other = features(0, units=8), features(1, units=7)
    with pytest.raises(ValueError, match="the same units, vector by vector"):
        frechet_interval(one, other, seed=0, paired=True)
    with pytest.raises(ValueError, match="the same units, vector by vector"):
        kernel_sums(one, other, seed=0, paired=True)


@pytest.mark.parametrize("other", [features(0, size=4), features(0, count=1)])
def test_sets_that_do_not_fit_are_refused(other):
    with pytest.raises(ValueError, match="two sets of at least two vectors"):
        frechet_distance(features(0), other)


def test_a_feature_sample_is_bounded_and_fair():
    sample = FeatureSample(capacity=500, seed=0)
    for unit in range(100):
        sample.add(np.full((40, 2), unit, np.float32), unit)
    found = sample.features()
    assert found.vectors.shape == (500, 2)
    assert found.units.mean() == pytest.approx(49.5, abs=5)
    assert (found.vectors[:, 0] == found.units).all()


def test_an_empty_feature_sample_is_refused():
    with pytest.raises(ValueError, match="none was added"):
        FeatureSample(capacity=5, seed=0).features()


def test_confusion_counts_by_class_wanted_and_found_and_leaves_out_the_ignored():
    wanted = torch.tensor([[0, 0, 1, 255]], dtype=torch.uint8)
    found = torch.tensor([[0, 1, 1, 1]])
    assert confusion(found, wanted, 2).tolist() == [1, 1, 0, 1]


def test_confusion_refuses_foreign_ids_and_sizes():
    with pytest.raises(ValueError, match="ids must be below 2"):
        confusion(torch.tensor([[2]]), torch.tensor([[0]]), 2)
    with pytest.raises(ValueError, match="of one size"):
        confusion(torch.zeros(1, 2), torch.zeros(2, 1), 2)


def line(column, size=12):
    edges = np.zeros((size, size), bool)
    edges[:, column] = True
    return edges


def test_edges_meet_within_the_tolerance():
    assert match_edges(line(4), line(5), tolerance_px=1).tolist() == [12, 12, 12, 12]
    assert match_edges(line(4), line(6), tolerance_px=1).tolist() == [0, 12, 0, 12]
    both = line(4) | line(9)
    assert f1(match_edges(both, line(4), tolerance_px=1)) == pytest.approx(2 / 3)


def test_no_edges_match_no_edges():
    none = np.zeros((4, 4), bool)
    assert f1(match_edges(none, none, tolerance_px=1)) == 1
    with pytest.raises(ValueError, match="of one size"):
        match_edges(none, none[:2], tolerance_px=1)


def test_the_tolerance_follows_the_diagonal():
    assert edge_tolerance(300, 400) == pytest.approx(3.75)
    assert edge_tolerance(30, 40) == 1


def test_canny_finds_the_edge_of_a_step():
    frame = -torch.ones(3, 16, 16)
    frame[..., 8:] = 1
    assert canny_edges(frame).any(axis=0).nonzero()[0].tolist() == pytest.approx([7], abs=1)


def test_label_edges_lie_where_classes_change_and_not_beside_the_unknown():
    labels = torch.tensor([[0, 0, 1, 1, 1, 255]]).repeat(3, 1)
    assert label_edges(labels)[0].tolist() == [False, True, True, False, True, True]
    known = label_edges(labels, ignored=labels == 255)
    assert known[0].tolist() == [False, True, True, False, False, False]


def test_wilsons_interval_is_that_of_the_textbook():
    # Wilson 1927; 8 of 10 give [0.490, 0.943].
    found = preference(8, 10)
    assert found.share == 0.8
    assert found.interval == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert preference(0, 0).interval == (0, 1)
    assert np.isnan(preference(0, 0).share)
    with pytest.raises(ValueError, match="got 3 of 2"):
        preference(3, 2)
