from itertools import combinations

import numpy as np
import pytest

from vid2vid.metrics.surface import (
    BLOCKS,
    SurfaceColours,
    surface_interval,
    surface_variance,
)


def follow(colours, ids=None, *, block_frames=4, **more):
    """Show frames of one row: 't n' or 't n 3' levels of the points `ids`, 't n' or 'n'."""
    surfaces = SurfaceColours(block_frames=block_frames, **more)
    for frame, row in enumerate(np.asarray(colours)):
        shown = np.arange(len(row)) if ids is None else np.asarray(ids)
        shown = shown[frame] if shown.ndim == 2 else shown
        rgb = row[:, None].repeat(3, axis=1) if row.ndim == 1 else row
        surfaces.add(shown[None], rgb[None].astype(np.uint8))
    return surfaces


def test_a_point_of_one_colour_has_no_variance_and_others_have_their_own():
    levels = np.array([100, 120, 140, 160])
    steady = follow(np.full((4, 6), 77))
    flickering = follow(levels[:, None].repeat(6, axis=1))
    assert surface_variance(steady.sums()) == pytest.approx(0, abs=1e-12)
    assert surface_variance(flickering.sums()) == pytest.approx(np.var(levels / 255, ddof=1))


def test_points_count_by_their_degrees_of_freedom():
    ids = [[0, 1], [0, 1], [0, 2]]  # 0 is seen three times, 1 twice, 2 once
    found = follow([[0, 51], [51, 153], [102, 9]], ids).sums()
    squares = 2 * 0.2**2 + 0.4**2 / 2  # about the means 0.2 and 0.4
    assert surface_variance(found) == pytest.approx(squares / 3)
    assert found.num_points == 2


def test_pairs_of_visits_are_added_up_over_the_blocks_they_lie_in():
    generator = np.random.default_rng(0)
    ids = np.stack([generator.permutation(9)[:6] for _ in range(11)])
    levels = generator.integers(0, 256, (11, 6, 3))
    found = follow(levels, ids).sums()
    squares, freedom = np.zeros((3, 3)), np.zeros((3, 3))
    for point in range(9):
        visits = [(t // 4, levels[t, k] / 255) for t, k in np.argwhere(ids == point)]
        for (a, x), (b, y) in combinations(visits, 2):
            for first, second in ((a, b), (b, a)):
                squares[first, second] += np.square(x - y).mean() / len(visits) / 2
                freedom[first, second] += 1 / len(visits)
    np.testing.assert_allclose(found.squares, squares, atol=1e-12)
    np.testing.assert_allclose(found.freedom, freedom, atol=1e-12)


def test_a_point_over_many_pixels_is_seen_once_with_their_mean():
    surfaces = SurfaceColours(block_frames=4)
    for _ in range(3):
        rgb = np.zeros((2, 2, 3), np.uint8)
        rgb[0] = 200
        surfaces.add(np.full((2, 2), 5), rgb)
    found = surfaces.sums()
    assert found.squares.sum() == pytest.approx(0, abs=1e-12)
    assert (found.freedom.sum(), found.num_points) == (pytest.approx(2), 1)


def test_pixels_without_a_point_and_points_seen_once_do_not_count():
    found = follow([[0, 0], [255, 255]], [[-1, 3], [-1, 4]]).sums()
    assert found.num_points == 0
    assert np.isnan(surface_variance(found))
    assert surface_interval(found, seed=0) is None
    assert SurfaceColours(block_frames=4).sums().num_points == 0


def flickering_blocks(seed, *, num_blocks=12):
    """Points whose colours all jump together from block to block, as by an exposure."""
    generator = np.random.default_rng(seed)
    jumps = generator.normal(0, 20, num_blocks).repeat(4)
    return 128 + jumps[:, None] + generator.normal(0, 2, (4 * num_blocks, 40))


def test_the_interval_holds_the_figure_of_other_footage():
    # The expected variance of a visit among the n = 48 of its point: the jumps of 12 blocks of 4.
    jumps = 20**2 * (1 - 1 / 12) * 48 / 47
    expected = (jumps + 2**2) / 255**2
    intervals = [surface_interval(follow(flickering_blocks(k)).sums(), seed=0) for k in range(40)]
    inside = [low <= expected <= high for low, high in intervals]
    assert 30 <= sum(inside) < 40


def test_the_interval_does_not_narrow_with_more_points_of_the_same_frames():
    levels = flickering_blocks(0)
    few, many = (surface_interval(follow(x).sums(), seed=0) for x in (levels[:, :5], levels))
    assert many.high - many.low > 0.8 * (few.high - few.low)


def test_two_blocks_have_no_interval_and_three_have():
    assert surface_interval(follow(np.full((8, 2), 9)).sums(), seed=0) is None
    assert surface_interval(follow(np.full((9, 2), 9)).sums(), seed=0) == pytest.approx((0, 0))


def test_many_blocks_are_put_together_and_nothing_is_lost():
    levels = np.random.default_rng(0).integers(0, 256, (4 * BLOCKS + 30, 3))
    found = follow(levels).sums()
    assert len(found.squares) == BLOCKS // 2 + 4
    expected = np.var(levels / 255, axis=0, ddof=1).mean()
    assert surface_variance(found) == pytest.approx(expected)


def test_more_points_than_can_be_followed_are_sampled_fairly():
    random = np.random.default_rng(0)
    levels = random.integers(0, 256, (10, 800, 3))
    ids = np.stack([400 * k + np.arange(800) for k in range(10)])
    bounded, whole = (follow(levels, ids, **more).sums() for more in ({"capacity": 1000}, {}))
    assert 100 < bounded.num_points <= 500 < whole.num_points
    assert surface_variance(bounded) == pytest.approx(surface_variance(whole), rel=0.1)


def test_surface_points_must_fit_the_frame():
    surfaces = SurfaceColours(block_frames=4)
    with pytest.raises(ValueError, match="of the frame"):
        surfaces.add(np.zeros((2, 2), np.int64), np.zeros((2, 3, 3), np.uint8))
