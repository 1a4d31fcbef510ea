import math

import pytest
import torch

from vid2vid.errors import TrainingError
from vid2vid.training.ema import ema_decay
from vid2vid.training.loop import take_steps

ALONE = ("image_discriminator=null", "video_discriminator=null")


@pytest.fixture
def train(tiny_state, tiny_config):
    """Take steps with `tiny_config` and changes; returns the state and the reports."""

    def take(*changes, end=None, before=None):
        run, state = tiny_state(*changes)
        schedule = tiny_config(*changes).schedule
        if before is not None:
            before(state)
        reports = list(take_steps(run, state, schedule, end=end or schedule.steps))
        return state, reports

    return take


def copies(network):
    return [parameter.detach().clone() for parameter in network.parameters()]


def moved(network, before):
    return any(not torch.equal(p, b) for p, b in zip(network.parameters(), before, strict=True))


def test_every_player_moves_at_every_step(train):
    weights = {}

    def remember(state):
        weights.update({name: copies(network) for name, network in state.players.trained()})

    state, reports = train(end=1, before=remember)
    assert [report.step for report in reports] == [1]
    assert all(moved(network, weights[name]) for name, network in state.players.trained())


def test_reports_name_terms_and_moment(train):
    _, reports = train("schedule.constant=0", end=2)
    assert [report.moment.rate_factor for report in reports] == [1.0, 0.75]
    assert {"pixel", "flow", "image_gan", "image_discriminator"} <= set(reports[0].terms)
    assert all(math.isfinite(value) for value in reports[0].terms.values())
    assert all(report.seconds > 0 for report in reports)


def test_learning_rate_falls_for_every_player(train):
    state, _ = train(
        "schedule.constant=0", "optimizer.learning_rate=0.01", "optimizer.discriminator_rate=0.04"
    )
    rates = {name: adam.param_groups[0]["lr"] for name, adam in state.optimizers.items()}
    assert rates == pytest.approx(
        {"generator": 0.0025, "image_discriminator": 0.01, "video_discriminator_0": 0.01}
    )


def test_discriminators_learn_at_the_generators_rate_unless_told(train):
    state, _ = train("optimizer.learning_rate=0.01", "schedule.constant=1", end=1)
    assert {adam.param_groups[0]["lr"] for adam in state.optimizers.values()} == {0.01}


def test_clips_grow_with_the_schedule(train):
    changes = ("schedule.clip_length=1", "schedule.clip_growth=0.25")
    _, reports = train(*changes)
    assert [report.moment.clip_length for report in reports] == [1, 2, 4, 4]


def test_the_coarse_scale_is_fixed_and_then_really_trained(train):
    changes = ("generator.refiners=1", "schedule.freeze=0.5")
    weights = []

    def remember(state):
        weights.append(copies(state.players.generator.coarse))

    state, reports = train(*changes, end=2, before=remember)
    assert [report.moment.frozen for report in reports] == [1, 1]
    assert not moved(state.players.generator.coarse, weights[0])
    assert any(p.any() for p in state.players.generator.refiners[0].parameters())
    state, reports = train(*changes, end=3)
    assert reports[-1].moment.frozen == 0
    assert moved(state.players.generator.coarse, weights[0])


def test_a_refiner_is_trained_once_it_has_joined(train):
    changes = ("generator.refiners=1", "schedule.refine_at=[0.5]")
    weights = []

    def remember(state):
        weights.append(copies(state.players.generator.refiners[0]))

    state, reports = train(*changes, end=2, before=remember)
    assert not moved(state.players.generator.refiners[0], weights[0])
    state, reports = train(*changes)
    assert [report.moment.scales for report in reports] == [1, 1, 2, 2]
    assert moved(state.players.generator.refiners[0], weights[0])


def test_the_average_follows_the_weights(train):
    first = {}

    def remember(state):
        first["weights"] = copies(state.players.generator)

    state, _ = train("training.ema=0.999", end=1, before=remember)
    decay = ema_decay(0.999, 0)
    trained, average = state.players.generator.parameters(), state.average.parameters()
    for before, now, mean in zip(first["weights"], trained, average, strict=True):
        torch.testing.assert_close(mean, decay * before + (1 - decay) * now.detach())
    assert not any(parameter.requires_grad for parameter in state.average.parameters())


