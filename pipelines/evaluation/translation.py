"""In which palette label maps are given, and how they become a segmenter's or a checkpoint's."""

from pipelines.build import Generation
from pipelines.evaluation.options import EvaluateOptions
from vid2vid.errors import ConfigError
from vid2vid.labels.files import LabelReader
from vid2vid.labels.palettes import Palette, have_equal_classes, load_mapping, load_palette
from vid2vid.weights.segmenter import LoadedSegmenter


def source_palette(options: EvaluateOptions) -> Palette | None:
    """Find the palette of the label maps: what was named, or where the mappings lead from."""
    if options.palette is not None:
        return load_palette(options.palette)
    return load_palette(load_mapping(options.maps[0]).source) if options.maps else None


def pick_map(options: EvaluateOptions, target: Palette) -> str | None:
    """Pick the mapping that leads to a palette; None where there is none or none is needed."""
    source = source_palette(options)
    if source is not None and have_equal_classes(source, target):
        return None
    return next((name for name in options.maps if load_mapping(name).target == target.name), None)


def why_unread(
    options: EvaluateOptions, segmenter: LoadedSegmenter, generation: Generation | None
) -> str | None:
    """Tell why a segmenter cannot judge what a checkpoint rendered; None where it can.

    The label maps are there for the checkpoint, whether or not a segmenter understands them.
    """
    if generation is None:
        return None
    source, target = source_palette(options) or generation.palette, segmenter.palette
    if source is None:
        return "need label maps; the checkpoint takes other pictures"
    if target is None or have_equal_classes(source, target) or pick_map(options, target):
        return None
    return (
        f"need label maps in the segmenter's palette '{target.name}'; those of the checkpoint are "
        f"in '{source.name}': --map {source.name}-to-{target.name} or a file"
    )


def choose_reader(
    options: EvaluateOptions, segmenter: LoadedSegmenter, *, default: Palette | None
) -> LabelReader:
    """Make the reader of the label maps, which gives ids of the segmenter's palette.

    Args:
        options: the palette of the label maps, and mappings.
        segmenter: what judges.
        default: the palette of label maps of which the options say nothing: the checkpoint's;
            None = the segmenter's.

    Raises:
        ConfigError: if its palette is not known, or the label maps' is another and not mapped.
        DataError: if there is no such palette or mapping.
    """
    source = source_palette(options) or default
    target = segmenter.palette or _guess_target(options, segmenter, default)
    name = pick_map(options, target)
    if name is not None:
        return LabelReader(target, mapping=load_mapping(name), source=source)
    if source is not None and not have_equal_classes(source, target):
        raise ConfigError(
            f"the label maps must be in the segmenter's palette '{target.name}'; they are in "
            f"'{source.name}': pass --map {source.name}-to-{target.name} or a file, or leave "
            "--labels out"
        )
    return LabelReader(source or target)


def _guess_target(
    options: EvaluateOptions, segmenter: LoadedSegmenter, default: Palette | None
) -> Palette:
    """Find the palette of a segmenter whose file does not say it, by its number of classes."""
    targets = [load_palette(load_mapping(name).target) for name in options.maps]
    own = load_palette(options.palette) if options.palette is not None else default
    known = [*targets, *([own] if own is not None else [])]
    if not known:
        raise ConfigError(
            f"the classes of {segmenter.name} must be known; its file does not say them: name the "
            "palette of the label maps, --palette NAME"
        )
    for palette in known:
        if palette.num_classes == segmenter.num_classes:
            return palette
    raise ConfigError(
        f"the palette must have the segmenter's {segmenter.num_classes} classes; "
        f"'{known[0].name}' has {known[0].num_classes}: name another (--palette), or another "
        "segmenter (--segmenter)"
    )
