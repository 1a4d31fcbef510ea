"""Styles that are picked from the tables of a checkpoint: by class, or for one instance."""

import difflib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from torch import Tensor

from pipelines.build import Generation
from vid2vid.errors import ConfigError
from vid2vid.labels.palettes import Palette
from vid2vid.styles import Styles

INSTANCE = "instance:"
"""What the id of an instance may begin with; needed where a class has the same number."""


class Picks(NamedTuple):
    """What was picked."""

    by_region: Mapping[int, Tensor | int]  # instance id -> row of the table of its class
    by_class: Mapping[int, Tensor]  # class id -> 'c'


def find_picks(
    asked: Sequence[tuple[str, int]], generation: Generation, *, with_instances: bool
) -> Picks:
    """Look up the picks of `--style`.

    Args:
        asked: what (a class by name or id, or an instance id), and which row of its class.
        generation: has palette and tables.
        with_instances: whether styles are those of instances here.

    Raises:
        ConfigError: if there is no such class, row or instance.
    """
    by_region: dict[int, Tensor | int] = {}
    by_class: dict[int, Tensor] = {}
    for what, row in asked:
        instance = _instance_id(what, generation.palette)
        if instance is None:
            label = find_class(what, generation.palette)
            by_class[label] = pick_row(generation.styles, label, row, generation.palette)
        elif with_instances:
            _check_row(generation.styles, instance, row)
            by_region[instance] = row
        else:
            raise ConfigError(
                f"--style {what}={row} names an instance; styles go by class here: name a class, "
                "or pass --instances to a checkpoint that pools instances"
            )
    return Picks(by_region, by_class)


def find_class(what: str, palette: Palette | None) -> int:
    """Find a class by its name or id.

    Raises:
        ConfigError: if the palette has no such class.
    """
    if palette is None:
        raise ConfigError(
            f"a class is named by a palette; this checkpoint takes no label maps: name an instance "
            f"instead of {what!r}"
        )
    known = {each.name: each.id for each in palette.classes if not each.ignore}
    if what in known:
        return known[what]
    if what.isdecimal() and int(what) in known.values():
        return int(what)
    near = difflib.get_close_matches(what, known, n=1)
    listed = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known)}"
    raise ConfigError(
        f"a class must be a name or id of palette {palette.name!r}; got {what!r}: {listed}"
    )


def pick_row(styles: Styles, label: int, row: int, palette: Palette | None) -> Tensor:
    """Take a row of a class.

    Raises:
        ConfigError: if it has no such row.
    """
    table = styles.tables.get(label)
    names = {} if palette is None else {each.id: each.name for each in palette.classes}
    shown = f"class {names.get(label, str(label))!r}"
    if table is None or not len(table):
        have = ", ".join(names.get(each, str(each)) for each in sorted(styles.tables))
        raise ConfigError(
            f"{shown} must have styles to pick from; the checkpoint has "
            f"{f'those of {have}' if have else 'none'}: make them with 'vid2vid styles CHECKPOINT "
            "DATA', or lower its --min-area"
        )
    if not 0 <= row < len(table):
        raise ConfigError(f"{shown} has {len(table)} styles, 0 to {len(table) - 1}; got {row}")
    return table[row]


def _check_row(styles: Styles, instance: int, row: int) -> None:
    """Check that any class has such a row; which class an instance has, its pixels will say.

    Raises:
        ConfigError: if none has.
    """
    most = max((len(table) for table in styles.tables.values()), default=0)
    if not most:
        raise ConfigError(
            f"instance {instance} must have styles to pick from; the checkpoint has none: make "
            "them with 'vid2vid styles CHECKPOINT DATA'"
        )
    if not 0 <= row < most:
        raise ConfigError(
            f"a style of instance {instance} must be 0 to {most - 1}, the most that a class has; "
            f"got {row}"
        )


def _instance_id(what: str, palette: Palette | None) -> int | None:
    """Read an instance id: marked as one, or a number that no class has; None = a class."""
    marked = what.removeprefix(INSTANCE)
    if marked != what:
        if not marked.isdecimal():
            raise ConfigError(f"--style {INSTANCE}ID=K needs a number for ID; got {marked!r}")
        return int(marked)
    is_class = palette is not None and what.isdecimal() and int(what) < palette.num_classes
    return int(what) if what.isdecimal() and not is_class else None