@pytest.mark.parametrize("where", ["generator", "image_discriminator"])
def test_a_term_that_is_not_finite_stops_before_the_update(train, where):
    held = {}

    def poison(state):
        players = dict(state.players.trained())
        with torch.no_grad():
            next(players[where].parameters()).fill_(torch.nan)
        held["state"] = state
        held["weights"] = {name: copies(network) for name, network in players.items()}

    with pytest.raises(TrainingError, match=r"term '\w+' is nan at step 1; nothing was updated"):
        train(before=poison)
    state = held["state"]
    assert state.step == 0
    for name, network in state.players.trained():
        pairs = zip(network.parameters(), held["weights"][name], strict=True)
        assert all(torch.equal(p, b) or b.isnan().any() for p, b in pairs)


def test_the_step_of_the_term_is_counted_over_the_whole_run(train):
    def overflow(state):
        state.step = 2
        with torch.no_grad():
            state.players.generator.coarse.flow_head.conv.bias.fill_(torch.inf)

    with pytest.raises(TrainingError, match=r"at step 3"):
        train(before=overflow)


def test_gradients_are_clipped_for_each_player(train):
    state, _ = train("optimizer.clip_norm=0.001", end=1)
    for _, network in state.players.trained():
        squares = [p.grad.square().sum() for p in network.parameters() if p.grad is not None]
        assert torch.stack(squares).sum().sqrt() < 0.00101


def test_accumulation_gives_the_terms_of_the_whole_batch(train):
    batch = ("training.batch_size=2", "reference_flow.check=none")
    _, whole = train(*batch, end=2)
    _, parts = train(*batch, "training.accumulation=2", end=2)
    assert parts[0].terms == pytest.approx(whole[0].terms, rel=1e-4)
    assert parts[1].terms == pytest.approx(whole[1].terms, rel=0.05)


def test_bfloat16_trains(train):
    _, exact = train(end=1)
    state, rough = train("training.precision=bfloat16", end=1)
    assert rough[0].terms == pytest.approx(exact[0].terms, rel=0.05, abs=0.02)
    assert {p.dtype for p in state.players.generator.parameters()} == {torch.float32}


def test_clips_start_from_real_frames_from_zeros_or_from_either(train):
    # Weights stand still, so that the terms of a step tell how its clips started.
    still = (*ALONE, "optimizer.learning_rate=1.0e-30", "schedule.steps=8")
    pixels = {}
    for start in ("real", "zeros", "mixed"):
        _, reports = train(*still, f"training.first_frames={start}")
        pixels[start] = [report.terms["pixel"] for report in reports]
    starts = [
        "real" if mixed == pytest.approx(real, rel=1e-6) else "zeros"
        for mixed, real in zip(pixels["mixed"], pixels["real"], strict=True)
    ]
    assert set(starts) == {"real", "zeros"}
    expected = [pixels[start][step] for step, start in enumerate(starts)]
    assert pixels["mixed"] == pytest.approx(expected, rel=1e-6)


def test_a_step_without_any_term_changes_nothing(train):
    # One frame is no window of a video discriminator, which judges alone.
    changes = (
        "image_discriminator=null",
        "losses={perceptual: 0, pixel: 0, flow: 0, warp: 0, generated_warp: 0}",
        "schedule.clip_length=1",
        "schedule.clip_growth=0.9",
    )
    _, reports = train(*changes, end=1)
    assert set(reports[0].terms) == {"generator_activation"}


def test_activations_of_heads_are_measured_before_they_are_squashed(train):
    def saturate(state):
        with torch.no_grad():
            head = state.players.generator.coarse.image_head.conv
            head.weight.zero_()
            head.bias.fill_(300.0)

    _, calm = train(*ALONE, end=1)
    _, reports = train(*ALONE, end=1, before=saturate)
    # Of three heads one gives 300, which tanh would have made 1.
    assert reports[0].terms["generator_activation"] == pytest.approx(100, abs=1)
    assert calm[0].terms["generator_activation"] < 1


def test_what_measures_the_heads_is_taken_away_again(train):
    state, _ = train(*ALONE, end=1)
    assert not any(module._forward_hooks for module in state.players.generator.modules())


def test_the_global_random_state_is_left_alone(train):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    train(end=1, before=lambda state: torch.set_rng_state(before))
    assert torch.equal(torch.get_rng_state(), before)
