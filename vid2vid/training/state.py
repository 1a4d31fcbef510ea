"""Everything a run needs to go on exactly where it was: one file.

Randomness and the place in the data are functions of the seed and the step, so the step stands for
them. Weights, averages and optimisers are kept bit for bit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from vid2vid.checkpoint import (
    MODEL_FILE,
    STATE_FILE,
    Checkpoint,
    load_weights,
    part_of,
    save_checkpoint,
)
from vid2vid.errors import CheckpointError
from vid2vid.labels.palettes import Palette
from vid2vid.networks.interface import Generator
from vid2vid.training.calibration import Calibration
from vid2vid.training.players import Players
from vid2vid.training.validation import Best


class OptimizerConfig(BaseModel):
    """Adam, one for every player."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    learning_rate: float = Field(default=2e-4, gt=0)
    """Of the generator."""
    discriminator_rate: float | None = Field(default=None, gt=0)
    """Of every discriminator; null = the generator's."""
    betas: tuple[float, float] = (0.5, 0.999)
    """Adam's decay rates."""
    clip_norm: float = Field(default=0.0, ge=0)
    """Largest norm of a player's gradient; 0 = not clipped."""


@dataclass
class TrainingState:
    """A run between two steps."""

    players: Players
    average: Generator  # EMA of the generator
    optimizers: dict[str, torch.optim.Adam]  # by player name
    step: int = 0  # steps that were taken
    total_steps: int | None = None  # None until `--minutes` has been turned into steps
    best: Best | None = None  # validation so far
    calibration: Calibration = field(
        default_factory=Calibration
    )  # of the layers of the perceptual loss


def make_optimizers(players: Players, config: OptimizerConfig) -> dict[str, torch.optim.Adam]:
    """Build one Adam for every player."""
    other = config.discriminator_rate or config.learning_rate
    return {
        name: torch.optim.Adam(
            network.parameters(),
            lr=config.learning_rate if name == "generator" else other,
            betas=config.betas,
        )
        for name, network in players.trained()
    }


def save_generator(
    path: Path, state: TrainingState, *, config: Mapping[str, Any], palette: Palette | None
) -> None:
    """Write the averaged generator, atomically, as a checkpoint that renders.

    Args:
        path: the file.
        state: the run.
        config: the complete configuration, as JSON values.
        palette: of the label maps, kept in the file so that it needs no other; None without labels.
    """
    metadata = _metadata(state, config, palette)
    save_checkpoint(path, state.average.state_dict(), {**metadata, "kind": "generator"})


def save_state(
    folder: Path, state: TrainingState, *, config: Mapping[str, Any], palette: Palette | None
) -> None:
    """Write the rendering checkpoint, then the training state, each atomically.

    Args:
        folder: the run folder.
        state: the run.
        config: the complete configuration, as JSON values.
        palette: of the label maps, kept in the files; None without labels.
    """
    save_generator(folder / MODEL_FILE, state, config=config, palette=palette)
    tensors = {f"average.{k}": v for k, v in state.average.state_dict().items()}
    for name, network in state.players.trained():
        tensors |= {f"{name}.{k}": v for k, v in network.state_dict().items()}
        tensors |= _optimizer_tensors(name, state.optimizers[name])
    metadata = {
        **_metadata(state, config, palette),
        "kind": "training",
        "total_steps": state.total_steps,
        "best": state.best,
        "calibration": state.calibration,
    }
    save_checkpoint(folder / STATE_FILE, tensors, metadata)


def _metadata(
    state: TrainingState, config: Mapping[str, Any], palette: Palette | None
) -> dict[str, Any]:
    """Say what both checkpoints say of the run."""
    kept = None if palette is None else palette.model_dump(mode="json")
    return {"config": config, "palette": kept, "step": state.step}


def load_state(saved: Checkpoint, state: TrainingState) -> None:
    """Put a saved run into `state`, strictly.

    Raises:
        CheckpointError: if a tensor is missing or does not fit.
    """
    load_weights(state.average, part_of(saved.tensors, "average"), where=saved.path)
    for name, network in state.players.trained():
        load_weights(network, part_of(saved.tensors, name), where=saved.path)
        _load_optimizer(name, state.optimizers[name], saved)
    state.step = saved.metadata["step"]
    state.total_steps = saved.metadata["total_steps"]
    # A run that was begun before there was calibration has none.
    state.calibration = Calibration(*saved.metadata.get("calibration", ()))
    best = saved.metadata.get("best")  # likewise validation
    state.best = None if best is None else Best(*best)


def _optimizer_tensors(name: str, optimizer: torch.optim.Adam) -> dict[str, Tensor]:
    """List Adam's moments and step counts of every parameter that has been updated."""
    states = optimizer.state_dict()["state"]
    return {
        f"optimizer:{name}.{index}.{key}": value
        for index, moments in states.items()
        for key, value in moments.items()
    }


def _load_optimizer(name: str, optimizer: torch.optim.Adam, saved: Checkpoint) -> None:
    """Give Adam its moments back; a parameter that was never updated has none."""
    states: dict[int, dict[str, Tensor]] = {}
    for key, value in part_of(saved.tensors, f"optimizer:{name}").items():
        index, moment = key.split(".")
        states.setdefault(int(index), {})[moment] = value
    parameters = optimizer.param_groups[0]["params"]
    for index, moments in states.items():
        if index >= len(parameters) or moments["exp_avg"].shape != parameters[index].shape:
            raise CheckpointError(
                f"{saved.path}: the optimiser of {name} does not fit its network: "
                "was the configuration changed?"
            )
        # In the parameter's own memory layout, as Adam would have made them.
        for key in ("exp_avg", "exp_avg_sq"):
            moments[key] = torch.empty_like(parameters[index].detach()).copy_(moments[key])
    full = optimizer.state_dict()
    full["state"] = states
    optimizer.load_state_dict(full)
