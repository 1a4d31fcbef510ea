import pytest
import torch

from flow import (
    DIS,
    forward_backward_confidence,
    photometric_confidence,
    reference_flow,
)


def constant(dx, dy, size=(4, 8)):
    return torch.tensor([dx, dy]).view(1, 2, 1, 1).expand(1, 2, *size).clone()


def test_a_flow_that_leads_back_is_trusted():
    confidence = forward_backward_confidence(constant(0.0, 0.0), constant(0.0, 0.0))
    assert confidence.shape == (1, 1, 4, 8)
    assert (confidence == 1).all()


def test_pixels_that_come_from_outside_the_frame_are_not_trusted():
    confidence = forward_backward_confidence(constant(2.0, 0.0), constant(-2.0, 0.0))
    assert (confidence[..., :6] == 1).all()
    assert (confidence[..., 6:] == 0).all()


@pytest.mark.parametrize(("dx", "dy"), [(-2.0, 0.0), (0.0, 2.0), (0.0, -2.0)])
def test_every_side_of_the_frame_has_an_outside(dx, dy):
    confidence = forward_backward_confidence(constant(dx, dy), constant(-dx, -dy))
    assert confidence.sum() == (4 * 6 if dx else 2 * 8)


def test_a_border_pixel_that_misses_by_less_than_half_a_pixel_is_inside():
    confidence = forward_backward_confidence(constant(0.4, -0.4), constant(-0.4, 0.4))
    assert (confidence == 1).all()


def test_an_occluded_strip_is_found():
    # A square over columns 4 to 7 moved here from columns 1 to 4 of the previous frame. What it
    # uncovered, columns 1 to 3, was behind it then: the flow of the ground leads onto the square.
    flow, reverse = torch.zeros(1, 2, 3, 12), torch.zeros(1, 2, 3, 12)
    flow[:, 0, :, 4:8] = -3
    reverse[:, 0, :, 1:5] = 3
    confidence = forward_backward_confidence(flow, reverse)
    assert confidence[0, 0, 0].tolist() == [1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]


def test_the_tolerance_is_that_of_sundaram():
    # |f + r|² = 1 against 0.01 · (9² + 10²) + 0.5 = 2.31, and against 0.01 · (0 + 1) + 0.5 = 0.51.
    fast = forward_backward_confidence(constant(9.0, 0.0, (1, 20)), constant(-10.0, 0.0, (1, 20)))
    slow = forward_backward_confidence(constant(0.0, 0.0), constant(1.0, 0.0))
    assert fast[..., :10].min() == 1
    assert slow.max() == 0


def test_the_tolerance_can_be_set():
    flow, reverse = constant(0.0, 0.0), constant(1.0, 0.0)
    assert forward_backward_confidence(flow, reverse, beta=1.0).min() == 1
    assert forward_backward_confidence(flow, reverse, alpha=0.5).min() == 1


def test_photometric_confidence_sums_squares_over_channels():
    current, previous = torch.zeros(1, 3, 1, 3), torch.zeros(1, 3, 1, 3)
    previous[..., 1] = 0.08  # 3 · 0.0064 = 0.0192
    previous[..., 2] = 0.09  # 3 · 0.0081 = 0.0243
    flow = torch.zeros(1, 2, 1, 3)
    assert photometric_confidence(current, previous, flow).flatten().tolist() == [1, 1, 0]
    loose = photometric_confidence(current, previous, flow, threshold=0.03)
    assert loose.flatten().tolist() == [1, 1, 1]


def test_photometric_confidence_compares_along_the_flow():
    previous = torch.linspace(-1, 1, 8).expand(1, 3, 4, 8)
    confidence = photometric_confidence(previous.roll(-1, 3), previous, constant(1.0, 0.0))
    assert (confidence[..., :-1] == 1).all()
    assert (confidence[..., -1] == 0).all()


def shift_right(current, previous):
    """An estimator with one answer for (0, 1) and the opposite one for the pair swapped."""
    return constant(1.0, 0.0) * (previous - current)[:, :1].sign()


def test_reference_flow_checks_with_the_estimate_of_the_swapped_pair():
    current, previous = torch.zeros(1, 3, 4, 8), torch.ones(1, 3, 4, 8)
    flow, confidence = reference_flow(shift_right, current, previous)
    assert torch.equal(flow, constant(1.0, 0.0))
    assert confidence[0, 0, 0].tolist() == [1, 1, 1, 1, 1, 1, 1, 0]


def test_reference_flow_can_check_the_colours_or_nothing():
    current, previous = torch.zeros(1, 3, 4, 8), torch.ones(1, 3, 4, 8)
    assert reference_flow(shift_right, current, previous, check="photometric")[1].max() == 0
    assert reference_flow(shift_right, current, previous, check="none").confidence.min() == 1


def test_reference_flow_of_a_resting_frame_is_trusted_everywhere():
    frame = torch.rand(1, 3, 40, 48, generator=torch.Generator().manual_seed(0)) * 2 - 1
    flow, confidence = reference_flow(DIS(), frame, frame)
    assert flow.abs().max() < 0.1
    assert confidence.min() == 1


def test_an_unknown_check_is_refused():
    frame = torch.zeros(1, 3, 4, 8)
    with pytest.raises(ValueError, match="'photometric' or 'none'; got 'both'"):
        reference_flow(shift_right, frame, frame, check="both")  # pyright: ignore


def test_flows_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match="flow must be 'b 2 h w'"):
        forward_backward_confidence(constant(0.0, 0.0), constant(0.0, 0.0, (4, 4)))
