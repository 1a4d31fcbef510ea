import math

import pytest
import torch

from vid2vid.losses.adversarial import discriminator_loss, generator_loss, share_real
from vid2vid.losses.config import LossConfig
from vid2vid.losses.matching import feature_matching
from vid2vid.losses.motion import (
    generated_warp_loss,
    masked_l1,
    occlusion_loss,
    reference_flow_loss,
    warp_loss,
)


def score(*values):
    return torch.tensor(values).view(1, 1, 1, -1)


def softplus(x):
    return math.log1p(math.exp(x))


# real scores 0.5 and 2, fake scores -0.5 and 1
REAL, FAKE = [score(0.5, 2.0)], [score(-0.5, 1.0)]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("least_squares", ((0.25 + 1) / 2 + (0.25 + 1) / 2) / 2),
        ("hinge", ((0.5 + 0) / 2 + (0.5 + 2) / 2) / 2),
        (
            "logistic",
            ((softplus(-0.5) + softplus(-2)) / 2 + (softplus(-0.5) + softplus(1)) / 2) / 2,
        ),
        ("wasserstein", -(0.5 + 2) / 2 + (-0.5 + 1) / 2),  # the whole difference
    ],
)
def test_discriminator_loss_is_half_of_both_sides(kind, expected):
    assert discriminator_loss(REAL, FAKE, kind=kind).item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("least_squares", (1.5**2 + 0) / 2),
        ("hinge", -(-0.5 + 1) / 2),
        ("logistic", (softplus(0.5) + softplus(-1)) / 2),
        ("wasserstein", -(-0.5 + 1) / 2),
    ],
)
def test_generator_loss_wants_fakes_to_score_as_real(kind, expected):
    assert generator_loss(FAKE, kind=kind).item() == pytest.approx(expected)


def test_scales_are_summed_or_averaged():
    real, fake = [score(0.0), score(1.0)], [score(2.0), score(0.0)]
    assert discriminator_loss(real, fake, kind="least_squares").item() == (1 + 0 + 4 + 0) / 2
    assert discriminator_loss(real, fake, kind="least_squares", scales="mean").item() == 5 / 4
    assert generator_loss(fake, kind="least_squares").item() == 1 + 1
    assert generator_loss(fake, kind="least_squares", scales="mean").item() == 1


def test_scales_of_different_sizes_count_alike():
    fake = [score(0.0, 0.0, 0.0, 0.0), score(1.0)]
    assert generator_loss(fake, kind="least_squares", scales="mean").item() == 0.5


@pytest.mark.parametrize("kind", ["least_squares", "hinge", "logistic", "wasserstein"])
def test_each_side_is_pushed_the_right_way(kind):
    real, fake = score(0.1).requires_grad_(), score(0.1).requires_grad_()
    discriminator_loss([real], [fake], kind=kind).backward()
    assert real.grad.item() < 0 < fake.grad.item()
    fake.grad = None
    generator_loss([fake], kind=kind).backward()
    assert fake.grad.item() < 0


def maps(value, size=2):
    return torch.full((1, 1, size, size), float(value))


def test_feature_matching_leaves_the_score_out_and_averages_scales():
    # Four stages and a score, as in the official networks: the factor is 1.
    fake = [[maps(1), maps(2), maps(3), maps(4), maps(100)]]
    real = [[maps(0), maps(0), maps(0), maps(0), maps(0)]]
    assert feature_matching(fake, real).item() == 1 + 2 + 3 + 4
    assert feature_matching(fake * 2, [real[0], fake[0]]).item() == 10 / 2


def test_feature_matching_of_two_stages_counts_as_much_as_of_four():
    assert feature_matching([[maps(1), maps(3), maps(9)]], [[maps(0)] * 3]).item() == 4 / 2 * 4


def test_no_gradient_flows_into_what_is_matched():
    fake, real = maps(1).requires_grad_(), maps(0).requires_grad_()
    feature_matching([[fake, fake]], [[real, real]]).backward()
    assert fake.grad is not None
    assert real.grad is None


def test_losses_are_float32_whatever_the_features():
    fake, real = [[maps(1).bfloat16()] * 2], [[maps(0).bfloat16()] * 2]
    assert feature_matching(fake, real).dtype == torch.float32


