import numpy as np
import pytest
import torch
import torch.nn.functional as F

from vid2vid.metrics.controls import perturb, shuffle_in_time
from vid2vid.metrics.surface import GROUPS, SurfaceColours
from vid2vid.metrics.temporal import cell_luma, farneback, flicker, flow_difference


def texture(height=48, width=64, seed=0):
    random = torch.rand(
        1, 3, height // 4, width // 4, generator=torch.Generator().manual_seed(seed)
    )
    return F.interpolate(random, (height, width), mode="bicubic")[0].clamp(0, 1) * 2 - 1


def test_farneback_finds_how_a_texture_moves():
    previous = texture(width=72)
    flow = farneback(previous[..., 2:66], previous[..., :64])
    assert np.median(flow[..., 0]) == pytest.approx(-2, abs=0.2)
    assert np.median(flow[..., 1]) == pytest.approx(0, abs=0.2)


def test_tof_is_the_mean_length_of_the_difference():
    one, other = np.zeros((2, 2, 2), np.float32), np.zeros((2, 2, 2), np.float32)
    one[0, 0] = (3, 4)
    assert flow_difference(one, other) == pytest.approx(1.25)
    assert flow_difference(one, one) == 0
    with pytest.raises(ValueError, match="of one size"):
        flow_difference(one, other[:1])


def test_steady_change_is_no_flicker_and_one_bright_frame_is():
    levels = torch.tensor([100.0, 104.0, 108.0, 140.0, 116.0]).view(5, 1, 1)
    found = [
        float(flicker(levels[k + 1 : k + 2], levels[k : k + 1], levels[k - 1 : k]))
        for k in (1, 2, 3)
    ]
    assert found == pytest.approx([0, 14, 28])


def test_cells_hold_the_luma_in_levels():
    frame = -torch.ones(1, 3, 32, 64)
    frame[..., 32:] = 1
    cells = cell_luma(frame)
    assert cells.shape == (1, 8, 16)
    assert cells[0, 0].tolist() == pytest.approx([0] * 8 + [255] * 8)


def test_a_point_of_one_colour_has_no_variance_and_others_have_their_own():
    ids = np.arange(6).reshape(2, 3)
    steady, flickering = SurfaceColours(), SurfaceColours()
    for level in (100, 120, 140, 160):
        steady.add(ids, np.full((2, 3, 3), 77, np.uint8))
        flickering.add(ids, np.full((2, 3, 3), level, np.uint8))
    assert steady.sums()[:, 0].sum() == pytest.approx(0)
    squares, freedom = flickering.sums().sum(axis=0)
    expected = np.var(np.array([100, 120, 140, 160]) / 255, ddof=1)
    assert squares / freedom == pytest.approx(expected)


def test_a_point_over_many_pixels_is_seen_once_with_their_mean():
    surfaces = SurfaceColours()
    for _ in range(3):
        rgb = np.zeros((2, 2, 3), np.uint8)
        rgb[0] = 200
        surfaces.add(np.full((2, 2), 5), rgb)
    squares, freedom = surfaces.sums().sum(axis=0)
    assert (squares, freedom) == (pytest.approx(0), 2)
    assert surfaces.num_points == 1


def test_pixels_without_a_point_and_points_seen_once_do_not_count():
    surfaces = SurfaceColours()
    surfaces.add(np.array([[-1, 3]]), np.zeros((1, 2, 3), np.uint8))
    surfaces.add(np.array([[-1, 4]]), np.full((1, 2, 3), 255, np.uint8))
    assert surfaces.num_points == 0
    assert surfaces.sums().shape == (GROUPS, 2)


def test_more_points_than_can_be_followed_are_sampled_fairly():
    bounded, whole = SurfaceColours(capacity=500), SurfaceColours()
    random = np.random.default_rng(0)
    for start in range(0, 4000, 400):
        ids = start + np.arange(800).reshape(20, 40)
        rgb = random.integers(0, 256, (20, 40, 3), dtype=np.uint8)
        bounded.add(ids, rgb)
        whole.add(ids, rgb)
    ratios = [
        squares / freedom for squares, freedom in (x.sums().sum(axis=0) for x in (bounded, whole))
    ]
    assert 100 < bounded.num_points <= 500 < whole.num_points
    assert ratios[0] == pytest.approx(ratios[1], rel=0.1)


def test_surface_points_must_fit_the_frame():
    with pytest.raises(ValueError, match="of the frame"):
        SurfaceColours().add(np.zeros((2, 2), np.int64), np.zeros((2, 3, 3), np.uint8))


def test_shuffling_in_time_uses_every_item_once_and_holds_few():
    pairs = list(shuffle_in_time(iter(range(20)), seed=0, together=8))
    assert [first for first, _ in pairs] == list(range(20))
    assert sorted(second for _, second in pairs) == list(range(20))
    assert all(first // 8 == second // 8 for first, second in pairs)
    assert [second for _, second in pairs] != list(range(20))


def test_a_perturbed_frame_differs_a_little_and_by_its_seed():
    frame = texture()
    one, same, other = (perturb(frame, seed=seed) for seed in ((0, 1), (0, 1), (0, 2)))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    gain = (one + 1).mean() / (frame + 1).mean()
    assert 0.94 < gain < 1.06
    assert (one - frame).abs().max() > 0.01
