"""How the label maps of an input become those that a checkpoint was trained on."""

from pathlib import Path

from pipelines.build import Generation
from pipelines.rendering.options import RenderOptions
from pipelines.rendering.picture_choice import is_folder
from vid2vid.controls.config import BoundaryConfig
from vid2vid.errors import ConfigError, DataError
from vid2vid.labels.conditioning import Conditioning
from vid2vid.labels.files import LabelReader
from vid2vid.labels.palettes import (
    MAPPING_NAMES,
    Palette,
    have_equal_classes,
    load_mapping,
    load_palette,
)
from vid2vid.video.pictures import PICTURE_SUFFIXES
from vid2vid.video.writing import OUTPUT_SUFFIXES


def choose_reader(options: RenderOptions, generation: Generation) -> LabelReader | None:
    """Make the reader of label maps; None for a checkpoint that takes none.

    Args:
        options: the input's palette and mapping.
        generation: says what the checkpoint takes, and its palette.

    Raises:
        ConfigError: if a palette was given where there are no labels.
        DataError: if the input's palette is neither the checkpoint's nor mapped to it.
    """
    if generation.palette is not None:
        return _label_reader(options, generation.palette)
    asked = [name for name in ("palette", "map") if getattr(options, name) is not None]
    if asked:
        raise ConfigError(
            f"--{asked[0]} is for label maps; this checkpoint takes none: leave it out"
        )
    return None


def _label_reader(options: RenderOptions, palette: Palette) -> LabelReader:
    """Make the reader of label maps, which gives ids of the checkpoint's palette."""
    source = load_palette(options.palette) if options.palette is not None else None
    if options.map is None:
        if source is None or have_equal_classes(source, palette):
            return LabelReader(source or palette)
        name = f"{source.name}-to-{palette.name}"
        raise DataError(
            f"the label maps must be in the checkpoint's palette '{palette.name}'; they are in "
            f"'{source.name}': pass --map {name if name in MAPPING_NAMES else 'FILE'}"
        )
    mapping = load_mapping(options.map)
    if mapping.target != palette.name:
        raise DataError(
            f"--map must lead to the checkpoint's palette '{palette.name}'; {options.map} leads "
            f"from '{mapping.source}' to '{mapping.target}': pass another mapping"
        )
    if source is not None and mapping.source != source.name:
        raise DataError(
            f"--map must lead from the palette of the label maps, '{source.name}'; {options.map} "
            f"leads from '{mapping.source}': pass another mapping, or leave --palette out"
        )
    return LabelReader(palette, mapping=mapping, source=source)


def takes_instances(generation: Generation) -> bool:
    """Tell whether a checkpoint was trained with instance maps."""
    return generation.config.needs_instances


def choose_conditioning(
    options: RenderOptions, generation: Generation, painter: Generation | None = None
) -> Conditioning:
    """Settle where the boundary comes from.

    Args:
        options: instance maps, or that labels draw the boundary.
        generation: says what the checkpoint takes.
        painter: of the first frames, which may take more.

    Raises:
        ConfigError: if instance maps are missing, or given to a checkpoint that takes none.
    """
    conditioning = generation.conditioning
    if options.boundary is not None and options.instances is not None:
        raise ConfigError("either --instances or --boundary labels draws the boundary; got both")
    both = [generation, *([] if painter is None else [painter])]
    if options.instances is not None and not any(map(takes_instances, both)):
        raise ConfigError(
            "--instances is for a checkpoint that was trained with instance maps; this one has "
            f"labels.boundary '{conditioning.boundary}': leave it out"
        )
    has_boundary = any(each.conditioning.boundary != "none" for each in both)
    if options.boundary is not None and not has_boundary:
        raise ConfigError(
            "--boundary is for a checkpoint that was trained with boundaries; this one was not: "
            "leave it out"
        )
    if options.boundary is not None and conditioning.boundary != "none":
        return conditioning._replace(boundary=options.boundary)
    if _has_boundary_control(generation) and options.instances is None:
        raise ConfigError(
            "the checkpoint was trained with instance maps; none were given: pass --instances "
            "FOLDER"
        )
    if conditioning.boundary == "instances" and options.instances is None:
        raise ConfigError(
            "the checkpoint was trained with instance maps; none were given: pass --instances "
            "FOLDER, or --boundary labels to draw the boundaries between classes instead"
        )
    return conditioning


def _has_boundary_control(generation: Generation) -> bool:
    return any(isinstance(each, BoundaryConfig) for each in generation.config.controls)


def check_branches(options: RenderOptions, generation: Generation) -> None:
    """Refuse what the generator has not.

    Raises:
        ConfigError: naming the option.
    """
    generator = generation.generator
    past = (*options.first_frames, options.save_flow, options.save_occlusion)
    if options.is_still and any(past):
        raise ConfigError(
            "stills have no past; --first-frame, --save-flow and --save-occlusion need one: leave "
            "them out, or render a video"
        )
    asked = {"--save-flow": options.save_flow, "--save-occlusion": options.save_occlusion}
    for option, path in asked.items():
        if path is not None and not generator.has_flow:
            raise ConfigError(
                f"{option} needs a generator that predicts flow; the checkpoint's does not: "
                "leave it out"
            )
    if options.first_frames and not generator.history:
        raise ConfigError(
            "--first-frame begins a video whose frames see those before; this checkpoint is of a "
            "still-image generator, which sees none: leave it out"
        )
    if len(options.first_frames) > generator.history:
        raise ConfigError(
            f"--first-frame may be given {generator.history} times, the history of the checkpoint; "
            f"got {len(options.first_frames)}: leave out the oldest"
        )


def check_places(options: RenderOptions, labels: Path, out: Path) -> None:
    """Refuse to write two things to one place, over the input, or as a video where none is named.

    Raises:
        ConfigError: naming the place.
    """
    _check_coding(options, out)
    others = (
        options.instances,
        options.style_from,
        options.style_labels,
        options.style_instances,
        *options.first_frames,
        *(path for _, path in options.controls),
    )
    taken = {path.resolve() for path in (labels, *others) if path is not None}
    extras = (
        options.preview,
        options.save_flow,
        options.save_occlusion,
        options.save_hallucinated,
    )
    for place in (out, *(extra for extra in extras if extra is not None)):
        if place.name in ("", "-") or place.name.lower() in {*OUTPUT_SUFFIXES, *PICTURE_SUFFIXES}:
            raise ConfigError(
                "every output needs a name of its own, of a file or a folder (- is for the input "
                f"alone); got '{place}': name it"
            )
        if place.resolve() in taken:
            raise ConfigError(
                f"every output needs a place of its own, beside the input; {place} is named "
                "twice: choose another name"
            )
        taken.add(place.resolve())


def _check_coding(options: RenderOptions, out: Path) -> None:
    """Refuse options of a video encoder where the output is pictures."""
    if not is_folder(out) and out.suffix.lower() not in PICTURE_SUFFIXES:
        return
    given = {
        "--codec": options.codec is not None,
        "--crf": options.crf is not None,
        "--lossless": options.lossless,
    }
    for option, is_given in given.items():
        if is_given:
            raise ConfigError(
                f"{option} is for video files; {out} is a "
                f"{'folder' if is_folder(out) else 'picture'}: leave it out or name the output "
                f"{out.stem}.mkv"
            )
