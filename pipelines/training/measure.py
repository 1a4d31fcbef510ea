"""`--minutes`: turn the time that is given into a number of steps, once."""

import logging
import threading
from collections.abc import Callable
from functools import cache

import numpy as np

from pipelines.training.session import Session
from vid2vid.networks.cost import training_macs
from vid2vid.networks.interface import Generator
from vid2vid.training.loop import StepReport, take_steps
from vid2vid.training.schedule import (
    Moment,
    ScheduleConfig,
    course_costs,
    moment,
    steps_within,
)

LOGGER = logging.getLogger(__name__)

WARM_UP_STEPS = 3  # not measured: first steps allocate, and fill the frame cache
MEASURED_STEPS = 8


def fix_steps(session: Session, seconds: float, stop: threading.Event) -> ScheduleConfig:
    """Measure the first steps, and return the course with the number of steps that fit.

    While measuring, the schedule stands at its beginning, but every player is trained. What is
    fixed is saved at once, so that a run that is killed later goes on with the same number.
    Previews and checkpoints are not counted: the steps alone take the time that was given.

    Args:
        session: the run, at its beginning; its state is changed.
        seconds: for all steps of the run.
        stop: set when the run is to stop.

    Raises:
        KeyboardInterrupt: when `stop` is set; the state is saved.
    """
    state = session.state
    beginning = session.course.model_copy(update={"steps": 10**9, "critic_warmup": 0.0})
    reports: list[StepReport] = []
    end = state.step + WARM_UP_STEPS + MEASURED_STEPS
    for report in take_steps(session.run, state, beginning, end=end):
        reports.append(report)
        session.record(report)
        if stop.is_set():
            session.save()
            raise session.stopped(of=", the number of steps not yet fixed")
    measured = sorted(report.seconds for report in reports[WARM_UP_STEPS:])
    per_step = measured[len(measured) // 2]
    now, generator = reports[-1].moment, state.players.generator
    total = state.step + steps_within(
        session.course,
        seconds - sum(report.seconds for report in reports),
        seconds_per_frame=per_step / now.clip_length,
        cost=_relative_cost(generator, now),
        refiners=generator.scales - 1,
        enhancers=len(generator.stages) - generator.scales,
    )
    state.total_steps = total
    session.save()
    LOGGER.info("%.2f s a step: %d steps in the given time", per_step, total)
    return session.course.model_copy(update={"steps": total})


def work_until(generator: Generator, schedule: ScheduleConfig) -> Callable[[int], float]:
    """Make the function from a step to the work up to it: later steps may take much longer."""
    refiners = generator.scales - 1
    enhancers = len(generator.stages) - generator.scales
    first = moment(schedule, 0, refiners=refiners, enhancers=enhancers)
    cost = _relative_cost(generator, first)
    costs = course_costs(schedule, cost=cost, refiners=refiners, enhancers=enhancers)
    work = np.cumsum([0.0, *costs])
    places = np.linspace(0, schedule.steps, len(work))
    return lambda step: float(np.interp(step, places, work))


def _relative_cost(generator: Generator, measured: Moment) -> Callable[[Moment], float]:
    """Relate the cost of a frame, forward and backward, to that at the moment that was measured.

    Counted at one small size; each scale more doubles height and width.
    """
    side = 4 * generator.size_multiple(generator.scales)

    @cache
    def cost(scales: int, frozen: int) -> int:
        macs = training_macs(generator, height=side, width=side, scales=scales, frozen=frozen)
        return macs * 4 ** (scales - 1)

    at_first = cost(measured.scales, measured.frozen)
    return lambda now: cost(now.scales, now.frozen) / at_first
