"""Still-image generators that paint the first frames of a video: where they are, and which fit."""

from pathlib import Path

from pipelines.config.run import RunConfig
from vid2vid.controls.config import name_of
from vid2vid.errors import CheckpointError, ConfigError
from vid2vid.labels.palettes import Palette, have_equal_classes

SETTING = "first_frames.checkpoint"


def locate_painter(name: str, *, beside: Path) -> Path:
    """Find the checkpoint that a run begins its videos with.

    Args:
        name: as the configuration has it; relative paths start at the working directory.
        beside: checkpoint of the run, a file; beside its folder is looked next.

    Raises:
        CheckpointError: if it is at neither place.
    """
    given = Path(name).expanduser()
    moved = beside.resolve().parent.parent / given.name
    for place in (given, moved):
        if place.exists():
            return place
    raise CheckpointError(
        f"{beside} begins videos with frames of {name} ({SETTING}); it is neither there nor at "
        f"{moved}: name it with --first-frame, or begin from nothing with --first-frame zeros"
    )


def check_painter(
    painter: RunConfig,
    painter_palette: Palette | None,
    config: RunConfig,
    palette: Palette | None,
    *,
    option: str,
    place: Path | str,
) -> None:
    """Refuse a generator that needs a past, or is painted from something else than the video's.

    Args:
        painter: configuration of the still-image generator.
        painter_palette: of its label maps; None without labels.
        config: of the video's generator.
        palette: of its label maps.
        option: what named the painter, for messages.
        place: where it is.

    Raises:
        ConfigError: saying what does not fit.
    """
    if painter.generator.history:
        raise ConfigError(
            f"{option} takes the checkpoint of a still-image generator; {place} needs "
            f"{painter.generator.history} frames before itself: give another one, or pictures"
        )
    if painter.controls != config.controls or not _have_equal_labels(painter_palette, palette):
        raise ConfigError(
            f"{option} takes a checkpoint of the same input as the video's, "
            f"{_source(config, palette)}; {place} has {_source(painter, painter_palette)}: give "
            "another one"
        )


def check_maps(painter: RunConfig, config: RunConfig, *, place: str) -> None:
    """Refuse a generator that needs instance maps where a run has none for it in training.

    Args:
        painter: configuration of the still-image generator.
        config: of the run.
        place: where the generator is.

    Raises:
        ConfigError: if it is so.
    """
    labels = painter.labels
    if labels is not None and labels.boundary == "instances" and not config.needs_instances:
        raise ConfigError(
            f"{SETTING} takes a checkpoint that needs no other maps than the run; {place} was "
            "trained with instance maps, which this run does not read: set labels.boundary to "
            "instances, or give another one"
        )


def _have_equal_labels(one: Palette | None, other: Palette | None) -> bool:
    """Tell whether two networks take the same classes, or both none."""
    if one is None or other is None:
        return one is other
    return have_equal_classes(one, other)


def _source(config: RunConfig, palette: Palette | None) -> str:
    """Name what a generator takes."""
    names = [f"palette '{palette.name}'"] if palette is not None else []
    names += [
        f"'{name_of(control)}' of {control.channels} channel{'s' * (control.channels > 1)}"
        for control in config.controls
    ]
    return " and ".join(names)
