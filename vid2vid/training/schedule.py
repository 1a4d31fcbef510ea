"""What changes over a run: learning rate, clip length, spatial scales. Pure functions of the step.

Everything is given in shares of the run, so that a run of any length, also one that was given in
minutes, goes through the same course.
"""

from collections.abc import Callable
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator


class ScheduleConfig(BaseModel):
    """The course of a run. Shares are of all steps, in [0, 1]."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    steps: int = Field(default=20_000, ge=1)
    """Updates of every player; `--minutes` sets it from the measured speed."""
    constant: float = Field(default=0.5, ge=0, le=1)
    """Share with the full learning rate; then it falls linearly to 0, for every player."""
    clip_length: int = Field(default=6, ge=1)
    """Generated frames in a clip at first."""
    clip_length_max: int = Field(default=28, ge=1)
    """Cap of the growing clip length."""
    clip_growth: float = Field(default=0.25, ge=0, le=1)
    """Share after which the clip length doubles, again and again up to the cap; 0 = never."""
    backprop_frames: int = Field(default=3, ge=1)
    """Frames that the gradient flows back through time; memory grows with it."""
    refine_at: tuple[float, ...] = ()
    """Share at which each refiner joins, coarse to fine; () = all from the start."""
    freeze: float = Field(default=0.0, ge=0, le=1)
    """Share, from the joining of a refiner, in which the coarser scales stay fixed; of a generator
    with enhancers, or modules (CRN), the first share of the run, in which all but the finest stay
    fixed; 1 = the whole run."""
    freeze_except: int = Field(default=1, ge=1)
    """Finest scales, enhancers or modules that are trained meanwhile (CRN at 1024: 2)."""

    critic_steps: int = Field(default=1, ge=1)
    """Updates of every discriminator in a step, each on clips of its own; the last one goes with
    that of the generator (WGAN-GP, SRN: 5)."""
    critic_warmup: float = Field(default=0.0, ge=0, lt=1)
    """Share of the run, from its beginning, in which the discriminators are trained alone: fresh
    ones would pull a trained generator anywhere."""

    @model_validator(mode="after")
    def _grows(self) -> "ScheduleConfig":
        if self.clip_length_max < self.clip_length:
            raise ValueError(
                f"clip_length_max must be at least clip_length ({self.clip_length}); "
                f"got {self.clip_length_max}"
            )
        if list(self.refine_at) != sorted(self.refine_at) or any(
            not 0 <= share < 1 for share in self.refine_at
        ):
            raise ValueError(f"refine_at must be growing shares in [0, 1); got {self.refine_at}")
        return self


class Moment(NamedTuple):
    """What holds at one step."""

    rate_factor: float  # of the learning rate, (0, 1]
    clip_length: int  # generated frames
    scales: int  # spatial scales that run
    frozen: int  # coarsest stages that are not trained
    judges_only: bool = False  # the discriminators are trained alone


def moment(config: ScheduleConfig, step: int, *, refiners: int, enhancers: int = 0) -> Moment:
    """Return what holds at `step` of a run of `config.steps` steps.

    Args:
        config: the course of the run.
        step: index of the step, from 0.
        refiners: refiners of the generator, each with a scale of its own.
        enhancers: its stages beside them, which all run from the start.
    """
    progress = step / config.steps
    joined = _joined_at(config, refiners)
    scales = 1 + sum(progress >= share for share in joined)
    since = progress - (joined[scales - 2] if scales > 1 else 0.0)
    others = max(0, scales + enhancers - config.freeze_except)
    frozen = others if since < config.freeze else 0
    doublings = int(progress / config.clip_growth) if config.clip_growth else 0
    length = min(config.clip_length_max, config.clip_length * 2 ** min(doublings, 16))
    return Moment(
        _rate_factor(config, progress),
        length,
        scales,
        frozen,
        judges_only=progress < config.critic_warmup,
    )


def longest_clip(config: ScheduleConfig) -> int:
    """Return how many generated frames the longest clip of the course has."""
    return config.clip_length_max if config.clip_growth else config.clip_length


def capped(config: ScheduleConfig, longest: int) -> ScheduleConfig:
    """Return the course with clips growing no longer than the data has them.

    Args:
        config: the course.
        longest: generated frames that the longest sequence allows. A course that begins with more
            is returned as it is: its first clip says what is wrong.
    """
    cap = max(config.clip_length, min(config.clip_length_max, longest))
    return config.model_copy(update={"clip_length_max": cap})


def steps_within(
    config: ScheduleConfig,
    seconds: float,
    *,
    seconds_per_frame: float,
    cost: Callable[[Moment], float],
    refiners: int,
    enhancers: int = 0,
) -> int:
    """Return how many steps fit into `seconds`, with the course that `config` describes.

    Args:
        config: the course; its `steps` is not used.
        seconds: what may be spent.
        seconds_per_frame: measured at the beginning of the run, per generated frame of the batch.
        cost: of a frame, relative to that beginning.
        refiners: as in `moment`.
        enhancers: as in `moment`.
    """
    costs = course_costs(config, cost=cost, refiners=refiners, enhancers=enhancers)
    mean_cost = sum(costs) / len(costs)
    return max(1, int(seconds / (seconds_per_frame * mean_cost)))


def course_costs(
    config: ScheduleConfig, *, cost: Callable[[Moment], float], refiners: int, enhancers: int = 0
) -> list[float]:
    """Return what a step costs at moments evenly over the course, in frames at its beginning.

    Args:
        config: the course; its `steps` is not used.
        cost: of a frame, relative to the beginning.
        refiners: as in `moment`.
        enhancers: as in `moment`.
    """
    course = config.model_copy(update={"steps": _COURSE_SAMPLES})
    moments = (
        moment(course, step, refiners=refiners, enhancers=enhancers)
        for step in range(_COURSE_SAMPLES)
    )
    return [now.clip_length * cost(now) for now in moments]


_COURSE_SAMPLES = 1000


def _joined_at(config: ScheduleConfig, refiners: int) -> tuple[float, ...]:
    """Return the share at which each refiner joins; those that are not named join at the start."""
    return (0.0,) * max(0, refiners - len(config.refine_at)) + config.refine_at[:refiners]


def _rate_factor(config: ScheduleConfig, progress: float) -> float:
    """Return 1 for the constant share, then fall linearly to 0 at the end."""
    if progress <= config.constant or config.constant == 1:
        return 1.0
    return max(0.0, (1 - progress) / (1 - config.constant))
