"""A training run while it is under way: what it writes into its folder, and when."""

from pathlib import Path
from typing import NamedTuple

import torch

from pipelines.config import RunConfig
from vid2vid.data.clips import collate
from vid2vid.labels.palettes import Palette
from vid2vid.training.log import MetricsLog
from vid2vid.training.loop import Run, StepReport
from vid2vid.training.preview import draw_preview, generate_clip
from vid2vid.training.schedule import ScheduleConfig
from vid2vid.training.state import TrainingState, save_state
from vid2vid.training.targets import generator_map, prepare
from vid2vid.video.pictures import write_picture


class Session(NamedTuple):
    """Everything about a run: what is fixed, what changes, and where it is written."""

    folder: Path
    run: Run
    state: TrainingState
    config: RunConfig
    palette: Palette
    course: ScheduleConfig  # of the configuration, as far as the data allows it
    log: MetricsLog

    def save(self) -> None:
        """Write both checkpoints."""
        config = self.config.model_dump(mode="json")
        save_state(self.folder, self.state, config=config, palette=self.palette)

    def record(self, report: StepReport, *, is_last: bool = False) -> None:
        """Take a step into the log, and write a line when an interval is full."""
        self.log.add(report)
        if report.step % self.config.training.log_every == 0 or is_last:
            rate = self.config.optimizer.learning_rate * report.moment.rate_factor
            self.log.write(report, learning_rate=rate)

    def preview(self, report: StepReport) -> None:
        """Generate the beginning of the longest sequence with the averaged weights, and draw it."""
        run, generator = self.run, self.state.average
        history, scales = generator.history, report.moment.scales
        lengths = run.dataset.clip_lengths()
        length = min(history + self.config.training.preview_frames, max(lengths))
        clip = run.dataset.evaluation_clip(lengths.index(max(lengths)), start=0, length=length)
        halvings = generator.scales - scales
        targets = prepare(
            collate([clip]),
            run.conditioning,
            device=run.device,
            halvings=halvings,
            pooling=generator.pooling,
        )
        from_zeros = self.config.training.first_frames == "zeros" or not history
        first = None if from_zeros else targets.frames[:, :history]
        generator.reseed(self.config.training.seed)
        with torch.no_grad():
            maps = [generator_map(generator, targets, time) for time in range(length)]
        outputs = generate_clip(
            generator, torch.stack(maps, dim=1), first_frames=first, scales=scales
        )
        ids = clip.labels[-len(outputs) :, :: 2**halvings, :: 2**halvings].numpy()
        real = list(targets.frames[0, -len(outputs) :])
        folder = self.folder / "previews"
        folder.mkdir(exist_ok=True)
        picture = draw_preview(list(ids), outputs, real, self.palette)
        write_picture(folder / f"{report.step:06d}.png", picture)

    def stopped(self, *, of: str) -> KeyboardInterrupt:
        """Say where the run was stopped, and how to go on."""
        return KeyboardInterrupt(
            f"stopped at step {self.state.step}{of}; everything is in {self.folder}: run the same "
            "command again to go on"
        )
