"""Find the styles of every class: encode a data set, pool by instance, cluster by class.

What comes out are tables in the checkpoint, from which rendering draws and picks (Wang et al. 2018,
CVPR, section 3.4).
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from pipelines.build import Generation, choose_device, load_generation
from pipelines.styling.data import open_data, pool_data, settle_data
from pipelines.styling.options import StyleOptions
from pipelines.styling.sheet import Scenes, draw_style_sheet
from vid2vid.checkpoint import load_checkpoint, save_checkpoint, split_companions
from vid2vid.clustering import Clusters, cluster_classes
from vid2vid.errors import ConfigError, DataError
from vid2vid.labels.palettes import ID_IGNORE
from vid2vid.networks.still import StillGenerator
from vid2vid.video.pictures import PICTURE_SUFFIXES, write_picture

NO_CLASS = "any"  # where a checkpoint takes no label maps, instances are all of one kind


@dataclass(frozen=True)
class ClassStyles:
    """The styles of one class."""

    id: int
    name: str
    instances: int
    styles: int
    spread: float  # root mean square distance of its instances from their mean
    within: float  # the same from their styles


@dataclass(frozen=True)
class FoundStyles:
    """The styles of a data set."""

    path: Path
    frames: int
    classes: tuple[ClassStyles, ...]
    sheet: Path | None

    def to_json(self) -> dict[str, object]:
        """Return JSON values."""
        sheet = None if self.sheet is None else str(self.sheet)
        return {**asdict(self), "path": str(self.path), "sheet": sheet}

    def to_text(self) -> str:
        """Return a table, and where the checkpoint is."""
        width = max(5, *(len(each.name) for each in self.classes))
        lines = [f"{'id':>3s} {'class':{width}s} {'instances':>9s} styles spread within"]
        lines += [
            f"{each.id:3d} {each.name:{width}s} {each.instances:9d} {each.styles:6d} "
            f"{each.spread:6.3f} {each.within:6.3f}"
            for each in self.classes
        ]
        return "\n".join([*lines, str(self.path), *([str(self.sheet)] if self.sheet else [])])


def learn_styles(
    checkpoint: Path | str, data: str, options: StyleOptions | None = None
) -> FoundStyles:
    """Find the styles of a data set, and write them into a copy of the checkpoint.

    Args:
        checkpoint: a file or run folder, with features and their encoder.
        data: configuration file or packaged name, folder with a config.yaml, or a data set, which
            is then read as the checkpoint's own was.
        options: how.

    Raises:
        CheckpointError: if there is no checkpoint or it does not fit.
        ConfigError: if it has no feature encoder, or something does not fit.
        DataError: if the data has no instance that is large enough, or other classes.
        OSError: if something could not be written.
    """
    options = options or StyleOptions()
    device = choose_device(options.device)
    generation = load_generation(checkpoint, device)
    _check_encoder(generation)
    out = _place(generation, options)
    config = settle_data(data, generation, options)
    dataset = open_data(config, generation, device)
    pool, count = pool_data(dataset, generation, options)
    if not pool.rows:
        raise DataError(
            f"an instance must cover more than {options.min_area:.4g} of its picture to count; in "
            f"the {count} frames of {data} none does: lower --min-area"
        )
    rows = {label: np.stack(own) for label, own in pool.rows.items()}
    found = cluster_classes(rows, options.clusters, seed=options.seed)
    _write(generation, found, options, out=out)
    if options.sheet is not None:
        names = _names(generation)
        scenes = Scenes(dataset, generation, {label: pool.origins[label] for label in found})
        write_picture(options.sheet, draw_style_sheet(scenes, found, names))
    return FoundStyles(out, count, tuple(_describe(found, generation)), options.sheet)


def _check_encoder(generation: Generation) -> None:
    """Refuse a checkpoint without features, or whose encoder is not there.

    Raises:
        ConfigError: saying which.
    """
    generator = generation.generator
    if not generator.features:
        raise ConfigError(
            f"styles are for a checkpoint with style features; {generation.path} has none: train "
            "one with generator.features above 0"
        )
    if isinstance(generator, StillGenerator) and generator.encoder is None:
        raise ConfigError(
            f"styles are found by the feature encoder; {generation.path} came without it: import "
            "it with its *_net_E.pth, or train it with generator.encoder"
        )


def _place(generation: Generation, options: StyleOptions) -> Path:
    """Settle where the checkpoint goes, and refuse places that cannot be written.

    Raises:
        ConfigError: naming the place.
    """
    own = generation.path
    out = own.with_name(f"{own.stem}_styles.safetensors") if options.out is None else options.out
    if out.suffix != ".safetensors":
        raise ConfigError(f"--out must be a .safetensors file; got {out}")
    if options.sheet is not None and options.sheet.suffix.lower() not in PICTURE_SUFFIXES:
        suffixes = ", ".join(sorted(PICTURE_SUFFIXES))
        raise ConfigError(f"--sheet must be a picture ({suffixes}); got {options.sheet}")
    for place in (out, *([options.sheet] if options.sheet else [])):
        if not place.parent.is_dir():
            raise ConfigError(f"the folder of an output must exist; there is no {place.parent}")
    return out


def _write(
    generation: Generation, found: Mapping[int, Clusters], options: StyleOptions, *, out: Path
) -> None:
    """Write the checkpoint again with these tables and no others."""
    saved = load_checkpoint(generation.path, kind="generator")
    own, companions = split_companions(saved.tensors)
    kept = {key: each for key, each in companions.items() if not key.startswith("styles.")}
    tables = {f"styles.{label}": torch.from_numpy(each.centres) for label, each in found.items()}
    record = {"clusters": options.clusters, "seed": options.seed, "min_area": options.min_area}
    save_checkpoint(out, own | kept | tables, {**saved.metadata, "styles": record})


def _names(generation: Generation) -> dict[int, str]:
    """Name every class."""
    if generation.palette is None:
        return {ID_IGNORE: NO_CLASS}
    return {each.id: each.name for each in generation.palette.classes}


def _describe(found: Mapping[int, Clusters], generation: Generation) -> Iterator[ClassStyles]:
    """Say of every class what was found."""
    names = _names(generation)
    for label, each in found.items():
        yield ClassStyles(
            id=label,
            name=names[label],
            instances=len(each.members),
            styles=len(each.centres),
            spread=each.spread,
            within=each.within,
        )
