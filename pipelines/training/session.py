"""A training run while it is under way: what it writes into its folder, and when."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pipelines.config.run import RunConfig
from pipelines.training.validation import Validation, validate
from vid2vid.checkpoint import BEST_FILE
from vid2vid.controls.drawing import InputDrawing
from vid2vid.labels.palettes import Palette
from vid2vid.training.board import Board
from vid2vid.training.health import Health
from vid2vid.training.log import NO_SCORES, MetricsLog
from vid2vid.training.loop import Run, StepReport
from vid2vid.training.preview import draw_preview
from vid2vid.training.schedule import ScheduleConfig
from vid2vid.training.state import TrainingState, save_generator, save_state
from vid2vid.training.trial import generate_trial
from vid2vid.training.validation import Best
from vid2vid.video.pictures import write_picture

LOGGER = logging.getLogger(__name__)


class Session(NamedTuple):
    """Everything about a run: what is fixed, what changes, and where it is written."""

    folder: Path
    run: Run
    state: TrainingState
    config: RunConfig
    palette: Palette | None  # None without labels
    course: ScheduleConfig  # of the configuration, as far as the data allows it
    log: MetricsLog
    health: Health
    board: Board | None  # None without TensorBoard
    validation: Validation | None  # None without validation

    @property
    def is_best(self) -> bool:
        """Whether the last step was validated, and better than all before it."""
        return self.state.best is not None and self.state.best.step == self.state.step

    def save(self) -> None:
        """Write both checkpoints, and the best generator where it is this one."""
        config = self.config.model_dump(mode="json")
        if self.is_best:
            path = self.folder / BEST_FILE
            save_generator(path, self.state, config=config, palette=self.palette)
        save_state(self.folder, self.state, config=config, palette=self.palette)

    def record(
        self,
        report: StepReport,
        *,
        ends: bool = False,
        scores: Mapping[str, float] = NO_SCORES,
    ) -> None:
        """Take a step into the log, write a line when an interval is full, and warn of trouble.

        Args:
            report: of the step.
            ends: the run ends or is stopped after it: a line is written in any case.
            scores: of a validation after the step, which makes a line in any case too.
        """
        for warning in self.health.look(report.terms, step=report.step):
            LOGGER.warning("%s", warning)
        self.log.add(report)
        if report.step % self.config.training.log_every == 0 or ends or scores:
            rate = self.config.optimizer.learning_rate * report.moment.rate_factor
            line = self.log.write(report, learning_rate=rate, scores=scores)
            if self.board is not None:
                self.board.write(line)

    def validate(self, report: StepReport, *, is_last: bool) -> Mapping[str, float]:
        """Score held-out frames when it is time, and remember whether the run was ever better."""
        wanted = self.config.validation
        if self.validation is None or wanted is None:
            return NO_SCORES
        if report.step % wanted.every and not is_last:
            return NO_SCORES
        scales = report.moment.scales
        found = validate(self.validation, self.run, self.state.average, scales=scales)
        now = Best(report.step, scales, getattr(found, wanted.best_by))
        if now.beats(self.state.best):
            self.state.best = now
        return {f"validation_{name}": value for name, value in found._asdict().items()}

    def preview(self, report: StepReport) -> None:
        """Generate the beginning of the longest sequence with the averaged weights, and draw it."""
        run, generator = self.run, self.state.average
        lengths = run.dataset.clip_lengths()
        length = min(generator.history + self.config.training.preview_frames, max(lengths))
        clip = run.dataset.evaluation_clip(lengths.index(max(lengths)), start=0, length=length)
        trial = generate_trial(clip, run, generator, scales=report.moment.scales)
        drawing = InputDrawing(self.palette, self.config.controls)
        ids, pictures = (
            None if part is None else part[-len(trial.outputs) :]
            for part in (clip.labels, clip.pictures)
        )
        inputs = drawing.draw_clip(ids, pictures, step=2**trial.halvings)
        folder = self.folder / "previews"
        folder.mkdir(exist_ok=True)
        picture = draw_preview(inputs, trial.outputs, list(trial.real), titles=drawing.titles)
        write_picture(folder / f"{report.step:06d}.png", picture)
        if self.board is not None:
            self.board.show("preview", picture, step=report.step)

    def close(self) -> None:
        """Write what is still in memory."""
        if self.board is not None:
            self.board.close()

    def stopped(self, *, of: str) -> KeyboardInterrupt:
        """Say where the run was stopped, and how to go on."""
        return KeyboardInterrupt(
            f"stopped at step {self.state.step}{of}; everything is in {self.folder}: run the same "
            "command again to go on"
        )
