import pytest
import torch

from vid2vid.losses.adversarial import discriminator_loss
from vid2vid.losses.config import LossConfig
from vid2vid.networks.discriminator import DiscriminatorConfig, MultiScaleDiscriminator
from vid2vid.training.judges import Exhibit, judge


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
    return Exhibit("image", discriminator, pictures(0), fake, alone, weight)


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


@pytest.mark.parametrize("kind", ["least_squares", "hinge", "logistic"])
def test_discriminator_term_is_the_loss_of_the_configured_kind(discriminator, kind):
    shown = exhibit(discriminator)
    verdict = judge(shown, LossConfig(adversarial=kind), unused=0)
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
