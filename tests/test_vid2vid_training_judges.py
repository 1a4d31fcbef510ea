import math

import numpy as np
import pytest
import torch

from vid2vid.losses.adversarial import discriminator_loss
from vid2vid.losses.config import LossConfig
from vid2vid.networks.discriminator import DiscriminatorConfig, MultiScaleDiscriminator
from vid2vid.training.judges import PatchExhibit


@pytest.fixture
def discriminator():
    network = MultiScaleDiscriminator(DiscriminatorConfig(width=4, layers=1, scales=2), 3)
    network.initialise(0)
    return network


def pictures(seed):
    return torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(seed))


def exhibit(discriminator, *, hallucinated=False, weight=1.0):
    fake = pictures(1).requires_grad_()
    alone = pictures(2).requires_grad_() if hallucinated else None
    return PatchExhibit("image", discriminator, pictures(0), fake, alone, weight)


def judge(shown, losses, *, unused, seed=0):
    return shown.judge(losses, unused=unused, rng=np.random.default_rng(seed))


def scores(discriminator, shown):
    return [scale[-1] for scale in discriminator(shown)]


def test_generator_terms_leave_no_gradient_in_the_discriminator(discriminator):
    shown = exhibit(discriminator)
    verdict = judge(shown, LossConfig(), unused=0)
    torch.stack([term for _, term in verdict.generator.values()]).sum().backward()
    assert shown.fake.grad.any()
    assert all(parameter.grad is None for parameter in discriminator.parameters())


def test_discriminator_term_leaves_no_gradient_in_the_generator(discriminator):
    shown = exhibit(discriminator, hallucinated=True)
    judge(shown, LossConfig(), unused=0).discriminator.backward()
    assert shown.fake.grad is None
    assert shown.hallucinated.grad is None
    assert all(parameter.grad is not None for parameter in discriminator.parameters())


def test_the_discriminator_is_trained_again_afterwards(discriminator):
    judge(exhibit(discriminator), LossConfig(), unused=0)
    assert all(parameter.requires_grad for parameter in discriminator.parameters())


def test_both_players_may_run_backward_in_either_order(discriminator):
    gradients = []
    for order in (0, 1):
        shown = exhibit(discriminator)
        discriminator.zero_grad()
        verdict = judge(shown, LossConfig(), unused=0)
        losses = [verdict.discriminator, verdict.generator["image_matching"][1]]
        for loss in losses if order else losses[::-1]:
            loss.backward()
        gradients.append((shown.fake.grad, discriminator.patches[0].stages[0][0].weight.grad))
    assert torch.equal(gradients[0][0], gradients[1][0])
    assert torch.equal(gradients[0][1], gradients[1][1])


@pytest.mark.parametrize("kind", ["least_squares", "hinge", "logistic", "wasserstein"])
def test_discriminator_term_is_the_loss_of_the_configured_kind(discriminator, kind):
    shown = exhibit(discriminator)
    verdict = judge(shown, LossConfig(adversarial=kind, gradient_penalty=0), unused=0)
    real, fake = scores(discriminator, shown.real), scores(discriminator, shown.fake)
    torch.testing.assert_close(verdict.discriminator, discriminator_loss(real, fake, kind=kind))


def test_the_hallucinated_frame_counts_by_its_share(discriminator):
    losses = LossConfig(hallucinated=0.5)
    both = judge(exhibit(discriminator, hallucinated=True), losses, unused=0)
    frame = judge(exhibit(discriminator), losses, unused=0)
    alone = exhibit(discriminator, hallucinated=True)
    other = judge(alone._replace(fake=alone.hallucinated, hallucinated=None), losses, unused=0)
    for name, (weight, term) in both.generator.items():
        expected = frame.generator[name][1] + 0.5 * other.generator[name][1]
        torch.testing.assert_close(term, expected)
        assert weight == frame.generator[name][0]
    mean = (frame.discriminator + 0.5 * other.discriminator) / 1.5
    torch.testing.assert_close(both.discriminator, mean)


def test_terms_of_weight_0_are_not_computed(discriminator):
    without_matching = judge(exhibit(discriminator), LossConfig(matching=0), unused=0)
    assert set(without_matching.generator) == {"image_gan"}
    without_gan = judge(exhibit(discriminator, weight=0), LossConfig(), unused=0)
    assert set(without_gan.generator) == {"image_matching"}


def test_equal_pictures_match(discriminator):
    shown = exhibit(discriminator)
    verdict = judge(shown._replace(real=shown.fake.detach()), LossConfig(), unused=0)
    assert verdict.generator["image_matching"][1].item() == 0


def test_unused_patch_networks_get_no_gradient(discriminator):
    judge(exhibit(discriminator), LossConfig(), unused=1).discriminator.backward()
    coarse, fine = discriminator.patches
    assert all(parameter.grad is not None for parameter in coarse.parameters())
    assert all(parameter.grad is None for parameter in fine.parameters())


@pytest.mark.parametrize(
    ("kind", "score", "seen"),
    [
        ("least_squares", 0.6, (1.0, 0.0, 0.6)),
        ("least_squares", 0.4, (0.0, 1.0, 0.4)),
        ("hinge", 0.4, (1.0, 0.0, 0.4)),
        ("logistic", -3.0, (0.0, 1.0, 3.0)),
    ],
)
def test_one_score_for_everything_is_right_about_one_side(discriminator, kind, score, seen):
    with torch.no_grad():
        for patch in discriminator.patches:
            patch.stages[-1].weight.zero_()
            patch.stages[-1].bias.fill_(score)
    observed = judge(exhibit(discriminator), LossConfig(adversarial=kind), unused=0).observed
    names = ("image_accuracy_real", "image_accuracy_fake", "image_activation")
    assert tuple(observed[name].item() for name in names) == pytest.approx(seen)
    assert not any(value.requires_grad for value in observed.values())


