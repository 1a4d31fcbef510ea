import numpy as np
import pytest
import torch

from vid2vid.losses.adversarial import gradient_penalty
from vid2vid.losses.config import LossConfig
from vid2vid.losses.spatial import SpatialWeighting, spatial_weights
from vid2vid.networks.critics import ContextCritic, CriticsConfig, GlobalCritic
from vid2vid.training.critic_judge import CriticExhibit, slope_weights

LOSSES = LossConfig(critic_gan=0.5)
SIZE = 32


def make(kind):
    config = CriticsConfig(width=4)
    critic = (
        ContextCritic(config)
        if kind == "context"
        else GlobalCritic(config, height=SIZE, width=SIZE)
    )
    critic.initialise(0)
    return critic


def unknown():
    mask = torch.ones(2, 1, SIZE, SIZE)
    mask[..., 8:24, 8:24] = 0
    return mask


def exhibit(critic, *, fake=None, seed=0):
    generator = torch.Generator().manual_seed(1)
    real = torch.rand(2, 3, SIZE, SIZE, generator=generator) * 2 - 1
    painted = torch.rand(2, 3, SIZE, SIZE, generator=generator) * 2 - 1
    if fake is None:
        fake = torch.where(unknown() > 0, painted, real).requires_grad_()
    return CriticExhibit("context", critic, real, fake, unknown(), "binary", seed)


def judge(shown, losses=LOSSES):
    return shown.judge(losses, unused=0, rng=np.random.default_rng(0))


def test_slope_of_a_linear_critic_is_the_length_of_its_masked_weights():
    generator = torch.Generator().manual_seed(0)
    direction = torch.randn(1, 3, 4, 4, generator=generator)
    mask = (torch.rand(2, 1, 4, 4, generator=generator) > 0.5).float()
    penalty = gradient_penalty(
        lambda frames: [(frames * direction).sum((1, 2, 3)).unsqueeze(1)],
        torch.rand(2, 3, 4, 4, generator=generator),
        torch.rand(2, 3, 4, 4, generator=generator),
        rng=np.random.default_rng(0),
        weights=mask,
    )
    lengths = [float((direction * each).square().sum().sqrt()) for each in mask]
    expected = sum((length - 1) ** 2 for length in lengths) / 2
    assert float(penalty) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", ["context", "global"])
def test_own_loss_is_that_of_wasserstein_with_ten_times_the_penalty(kind):
    critic = make(kind)
    shown = exhibit(critic)
    verdict = judge(shown)
    real, fake = (critic.score(each, unknown()).mean() for each in (shown.real, shown.fake))
    penalty = verdict.observed["context_penalty"]
    torch.testing.assert_close(verdict.discriminator, fake - real + 10 * penalty)
    torch.testing.assert_close(verdict.observed["context_distance"], real - fake)
    weight, gan = verdict.generator["context_gan"]
    assert weight == 0.5
    torch.testing.assert_close(gan, -fake)


@pytest.mark.parametrize("kind", ["context", "global"])
def test_each_player_gets_its_own_gradient(kind):
    critic = make(kind)
    shown = exhibit(critic)
    verdict = judge(shown)
    verdict.discriminator.backward()
    own = [parameter.grad.clone() for parameter in critic.parameters()]
    assert shown.fake.grad is None
    verdict.generator["context_gan"][1].backward()
    assert shown.fake.grad.any()
    gradients = [parameter.grad for parameter in critic.parameters()]
    assert all(torch.equal(one, other) for one, other in zip(own, gradients, strict=True))


def test_without_a_graph_there_is_nothing_to_say_to_the_generator():
    verdict = judge(exhibit(make("context"), fake=torch.zeros(2, 3, SIZE, SIZE)))
    assert verdict.generator == {}
    assert verdict.discriminator.requires_grad


def test_both_critics_are_held_at_the_same_places():
    critic = make("global")
    penalties = [
        judge(exhibit(critic, seed=seed)).observed["context_penalty"] for seed in (3, 3, 4)
    ]
    assert torch.equal(penalties[0], penalties[1])
    assert not torch.equal(penalties[0], penalties[2])


def test_slopes_are_weighted_by_what_the_critic_sees():
    mask = unknown()
    context, whole = make("context"), make("global")
    assert torch.equal(slope_weights(whole, mask, "binary"), mask)
    assert torch.equal(slope_weights(context, mask, "binary"), mask)  # in whole patches of 8 px
    mask[..., 8, 8] = 1
    assert float(slope_weights(context, mask, "binary")[0, 0, 8:16, 8:16].sum()) == 64
    assert torch.equal(slope_weights(whole, mask, "none"), torch.ones_like(mask))
    rsv = spatial_weights(mask, SpatialWeighting("rsv"))
    assert torch.equal(slope_weights(context, mask, "rsv"), rsv)


def test_a_frame_without_unknown_pixels_does_no_harm():
    critic = make("context")
    shown = exhibit(critic)._replace(mask=torch.zeros(2, 1, SIZE, SIZE))
    judge(shown).discriminator.backward()
    assert all(parameter.grad.isfinite().all() for parameter in critic.parameters())


@pytest.mark.parametrize("kind", ["context", "global"])
def test_a_critic_learns_to_score_real_frames_higher(kind):
    critic = make(kind)
    adam = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.5, 0.9))
    distances = []
    for seed in range(25):
        shown = exhibit(critic, fake=torch.zeros(2, 3, SIZE, SIZE), seed=seed)
        adam.zero_grad()
        verdict = judge(shown)
        verdict.discriminator.backward()
        adam.step()
        distances.append(float(verdict.observed["context_distance"]))
    assert distances[-1] > 0.1 > abs(distances[0])
