"""Discriminators of an official checkpoint, as sections of a configuration and as tables."""

from collections.abc import Mapping

from pipelines.official.plan import Table
from pipelines.official.recipes import Section
from vid2vid.errors import CheckpointError
from vid2vid.legacy.discriminators import discriminator_layers, read_discriminator
from vid2vid.legacy.files import OfficialFile

OF_PIX2PIX: Section = {"padding": 1, "widest": None}  # what its discriminators differ in


def add_judge(file: OfficialFile, player: str, tables: list[Table]) -> Section:
    """Add the table of a discriminator, and describe it."""
    found = read_discriminator(file)
    layers = discriminator_layers(found.layout, scales=found.scales, layers=found.layers)
    tables.append(Table(file, player, layers))
    section: Section = {
        "width": found.width,
        "layers": found.layers,
        "scales": found.scales,
        "norm": "none" if found.norm == "none" else "instance",
    }
    if found.layout == "pixel":
        section["pixel"] = True
    return section if found.layout in ("scales", "flat") else {**section, **OF_PIX2PIX}


def temporal_files(networks: Mapping[str, OfficialFile]) -> list[OfficialFile]:
    """List D_T0, D_T1 ... in order.

    Raises:
        CheckpointError: if one between others is missing.
    """
    numbers = sorted(int(key[3:]) for key in networks if key[:3] == "D_T" and key[3:].isdigit())
    missing = [number for number in range(len(numbers)) if number not in numbers]
    if missing:
        file = networks[f"D_T{numbers[-1]}"]
        raise CheckpointError(
            f"{file.path.parent} must hold every discriminator from D_T0 to D_T{numbers[-1]}; "
            f"D_T{missing[0]} is missing"
        )
    return [networks[f"D_T{number}"] for number in numbers]


def add_video_judges(files: list[OfficialFile], tables: list[Table]) -> Section:
    """Add the tables of the temporal discriminators, and describe them.

    Raises:
        CheckpointError: if their channels are no window of frames with the flow between them.
    """
    sections = [
        add_judge(file, f"video_discriminator_{number}", tables)
        for number, file in enumerate(files)
    ]
    channels = read_discriminator(files[0]).channels_in
    window, rest = divmod(channels + 2, 5)
    if rest or window < 2:
        raise CheckpointError(
            f"{files[0].path} must see K frames and the K - 1 flows between them, 5 K - 2 "
            f"channels; it sees {channels}: is it of another kind?"
        )
    return {**sections[0], "window": window, "temporal_scales": len(files)}
