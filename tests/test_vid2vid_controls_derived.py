"""Controls that are found in the photographs themselves."""

import numpy as np
import pytest
import torch

from flow.estimators import DIS
from vid2vid.controls.config import (
    EdgesConfig,
    FlowControlConfig,
    GreyConfig,
    LowResolutionConfig,
)
from vid2vid.controls.derived import derive


def smooth(count=3, height=40, width=48, shift=3):
    """A smooth texture that moves `shift` pixels to the right a frame."""
    rng = np.random.default_rng(0)
    wide = torch.from_numpy(rng.random((1, 3, height // 4, width // 4 + 8))).float()
    texture = torch.nn.functional.interpolate(wide, scale_factor=4, mode="bicubic")[0]
    left = [16 - shift * index for index in range(count)]
    return torch.stack([texture[:, :, at : at + width] for at in left]).clamp(0, 1) * 2 - 1


def test_edges_lie_on_both_sides_of_a_step_and_nowhere_else():
    frames = torch.full((1, 3, 12, 16), -1.0)
    frames[..., 8:] = 1.0
    edges = derive(EdgesConfig(blur_sigma=0), frames)
    assert edges.shape == (1, 1, 12, 16)
    assert edges.unique().tolist() == [-1, 1]
    assert (edges[0, 0] > 0).any(dim=0).nonzero()[:, 0].tolist() in ([7], [8])


def test_edges_below_the_threshold_are_none():
    frames = torch.full((1, 3, 12, 16), 0.0)
    frames[..., 8:] = 0.1  # 13 levels: a Sobel gradient of 4 x 13
    assert (derive(EdgesConfig(low=60, high=60, blur_sigma=0), frames) == -1).all()
    assert (derive(EdgesConfig(low=40, high=40, blur_sigma=0), frames) == 1).any()


def test_edges_do_not_depend_on_other_frames():
    frames = smooth()
    both = derive(EdgesConfig(), frames)
    assert torch.equal(both[1:2], derive(EdgesConfig(), frames[1:2]))


def test_grey_is_the_light_of_bt_601():
    frames = torch.tensor([1.0, -1.0, 0.5]).view(1, 3, 1, 1)
    assert derive(GreyConfig(), frames).item() == pytest.approx(0.299 - 0.587 + 0.5 * 0.114)


def test_low_resolution_holds_the_mean_of_each_block():
    frames = torch.rand(2, 3, 8, 12) * 2 - 1
    low = derive(LowResolutionConfig(factor=4, enlarge="nearest"), frames)
    assert low.shape == frames.shape
    blocks = frames.unflatten(2, (2, 4)).unflatten(4, (3, 4)).mean(dim=(3, 5))
    expected = blocks.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)
    torch.testing.assert_close(low, expected)


def test_low_resolution_of_a_size_that_does_not_divide_keeps_the_size():
    low = derive(LowResolutionConfig(factor=4), torch.zeros(1, 3, 9, 14))
    assert low.shape == (1, 3, 9, 14)
    assert low.abs().max() < 1e-6


def test_flow_says_where_to_fetch_and_the_first_frame_rests():
    flow = derive(FlowControlConfig(largest_px=10), smooth(3, shift=3))
    assert flow.shape == (3, 2, 40, 48)
    assert (flow[0] == 0).all()
    assert flow[1:, 0].median().item() == pytest.approx(-0.3, abs=0.03)
    assert flow[1:, 1].median().abs().item() < 0.02


def test_flow_longer_than_the_largest_is_cut():
    flow = derive(FlowControlConfig(largest_px=1), smooth(2, shift=3))
    assert flow[1, 0].median() == -1


def test_flow_frame_by_frame_is_that_of_the_clip():
    frames, control = smooth(3), FlowControlConfig(dis="fast")
    whole = derive(control, frames)
    last = derive(control, frames[2:], previous=frames[1])
    assert torch.equal(whole[2:], last)
    found = DIS("fast")(frames[2:], frames[1:2])
    torch.testing.assert_close(last * 20, found.clamp(-20, 20))
