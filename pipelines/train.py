"""Train a run from its configuration, or go on where it stopped."""

import logging
import os
import signal
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.build import build_run, build_state, choose_device, palette_for
from pipelines.config import RunConfig
from pipelines.config_file import dump_config, read_config
from pipelines.console import Progress, progress
from pipelines.resume import initialise_from, resume
from vid2vid.checkpoint import STATE_FILE
from vid2vid.data.clips import collate
from vid2vid.errors import ConfigError
from vid2vid.labels.palettes import Palette
from vid2vid.networks.cost import generator_macs
from vid2vid.training.log import MetricsLog
from vid2vid.training.loop import Run, StepReport, take_steps
from vid2vid.training.preview import draw_preview, generate_clip, write_picture
from vid2vid.training.schedule import ScheduleConfig, capped, steps_within
from vid2vid.training.state import TrainingState, save_state
from vid2vid.training.targets import prepare

LOGGER = logging.getLogger(__name__)

WARM_UP_STEPS = 3  # not measured: first steps allocate, and fill the frame cache
MEASURED_STEPS = 8
TERMS_SHOWN = ("pixel", "perceptual", "image_gan", "flow")  # beside the progress bar, if there


class TrainOptions(NamedTuple):
    """What the command line says beside the configuration."""

    overrides: Sequence[str] = ()
    minutes: float | None = None
    device: str | None = None


class Trained(NamedTuple):
    """Where a run ended."""

    folder: Path
    step: int
    total_steps: int


DEFAULT_OPTIONS = TrainOptions()


def train(config_name: str | Path, options: TrainOptions = DEFAULT_OPTIONS) -> Trained:
    """Train a run to its end; the same call again goes on where it stopped.

    Args:
        config_name: YAML file, or the name of a configuration that came with the package.
        options: overrides, time budget and device.

    Returns:
        The run folder, which a renderer takes as a checkpoint.

    Raises:
        Vid2VidError: if configuration, data or checkpoint do not fit; nothing was trained.
        TrainingError: if a term is not finite.
        KeyboardInterrupt: after Ctrl-C or SIGTERM, when the checkpoint is written.
    """
    config = read_config(config_name, RunConfig, overrides=options.overrides)
    device = choose_device(options.device)
    palette = palette_for(config)
    run = build_run(config, palette, device)
    state = build_state(config, palette, device)
    course = _course(config, run)
    run.dataset.check_length(config.generator.history + course.clip_length)
    folder = _make_folder(config)

    if (folder / STATE_FILE).is_file():
        resume(folder, state, config)
    elif config.training.init_from is not None:
        initialise_from(Path(config.training.init_from), state)
    (folder / "config.yaml").write_text(dump_config(config))
    log = MetricsLog(folder / "metrics.jsonl", step=state.step)
    session = _Session(folder, run, state, config, palette, course, log)

    with _stop_requests() as stop:
        if state.total_steps is None and options.minutes is not None:
            schedule = _fix_steps(session, options.minutes * 60, stop)
        else:
            total = state.total_steps or config.schedule.steps
            schedule = session.course.model_copy(update={"steps": total})
        state.total_steps = schedule.steps
        _train_to_the_end(session, schedule, stop)
    return Trained(folder, state.step, schedule.steps)


def _make_folder(config: RunConfig) -> Path:
    """Make the run folder.

    Raises:
        ConfigError: if it cannot be made or written to.
    """
    folder = Path(config.training.output) / config.name
    reason = "permission denied"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError as error:
        writable, reason = False, error.strerror
    if not writable:
        raise ConfigError(
            f"training.output must be a folder that can be written to; {folder}: {reason}: set "
            "training.output to another"
        )
    return folder


class _Session(NamedTuple):
    """What the parts of this file share."""

    folder: Path
    run: Run
    state: TrainingState
    config: RunConfig
    palette: Palette
    course: ScheduleConfig  # of the configuration, as far as the data allows it
    log: MetricsLog

    def save(self) -> None:
        """Write both checkpoints."""
        save_state(self.folder, self.state, config=self.saved_config, palette=self.palette)

    @property
    def saved_config(self) -> dict[str, Any]:
        """The configuration as JSON values."""
        return self.config.model_dump(mode="json")


