"""Go on with a run where it stopped, or begin a stage from the one before it."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipelines.build import config_of
from pipelines.config import RunConfig
from vid2vid.checkpoint import STATE_FILE, load_checkpoint, split_companions
from vid2vid.errors import CheckpointError, ConfigError
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
    "generator.render_dropout",
    "generator.statistics",
    "losses.vgg_weights",
    "optimizer.clip_norm",
    "optimizer.discriminator_rate",
    "optimizer.learning_rate",
    "schedule.steps",
    "training.checkpoint_every",
    "training.init_from",
    "training.log_every",
    "training.output",
    "training.preview_every",
    "training.preview_frames",
)


def resume(folder: Path, state: TrainingState, config: RunConfig) -> None:
    """Put the saved run of `folder` into `state`.

    Raises:
        ConfigError: if the configuration was changed in a way that changes the run.
        CheckpointError: if the saved state does not fit.
    """
    saved = load_checkpoint(folder, kind="training")
    before, now = config_of(saved), config
    changes = [
        change
        for change in _differences(before.model_dump(mode="json"), now.model_dump(mode="json"))
        if change.split(" ")[0] not in FREE_SETTINGS
    ]
    if changes:
        raise ConfigError(
            f"{folder} holds a run that was begun with other settings ({', '.join(changes)}): set "
            "them back to go on with it, or give the new run another name (--set name=NAME)"
        )
    load_state(saved, state)
    if config.schedule.steps != before.schedule.steps:
        LOGGER.info(
            "the run is now %d steps long, it was %s", config.schedule.steps, state.total_steps
        )
        state.total_steps = config.schedule.steps
    LOGGER.info("going on at step %d of %s in %s", state.step, state.total_steps, folder)


def initialise_from(source: Path, state: TrainingState) -> None:
    """Take the generator scales and discriminators of the next coarser stage, or of a checkpoint.

    Patch networks are counted from the coarsest, so each keeps its absolute resolution; what the
    coarser stage did not have starts fresh.

    Args:
        source: a run folder, its state.safetensors, or a generator's .safetensors file with the
            discriminators that came along with it, such as an imported one.
        state: at step 0; changed in place.

    Raises:
        CheckpointError: if there is no such run, or nothing in it fits.
    """
    is_training = source.suffix != ".safetensors" or source.name == STATE_FILE
    saved = load_checkpoint(source, kind="training" if is_training else "generator")
    tensors = saved.tensors
    if not is_training:
        generator, companions = split_companions(tensors)
        tensors = {f"generator.{key}": tensor for key, tensor in generator.items()} | companions
    copied = 0
    for name, network in state.players.trained():
        own = network.state_dict()
        prefix = f"{name}."
        for key, tensor in tensors.items():
            target = own.get(key.removeprefix(prefix)) if key.startswith(prefix) else None
            if target is None:
                continue
            if target.shape != tensor.shape:
                raise CheckpointError(
                    f"{saved.path}: {key!r} must be {tuple(target.shape)} to begin this stage; it "
                    f"is {tuple(tensor.shape)}: was it trained with other widths?"
                )
            target.copy_(tensor)
            copied += 1
    if not copied:
        raise CheckpointError(f"{saved.path} must hold networks of this kind; nothing in it fits")
    state.average.load_state_dict(state.players.generator.state_dict())
    LOGGER.info("took %d tensors of the stage before, from %s", copied, source)


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """List the settings that differ, as 'a.b 1 -> 2'."""
    for key in now:
        old, new = before.get(key), now[key]
        if isinstance(old, dict) and isinstance(new, dict):
            yield from (f"{key}.{inner}" for inner in _differences(old, new))
        elif old != new:
            yield f"{key} {old} -> {new}"
