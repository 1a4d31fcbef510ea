"""From a configuration to the source of its clips: files, or procedural streets."""

from pathlib import Path

import torch

from flow.estimators import DIS
from pipelines.config import RunConfig
from vid2vid.data.batches import ClipSource
from vid2vid.data.clips import ClipDataset
from vid2vid.data.config import DataConfig
from vid2vid.data.layout import find_sequences
from vid2vid.errors import ConfigError
from vid2vid.labels.files import LabelReader
from vid2vid.labels.palettes import Palette, load_mapping, load_palette
from vid2vid.temporal import strides
from vid2vid.world.clips import WorldClips, WorldDataConfig

WORLD_PALETTE = "cityscapes"


def build_dataset(config: RunConfig, palette: Palette, *, device: torch.device) -> ClipSource:
    """Make the source of the clips of a run, with the reference flow that its terms need.

    Args:
        config: of the run.
        palette: that label maps are read in.
        device: where procedural streets are rendered, if it is not in loading processes.

    Raises:
        ConfigError: if there is no such data; says what to do.
        DataError: if it does not fit.
    """
    if isinstance(config.data, WorldDataConfig):
        return open_world(config, config.data, palette, device=device)
    return open_files(config, config.data, palette)


def open_world(
    config: RunConfig, data: WorldDataConfig, palette: Palette, *, device: torch.device
) -> WorldClips:
    """Make procedural streets; their flow is known.

    Raises:
        ConfigError: if the palette is not that of the streets.
    """
    if palette.classes != load_palette(WORLD_PALETTE).classes:
        raise ConfigError(
            f"procedural streets have the ids of palette '{WORLD_PALETTE}'; labels.palette is "
            f"'{palette.name}': set it to {WORLD_PALETTE}"
        )
    return WorldClips(
        data,
        flow_strides=flow_strides(config) if needs_flow(config) else (),
        device="cpu" if data.workers else device,
    )


def open_files(config: RunConfig, data: DataConfig, palette: Palette) -> ClipDataset:
    """Find the sequences in the files of a data set.

    Raises:
        ConfigError: if there is no data at `data.root`; says what to fetch.
        DataError: if it does not fit.
    """
    if not Path(data.root).expanduser().is_dir():
        raise ConfigError(
            f"data.root must be the folder of the data set; there is no {data.root}. "
            f"{config.fetch or 'Put the data there'}, or point to it with --set data.root=FOLDER"
        )
    mapping = load_mapping(config.labels.map) if config.labels.map else None
    sequences = find_sequences(
        Path(data.root).expanduser(), data.split, data.layout, frame_range=data.frame_range
    )
    by_instance = config.generator.kind == "pix2pixhd" and config.generator.pools_instances
    needs_instances = config.labels.boundary == "instances" or by_instance
    if needs_instances and sequences[0].instances is None:
        setting = "generator.pooling" if by_instance else "labels.boundary"
        choices = "'labels'" if by_instance else "'labels' or 'none'"
        raise ConfigError(
            f"{setting} 'instances' needs instance maps; {data.root} has none: "
            f"set {setting} to {choices}"
        )
    return ClipDataset(
        sequences,
        data,
        reader=LabelReader(palette, mapping=mapping),
        flow=DIS(config.reference_flow.dis) if needs_flow(config) else None,
        flow_check=config.reference_flow.check,
        flow_strides=flow_strides(config),
        with_instances=needs_instances,
    )


def needs_flow(config: RunConfig) -> bool:
    """Tell whether any term needs the reference flow."""
    losses = config.losses
    own = config.generator.flow and (losses.flow or losses.warp or losses.occlusion)
    between = config.generator.history and losses.generated_warp
    return bool(own or between or config.video)


def flow_strides(config: RunConfig) -> tuple[int, ...]:
    """List the distances, in frames, over which the reference flow is needed."""
    video = config.video
    return tuple(strides(video.temporal_scales, video.window)) if video else (1,)
