"""What a run says when it goes wrong, and that it says nothing when it does not."""

import pytest
import torch
from torch import nn

from vid2vid.training.health import QUIET_STEPS, WINNING_STEPS, Health, watch_heads

CALM = 100


def looked(values, *, name="generator_gradient"):
    """Let a run report one value after another; returns (step, warning) of each that is said."""
    health = Health()
    return [
        (step, text)
        for step, value in enumerate(values, start=1)
        for text in health.look({name: value}, step=step)
    ]


def wandering(count):
    """Values that double and halve, as gradient norms of healthy runs do."""
    return [2.0 ** ((step * 7) % 5 - 2) for step in range(count)]


def test_healthy_gradients_are_passed_over():
    assert looked(wandering(500)) == []


def test_gradients_that_grow_tenfold_for_good_are_told_of_once():
    said = looked([*wandering(CALM), *(100.0 for _ in range(50))])
    assert len(said) == 1
    assert CALM < said[0][0] <= CALM + 10
    assert "generator_gradient has grown from 1 to 52 (medians of 95 and 10 steps)" in said[0][1]
    assert "lower optimizer.learning_rate or set optimizer.clip_norm" in said[0][1]


def test_one_wild_step_is_no_explosion():
    assert looked([*wandering(CALM), 1e9, *wandering(CALM)]) == []


def test_activations_are_watched_and_other_terms_are_not():
    values = [*(1.0 for _ in range(CALM)), *(1e3 for _ in range(20))]
    assert len(looked(values, name="image_activation")) == 1
    assert looked(values, name="flow") == []


def test_a_warning_comes_again_when_the_trouble_lasts():
    growing = [4.0 ** (step // 20) for step in range(QUIET_STEPS + 600)]
    steps = [step for step, _ in looked(growing[: 500 * 4])]
    assert len(steps) == 2
    assert steps[1] - steps[0] == QUIET_STEPS


def judged(real, fake, *, steps):
    health = Health()
    terms = {"image_accuracy_real": real, "image_accuracy_fake": fake}
    return [text for step in range(1, steps + 1) for text in health.look(terms, step=step)]


def test_a_discriminator_that_wins_for_long_is_told_of():
    assert judged(1.0, 0.98, steps=WINNING_STEPS - 1) == []
    said = judged(1.0, 0.98, steps=WINNING_STEPS + 20)
    assert len(said) == 1
    assert f"step {WINNING_STEPS}: the image discriminator has told real from" in said[0]
    assert "(98% right)" in said[0]
    assert "lower optimizer.discriminator_rate" in said[0]


@pytest.mark.parametrize(("real", "fake"), [(1.0, 0.5), (0.5, 1.0), (0.9, 0.9)])
def test_a_discriminator_that_is_wrong_on_either_side_has_not_won(real, fake):
    assert judged(real, fake, steps=2 * WINNING_STEPS) == []


def test_heads_are_measured_by_their_mean_absolute_output():
    network = nn.Sequential(nn.Conv2d(1, 8, 1), nn.Conv2d(8, 3, 1))
    nn.init.zeros_(network[1].weight)
    with torch.no_grad():
        network[1].bias.copy_(torch.tensor([-3.0, 0.0, 6.0]))
    with watch_heads(network) as meter:
        network(torch.ones(1, 1, 4, 4))
        assert meter.take() == {"generator_activation": pytest.approx(3.0)}
        assert meter.take() == {}
