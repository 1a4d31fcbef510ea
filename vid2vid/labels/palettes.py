"""Palettes: the classes of a label map with their ids, names and colours, and maps between them."""

from collections import Counter
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from vid2vid.errors import DataError

ID_IGNORE = 255
"""The id of a pixel without a class."""

PALETTE_NAMES = ("cityscapes", "cityscapes19", "camvid", "camvid32")
"""The palettes that come with the package."""

MAPPING_NAMES = ("camvid-to-cityscapes", "camvid32-to-camvid", "cityscapes-to-cityscapes19")
"""The label mappings that come with the package."""

_BLACK = (0, 0, 0)

_Model = TypeVar("_Model", bound=BaseModel)

Byte = Annotated[int, Field(ge=0, le=255)]


class LabelClass(BaseModel):
    """One class of a palette; an ignored class is read as `ID_IGNORE`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Byte
    name: str
    colour: tuple[Byte, Byte, Byte]
    ignore: bool = False


class Palette(BaseModel):
    """The classes of a label map. The ids of those that are not ignored are 0 to n - 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    classes: tuple[LabelClass, ...]

    @model_validator(mode="after")
    def _check_ids(self) -> Self:
        repeated = [key for key, num in Counter(c.id for c in self.classes).items() if num > 1]
        if repeated:
            raise ValueError(f"each id must stand once; {repeated} stand more often")
        ids = sorted(c.id for c in self.classes if not c.ignore)
        if not ids or ids != list(range(len(ids))) or len(ids) > ID_IGNORE:
            raise ValueError(
                "the ids of the classes without 'ignore' must be 0, 1, 2, ... without a gap and "
                f"at most {ID_IGNORE - 1}; got {ids}"
            )
        return self

    @property
    def num_classes(self) -> int:
        """How many classes are not ignored."""
        return sum(not c.ignore for c in self.classes)

    @cached_property
    def ignored_ids(self) -> tuple[int, ...]:
        """The ids that are read as `ID_IGNORE`, itself among them."""
        return tuple(sorted({c.id for c in self.classes if c.ignore} | {ID_IGNORE}))

    @cached_property
    def readable_colours(self) -> dict[tuple[int, int, int], int]:
        """Colour to id as read: lowest id of a repeated colour, `ID_IGNORE` of an ignored class.

        Black is read as `ID_IGNORE` where no class has it, since it is written so.
        """
        colours: dict[tuple[int, int, int], int] = {}
        for c in sorted(self.classes, key=lambda c: c.id):
            colours.setdefault(c.colour, ID_IGNORE if c.ignore else c.id)
        if ID_IGNORE not in colours.values():
            colours.setdefault(_BLACK, ID_IGNORE)
        return colours

    @cached_property
    def colour_table(self) -> NDArray[np.uint8]:
        """'256 3' uint8 RGB by id: the first ignored class's colour (or black) at `ID_IGNORE`."""
        table = np.zeros((256, 3), dtype=np.uint8)
        ignored = [c.colour for c in self.classes if c.ignore]
        table[ID_IGNORE] = ignored[0] if ignored else _BLACK
        for c in self.classes:
            table[c.id] = c.colour
        return table


class LabelMapping(BaseModel):
    """Which id of the palette `target` stands for each id of the palette `source`.

    `source` is a name of `PALETTE_NAMES` or the path of a palette file, `target` a palette's name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    target: str
    ids: dict[Byte, Byte]

    def table(self, source: Palette, target: Palette) -> NDArray[np.uint8]:
        """Build the lookup table of the mapping: '256' uint8, target id by source id.

        Raises:
            DataError: if the mapping leads to another palette, leaves a class of `source` out, or
                names an id that a palette has not.
        """
        where = f"mapping '{self.source}' to '{self.target}'"
        if self.target != target.name:
            raise DataError(
                f"the mapping must lead to '{target.name}'; got {where}: pass one that leads there"
            )
        missing = sorted(set(range(source.num_classes)) - set(self.ids))
        unknown = sorted(set(self.ids) - set(range(source.num_classes)) - set(source.ignored_ids))
        if missing or unknown:
            raise DataError(
                f"{where} must have every id 0 to {source.num_classes - 1} of '{source.name}'; "
                f"ids {missing} are missing and {unknown} are not in the palette: mend its 'ids'"
            )
        foreign = sorted(set(self.ids.values()) - set(range(target.num_classes)) - {ID_IGNORE})
        if foreign:
            raise DataError(
                f"{where} must lead to ids 0 to {target.num_classes - 1} of '{target.name}' or "
                f"{ID_IGNORE}; got {foreign}: mend its 'ids'"
            )
        table = np.full(256, ID_IGNORE, dtype=np.uint8)
        table[list(self.ids)] = list(self.ids.values())
        return table


def have_equal_classes(one: Palette, other: Palette) -> bool:
    """Tell whether two palettes differ in nothing but colours."""
    first, second = ({c.id: c.name for c in p.classes if not c.ignore} for p in (one, other))
    return first == second


def load_palette(name_or_path: str | Path) -> Palette:
    """Load a palette of `PALETTE_NAMES`, or one of the user's from a YAML file.

    Raises:
        DataError: if there is no such palette or file, or its contents are not a palette.
    """
    return _load(Palette, name_or_path, PALETTE_NAMES)


def load_mapping(name_or_path: str | Path) -> LabelMapping:
    """Load a mapping of `MAPPING_NAMES`, or one of the user's from a YAML file.

    Raises:
        DataError: if there is no such mapping or file, or its contents are not a mapping.
    """
    return _load(LabelMapping, name_or_path, MAPPING_NAMES)


def _load(model: type[_Model], name_or_path: str | Path, names: tuple[str, ...]) -> _Model:
    kind = {"Palette": "palette", "LabelMapping": "label mapping"}[model.__name__]
    try:
        if str(name_or_path) in names:
            text = (files("vid2vid.labels") / "named" / f"{name_or_path}.yaml").read_text("utf-8")
        else:
            text = Path(name_or_path).read_text("utf-8")
        values: Any = yaml.safe_load(text)
        return model.model_validate(values)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"a {kind} must be one of {', '.join(names)} or a readable YAML file; "
            f"got '{name_or_path}'"
        ) from error
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{name_or_path} must be YAML with a {kind}; {reason}") from error
    except ValidationError as error:
        raise DataError(f"{name_or_path} must hold a {kind}; {_problems(error)}") from error


def _problems(error: ValidationError) -> str:
    """Put all problems of a file into one line."""
    return "; ".join(
        f"{'.'.join(map(str, e['loc']))}: {e['msg']}" if e["loc"] else e["msg"]
        for e in error.errors()
    )
