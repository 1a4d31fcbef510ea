"""What becomes of each file of an official checkpoint."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pipelines.config.file import validate_config
from pipelines.config.run import RunConfig
from pipelines.official.known import Channels
from vid2vid.data.augment import Size
from vid2vid.labels.palettes import Palette
from vid2vid.legacy.files import OfficialFile
from vid2vid.legacy.layers import Layer


class Table(NamedTuple):
    """Where the tensors of one official file go."""

    file: OfficialFile
    player: str  # `generator`, `image_discriminator`, `video_discriminator_0` ...
    layers: list[Layer]


class Plan(NamedTuple):
    """What an official checkpoint becomes."""

    config: RunConfig
    palette: Palette | None  # None = the generator is conditioned on pictures
    tables: tuple[Table, ...]
    passed_over: tuple[str, ...]  # official names of networks that have no place here


def complete_config(
    sections: Mapping[str, Any], *, name: str, size: Size, channels: Channels
) -> RunConfig:
    """Fill the schema."""
    place = f"datasets/{channels.palette.name if channels.palette else name}"
    data = {"root": place, "layout": "official", "height": size.height, "width": size.width}
    fetch = f"Put frames in {place}/train_B/SEQUENCE and what they are made of in train_A/SEQUENCE"
    complete = {**sections, "name": name, "fetch": fetch, "data": data}
    return validate_config(complete, RunConfig, where="the imported checkpoint")


def passed_over(networks: Mapping[str, OfficialFile], tables: Sequence[Table]) -> tuple[str, ...]:
    """Name the networks that no table takes."""
    taken = {table.file.path for table in tables}
    return tuple(sorted(name for name, file in networks.items() if file.path not in taken))
