import numpy as np
import pytest

from vid2vid.metrics.bins import Bins
from vid2vid.metrics.bootstrap import bootstrap, draw_counts
from vid2vid.metrics.statistics import (
    centre_slope_sums,
    f1,
    mean,
    mean_iou,
    pixel_accuracy,
    slope,
    slope_sums,
)

CONFUSION = np.array([[3.0, 1.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 0.0]]).ravel()


def test_bins_add_what_falls_into_one():
    bins = Bins(4)
    for index in (0, 0, 2):
        bins.add(index, np.array([1.0, 10.0]))
    assert bins.sums.tolist() == [[2, 20], [1, 10]]
    assert bins.places == [0, 2]


def test_bins_that_run_out_join_their_neighbours_and_lose_nothing():
    bins = Bins(4)
    for index in range(100):
        bins.add(index, np.array([1.0]))
    assert bins.width == 32
    assert bins.sums[:, 0].tolist() == [32, 32, 32, 4]


def test_fewer_than_two_bins_are_refused():
    with pytest.raises(ValueError, match="at least 2 bins; got 1"):
        Bins(1)


def test_mean_divides_the_sum_by_the_count_and_nothing_by_nothing_is_no_number():
    assert mean(np.array([[6.0, 3.0], [1.0, 2.0]])).tolist() == [2, 0.5]
    assert np.isnan(mean(np.zeros(2)))


def test_f1_is_the_harmonic_mean_of_precision_and_recall():
    assert f1(np.array([1.0, 2.0, 1.0, 1.0])) == pytest.approx(2 / 3)
    assert f1(np.zeros(4)) == 1
    assert f1(np.array([0.0, 5.0, 0.0, 0.0])) == 0


def test_accuracy_and_overlap_come_of_one_confusion_matrix():
    assert pixel_accuracy(CONFUSION) == pytest.approx(7 / 8)
    # 3 of 4 and 4 of 5; the third class is nowhere and does not count.
    assert mean_iou(CONFUSION) == pytest.approx((3 / 4 + 4 / 5) / 2)


def test_slope_is_that_of_the_line_and_of_numpys_fit():
    times, values = np.arange(6.0), np.array([1.0, 3.0, 2.0, 5.0, 4.0, 6.0])
    sums = sum(slope_sums(t, y) for t, y in zip(times, values, strict=True))
    assert slope(sums) == pytest.approx(np.polyfit(times, values, 1)[0])


def test_a_centred_slope_heeds_no_difference_between_sequences():
    # A short dark sequence and a long bright one; each rises by 2 a frame.
    parts = [
        sum(slope_sums(t, level + 2 * t) for t in range(length))
        for level, length in ((0, 5), (100, 30))
    ]
    assert slope(sum(parts)) > 3
    assert slope(sum(map(centre_slope_sums, parts))) == pytest.approx(2)


def test_statistics_take_resamples_all_at_once():
    stacked = np.stack([CONFUSION, 2 * CONFUSION])
    assert mean_iou(stacked).tolist() == pytest.approx([float(mean_iou(CONFUSION))] * 2)


def test_the_bootstrap_interval_of_a_mean_is_that_of_theory():
    values = np.random.default_rng(0).normal(5, 2, size=400)
    units = np.stack([values, np.ones(400)], axis=1)
    interval = bootstrap(units, mean, seed=1)
    assert interval is not None
    expected = 1.96 * values.std(ddof=1) / 20
    assert interval.low == pytest.approx(values.mean() - expected, abs=0.05)
    assert interval.high == pytest.approx(values.mean() + expected, abs=0.05)


def test_the_bootstrap_gives_the_same_interval_for_the_same_seed():
    units = np.random.default_rng(0).random((5, 2)) + 0.1
    assert bootstrap(units, mean, seed=3) == bootstrap(units, mean, seed=3)
    assert bootstrap(units, mean, seed=3) != bootstrap(units, mean, seed=4)


def test_two_units_have_no_interval():
    assert bootstrap(np.ones((2, 2)), mean, seed=0) is None


def test_every_resample_has_as_many_units():
    assert (draw_counts(7, seed=0, resamples=20).sum(axis=1) == 7).all()
