"""What is checked: the data of a configuration or run folder, or a folder without one."""

import json
import re
from pathlib import Path
from typing import NamedTuple

from pipelines.checking.finding import find_all
from pipelines.checking.problems import Findings
from pipelines.config.file import read_config, validate_config
from pipelines.config.run import RunConfig
from vid2vid.data.config import DataConfig
from vid2vid.data.locating import Wanted
from vid2vid.data.pairing import is_video_file
from vid2vid.data.sides import has_pairs
from vid2vid.errors import ConfigError

CONFIG_NAME = "config.yaml"
_STILLS: dict[str, object] = {
    "generator": {"kind": "pix2pix_resnet"},
    "schedule": {"clip_length": 1, "clip_length_max": 1},
}
PALETTE_NAME = "palette.yaml"


class Asked(NamedTuple):
    """What the command line says beside the place."""

    overrides: tuple[str, ...] = ()
    palette: str | None = None
    map: str | None = None
    sheet: bool = False  # draw a contact sheet


class Subject(NamedTuple):
    """The configuration by which a data set is checked."""

    config: RunConfig
    name: str  # of the configuration file, or of the folder
    is_bare: bool  # whether there was only a folder, so that most settings are assumed


def settle_subject(where: str, asked: Asked) -> Subject:
    """Find the configuration of a place; of a folder without one, assume a usual one.

    Args:
        where: configuration file or packaged name, folder with a config.yaml, or data set.
        asked: settings that replace those of the configuration.

    Raises:
        ConfigError: if there is neither, or a setting is not valid.
    """
    named = {"labels.palette": asked.palette, "labels.map": asked.map}
    overrides = [
        *asked.overrides,
        *(f"{key}={json.dumps(value)}" for key, value in named.items() if value is not None),
    ]
    folder = Path(where)
    if is_video_file(folder):
        raise ConfigError(
            f"a data set or a configuration can be checked; {where} is a video: make a data set of "
            f"it (vid2vid prepare {where} FOLDER), or put it into a folder and check that"
        )
    if not folder.is_dir():
        return Subject(read_config(where, RunConfig, overrides=overrides), where, is_bare=False)
    own = folder / CONFIG_NAME
    if own.is_file():
        return Subject(read_config(own, RunConfig, overrides=overrides), str(own), is_bare=False)
    assumed = _assume(folder, asked, overrides)
    return Subject(assumed, where, is_bare=True)


def _assume(folder: Path, asked: Asked, overrides: list[str]) -> RunConfig:
    """Assume label maps where there are any, otherwise edges that are found in the photographs.

    Folders A and B are taken for pairs of pictures, each pair by itself.
    """
    data: dict[str, object] = {"root": str(folder), "height": 256, "width": 512}
    base: dict[str, object] = {
        "name": re.sub(r"[^\w.-]", "_", folder.resolve().name) or "data",
        "data": data,
        "controls": [{"kind": "edges"}],
        "labels": None,
        "video_discriminator": None,  # which needs clips of a length that nobody asked for
    }
    plain = validate_config(base, RunConfig, where=str(folder), overrides=asked.overrides)
    if not isinstance(plain.data, DataConfig):
        return plain
    says_labels = asked.palette is not None or plain.labels is not None
    if not says_labels and has_pairs(folder, plain.data.split):
        base |= {"controls": [{"kind": "picture"}], **_STILLS}
    elif plain.labels or _has_labels(plain.data):
        own = folder / PALETTE_NAME
        base |= {"labels": {"palette": str(own)} if own.is_file() else {}, "controls": []}
    return validate_config(base, RunConfig, where=str(folder), overrides=overrides)


def _has_labels(data: DataConfig) -> bool:
    """Tell whether any sequence has label maps."""
    found = find_all(data, Wanted(labels=True, controls={}), Findings())
    return any(places.labels is not None for places in found)
