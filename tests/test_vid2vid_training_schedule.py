import pytest
from pydantic import ValidationError

from vid2vid.training.schedule import ScheduleConfig, capped, longest_clip, moment, steps_within


def course(*, refiners=0, **settings):
    config = ScheduleConfig(**({"steps": 100, "clip_length": 2, "clip_length_max": 9} | settings))
    return [moment(config, step, refiners=refiners) for step in range(config.steps)]


def changes(values):
    """List where a value begins: [(step, value), ...]."""
    values = list(values)
    return [(i, v) for i, v in enumerate(values) if i == 0 or values[i - 1] != v]


def test_learning_rate_is_constant_and_then_falls_linearly_to_0():
    rates = [now.rate_factor for now in course(constant=0.5)]
    assert rates[:51] == [1.0] * 51
    assert rates[75] == pytest.approx(0.5)
    assert rates[99] == pytest.approx(0.02)


@pytest.mark.parametrize(("constant", "last"), [(1.0, 1.0), (0.0, 0.01)])
def test_learning_rate_may_fall_never_or_from_the_start(constant, last):
    rates = [now.rate_factor for now in course(constant=constant)]
    assert (rates[0], rates[-1]) == (1.0, pytest.approx(last))


def test_every_step_learns():
    assert all(now.rate_factor > 0 for now in course(constant=0.3))


def test_clip_length_doubles_up_to_its_cap():
    lengths = (now.clip_length for now in course(clip_growth=0.25))
    assert changes(lengths) == [(0, 2), (25, 4), (50, 8), (75, 9)]


def test_clip_length_may_stay():
    assert changes(now.clip_length for now in course(clip_growth=0)) == [(0, 2)]


def test_tiny_growth_shares_reach_the_cap_and_no_more():
    assert course(clip_growth=0.001)[-1].clip_length == 9


def test_refiners_join_coarse_to_fine():
    scales = (now.scales for now in course(refiners=2, refine_at=(0.3, 0.6)))
    assert changes(scales) == [(0, 1), (30, 2), (60, 3)]


def test_refiners_that_are_not_named_run_from_the_start():
    assert changes(now.scales for now in course(refiners=2)) == [(0, 3)]
    assert changes(now.scales for now in course(refiners=2, refine_at=(0.5,))) == [(0, 2), (50, 3)]


def test_coarser_scales_are_fixed_for_a_while_and_then_trained():
    frozen = (now.frozen for now in course(refiners=2, refine_at=(0.25, 0.5), freeze=0.125))
    assert changes(frozen) == [(0, 0), (25, 1), (38, 0), (50, 2), (63, 0)]


def test_a_generator_without_refiners_is_never_fixed():
    assert {now.frozen for now in course(freeze=1.0)} == {0}


def test_clip_lengths_that_shrink_are_refused():
    with pytest.raises(
        ValidationError, match=r"clip_length_max must be at least clip_length \(6\)"
    ):
        ScheduleConfig(clip_length=6, clip_length_max=5)


@pytest.mark.parametrize("shares", [(0.5, 0.2), (1.0,), (-0.1,)])
def test_refiners_must_join_in_order_within_the_run(shares):
    with pytest.raises(ValidationError, match=r"refine_at must be growing shares in \[0, 1\)"):
        ScheduleConfig(refine_at=shares)


def cost(now):
    """Cost of a frame: three times as much with the second scale, half as much while it freezes."""
    return 3 ** (now.scales - 1) * (0.5 if now.frozen else 1)


def spent(config, steps):
    """Add up the seconds of a run at one second a frame."""
    run = config.model_copy(update={"steps": steps})
    moments = [moment(run, step, refiners=1) for step in range(steps)]
    return sum(now.clip_length * cost(now) for now in moments)


@pytest.mark.parametrize("growth", [0.0, 0.25])
@pytest.mark.parametrize("refine_at", [(), (0.5,)])
@pytest.mark.parametrize("freeze", [0.0, 0.25])
def test_steps_fill_the_time_with_the_whole_course(growth, refine_at, freeze):
    config = ScheduleConfig(
        clip_length=2, clip_length_max=16, clip_growth=growth, refine_at=refine_at, freeze=freeze
    )
    steps = steps_within(config, 10_000, seconds_per_frame=1.0, cost=cost, refiners=1)
    assert spent(config, steps) == pytest.approx(10_000, rel=0.01)


def test_there_is_always_a_step():
    assert steps_within(ScheduleConfig(), -5, seconds_per_frame=1, cost=cost, refiners=0) == 1


@pytest.mark.parametrize(("longest", "cap"), [(100, 28), (10, 10), (3, 6)])
def test_clips_grow_no_longer_than_the_data(longest, cap):
    config = ScheduleConfig(clip_length=6, clip_length_max=28)
    assert capped(config, longest).clip_length_max == cap


def test_the_longest_clip_is_the_cap_only_where_clips_grow():
    assert longest_clip(ScheduleConfig(clip_length=4, clip_length_max=9)) == 9
    assert longest_clip(ScheduleConfig(clip_length=4, clip_length_max=9, clip_growth=0)) == 4


def test_enhancers_are_trained_alone_for_the_first_share():
    config = ScheduleConfig(steps=10, freeze=0.3)
    moments = [moment(config, step, refiners=0, enhancers=2) for step in range(10)]
    assert changes(now.frozen for now in moments) == [(0, 2), (3, 0)]
    assert {now.scales for now in moments} == {1}
