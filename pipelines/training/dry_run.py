"""What `train --dry-run` says: the resolved configuration, the networks, the course of the run."""

import bisect
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from pipelines.build import training_palette
from pipelines.config.file import dump_config, read_config
from pipelines.config.run import RunConfig
from pipelines.models.inspect import Inspection, describe, inspect_config, with_memory
from vid2vid.training.schedule import Moment, ScheduleConfig, moment


@dataclass(frozen=True)
class Phase:
    """Steps in which clip length and spatial scales stay as they are."""

    first: int  # step
    last: int  # step, included
    clip_length: int  # generated frames
    scales: int  # spatial scales that run
    frozen: int  # coarsest stages that are not trained
    judges_only: bool  # the discriminators are trained alone


@dataclass(frozen=True)
class DryRun:
    """A run as it would be."""

    config: RunConfig
    inspection: Inspection
    phases: tuple[Phase, ...]
    minutes: float | None  # given; then the number of steps is not known yet

    def to_json(self) -> dict[str, object]:
        """Return JSON values."""
        return {
            "config": self.config.model_dump(mode="json"),
            "networks": [asdict(network) for network in self.inspection.networks],
            "memory": self.inspection.to_json()["memory"],
            "schedule": [asdict(phase) for phase in self.phases],
            "minutes": self.minutes,
        }


def dry_run(
    config_name: str | Path, *, overrides: tuple[str, ...] = (), minutes: float | None = None
) -> DryRun:
    """Resolve a run and stop: no data is looked for, nothing is written.

    Args:
        config_name: YAML file or packaged name.
        overrides: 'a.b=c'.
        minutes: the time budget, if one is given.

    Raises:
        Vid2VidError: if the configuration or its palette is not valid, or it cannot be trained.
    """
    config = read_config(config_name, RunConfig, overrides=overrides)
    palette = training_palette(config)
    inspection = with_memory(inspect_config(config, palette), config, palette)
    network = config.generator
    phases = tuple(_phases(config.schedule, network.refiners, network.enhancers))
    return DryRun(config, inspection, phases, minutes)


def describe_dry_run(run: DryRun) -> str:
    """Write a dry run as text: YAML, then the networks and the schedule as YAML comments."""
    notes = [describe(run.inspection), "", *_describe_course(run)]
    comments = [f"# {line}".rstrip() for line in "\n".join(notes).splitlines()]
    return "\n".join([dump_config(run.config).rstrip("\n"), "", *comments])


def _phases(schedule: ScheduleConfig, refiners: int, enhancers: int) -> Iterator[Phase]:
    """Cut the run where something changes."""

    def at(step: int) -> Moment:
        return moment(schedule, step, refiners=refiners, enhancers=enhancers)

    def phase(step: int) -> tuple[int, int, bool, bool]:
        now = at(step)
        return now.clip_length, now.scales, now.frozen > 0, now.judges_only

    first = 0
    while first < schedule.steps:
        now, here = at(first), phase(first)
        # Clips grow, refiners join, frozen scales thaw and critics warm up, and none of it is ever
        # undone.
        end = bisect.bisect_left(
            range(schedule.steps), True, lo=first, key=lambda step, here=here: phase(step) != here
        )
        yield Phase(
            first, end - 1, now.clip_length, now.scales, now.frozen, judges_only=now.judges_only
        )
        first = end


def _describe_course(run: DryRun) -> Iterator[str]:
    """Write the learning rate and the phases, a line each."""
    schedule, optimizer = run.config.schedule, run.config.optimizer
    steps = schedule.steps
    if run.minutes is not None:
        yield (
            f"{run.minutes:g} minutes: the first steps are measured, and the course below is then "
            f"stretched from {steps} to what fits"
        )
    constant = round(schedule.constant * steps)
    judges = optimizer.discriminator_rate or optimizer.learning_rate
    yield f"{steps} steps, batches of {run.config.training.batch_size} clips"
    yield (
        f"learning rate: {optimizer.learning_rate:g} (discriminators {judges:g}) "
        + (f"to step {constant}, then linearly to 0" if constant < steps else "throughout")
    )
    if (updates := schedule.critic_steps) > 1:
        yield f"{updates} updates of every discriminator a step, each on a batch of its own"
    yield f"gradient through {schedule.backprop_frames} frames"
    for phase in run.phases:
        scales = f"{phase.scales} of {1 + run.config.generator.refiners} scales"
        frozen = f", the coarsest {phase.frozen} frozen" if phase.frozen else ""
        frozen += ", the discriminators alone" if phase.judges_only else ""
        yield (
            f"steps {phase.first} to {phase.last}: clips of {phase.clip_length} frames, "
            f"{scales}{frozen}"
        )
