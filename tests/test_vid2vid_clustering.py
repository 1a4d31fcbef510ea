"""K-means over styles, on rows that can be clustered by eye."""

import numpy as np
import pytest

from vid2vid.clustering import cluster, cluster_classes

# Three heaps: five rows about (0, 0), three about (8, 0), one at (0, 9).
HEAPS = np.array(
    [[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1], [8, 0], [8, 1], [8, -1], [0, 9]], np.float32
)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_heaps_are_found_the_largest_first():
    found = cluster(HEAPS, 3, rng=rng())
    assert found.centres.tolist() == [[0, 0], [8, 0], [0, 9]]
    assert found.sizes.tolist() == [5, 3, 1]
    assert found.members.tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 2]
    assert found.nearest.tolist() == [0, 5, 8]


def test_spread_is_that_of_the_class_and_within_that_of_its_clusters():
    found = cluster(np.array([[0.0], [2.0], [10.0], [12.0]], np.float32), 2, rng=rng())
    assert found.spread == pytest.approx(np.sqrt((36 + 16 + 16 + 36) / 4))
    assert found.within == pytest.approx(1.0)


def test_there_are_no_more_clusters_than_different_rows():
    twice = np.array([[1.0, 2], [1, 2], [3, 4]], np.float32)
    found = cluster(twice, 10, rng=rng())
    assert found.centres.tolist() == [[1, 2], [3, 4]]
    assert (found.sizes.tolist(), found.within) == ([2, 1], 0)
    assert cluster(twice[:1], 10, rng=rng()).centres.tolist() == [[1, 2]]


def test_no_cluster_is_empty():
    near = np.repeat(np.eye(4, dtype=np.float32), 20, axis=0)
    near[::7] += 1e-6
    for seed in range(20):
        assert cluster(near, 6, rng=rng(seed)).sizes.min() > 0


def test_the_same_seed_gives_the_same_bits_and_a_class_does_not_depend_on_others():
    rows = {label: rng(label).normal(size=(60, 3)).astype(np.float32) for label in (2, 5)}
    both = cluster_classes(rows, 4, seed=1)
    alone = cluster_classes({5: rows[5]}, 4, seed=1)
    assert (both[5].centres == alone[5].centres).all()
    assert (both[5].centres != cluster_classes(rows, 4, seed=2)[5].centres).any()


def test_more_clusters_are_never_looser():
    rows = rng().normal(size=(200, 3)).astype(np.float32)
    within = [cluster(rows, count, rng=rng()).within for count in (1, 4, 16)]
    assert within[0] == pytest.approx(cluster(rows, 1, rng=rng()).spread)
    assert within == sorted(within, reverse=True)


@pytest.mark.parametrize(("shape", "count"), [((0, 3), 2), ((4,), 2), ((4, 3), 0)])
def test_what_cannot_be_clustered_is_refused(shape, count):
    with pytest.raises(ValueError, match="clusters need rows 'n c' and a count of at least 1"):
        cluster(np.zeros(shape, np.float32), count, rng=rng())
