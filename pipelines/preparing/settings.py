"""The configuration that comes with a prepared data set, ready to train."""

import re
from pathlib import Path

import yaml

from pipelines.config.file import dump_config, read_config
from pipelines.config.run import RunConfig
from pipelines.preparing.options import PrepareOptions
from pipelines.preparing.plan import VALIDATION
from pipelines.preparing.streams import DrawnControl
from vid2vid.controls.config import EdgesConfig, FlowControlConfig, GreyConfig
from vid2vid.data.augment import Size
from vid2vid.data.config import DataConfig
from vid2vid.labels.conditioning import ConditioningConfig
from vid2vid.labels.palettes import PALETTE_NAMES, Palette, load_palette
from vid2vid.training.validation import ValidationConfig

CONFIG_NAME = "config.yaml"
PALETTE_NAME = "palette.yaml"
_HERE = "{configs}"  # in a configuration, the folder of its file
_BASE = "edges"  # for any video, without downloaded weights

_HEAD = """\
# Made by vid2vid prepare; networks, losses and schedule are those of {base}.yaml. A control with a
# stream is read from it; with 'stream: null' it is found in the photographs, in training as in
# rendering, and vid2vid-render takes a film.
"""

_CONTROLS: dict[str, DrawnControl] = {
    "edges": EdgesConfig(stream="edges"),
    "grey": GreyConfig(stream="grey"),
    "flow": FlowControlConfig(stream="flow"),
}


def chosen_controls(options: PrepareOptions) -> tuple[DrawnControl, ...]:
    """List the controls that were asked for, in that order; labels are none."""
    return tuple(_CONTROLS[name] for name in options.controls if name in _CONTROLS)


def base_config() -> RunConfig:
    """Read the packaged configuration whose networks, losses and schedule are taken over."""
    return read_config(_BASE, RunConfig)


def shortest_sequence(config: RunConfig) -> int:
    """Tell how many frames a clip of a run has at least."""
    return config.generator.history + config.schedule.clip_length


def name_of_run(out: Path) -> str:
    """Name the run on a data set after its folder."""
    return re.sub(r"[^\w.-]", "_", out.resolve().name) or "prepared"


def write_settings(
    folder: Path,
    options: PrepareOptions,
    *,
    size: Size,
    palette: Palette | None,
    holds_out: bool,
) -> Path:
    """Write the configuration, and the palette where it is none of the package's.

    Args:
        folder: of the data set.
        options: what was asked for.
        size: of the frames.
        palette: of the labels; None = no labels.
        holds_out: whether there is a split to validate on.

    Returns:
        The configuration file. It finds its data wherever the folder is moved to.

    Raises:
        OSError: if it cannot be written.
    """
    labels = None
    if palette is not None:
        labels = ConditioningConfig(palette=_keep_palette(folder, palette))
    changes = {
        "name": name_of_run(options.out),
        "fetch": "",
        "data": DataConfig(root=_HERE, layout="folders", height=size.height, width=size.width),
        "labels": labels,
        "controls": chosen_controls(options),
        "validation": ValidationConfig(split=VALIDATION) if holds_out else None,
    }
    changed = base_config().model_copy(update=changes)
    config = RunConfig.model_validate(changed.model_dump())
    path = folder / CONFIG_NAME
    path.write_text(_HEAD.format(base=_BASE) + dump_config(config), encoding="utf-8")
    return path


def _keep_palette(folder: Path, palette: Palette) -> str:
    """Name the palette, or write it beside the configuration."""
    if palette.name in PALETTE_NAMES and load_palette(palette.name) == palette:
        return palette.name
    text = yaml.safe_dump(palette.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    (folder / PALETTE_NAME).write_text(text, encoding="utf-8")
    return f"{_HERE}/{PALETTE_NAME}"