def _course(config: RunConfig, run: Run) -> ScheduleConfig:
    """Cap the growing clip length at what the longest sequence has, and say so."""
    stride = config.data.stride[0]
    longest = max((sequence.num_frames - 1) // stride + 1 for sequence in run.dataset.sequences)
    course = capped(config.schedule, longest - config.generator.history)
    if course.clip_length_max < config.schedule.clip_length_max and config.schedule.clip_growth:
        LOGGER.info(
            "clips grow to %d frames, not %d: the longest sequence has %d",
            course.clip_length_max, config.schedule.clip_length_max, longest,
        )  # fmt: skip
    return course


def _train_to_the_end(session: _Session, schedule: ScheduleConfig, stop: threading.Event) -> None:
    """Take all remaining steps: log, preview and save on the way; on request stop between two."""
    state, training = session.state, session.config.training
    if state.step >= schedule.steps:
        LOGGER.info("already at step %d of %d: nothing to do", state.step, schedule.steps)
        return
    with progress(schedule.steps, "training", unit="steps", done=state.step) as bar:
        for report in take_steps(session.run, state, schedule, end=schedule.steps):
            is_last = report.step == schedule.steps
            _log(session, report, is_last=is_last)
            if report.step % training.preview_every == 0 or is_last:
                write_preview(session, report)
            if report.step % training.checkpoint_every == 0 or is_last or stop.is_set():
                session.save()
            _show(bar, report)
            if stop.is_set() and not is_last:
                raise _stopped(session, of=f" of {schedule.steps}")


def _log(session: _Session, report: StepReport, *, is_last: bool) -> None:
    """Take a step into the log, and write a line when an interval is full."""
    session.log.add(report)
    if report.step % session.config.training.log_every == 0 or is_last:
        rate = session.config.optimizer.learning_rate * report.moment.rate_factor
        session.log.write(report, learning_rate=rate)


def _stopped(session: _Session, *, of: str) -> KeyboardInterrupt:
    """Say where a run was stopped, and how to go on."""
    return KeyboardInterrupt(
        f"stopped at step {session.state.step}{of}; everything is in {session.folder}: run the "
        "same command again to go on"
    )


def _fix_steps(session: _Session, seconds: float, stop: threading.Event) -> ScheduleConfig:
    """Measure the first steps, and turn the time that is given into a number of steps.

    While measuring, the schedule stands at its beginning; what is fixed is saved at once, so that a
    run that is killed later goes on with the same number.
    """
    state = session.state
    beginning = session.course.model_copy(update={"steps": 10**9})
    reports: list[StepReport] = []
    end = state.step + WARM_UP_STEPS + MEASURED_STEPS
    for report in take_steps(session.run, state, beginning, end=end):
        reports.append(report)
        _log(session, report, is_last=False)
        if stop.is_set():
            session.save()
            raise _stopped(session, of=", the number of steps not yet fixed")
    measured = sorted(report.seconds for report in reports[WARM_UP_STEPS:])
    per_step = measured[len(measured) // 2]
    scales = reports[-1].moment.scales
    generator = state.players.generator
    side = 4 * generator.size_multiple(generator.scales)
    macs = [
        generator_macs(generator, height=side, width=side, scales=count + 1)
        for count in range(generator.scales)
    ]
    total = state.step + steps_within(
        session.course,
        seconds - sum(report.seconds for report in reports),
        seconds_per_frame=per_step / reports[-1].moment.clip_length,
        costs=_relative_costs(macs, scales),
    )
    state.total_steps = total
    session.save()
    LOGGER.info("%.2f s a step: %d steps in the given time", per_step, total)
    return session.course.model_copy(update={"steps": total})


def _relative_costs(macs: Sequence[int], scales: int) -> tuple[float, ...]:
    """Relate the cost of a frame with 1, 2 ... scales to that of the scales that were measured.

    Each scale more doubles height and width; `macs` are all at the same finest size.
    """
    costs = [count * 4**index for index, count in enumerate(macs)]
    return tuple(cost / costs[scales - 1] for cost in costs)


def write_preview(session: _Session, report: StepReport) -> None:
    """Generate the beginning of the longest sequence with the averaged weights, and draw it."""
    state, run, training = session.state, session.run, session.config.training
    generator = state.average
    history = generator.config.history
    stride = run.dataset.config.stride[0]
    lengths = [(sequence.num_frames - 1) // stride + 1 for sequence in run.dataset.sequences]
    length = min(history + training.preview_frames, max(lengths))
    clip = run.dataset.evaluation_clip(lengths.index(max(lengths)), start=0, length=length)
    halvings = generator.scales - report.moment.scales
    targets = prepare(collate([clip]), run.conditioning, device=run.device, halvings=halvings)
    from_zeros = training.first_frames == "zeros"
    first = None if from_zeros else targets.frames[:, :history]
    outputs = generate_clip(
        generator, targets.conditioning, first_frames=first, scales=report.moment.scales
    )
    step = 2**halvings
    ids = clip.labels[-len(outputs) :, ::step, ::step].numpy()
    picture = draw_preview(
        list(ids), outputs, list(targets.frames[0, -len(outputs) :]), session.palette
    )
    folder = session.folder / "previews"
    folder.mkdir(exist_ok=True)
    write_picture(folder / f"{report.step:06d}.png", picture)


def _show(bar: Progress, report: StepReport) -> None:
    """Advance the progress bar, with the terms that people watch."""
    shown = [f"{name} {report.terms[name]:.3f}" for name in TERMS_SHOWN if name in report.terms]
    bar.advance(1, note=" ".join(shown))


@contextmanager
def _stop_requests() -> Generator[threading.Event]:
    """Turn Ctrl-C and SIGTERM into a request to stop after the step; a second one stops at once."""
    stop = threading.Event()

    def request(number: int, _frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        LOGGER.info("%s: finishing the step, then saving", signal.Signals(number).name)

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
