"""The training loop: one step of every player after another, as an iterator of reports."""

import logging
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from vid2vid.data.batches import ClipSource, StepPlan, clip_batches
from vid2vid.errors import TrainingError
from vid2vid.first_frames import Painter
from vid2vid.labels.conditioning import Conditioning
from vid2vid.losses.config import LossConfig
from vid2vid.networks.interface import Generator
from vid2vid.training.clip_step import Means, StepSettings, gather_gradients
from vid2vid.training.ema import ema_decay, update_average
from vid2vid.training.health import HeadMeter, watch_heads
from vid2vid.training.likeness import CALIBRATED_TERMS
from vid2vid.training.schedule import Moment, ScheduleConfig, moment
from vid2vid.training.state import OptimizerConfig, TrainingState
from vid2vid.training.targets import Targets, prepare

LOGGER = logging.getLogger(__name__)

FirstFrames = Literal["real", "zeros", "mixed"]
# Beside (seed, step): the streams that draw how a clip starts, what the generator draws (dropout,
# noise), and what judging draws. Clips have another one.
START_STREAM, GENERATOR_STREAM, JUDGE_STREAM = 1, 2, 4


class TrainingConfig(BaseModel):
    """Batches, precision, and what is written when."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    batch_size: int = Field(default=1, ge=1)
    """Clips in one step; of schedule.critic_steps updates, in each of them."""
    accumulation: int = Field(default=1, ge=1)
    """Parts that a batch is run in, one after the other; their gradients add up."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Arithmetic of the networks; losses, frames and flows are always float32."""
    checkpoint_activations: bool = False
    """Compute the activations of the generator again in the backward pass instead of keeping them:
    less memory for a slower step. Results are the same bits."""
    ema: float = Field(default=0.999, ge=0, lt=1)
    """Decay of the running average of the generator's weights, which is what renders."""
    first_frames: FirstFrames = "mixed"
    """Start clips from `real` frames, from `zeros`, or `mixed`: half of the steps each."""
    seed: int = Field(default=0, ge=0)
    """Of everything random in the run."""
    log_every: int = Field(default=10, ge=1)
    """Steps between lines of metrics.jsonl; a line holds the means since the last one."""
    preview_every: int = Field(default=500, ge=1)
    """Steps between previews of one fixed clip."""
    preview_frames: int = Field(default=8, ge=1)
    """Generated frames in a preview."""
    checkpoint_every: int = Field(default=500, ge=1)
    """Steps between checkpoints; one is also written at the end and on Ctrl-C."""
    init_from: str | None = None
    """Run folder of the next coarser stage, or a checkpoint, also of another palette: its generator
    and discriminators are taken as far as the new networks have them, the channels of label classes
    by name. A run that goes on does not take them again."""
    init_map: str | None = None
    """Mapping between the classes of that checkpoint and this run's, either way round: a name or a
    YAML file; null = by equal names, and by the mapping that the package has for both palettes."""
    tensorboard: bool = False
    """Write what metrics.jsonl and the previews hold for TensorBoard too, into the folder
    `tensorboard` of the run; needs `pip install tensorboard`."""
    output: str = "runs"
    """Folder of run folders."""


class Run(NamedTuple):
    """Everything about a run that does not change from step to step."""

    dataset: ClipSource
    conditioning: Conditioning
    device: torch.device
    losses: LossConfig
    optimizer: OptimizerConfig
    training: TrainingConfig
    painter: Painter | None = None  # of first frames, for clips that would start from zeros


class StepReport(NamedTuple):
    """What one step did."""

    step: int  # steps taken, this one included
    terms: dict[str, float]  # unweighted, means over the batch; gradient norms; what was observed
    moment: Moment
    seconds: float


def take_steps(
    run: Run, state: TrainingState, schedule: ScheduleConfig, *, end: int
) -> Iterator[StepReport]:
    """Train from `state.step` to `end`, reporting after every step.

    Args:
        run: the constants.
        state: changed in place; between two reports it is that of a whole number of steps.
        schedule: the course, its `steps` the length of the whole run.
        end: number of steps after which to stop.

    Raises:
        TrainingError: if a term is not finite; the players are left as they were before the update.
    """
    generator = state.players.generator

    def at(step: int) -> Moment:
        return moment_of(generator, schedule, step)

    def plan(step: int) -> StepPlan:
        clips = run.training.batch_size * schedule.critic_steps
        return StepPlan(generator.history + at(step).clip_length, clips)

    batches = clip_batches(
        run.dataset, plan, seed=run.training.seed, start_step=state.step, end_step=end
    )
    began = time.perf_counter()
    with watch_heads(generator) as heads:
        for batch in batches:
            now = at(state.step)
            settled = _settle_divisors(run, state, total=schedule.steps)
            settings = StepSettings(
                scales=now.scales,
                backprop_frames=schedule.backprop_frames,
                from_zeros=_starts_from_zeros(run.training, state.step),
                divisors=state.calibration.divisors,
            )
            state.players.freeze(now.frozen)
            generator.reseed(_random_seed(run.training, state.step))
            targets = prepare(
                batch,
                run.conditioning,
                device=run.device,
                halvings=generator.scales - now.scales,
                pooling=generator.pooling,
            )
            if settings.from_zeros and run.painter is not None:
                painted = run.painter.begin(
                    batch,
                    count=generator.history,
                    halvings=generator.scales - now.scales,
                    seed=_random_seed(run.training, state.step),
                )
                targets = targets._replace(painted=painted)
            terms = _train(
                run,
                state,
                targets,
                settings=settings,
                now=now,
                updates=schedule.critic_steps,
                heads=heads,
            )
            state.calibration = state.calibration.observe(terms, CALIBRATED_TERMS)
            terms |= settled
            state.step += 1
            ended = time.perf_counter()
            yield StepReport(state.step, terms, now, ended - began)
            began = time.perf_counter()


