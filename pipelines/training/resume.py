"""Go on with a run where it stopped."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipelines.build import config_of
from pipelines.config.run import RunConfig
from vid2vid.checkpoint import load_checkpoint
from vid2vid.errors import ConfigError
from vid2vid.training.state import TrainingState, load_state

LOGGER = logging.getLogger(__name__)

# Settings that may change in the middle of a run: they say how it is run, not what it computes;
# and those of the optimiser mend a run that diverged.
# `schedule.steps` lengthens or shortens the course, which the message says.
FREE_SETTINGS = (
    "fetch",
    "data.root",
    "data.cache_mb",
    "data.workers",
    "first_frames.checkpoint",
    "generator.render_dropout",
    "generator.statistics",
    "losses.vgg_weights",
    "optimizer.clip_norm",
    "optimizer.discriminator_rate",
    "optimizer.learning_rate",
    "reference_flow.cache.folder",
    "reference_flow.cache.max_mb",
    "reference_flow.weights",
    "schedule.steps",
    "training.checkpoint_activations",
    "training.checkpoint_every",
    "training.init_from",
    "training.init_map",
    "training.log_every",
    "training.output",
    "training.preview_every",
    "training.preview_frames",
    "training.tensorboard",
    "validation",
)
INTERVAL = {"every"}  # the one setting of validation that no score depends on


def resume(folder: Path, state: TrainingState, config: RunConfig, *, asks_for_steps: bool) -> None:
    """Put the saved run of `folder` into `state`.

    Args:
        folder: of the run.
        state: changed in place.
        config: as it is now.
        asks_for_steps: `schedule.steps` was given with the command. Otherwise the run keeps its
            length, which `--minutes` or an earlier command may have given it, unless the file has
            been changed to more.

    Raises:
        ConfigError: if the configuration was changed in a way that changes the run.
        CheckpointError: if the saved state does not fit.
    """
    saved = load_checkpoint(folder, kind="training")
    before, now = config_of(saved), config
    changes = [
        change
        for change in _differences(before.model_dump(mode="json"), now.model_dump(mode="json"))
        if not _is_free(change.split(" ")[0])
    ]
    if changes:
        raise ConfigError(
            f"{folder} holds a run that was begun with other settings ({', '.join(changes)}): set "
            "them back to go on with it, or give the new run another name (--set name=NAME)"
        )
    load_state(saved, state)
    if _scores(before) != _scores(now):
        state.best = None  # its score cannot be compared any more
    wanted, total = config.schedule.steps, state.total_steps
    is_more = wanted != before.schedule.steps and wanted > (total or 0)
    if (asks_for_steps or is_more) and wanted != total:
        LOGGER.info("the run is now %d steps long, it was %s", wanted, state.total_steps)
        state.total_steps = wanted
    LOGGER.info("going on at step %d of %s in %s", state.step, state.total_steps, folder)


def _is_free(setting: str) -> bool:
    """Tell whether a setting may change in the middle of a run."""
    return setting in FREE_SETTINGS or setting.split(".")[0] in FREE_SETTINGS


def _scores(config: RunConfig) -> dict[str, Any] | None:
    """Return what the score of a validation depends on."""
    return None if config.validation is None else config.validation.model_dump(exclude=INTERVAL)


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """List the settings that differ, as 'a.b 1 -> 2'."""
    for key in now:
        old, new = before.get(key), now[key]
        if isinstance(old, dict) and isinstance(new, dict):
            yield from (f"{key}.{inner}" for inner in _differences(old, new))
        elif old != new:
            yield f"{key} {old} -> {new}"
