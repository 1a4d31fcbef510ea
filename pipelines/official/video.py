"""The plan of a vid2vid checkpoint."""

from pipelines.official import recipes
from pipelines.official.judges import add_judge, add_video_judges, temporal_files
from pipelines.official.known import (
    FOREGROUND_QUESTION,
    ImportOptions,
    understand_channels,
    understand_foreground,
)
from pipelines.official.plan import Plan, Table, complete_config, passed_over
from vid2vid.data.augment import Size
from vid2vid.legacy.files import OfficialCheckpoint
from vid2vid.legacy.sequential import COARSE_KEY, generator_layers, read_sequential
from vid2vid.temporal import farthest_back


def plan_video(official: OfficialCheckpoint, options: ImportOptions, *, name: str) -> Plan:
    """Plan G0, G1 ..., D and the temporal discriminators."""
    networks = dict(official.networks)
    if "G0" not in networks and "G" in networks and COARSE_KEY in networks["G"].tensors:
        networks["G0"] = networks.pop("G")  # a single file of any name
    found = read_sequential(networks, where=official.path)
    where, has_foreground = networks["G0"].path, found.has_foreground
    asked = FOREGROUND_QUESTION if has_foreground and not options.foreground else ""
    channels = understand_channels(found.frame_channels, options, where=where, also=asked)
    foreground = understand_foreground(
        options, channels, has_foreground=has_foreground, where=where
    )
    layers = generator_layers(found.config, foreground=has_foreground)
    tables = [Table(networks[key], "generator", table) for key, table in layers.items()]
    scales = 1 + found.config.refiners
    judge: recipes.Section = {"width": 64, "layers": 3, "scales": 1 + scales}
    image, video = judge, {**judge, "window": 3, "temporal_scales": 2}
    if "D" in networks:
        image = add_judge(networks["D"], "image_discriminator", tables)
    if temporal := temporal_files(networks):
        video = add_video_judges(temporal, tables)
    recipe = recipes.video_recipe(
        scales, from_zeros=options.first_frames == "zeros", has_flow=found.config.flow
    )
    needed = farthest_back(video["temporal_scales"], video["window"]) + 1
    longest = recipe["schedule"]["clip_length_max"]
    recipe["schedule"]["clip_length_max"] = max(longest, needed)
    sections = {
        **recipe,
        "generator": found.config.model_dump(),
        **channels.sections(foreground),
        "image_discriminator": image,
        "video_discriminator": video,
    }
    size = Size(128 * 2**scales, 256 * 2**scales)
    config = complete_config(sections, name=name, size=options.size or size, channels=channels)
    return Plan(config, channels.palette, tuple(tables), passed_over(networks, tables))
