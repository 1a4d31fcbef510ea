import numpy as np
import pytest
import torch
import torch.nn.functional as F

from vid2vid.metrics.controls import even_stretch, perturb, shuffle_in_time
from vid2vid.metrics.image import gradient_energy
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


def test_shuffling_in_time_uses_every_item_once_and_holds_few():
    pairs = list(shuffle_in_time(iter(range(20)), seed=0, together=8))
    assert [first for first, _ in pairs] == list(range(20))
    assert sorted(second for _, second in pairs) == list(range(20))
    assert all(first // 8 == second // 8 for first, second in pairs)
    assert [second for _, second in pairs] != list(range(20))


@pytest.mark.parametrize(
    ("count", "stretch"), [(0, 1), (1, 1), (64, 64), (65, 33), (67, 34), (1000, 63)]
)
def test_stretches_are_equal_so_that_the_last_is_shuffled_as_well(count, stretch):
    assert even_stretch(count) == stretch
    assert count % stretch == 0 or count % stretch > stretch // 2


def test_a_perturbed_frame_differs_a_little_and_by_its_seed():
    frame = texture()
    one, same, other = (perturb(frame, seed=seed) for seed in ((0, 1), (0, 1), (0, 2)))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    gain = (one + 1).mean() / (frame + 1).mean()
    assert 0.94 < gain < 1.06
    assert (one - frame).abs().max() > 0.01


def test_a_perturbed_frame_is_as_sharp_as_before():
    frame = texture(96, 128)
    energies = [
        float(gradient_energy(perturb(frame, seed=(k,))[None]) / gradient_energy(frame[None]))
        for k in range(12)
    ]
    assert np.mean(energies) == pytest.approx(1, abs=0.1)
    assert min(energies) > 0.85  # the gain alone takes a tenth


def test_a_perturbed_frame_is_moved_within_a_pixel_and_brightened_within_a_twentieth():
    flat = torch.zeros(3, 16, 16)
    ramp = torch.stack([0.02 * torch.arange(16.0).expand(16, 16) - 0.2] * 3)
    moves = []
    for k in range(20):
        gain = float(perturb(flat, seed=(k,))[0, 8, 8] + 1)
        assert 0.95 <= gain <= 1.05
        inner = ((perturb(ramp, seed=(k,)) + 1) / gain - 1 - ramp)[..., 5:-5] / 0.02
        assert inner.std() < 0.05  # the same everywhere
        moves.append(float(inner.mean()))
    assert max(map(abs, moves)) <= 1.05
    assert max(moves) - min(moves) > 1.2
