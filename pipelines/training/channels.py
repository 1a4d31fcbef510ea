"""What the channels of a conditioning map mean, and which of two runs mean the same."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pipelines.config.run import RunConfig
from vid2vid.controls.config import name_of
from vid2vid.errors import DataError
from vid2vid.labels.palettes import (
    MAPPING_NAMES,
    LabelMapping,
    Palette,
    load_mapping,
    load_palette,
)


class Channel(NamedTuple):
    """The meaning of one channel."""

    kind: str  # 'class', 'void', 'boundary', 'style', 'noise', 'place', 'colour', or a control's
    name: str  # of the class, or a number

    def __str__(self) -> str:
        """Name it as people do."""
        return self.name if self.kind == "class" else f"{self.kind} {self.name}".strip()


BOUNDARY = Channel("boundary", "")
GENERATED = Channel("generated", "")
COLOURS = tuple(Channel("colour", name) for name in ("red", "green", "blue"))


def map_channels(config: RunConfig, palette: Palette | None) -> list[Channel]:
    """List the channels of one conditioning map in the order of `Conditioning`."""
    channels: list[Channel] = []
    if palette is not None and config.labels is not None:
        classes = sorted((c for c in palette.classes if not c.ignore), key=lambda c: c.id)
        channels += [Channel("class", c.name) for c in classes]
        channels += [Channel("void", "")] * config.labels.void
        channels += [BOUNDARY] * (config.labels.boundary != "none")
    kinds = [control.kind for control in config.controls]
    for control in config.controls:
        # What a picture shows is known by the name of its stream alone.
        is_known = control.kind != "picture" and kinds.count(control.kind) == 1
        name = "" if is_known else f"{name_of(control)} "
        own = [Channel(control.kind, f"{name}{index}") for index in range(control.channels)]
        channels += [BOUNDARY] if control.kind == "boundary" else own
    return channels


def unseen_channels(config: RunConfig) -> list[Channel]:
    """List the channels of style, noise and place: after the map, unseen by discriminators."""
    generator = config.generator
    return [
        *(Channel("style", str(index)) for index in range(generator.features)),
        *(Channel("noise", str(index)) for index in range(generator.noise)),
        *(Channel("place", str(index)) for index in range(generator.beside - generator.noise)),
    ]


def judged_classes(channels: Sequence[Channel]) -> list[Channel]:
    """List what a segmentation discriminator tells apart, given the channels of a map."""
    return [*(each for each in channels if each.kind == "class"), GENERATED]


def match_channels(
    source: Sequence[Channel], target: Sequence[Channel], classes: Mapping[str, str]
) -> dict[int, int]:
    """Find the channel of `source` that means what one of `target` means.

    Args:
        source: meanings.
        target: meanings.
        classes: name of the class in `source` for one in `target`; others by equal names, upper and
            lower case alike.

    Returns:
        Index in `source` by index in `target`.
    """
    places = {_folded(channel): index for index, channel in reversed(list(enumerate(source)))}
    found: dict[int, int] = {}
    for index, channel in enumerate(target):
        name = classes.get(channel.name, channel.name) if channel.kind == "class" else channel.name
        place = places.get(_folded(channel._replace(name=name)))
        if place is not None:
            found[index] = place
    return found


def class_pairs(source: Palette, target: Palette, given: str | None) -> dict[str, str]:
    """Name the class of `source` that each class of `target` continues, as far as a mapping says.

    Where several do, the one of equal name, else the one of the lowest id. A palette whose classes
    are named by their numbers, as that of an imported checkpoint, is put together by ids.

    Args:
        source: palette of the run that weights come from.
        target: palette of the run that begins.
        given: mapping between the two, either way round: a name or a YAML file. None takes the one
            that the package has for them, or none.

    Raises:
        DataError: if the mapping cannot be read or is one of other palettes.
    """
    ids = _mapped_ids(source, target, given)
    sources, targets = _names(source), _names(target)
    found: dict[str, str] = {}
    for one, other in ids:
        theirs, ours = sources.get(one), targets.get(other)
        if ours is None or theirs is None:
            continue
        if ours not in found or ours.casefold() == theirs.casefold():
            found[ours] = theirs
    return found


def _mapped_ids(source: Palette, target: Palette, given: str | None) -> list[tuple[int, int]]:
    """List pairs of an id of `source` and one of `target` that a mapping puts together."""
    if given is not None:
        mapping = load_mapping(given)
        if mapping.target == target.name:
            return sorted(mapping.ids.items())
        if mapping.target == source.name:
            return _turned(mapping)
        raise DataError(
            f"training.init_map must lead between the palettes '{source.name}' and "
            f"'{target.name}'; {given} leads to '{mapping.target}': pass another, or set it to null"
        )
    if _is_numbered(source) or _is_numbered(target):  # as of an imported checkpoint
        return [(number, number) for number in _names(source)]
    for mapping in map(load_mapping, MAPPING_NAMES):
        ends = [load_palette(name).classes for name in (mapping.source, mapping.target)]
        if ends == [source.classes, target.classes]:
            return sorted(mapping.ids.items())
        if ends == [target.classes, source.classes]:
            return _turned(mapping)
    return []


def _turned(mapping: LabelMapping) -> list[tuple[int, int]]:
    return sorted((other, one) for one, other in mapping.ids.items())


def _is_numbered(palette: Palette) -> bool:
    """Tell whether classes have no other name than their number."""
    return all(name == str(number) for number, name in _names(palette).items())


def _names(palette: Palette) -> dict[int, str]:
    return {c.id: c.name for c in palette.classes if not c.ignore}


def _folded(channel: Channel) -> Channel:
    return channel._replace(name=channel.name.casefold())