def test_masked_mean_is_divided_by_the_mask():
    first = torch.zeros(1, 2, 1, 4)
    first[..., 0], first[..., 1], first[..., 3] = 1.0, 3.0, 1000.0
    mask = torch.tensor([1.0, 1.0, 0.0, 0.0]).view(1, 1, 1, 4)
    assert masked_l1(first, torch.zeros_like(first), mask).item() == 2


def test_soft_masks_weight_the_mean():
    first = torch.tensor([4.0, 8.0]).view(1, 1, 1, 2)
    mask = torch.tensor([1.0, 0.5]).view(1, 1, 1, 2)
    assert masked_l1(first, torch.zeros_like(first), mask).item() == pytest.approx((4 + 4) / 1.5)


def test_an_empty_mask_gives_0_and_a_finite_gradient():
    first = torch.full((1, 3, 2, 2), 5.0, requires_grad=True)
    loss = masked_l1(first, torch.zeros(1, 3, 2, 2), torch.zeros(1, 1, 2, 2))
    loss.backward()
    assert loss.item() == 0
    assert not first.grad.any()


def field(dx, dy):
    return torch.tensor([dx, dy], dtype=torch.float32).view(1, 2, 1, 1).expand(1, 2, 3, 4)


def test_reference_flow_loss_is_in_pixels_per_component():
    loss = reference_flow_loss(field(3.0, 0.0), field(1.0, 1.0), torch.ones(1, 1, 3, 4))
    assert loss.item() == (2 + 1) / 2


def test_warp_loss_is_0_where_the_flow_fetches_the_frame():
    previous = torch.rand(1, 3, 3, 4)
    current = torch.cat([previous[..., 1:], previous[..., -1:]], dim=-1)
    trusted = torch.ones(1, 1, 3, 4)
    assert warp_loss(field(1.0, 0.0), previous, current, trusted).item() < 1e-6
    shown = warp_loss(field(0.0, 0.0), previous, current, trusted)
    torch.testing.assert_close(shown, (previous - current).abs().mean())


def test_warp_loss_has_a_gradient_in_the_flow():
    flow = field(0.3, 0.0).clone().requires_grad_()
    previous = torch.arange(4.0).expand(1, 3, 3, 4)
    warp_loss(flow, previous, previous + 1, torch.ones(1, 1, 3, 4)).backward()
    assert (flow.grad[0, 0, :, :3] < 0).all()


def test_generated_warp_loss_moves_the_frame_and_not_the_one_before():
    frame, previous = torch.ones(1, 3, 3, 4).requires_grad_(), torch.zeros(1, 3, 3, 4)
    previous.requires_grad_()
    loss = generated_warp_loss(frame, previous, field(1.0, 0.0), torch.ones(1, 1, 3, 4))
    loss.backward()
    assert loss.item() == 1
    assert frame.grad.any()
    assert previous.grad is None


def test_occlusion_loss_is_the_mean_occlusion_where_the_flow_is_trusted():
    occlusion = torch.tensor([0.2, 0.6, 1.0, 1.0]).view(1, 1, 1, 4)
    trusted = torch.tensor([1.0, 1.0, 0.0, 0.0]).view(1, 1, 1, 4)
    assert occlusion_loss(occlusion, trusted).item() == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("settings", "weight"),
    [({}, 0.0), ({"perceptual": 0}, 10.0), ({"perceptual": 0, "pixel": 3}, 3.0), ({"pixel": 3}, 3)],
)
def test_pixel_term_is_on_where_the_perceptual_loss_is_off(settings, weight):
    assert LossConfig(**settings).pixel_weight == weight


@pytest.mark.parametrize(("kind", "share"), [("least_squares", 0.25), ("hinge", 0.5)])
def test_patches_above_the_middle_of_both_targets_are_taken_for_real(kind, share):
    # Per scale 1 of 2 and 0 of 1 are above one half; 1 of 2 and 1 of 2 are above 0.
    scales = [score(2.0, -1.0), score(0.4, -0.4) if kind == "hinge" else score(0.4)]
    assert share_real(scales, kind=kind).item() == share
