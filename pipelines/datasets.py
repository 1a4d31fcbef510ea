"""From a configuration to the source of its clips: files, or procedural streets."""

import logging
from collections.abc import Sequence
from pathlib import Path

import torch

from pipelines.config.run import RunConfig
from pipelines.reference_flow import build_estimator
from vid2vid.data.augment import Size, base_size
from vid2vid.data.batches import ClipSource
from vid2vid.data.clips import ClipDataset
from vid2vid.data.config import DataConfig
from vid2vid.data.layout import Sequence as Recording
from vid2vid.data.layout import find_sequences
from vid2vid.data.measuring import in_words
from vid2vid.errors import ConfigError
from vid2vid.labels.files import LabelReader
from vid2vid.labels.palettes import Palette, load_mapping, load_palette
from vid2vid.temporal import strides
from vid2vid.world.clips import WorldClips, WorldDataConfig

LOGGER = logging.getLogger(__name__)

CPU = torch.device("cpu")
WORLD_PALETTE = "cityscapes"


def build_dataset(
    config: RunConfig, palette: Palette | None, *, device: torch.device
) -> ClipSource:
    """Make the source of the clips of a run, with the reference flow that its terms need.

    Args:
        config: of the run.
        palette: that label maps are read in; None without labels.
        device: where procedural streets are rendered and RAFT computes, if it is not in loading
            processes.

    Raises:
        ConfigError: if there is no such data; says what to do.
        DataError: if it does not fit.
    """
    if isinstance(config.data, WorldDataConfig):
        return open_world(config, config.data, palette, device=device)
    return open_files(config, config.data, palette, device=device)


def open_world(
    config: RunConfig, data: WorldDataConfig, palette: Palette | None, *, device: torch.device
) -> WorldClips:
    """Make procedural streets; their depth and flow are known.

    Raises:
        ConfigError: if the palette is not that of the streets.
    """
    if palette is not None and palette.classes != load_palette(WORLD_PALETTE).classes:
        raise ConfigError(
            f"procedural streets have the ids of palette '{WORLD_PALETTE}'; labels.palette is "
            f"'{palette.name}': set it to {WORLD_PALETTE}"
        )
    return WorldClips(
        data,
        controls=config.controls,
        regions=config.region.regions if config.region else None,
        flow_strides=flow_strides(config) if needs_flow(config) else (),
        device=CPU if data.workers else device,
    )


def open_files(
    config: RunConfig,
    data: DataConfig,
    palette: Palette | None,
    *,
    device: torch.device = CPU,
    with_flow: bool = True,
) -> ClipDataset:
    """Find the sequences in the files of a data set.

    Args:
        config: of the run.
        data: which files.
        palette: that label maps are read in; None without labels.
        device: of the reference flow.
        with_flow: whether clips carry the reference flow, where any term needs it.

    Raises:
        ConfigError: if there is no data at `data.root`; says what to fetch. Likewise for the
            weights of the reference flow.
        DataError: if it does not fit.
    """
    if not Path(data.root).expanduser().is_dir():
        raise ConfigError(
            f"data.root must be the folder of the data set; there is no {data.root}. "
            f"{config.fetch or 'Put the data there'}, or point to it with --set data.root=FOLDER"
        )
    sequences = find_sequences(
        Path(data.root).expanduser(),
        data.split,
        data.layout,
        direction=data.direction,
        frame_range=data.frame_range,
        with_labels=palette is not None,
        controls=config.controls,
        mixed=config.trains_stills,
    )
    regions = config.region.regions if config.region else None
    if config.needs_instances and sequences[0].instances is None:
        raise _no_instances(config, data)
    flow = None
    if with_flow and needs_flow(config):
        _check_cache(config, data, sequences)
        flow = build_estimator(config.reference_flow, device=_flow_device(config, data, device))
    return ClipDataset(
        sequences,
        data,
        reader=_label_reader(config, palette),
        controls=config.controls,
        flow=flow,
        flow_check=config.reference_flow.check,
        flow_strides=flow_strides(config),
        with_instances=config.needs_instances or bool(regions and regions.labels),
        regions=regions,
    )


def _check_cache(config: RunConfig, data: DataConfig, sequences: Sequence[Recording]) -> None:
    """Refuse to keep flow of frames that are cut anew for every clip.

    Raises:
        ConfigError: if they are.
    """
    own = Size(data.height, data.width)
    cut = [each for each in sequences if base_size(data, each.size) != own]
    if config.reference_flow.cache is not None and cut:
        raise ConfigError(
            "reference_flow.cache keeps the flow of frames that come again; those of sequence "
            f"{cut[0].name!r} are cut at random from {in_words(base_size(data, cut[0].size))}: set "
            "data.fit to stretch, give data.height and data.width their shape, or leave it out"
        )


def _flow_device(config: RunConfig, data: DataConfig, device: torch.device) -> torch.device:
    """Choose where the reference flow is computed: a loading process has no GPU."""
    if not data.workers:
        return device
    if config.reference_flow.kind != "dis" and device.type != "cpu":
        LOGGER.warning(
            "RAFT computes on the CPU in loading processes: set data.workers to 0 to use %s", device
        )
    return CPU


def _label_reader(config: RunConfig, palette: Palette | None) -> LabelReader | None:
    """Make the reader of label maps, where there are any."""
    if palette is None or config.labels is None:
        return None
    mapping = load_mapping(config.labels.map) if config.labels.map else None
    return LabelReader(palette, mapping=mapping)


def _no_instances(config: RunConfig, data: DataConfig) -> ConfigError:
    """Say which setting needs the instance maps that are not there."""
    if config.generator.kind == "pix2pixhd" and config.generator.pools_instances:
        setting, choices = "generator.pooling", "'labels'"
    elif config.labels is not None and config.labels.boundary == "instances":
        setting, choices = "labels.boundary", "'labels' or 'none'"
    else:
        return ConfigError(
            f"the control 'boundary' needs instance maps; {data.root} has none: add them, or leave "
            "it out"
        )
    return ConfigError(
        f"{setting} 'instances' needs instance maps; {data.root} has none: "
        f"set {setting} to {choices}"
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
