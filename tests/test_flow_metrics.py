import pytest
import torch

from flow import end_point_error, outlier_rate, warping_error


def flows(*vectors):
    """One flow, one row high, from a list of (dx, dy)."""
    return torch.tensor(vectors, dtype=torch.float32).T[None, :, None]


def test_end_point_error_is_the_length_of_the_difference():
    error = end_point_error(flows((3, 4), (0, 0)), flows((0, 0), (0, 0)))
    assert error.tolist() == [2.5]


def test_end_point_error_is_one_number_for_each_item():
    flow = torch.cat((flows((1, 0)), flows((0, 2))))
    assert end_point_error(flow, torch.zeros_like(flow)).tolist() == [1, 2]


def test_a_mask_weighs_the_pixels():
    mask = torch.tensor([0.25, 0.75]).view(1, 1, 1, 2)
    assert end_point_error(flows((4, 0), (0, 8)), flows((0, 0), (0, 0)), mask).tolist() == [7]


def test_an_empty_mask_measures_nothing():
    flow = flows((1, 0))
    assert end_point_error(flow, flow, torch.zeros(1, 1, 1, 1)).isnan().all()


def test_end_point_error_has_a_gradient_where_the_flows_agree_too():
    flow = flows((3, 4), (1, 1)).requires_grad_()
    end_point_error(flow, flows((0, 0), (1, 1))).sum().backward()
    assert flow.grad is not None
    torch.testing.assert_close(flow.grad, flows((0.3, 0.4), (0, 0)))


def test_an_outlier_misses_by_three_pixels_and_by_five_per_cent():
    # Off by 3, by 4 (4 % of 100), by 4 (of 50), by 6 (6 % of 100).
    target = flows((0, 0), (100, 0), (50, 0), (0, 100))
    flow = flows((3, 0), (104, 0), (54, 0), (0, 106))
    assert outlier_rate(flow, target).tolist() == [0.5]


def test_outliers_outside_the_mask_do_not_count():
    mask = torch.tensor([1.0, 0]).view(1, 1, 1, 2)
    assert outlier_rate(flows((0, 0), (9, 9)), flows((0, 0), (0, 0)), mask).tolist() == [0]


def test_warping_error_is_in_units_of_frames_from_zero_to_one():
    current, previous = torch.full((1, 3, 2, 2), 1.0), torch.full((1, 3, 2, 2), -1.0)
    flow, confidence = torch.zeros(1, 2, 2, 2), torch.ones(1, 1, 2, 2)
    assert warping_error(current, previous, flow, confidence).tolist() == [1]
    assert warping_error(current, current, flow, confidence).item() == pytest.approx(0, abs=1e-9)


def test_warping_error_divides_by_the_trusted_pixels():
    current, previous = torch.zeros(1, 3, 1, 4), torch.zeros(1, 3, 1, 4)
    previous[..., 0], previous[..., 3] = 1, 2
    confidence = torch.tensor([1.0, 1, 0, 0]).view(1, 1, 1, 4)
    error = warping_error(current, previous, torch.zeros(1, 2, 1, 4), confidence)
    assert error.item() == pytest.approx(0.125)


def test_warping_error_vanishes_along_the_true_motion():
    previous = torch.linspace(-1, 1, 8).expand(1, 3, 4, 8)
    flow = torch.tensor([1.0, 0]).view(1, 2, 1, 1).expand(1, 2, 4, 8)
    confidence = torch.ones(1, 1, 4, 8)
    confidence[..., -1] = 0
    moved = previous.roll(-1, 3)
    assert warping_error(moved, previous, flow, confidence) < 1e-9
    assert warping_error(moved, previous, -flow, confidence) > 0.01


def test_warping_error_where_nothing_is_trusted_is_not_a_number():
    frame = torch.zeros(1, 3, 2, 2)
    assert warping_error(frame, frame, torch.zeros(1, 2, 2, 2), torch.zeros(1, 1, 2, 2)).isnan()


def test_flows_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match=r"got \(1, 2, 4, 4\) and \(1, 2, 4, 5\)"):
        end_point_error(torch.zeros(1, 2, 4, 4), torch.zeros(1, 2, 4, 5))


def test_a_mask_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"here \(1, 1, 4, 4\); got \(1, 2, 4, 4\)"):
        outlier_rate(*[torch.zeros(1, 2, 4, 4)] * 3)


def test_frames_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match="current and previous must have one shape"):
        warping_error(
            torch.zeros(1, 3, 4, 4),
            torch.zeros(1, 1, 4, 4),
            torch.zeros(1, 2, 4, 4),
            torch.ones(1, 1, 4, 4),
        )
