"""Where the style features of a generator come from: its tables, or a photo."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipelines.build import Generation
from pipelines.rendering.options import RenderOptions
from pipelines.rendering.style_picks import find_picks
from vid2vid.errors import ConfigError, DataError
from vid2vid.labels.files import LabelReader, read_instances
from vid2vid.networks.still import StillGenerator
from vid2vid.styles import ChosenStyles, PhotoStyles, StyleSource, photo_styles
from vid2vid.video.levels import from_levels
from vid2vid.video.reading import read_image

LOGGER = logging.getLogger(__name__)


def choose_styles(
    options: RenderOptions, generation: Generation, reader: LabelReader | None
) -> StyleSource | None:
    """Find the styles of a rendering; None for a generator without features.

    Args:
        options: the seed, and the photo with its maps.
        generation: says what the generator takes, and has the tables.
        reader: of label maps in the input's palette; None without labels.

    Raises:
        ConfigError: if the options do not fit each other or the checkpoint.
        DataError: if the photo's maps cannot be read or have another size.
    """
    _check_options(options, generation, reader)
    if not generation.generator.features:
        return None
    if options.style_from is not None:
        rest = styles_of_photo(
            options.style_from,
            generation,
            reader=reader,
            labels=options.style_labels,
            instances=options.style_instances,
        )
    else:
        rest = generation.styles._replace(seed=options.seed or 0)
        if not rest.tables:
            LOGGER.warning(
                "the checkpoint takes style features and holds no styles: all are 0; make them "
                "with 'vid2vid styles', or take those of a photo with --style-from"
            )
    if not options.style:
        return rest
    by_instance = generation.generator.pooling == "instances" and options.instances is not None
    picks = find_picks(options.style, generation, with_instances=by_instance)
    return ChosenStyles(rest, picks.by_region, picks.by_class, generation.styles.tables)


def _check_options(
    options: RenderOptions, generation: Generation, reader: LabelReader | None
) -> None:
    """Refuse options that have no meaning here."""
    given = {
        "--style-from": options.style_from,
        "--style-labels": options.style_labels,
        "--style-instances": options.style_instances,
    }
    asked = [name for name, path in given.items() if path is not None]
    generator = generation.generator
    if (asked or options.style) and not generator.features:
        option = asked[0] if asked else "--style"
        raise ConfigError(
            f"{option} is for a checkpoint with style features; this one has none: leave it out"
        )
    if asked and options.style_from is None:
        raise ConfigError(f"{asked[0]} describes a photo; none was given: pass --style-from PHOTO")
    if not asked:
        return
    if len(asked) == 1:
        raise ConfigError(
            "--style-from needs to know what is where in the photo: pass --style-labels IDS, "
            "--style-instances IDS, or both"
        )
    if isinstance(generator, StillGenerator) and generator.encoder is None:
        raise ConfigError(
            "--style-from needs the feature encoder, which did not come with this checkpoint: "
            "leave it out"
        )
    if options.style_instances is not None and generator.pooling == "labels":
        raise ConfigError(
            "--style-instances is for styles of instances; this checkpoint has one style for each "
            "class: leave it out and pass --style-labels"
        )
    if options.style_labels is not None and reader is None:
        raise ConfigError(
            "--style-labels is for a checkpoint that takes label maps; this one takes none: leave "
            "it out and pass --style-instances"
        )


def styles_of_photo(
    place: Path,
    generation: Generation,
    *,
    reader: LabelReader | None,
    labels: Path | None = None,
    instances: Path | None = None,
) -> PhotoStyles:
    """Encode a photo, and gather the styles of its regions and classes.

    Args:
        place: the photo.
        generation: has the encoder.
        reader: of label maps; None without labels.
        labels: its label map.
        instances: its instance map; one of the two is needed.

    Raises:
        DataError: if a map cannot be read or has another size than the photo.
        VideoError: if the photo cannot be read.
        ValueError: if there is neither map.
    """
    device = next(generation.generator.parameters()).device
    photo = read_image(place)
    ids = None if reader is None else _read_map(labels, reader.from_image, photo=photo)
    regions = _read_map(instances, read_instances, photo=photo)
    ids, regions = (None if each is None else each.to(device) for each in (ids, regions))
    regions = ids if regions is None else regions
    if regions is None:
        raise ValueError("a photo's styles need its labels or instances; got neither")
    frame = from_levels(torch.from_numpy(photo).to(device))
    with torch.inference_mode():
        features = generation.generator.encode(frame[None], regions[None])[0]
        return photo_styles(features, regions, ids)


def _read_map(
    path: Path | None,
    read: Callable[[Path], NDArray[np.integer]],
    *,
    photo: NDArray[np.uint8],
) -> Tensor | None:
    """Read a map of the photo, 'h w'.

    Raises:
        DataError: if it has another size.
    """
    if path is None:
        return None
    ids = read(path)
    (height, width), (own_height, own_width) = photo.shape[:2], ids.shape
    if (height, width) != (own_height, own_width):
        raise DataError(
            f"a map of the photo must have its size, {width}x{height} (width x height); {path} is "
            f"{own_width}x{own_height}: resize one of them"
        )
    return torch.from_numpy(ids)
