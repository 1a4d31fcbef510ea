"""The data that styles are found in: which it is, and the features of its instances."""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from pipelines.build import Generation, palette_for
from pipelines.checking.subject import CONFIG_NAME, Asked, settle_subject
from pipelines.config.file import validate_config
from pipelines.config.run import RunConfig
from pipelines.console import progress
from pipelines.datasets import open_files, open_world
from pipelines.styling.options import StyleOptions
from vid2vid.clustering import Floats
from vid2vid.data.clips import Clip, ClipDataset
from vid2vid.data.config import DataConfig
from vid2vid.errors import ConfigError, DataError
from vid2vid.labels.palettes import ID_IGNORE, have_equal_classes
from vid2vid.styles import region_styles
from vid2vid.world.clips import WorldClips


class Origin(NamedTuple):
    """Where an instance was seen."""

    sequence: int
    start: int  # frame
    region: int  # instance id, or class id where styles are those of classes


@dataclass
class Pool:
    """The features of the instances of each class, and where each was seen."""

    rows: dict[int, list[Floats]] = field(default_factory=lambda: defaultdict(list))
    origins: dict[int, list[Origin]] = field(default_factory=lambda: defaultdict(list))


def settle_data(data: str, generation: Generation, options: StyleOptions) -> RunConfig:
    """Read the checkpoint's own configuration with the data of another, and nothing beside it.

    Raises:
        ConfigError: if it is not valid, or has no label maps where they are needed.
        DataError: if they are of other classes.
    """
    own, folder = generation.config, Path(data)
    if folder.is_dir() and not (folder / CONFIG_NAME).is_file():
        plain: dict[str, object] = {
            "root": data,
            **{name: getattr(own.data, name) for name in ("height", "width")},
        }
        base = {**own.model_dump(mode="json"), "data": plain}
        given = validate_config(base, RunConfig, where=data, overrides=options.overrides)
    else:
        given = settle_subject(data, Asked(options.overrides)).config
    labels = None
    if own.labels is not None and generation.palette is not None:
        if given.labels is None:
            raise ConfigError(
                f"styles go by class, so that label maps are needed; {data} has labels null: name "
                "data with label maps"
            )
        mapping = options.map or given.labels.map
        palette = palette_for(given)
        if options.map is None and palette and not have_equal_classes(palette, generation.palette):
            raise DataError(
                f"the label maps must be in the checkpoint's palette {generation.palette.name!r}; "
                f"{data} has {palette.name!r}: pass --map"
            )
        labels = own.labels.model_copy(update={"map": mapping, "boundary": "none"})
    update = {
        "data": given.data,
        "labels": labels,
        "controls": (),
        "video_discriminator": None,
        "region_discriminator": None,
    }
    return own.model_copy(update=update)


def open_data(
    config: RunConfig, generation: Generation, device: torch.device
) -> ClipDataset | WorldClips:
    """Open the data: photographs, label maps, and instance maps where styles are theirs.

    Raises:
        ConfigError: if it is not there.
        DataError: if it does not fit, or has no instance maps.
    """
    if not isinstance(config.data, DataConfig):
        return open_world(config, config.data, generation.palette, device=device)
    try:
        return open_files(config, config.data, generation.palette, with_flow=False)
    except ConfigError as error:
        by_class = config.generator.model_copy(update={"pooling": "labels"})
        without = config.model_copy(update={"generator": by_class})
        # Says the same again, unless it was of instance maps.
        open_files(without, config.data, generation.palette, with_flow=False)
        raise DataError(
            "the checkpoint has styles of instances, so that instance maps are needed; "
            f"{config.data.root} has none: add them"
        ) from error


def pool_data(
    dataset: ClipDataset | WorldClips, generation: Generation, options: StyleOptions
) -> tuple[Pool, int]:
    """Encode every frame, and keep the features of the instances that are large enough."""
    places, pool = _frames(dataset, options.limit), Pool()
    device = next(generation.generator.parameters()).device
    with progress(len(places), "encoding") as bar, torch.inference_mode():
        for sequence, start in places:
            clip = dataset.evaluation_clip(sequence, start, 1)
            photo, labels = clip.frames.to(device), clip.labels
            labels = None if labels is None else labels.to(device)
            regions = regions_of(clip, generation).to(device)
            found = region_styles(generation.generator.encode(photo, regions), regions, labels)
            is_large = found.shares > options.min_area
            if labels is not None:
                is_large &= found.labels != ID_IGNORE
            for index in is_large.nonzero().flatten().tolist():
                label, region = int(found.labels[index]), int(found.regions[index])
                pool.rows[label].append(found.styles[index].float().cpu().numpy())
                pool.origins[label].append(Origin(sequence, start, region))
            bar.advance()
    return pool, len(places)


def _frames(dataset: ClipDataset | WorldClips, limit: int | None) -> list[tuple[int, int]]:
    """List the frames that are read: sequence and index."""
    stride = dataset.config.stride
    step = stride if isinstance(stride, int) else stride[0]
    places = [
        (sequence, index * step)
        for sequence, length in enumerate(dataset.clip_lengths())
        for index in range(length)
    ]
    if limit is None or limit >= len(places):
        return places
    return [places[index] for index in np.linspace(0, len(places) - 1, limit).astype(int)]


def regions_of(clip: Clip, generation: Generation) -> torch.Tensor:
    """Return what shares one style in a clip, 't h w'.

    Raises:
        DataError: if it is not there.
    """
    regions = clip.instances if generation.generator.pooling == "instances" else clip.labels
    if regions is None:
        raise DataError(
            f"the checkpoint has styles of {generation.generator.pooling}; {clip.name} has no such "
            "maps: add them"
        )
    return regions
