"""Train a run from its configuration, or go on where it stopped."""

import logging
import os
import signal
import threading
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import torch

from pipelines.build import build_run, build_state, choose_device, training_palette
from pipelines.config.file import dump_config, read_config
from pipelines.config.run import RunConfig
from pipelines.console import Progress, progress
from pipelines.training.beginning import initialise_from
from pipelines.training.measure import fix_steps, work_until
from pipelines.training.resume import resume
from pipelines.training.session import Session
from pipelines.training.validation import open_validation
from vid2vid.checkpoint import STATE_FILE
from vid2vid.errors import ConfigError
from vid2vid.temporal import farthest_back
from vid2vid.training.board import Board
from vid2vid.training.health import Health
from vid2vid.training.log import MetricsLog
from vid2vid.training.loop import StepReport, take_steps
from vid2vid.training.schedule import ScheduleConfig, capped, longest_clip

LOGGER = logging.getLogger(__name__)

# Beside the progress bar, those that there are.
TERMS_SHOWN = ("pixel", "perceptual", "image_gan", "segmentation_gan", "flow")


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
    asked = {override.partition("=")[0].strip() for override in options.overrides}
    asks_for_steps = bool(asked & {"schedule", "schedule.steps"})
    device = choose_device(options.device)
    session = _open_session(config, device, asks_for_steps=asks_for_steps)
    state = session.state
    with closing(session), _stop_requests() as stop:
        if state.total_steps is None and options.minutes is not None:
            schedule = fix_steps(session, options.minutes * 60, stop)
        else:
            if options.minutes is not None:
                LOGGER.info(
                    "--minutes is not used: the run has %s steps; lengthen it with "
                    "--set schedule.steps=STEPS",
                    state.total_steps,
                )
            total = state.total_steps or config.schedule.steps
            schedule = session.course.model_copy(update={"steps": total})
        state.total_steps = schedule.steps
        _train_to_the_end(session, schedule, stop)
    return Trained(session.folder, state.step, schedule.steps)


def _open_session(config: RunConfig, device: torch.device, *, asks_for_steps: bool) -> Session:
    """Make everything of a run, and put it where it stopped, or begins."""
    palette = training_palette(config)
    run = build_run(config, palette, device)
    state = build_state(config, palette, device)
    course = fit_course(config, run.dataset.clip_lengths())
    run.dataset.check_length(config.generator.history + course.clip_length)
    validation = open_validation(config, palette, trained_on=run.dataset, device=device)
    folder = _make_folder(config)

    if (folder / STATE_FILE).is_file():
        if config.training.init_from is not None:
            LOGGER.info(
                "training.init_from is not used: %s holds a run that goes on; to begin anew, give "
                "the run another name (--set name=NAME)",
                folder,
            )
        resume(folder, state, config, asks_for_steps=asks_for_steps)
    elif config.training.init_from is not None:
        initialise_from(Path(config.training.init_from), state, config, palette=palette)
    board = None
    if config.training.tensorboard:
        board = Board(folder / "tensorboard", step=state.step)
    (folder / "config.yaml").write_text(dump_config(config))
    return Session(
        folder=folder,
        run=run,
        state=state,
        config=config,
        palette=palette,
        course=course,
        log=MetricsLog(folder / "metrics.jsonl", step=state.step),
        health=Health(),
        board=board,
        validation=validation,
    )


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


def fit_course(config: RunConfig, lengths: Sequence[int]) -> ScheduleConfig:
    """Cap the growing clip length at what the longest sequence has, and say so.

    Args:
        config: of the run.
        lengths: frames of the longest clip of each sequence.

    Raises:
        ConfigError: if a video discriminator would then never see a window.
    """
    longest = max(lengths)
    course = capped(config.schedule, longest - config.generator.history)
    if longest_clip(course) < longest_clip(config.schedule):
        LOGGER.info(
            "clips grow to %d frames, not %d: the longest sequence has %d",
            longest_clip(course),
            longest_clip(config.schedule),
            longest,
        )
    video = config.video_discriminator
    needed = farthest_back(video.temporal_scales, video.window) + 1 if video else 1
    if needed > longest_clip(course):
        raise ConfigError(
            f"video_discriminator must have clips of {needed} generated frames; the data allows "
            f"{longest_clip(course)}: lower video_discriminator.temporal_scales or add longer "
            "sequences"
        )
    return course


def _train_to_the_end(session: Session, schedule: ScheduleConfig, stop: threading.Event) -> None:
    """Take all remaining steps: log, preview and save on the way; on request stop between two."""
    state, training = session.state, session.config.training
    if state.step >= schedule.steps:
        LOGGER.info("already at step %d of %d: nothing to do", state.step, schedule.steps)
        return
    work = work_until(state.players.generator, schedule)
    with progress(schedule.steps, "training", unit="steps", done=state.step, work=work) as bar:
        for report in take_steps(session.run, state, schedule, end=schedule.steps):
            is_last, is_stopped = report.step == schedule.steps, stop.is_set()
            scores = session.validate(report, is_last=is_last)
            session.record(report, ends=is_last or is_stopped, scores=scores)
            if report.step % training.preview_every == 0 or is_last:
                session.preview(report)
            is_due = report.step % training.checkpoint_every == 0 or session.is_best
            if is_due or is_last or is_stopped:
                session.save()
            _show(bar, report)
            if is_stopped and not is_last:
                raise session.stopped(of=f" of {schedule.steps}")


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
