"""A state as files: two PNGs of ids, and JSON with the rest."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipelines.editing.state import EditState, make_state
from vid2vid.errors import DataError
from vid2vid.labels.files import LabelReader, read_instances
from vid2vid.labels.palettes import Palette

FORMAT = "vid2vid-edit-1"
LABELS, INSTANCES, REST = "labels.png", "instances.png", "edit.json"
_GREY_IDS = 2**16  # that 16-bit grey holds; beyond, R + 256 G + 65536 B


class SavedEdit(NamedTuple):
    """What was saved."""

    state: EditState
    seed: int


def write_edit(folder: Path, state: EditState, *, seed: int, palette: Palette) -> None:
    """Write a state into a folder, over an older one; `edit.json` comes last.

    Raises:
        OSError: if it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write_png(folder / LABELS, state.labels)
    _write_png(folder / INSTANCES, _storable(state.instances))
    height, width = state.labels.shape
    content = {
        "format": FORMAT,
        "palette": palette.name,
        "height": height,
        "width": width,
        "pooling": state.pooling,
        "seed": seed,
        "styles": {str(region): list(style) for region, style in sorted(state.styles.items())},
    }
    partial = folder / f"{REST}.partial"
    partial.write_text(json.dumps(content, indent=2), encoding="utf-8")
    partial.replace(folder / REST)


def read_edit(folder: Path, palette: Palette) -> SavedEdit:
    """Read what `write_edit` wrote.

    Raises:
        DataError: if it is not there, is not whole, or is of another palette.
    """
    try:
        content: dict[str, Any] = json.loads((folder / REST).read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise ValueError(f"its format is {content['format']!r}")
        styles = {
            int(region): tuple(float(each) for each in style)
            for region, style in content["styles"].items()
        }
        pooling, seed, name = content["pooling"], int(content["seed"]), content["palette"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{folder} must hold a saved edit ({FORMAT}: {LABELS}, {INSTANCES}, {REST}); {REST} "
            f"cannot be read ({error})"
        ) from error
    if name != palette.name:
        raise DataError(
            f"{folder} must be in the checkpoint's palette {palette.name!r}; it is in {name!r}"
        )
    labels = LabelReader(palette).from_image(folder / LABELS)
    instances = read_instances(folder / INSTANCES)
    return SavedEdit(make_state(labels, instances, styles=styles, pooling=pooling), seed)


def _storable(instances: NDArray[np.int32]) -> NDArray[np.integer]:
    """Make 16-bit grey of ids, or RGB where one is too large for it."""
    if instances.max() < _GREY_IDS:
        return instances.astype(np.uint16)
    return np.stack([instances >> shift & 255 for shift in (0, 8, 16)], axis=2).astype(np.uint8)


def _write_png(path: Path, values: NDArray[np.integer]) -> None:
    partial = path.with_suffix(".partial")
    Image.fromarray(values).save(partial, format="PNG")
    partial.replace(path)
