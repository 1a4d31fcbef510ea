"""The style that an edit chooses: from the checkpoint's tables, or from a photo."""

from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from pipelines.build import Generation
from pipelines.editing.state import Vector
from pipelines.rendering.label_choice import choose_reader
from pipelines.rendering.options import RenderOptions
from pipelines.rendering.style_choice import styles_of_photo
from pipelines.rendering.style_picks import pick_row
from vid2vid.errors import ConfigError, DataError
from vid2vid.networks.still import StillGenerator
from vid2vid.styles import PhotoStyles


class Pick(NamedTuple):
    """A style of the checkpoint's table of the class."""

    row: int


class Sample(NamedTuple):
    """A style drawn from that table."""

    seed: int


class FromPhoto(NamedTuple):
    """A style of a photo, see `read_photo`: of its class, or of one instance."""

    photo: PhotoStyles
    instance: int | None = None


StyleChoice = Pick | Sample | FromPhoto


def check_features(generation: Generation) -> None:
    """Refuse to restyle without styles.

    Raises:
        ConfigError: if the checkpoint has none.
    """
    if not generation.generator.features:
        raise ConfigError(
            f"restyling is for a checkpoint with style features; {generation.path} has none: "
            "train one with generator.features above 0"
        )


def find_vector(choice: StyleChoice, generation: Generation, *, region: int, label: int) -> Vector:
    """Look up a style for a region of a class.

    Raises:
        Vid2VidError: if the checkpoint has no styles, or there is no such one.
    """
    check_features(generation)
    styles = generation.styles
    if isinstance(choice, FromPhoto):
        return _plain(_of_photo(choice, label))
    if isinstance(choice, Pick):
        return _plain(pick_row(styles, label, choice.row, generation.palette))
    drawn = styles._replace(seed=choice.seed).vector(region, label)
    # The first row, where there is none to draw, says what is missing.
    return _plain(pick_row(styles, label, 0, generation.palette) if drawn is None else drawn)


def read_photo(
    photo: Path,
    generation: Generation,
    *,
    labels: Path | None = None,
    instances: Path | None = None,
) -> PhotoStyles:
    """Encode a photo of which a label map, an instance map or both are known.

    Raises:
        Vid2VidError: if the checkpoint has no feature encoder, or something does not fit.
    """
    check_features(generation)
    if labels is None and instances is None:
        raise DataError("a photo's styles need its label map, its instance map, or both")
    if isinstance(generation.generator, StillGenerator) and generation.generator.encoder is None:
        raise ConfigError(
            f"{generation.path} came without its feature encoder, so that no style can be taken "
            "from a photo: pick or sample one"
        )
    reader = choose_reader(RenderOptions(), generation)
    return styles_of_photo(photo, generation, reader=reader, labels=labels, instances=instances)


def _of_photo(choice: FromPhoto, label: int) -> Tensor:
    """Take the style of a class or instance of a photo.

    Raises:
        DataError: if the photo does not show it.
    """
    own = choice.instance
    found = choice.photo.by_class.get(label) if own is None else choice.photo.by_region.get(own)
    if found is None:
        what = f"class {label}" if own is None else f"instance {own}"
        raise DataError(f"the photo must show {what} to give its style; it does not: pick one")
    return found


def _plain(style: Tensor) -> Vector:
    return tuple(style.tolist())
