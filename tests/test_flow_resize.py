import pytest
import torch

from flow import resize_flow, warp


def test_half_the_width_halves_dx_only():
    flow = torch.stack((torch.full((4, 8), 6.0), torch.full((4, 8), -3.0)))[None]
    resized = resize_flow(flow, (4, 4))
    assert resized.shape == (1, 2, 4, 4)
    assert (resized[:, 0] == 3).all()
    assert (resized[:, 1] == -3).all()


def test_three_times_the_height_triples_dy_only():
    resized = resize_flow(torch.ones(2, 2, 4, 8), (12, 8))
    assert (resized[:, 0] == 1).all()
    assert (resized[:, 1] == 3).all()


def test_half_the_size_averages_blocks_of_two_by_two():
    dx = torch.tensor([[1.0, 3, 10, 10], [5, 7, 10, 10]])
    resized = resize_flow(torch.stack((dx, dx))[None], (1, 2))
    assert resized[0, 0].tolist() == [[2, 5]]
    assert resized[0, 1].tolist() == [[2, 5]]


def test_the_same_size_changes_nothing():
    flow = torch.randn(1, 2, 5, 7)
    assert torch.equal(resize_flow(flow, (5, 7)), flow)


def test_a_resized_flow_fits_the_resized_frames():
    ramp = torch.arange(32.0).expand(1, 1, 16, 32)
    flow = torch.tensor([4.0, 0]).view(1, 2, 1, 1).expand(1, 2, 16, 32)
    small = ramp.unflatten(3, (16, 2)).mean(dim=4)
    warped = warp(small, resize_flow(flow, (16, 16)))
    torch.testing.assert_close(warped[..., :13], small[..., :13] + 4, atol=1e-4, rtol=0)


def test_the_gradient_is_that_of_the_scale():
    flow = torch.zeros(1, 2, 2, 2, requires_grad=True)
    resize_flow(flow, (2, 4)).sum().backward()
    assert flow.grad is not None
    assert flow.grad[0, 0].sum() == pytest.approx(16)  # 8 vectors, each twice as long
    assert flow.grad[0, 1].sum() == pytest.approx(8)


def test_resizing_refuses_a_flow_without_a_batch_axis():
    with pytest.raises(ValueError, match=r"flow must be 'b 2 h w' to be resized; got \(2, 4, 4\)"):
        resize_flow(torch.zeros(2, 4, 4), (2, 2))
