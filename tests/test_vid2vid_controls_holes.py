"""Irregular holes: their area, their form, and that they follow from what draws them."""

import cv2
import numpy as np
import pytest

from vid2vid.controls.holes import draw_irregular


@pytest.mark.parametrize(("height", "width"), [(128, 128), (100, 260), (600, 512)])
def test_holes_cover_between_a_fifth_and_three_tenths(height: int, width: int):
    areas = [
        draw_irregular(height, width, rng=np.random.default_rng(seed)).mean() for seed in range(8)
    ]
    assert all(0.199 < area < 0.301 for area in areas)
    assert max(areas) - min(areas) > 0.03


def test_the_area_is_what_is_asked_for():
    mask = draw_irregular(64, 64, rng=np.random.default_rng(1), shares=(0.5, 0.5))
    assert mask.sum() == 64 * 64 // 2


def test_the_same_randomness_draws_the_same_holes():
    one, other = (draw_irregular(40, 50, rng=np.random.default_rng(3)) for _ in range(2))
    another = draw_irregular(40, 50, rng=np.random.default_rng(4))
    np.testing.assert_array_equal(one, other)
    assert (one != another).any()


def test_holes_are_blotches_not_dust():
    mask = draw_irregular(256, 256, rng=np.random.default_rng(0))
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    assert stats[1:, cv2.CC_STAT_AREA].max() > 500
    assert count < 60


def test_holes_of_nothing_are_refused():
    with pytest.raises(ValueError, match="in at least 1x1 px, its shares growing in"):
        draw_irregular(0, 8, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="shares"):
        draw_irregular(8, 8, rng=np.random.default_rng(0), shares=(0.4, 0.2))