def linear_critic(*, weight, channels=3, norm="none"):
    """Make a critic of 1x1 pictures: the sum of the channels times `weight`."""
    config = DiscriminatorConfig(width=1, scales=1, pixel=True, norm=norm)
    network = MultiScaleDiscriminator(config, channels)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_() if parameter.ndim == 1 else parameter.fill_(1.0)
        network.patches[0].stages[0][0].bias.fill_(100.0)  # above 0: LeakyReLU is the identity
        network.patches[0].stages[0][0].weight.fill_(weight / 2)  # the two after it add up to 2
    return network


WASSERSTEIN = LossConfig(adversarial="wasserstein", matching=0)


def one_pixel(seed, channels=3):
    return torch.rand(4, channels, 1, 1, generator=torch.Generator().manual_seed(seed))


def test_the_penalty_of_a_linear_critic_is_that_of_its_slope():
    # |w| = sqrt(3 * 2^2); 10 * (|w| - 1)^2 beside the difference of the mean scores
    shown = PatchExhibit("image", linear_critic(weight=2.0), one_pixel(0), one_pixel(1), None, 1.0)
    verdict = judge(shown, WASSERSTEIN, unused=0)
    penalty = (math.sqrt(12) - 1) ** 2
    distance = 2 * (shown.real.sum(1) - shown.fake.sum(1)).mean().item()
    assert verdict.observed["image_penalty"].item() == pytest.approx(penalty, rel=1e-5)
    assert verdict.observed["image_distance"].item() == pytest.approx(distance, rel=1e-4)
    assert verdict.discriminator.item() == pytest.approx(10 * penalty - distance, rel=1e-5)
    expected = -(200 + 2 * shown.fake.sum(1).mean().item())
    assert verdict.generator["image_gan"][1].item() == pytest.approx(expected)


def test_the_penalty_pulls_the_slope_towards_1():
    for weight, sign in ((0.1, -1), (2.0, 1)):
        critic = linear_critic(weight=weight)
        shown = PatchExhibit("image", critic, one_pixel(0), one_pixel(0), None, 1.0)
        judge(shown, WASSERSTEIN, unused=0).discriminator.backward()
        assert (sign * critic.patches[0].stages[0][0].weight.grad > 0).all()


def test_the_slope_is_that_of_frames_not_of_their_conditioning():
    shown = PatchExhibit(
        "image",
        linear_critic(weight=1.0, channels=5),
        one_pixel(0, 5),
        one_pixel(1, 5),
        None,
        1.0,
        frames=slice(-3, None),
    )
    penalty = judge(shown, WASSERSTEIN, unused=0).observed["image_penalty"]
    assert penalty.item() == pytest.approx((math.sqrt(3) - 1) ** 2, rel=1e-5)


def test_the_slope_is_that_of_the_mean_of_patches():
    shown = PatchExhibit("image", linear_critic(weight=2.0), pictures(0), pictures(1), None, 1.0)
    penalty = judge(shown, WASSERSTEIN, unused=0).observed["image_penalty"]
    # Each of 16 x 16 pixels has a slope of sqrt(12) / 256: together sqrt(12) / 16.
    assert penalty.item() == pytest.approx((math.sqrt(12) / 16 - 1) ** 2, rel=1e-5)


@pytest.mark.parametrize("norm", ["instance", "group", "none"])
def test_the_penalty_reaches_every_weight_through_every_norm(norm):
    network = MultiScaleDiscriminator(
        DiscriminatorConfig(width=4, layers=2, scales=2, norm=norm, spectral=norm == "none"), 3
    )
    network.initialise(0)
    shown = exhibit(network, hallucinated=True)
    verdict = judge(shown, WASSERSTEIN, unused=0)
    verdict.discriminator.backward()
    assert all(p.grad.isfinite().all() for p in network.parameters())
    assert shown.fake.grad is None


def test_the_penalty_is_exact_under_bfloat16(discriminator):
    shown = exhibit(discriminator)
    exact = judge(shown, WASSERSTEIN, unused=0).observed["image_penalty"]
    with torch.autocast("cpu", torch.bfloat16):
        verdict = judge(shown, WASSERSTEIN, unused=0)
    assert torch.equal(verdict.observed["image_penalty"], exact)


def test_the_places_of_the_penalty_follow_from_the_seed(discriminator):
    shown = exhibit(discriminator)
    found = [
        judge(shown, WASSERSTEIN, unused=0, seed=seed).observed["image_penalty"]
        for seed in (0, 0, 1)
    ]
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_a_flat_critic_has_a_penalty_of_1_and_no_infinite_gradient(discriminator):
    with torch.no_grad():
        for patch in discriminator.patches:
            patch.stages[-1].weight.zero_()
    verdict = judge(exhibit(discriminator), WASSERSTEIN, unused=0)
    assert verdict.observed["image_penalty"].item() == 2  # 1 at each of two scales
    verdict.discriminator.backward()
    assert all(p.grad.isfinite().all() for p in discriminator.parameters() if p.grad is not None)