def moment_of(generator: Generator, schedule: ScheduleConfig, step: int) -> Moment:
    """Return what holds for a generator at a step of its course."""
    enhancers = len(generator.stages) - generator.scales
    return moment(schedule, step, refiners=generator.scales - 1, enhancers=enhancers)


def _settle_divisors(run: Run, state: TrainingState, *, total: int) -> dict[str, float]:
    """Calibrate the layers of the perceptual loss when it is time; return what is to be logged."""
    if not state.calibration.is_due(state.step / total, run.losses.calibrate_at):
        return {}
    state.calibration = state.calibration.settle()
    divisors = state.calibration.divisors
    listed = ", ".join(f"{name} {value:.3g}" for name, value in divisors.items())
    LOGGER.info("from step %d on terms are divided by their means: %s", state.step + 1, listed)
    return {f"{name}_divisor": value for name, value in divisors.items()}


def _train(
    run: Run,
    state: TrainingState,
    targets: Targets,
    *,
    settings: StepSettings,
    now: Moment,
    updates: int,
    heads: HeadMeter,
) -> dict[str, float]:
    """Update the discriminators so many times, and the last time the generator too.

    Each update has an equal share of the clips. Returns what is reported, means over the updates.
    """
    found: defaultdict[str, list[float]] = defaultdict(list)
    for update in range(updates):
        own = settings._replace(judges_only=now.judges_only or update < updates - 1)
        share = targets.part(update, updates)
        terms = _gather(run, state, share, own, update=update) | heads.take()
        norms = _gradient_norms(state)
        terms |= {f"{name}_gradient": float(norm) for name, norm in norms.items()}
        _require_finite(terms, step=state.step + 1, done=update)
        _update(run, state, norms, rate_factor=now.rate_factor)
        if not own.judges_only:
            decay = ema_decay(run.training.ema, state.step)
            update_average(state.average, state.players.generator, decay)
        for name, value in terms.items():
            found[name].append(value)
    return {name: sum(values) / len(values) for name, values in found.items()}


def _gather(
    run: Run, state: TrainingState, targets: Targets, settings: StepSettings, *, update: int
) -> dict[str, float]:
    """Gather the gradients of all parts of a batch, and its mean terms, in one transfer."""
    parts = run.training.accumulation
    for optimizer in state.optimizers.values():
        optimizer.zero_grad(set_to_none=True)
    means = Means()
    enabled = run.training.precision == "bfloat16"
    for index in range(parts):
        drawn = update * parts + index
        own = settings._replace(seed=(run.training.seed, state.step, JUDGE_STREAM, drawn))
        with torch.autocast(run.device.type, torch.bfloat16, enabled=enabled):
            gather_gradients(
                state.players,
                targets.part(index, parts),
                run.losses,
                own,
                parts=parts,
                means=means,
            )
    terms = means.take()
    values: list[float] = torch.stack(list(terms.values())).tolist() if terms else []
    return dict(zip(terms, values, strict=True))


def _gradient_norms(state: TrainingState) -> dict[str, Tensor]:
    """Measure the gradient of every player that has one in this step."""
    gradients = {
        name: [p.grad for p in optimizer.param_groups[0]["params"] if p.grad is not None]
        for name, optimizer in state.optimizers.items()
    }
    return {name: torch.nn.utils.get_total_norm(own) for name, own in gradients.items() if own}


def _update(
    run: Run, state: TrainingState, norms: dict[str, Tensor], *, rate_factor: float
) -> None:
    """Let every player take its step that has a gradient."""
    other = run.optimizer.discriminator_rate or run.optimizer.learning_rate
    for name, optimizer in state.optimizers.items():
        rate = run.optimizer.learning_rate if name == "generator" else other
        parameters = optimizer.param_groups[0]["params"]
        if run.optimizer.clip_norm and name in norms:
            limit = run.optimizer.clip_norm
            torch.nn.utils.clip_grads_with_norm_(parameters, limit, norms[name])
        optimizer.param_groups[0]["lr"] = rate * rate_factor
        optimizer.step()


def _require_finite(terms: dict[str, float], *, step: int, done: int) -> None:
    """Refuse to go on with a term, or the norm of a gradient, that is not a number.

    Args:
        terms: of one update.
        step: that it is a part of.
        done: updates of the discriminators that were made before it in the same step.
    """
    kept = "the generator was not updated" if done else "nothing was updated"
    for name, value in terms.items():
        if not np.isfinite(value):
            raise TrainingError(
                f"term {name!r} is {value} at step {step}; {kept}: lower "
                "optimizer.learning_rate or set optimizer.clip_norm, then run the same command "
                "again to go on from the last checkpoint"
            )


def _starts_from_zeros(config: TrainingConfig, step: int) -> bool:
    """Decide how the clips of a step start, from the seed and the step alone."""
    if config.first_frames == "mixed":
        return bool(np.random.default_rng((config.seed, step, START_STREAM)).random() < 0.5)
    return config.first_frames == "zeros"


def _random_seed(config: TrainingConfig, step: int) -> int:
    """Draw what the generator of a step draws from, from the seed and the step alone."""
    return int(np.random.default_rng((config.seed, step, GENERATOR_STREAM)).integers(2**62))
