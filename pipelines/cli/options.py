"""The options that several commands share: they mean the same everywhere. Imports no torch."""

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

import typer

from pipelines.rendering.options import LARGEST_DETAIL_PX
from vid2vid.errors import ConfigError
from vid2vid.video.codecs import DEFAULT_CRF, LARGEST_CRF

ZEROS = Path("zeros")  # of --first-frame; a folder of this name is given by its whole path


def parse_controls(pairs: list[str] | None) -> tuple[tuple[str, Path], ...]:
    """Read NAME=PATH, each.

    Raises:
        ConfigError: if one is of another form, or a name comes twice.
    """
    found: dict[str, Path] = {}
    for pair in pairs or ():
        name, equals, place = pair.partition("=")
        if not (name and equals and place) or name in found:
            why = "that name was given before" if name in found else "such as depth=depth_folder"
            raise ConfigError(f"--control must be NAME=PATH, each name once; got {pair!r}: {why}")
        found[name] = Path(place)
    return tuple(found.items())


def parse_styles(pairs: list[str] | None) -> tuple[tuple[str, int], ...]:
    """Read WHAT=K, each.

    Raises:
        ConfigError: if one is of another form, or something is named twice.
    """
    found: dict[str, int] = {}
    for pair in pairs or ():
        what, _, row = pair.rpartition("=")
        if not what or not row.isdecimal() or what in found:
            why = "that was named before" if what in found else "such as car=3 or 26001=0"
            raise ConfigError(f"--style must be WHAT=K, each once; got {pair!r}: {why}")
        found[what] = int(row)
    return tuple(found.items())


def parse_first_frames(places: list[Path] | None) -> tuple[tuple[Path, ...], bool]:
    """Read what a video begins with, and whether that is 'zeros'.

    Raises:
        ConfigError: if 'zeros' is not alone.
    """
    given = tuple(places or ())
    if ZEROS not in given:
        return given, False
    if len(given) > 1:
        raise ConfigError(
            "--first-frame takes 'zeros' alone, or what the output begins with; got "
            f"{', '.join(map(str, given))}: leave one kind out"
        )
    return (), True


def _parse_fps(text: str) -> Fraction:
    """Read frames per second: 25, 29.97 or 30000/1001."""
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise typer.BadParameter(f"{text!r} is no number such as 25 or 30000/1001") from error


Labels = Annotated[
    Path,
    typer.Argument(
        metavar="INPUT",
        help="Label maps, or what else the checkpoint takes: photographs, key points. A video, a "
        "folder or a quoted glob of pictures; - reads a video from standard input.",
    ),
]
Checkpoint = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint",
        "-c",
        help="A .safetensors file or a run folder. Default: the package's, of streets.",
    ),
]
Palette = Annotated[
    str | None,
    typer.Option(
        help="Palette of the label maps: a name or a YAML file. Default: the checkpoint's."
    ),
]
Map = Annotated[
    str | None,
    typer.Option("--map", help="Mapping of their ids to the checkpoint's: name or YAML file."),
]
Instances = Annotated[
    Path | None,
    typer.Option(help="Instance maps: a lossless video, a folder or a quoted glob of pictures."),
]
Boundary = Annotated[
    Literal["labels"] | None,
    typer.Option(help="Draw boundaries from the labels where there are no instance maps."),
]
Control = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=PATH",
        help="Another stream that the checkpoint takes beside the input; again for the next.",
    ),
]
Drawn = Annotated[
    bool,
    typer.Option("--drawn", help="The input shows the control itself: edges, drawn people."),
]
FirstFrame = Annotated[
    list[Path] | None,
    typer.Option(
        help="Picture that the output begins with, again for the next, oldest first; or the "
        "checkpoint of a still-image generator that paints them; or 'zeros'. Default: as the "
        "checkpoint's first_frames says, else zeros."
    ),
]
Seed = Annotated[
    int | None, typer.Option(min=0, help="Seed of drawn styles and of dropout. Default: 0.")
]
Detail = Annotated[
    float | None,
    typer.Option(
        metavar="PX",
        min=0,
        max=LARGEST_DETAIL_PX,
        help="Sharpness over many frames: 0 = softest and steadiest, 2 = sharper. Default: as "
        "trained.",
    ),
]
StyleFrom = Annotated[
    Path | None, typer.Option(help="Photo whose style is taken, where the checkpoint has styles.")
]
StyleLabels = Annotated[Path | None, typer.Option(help="Label map of that photo.")]
StyleInstances = Annotated[Path | None, typer.Option(help="Instance map of that photo.")]
Style = Annotated[
    list[str] | None,
    typer.Option(
        metavar="WHAT=K",
        help="Style K of a class (name or id) or of an instance (its id); again for the next.",
    ),
]
NumStyles = Annotated[
    int | None,
    typer.Option(
        "--styles",
        min=1,
        help="So many renderings in a grid, by the seeds from --seed on, "
        "or the pictures that the checkpoint paints of a map.",
    ),
]
Variant = Annotated[
    int | None,
    typer.Option(
        min=0, help="Which picture of a checkpoint that paints several of a map. Default: 0."
    ),
]
Frames = Annotated[
    str | None,
    typer.Option(metavar="A:B", help="Part of the input: A:B, counted from 0, B not included."),
]
Fps = Annotated[
    Fraction | None,
    typer.Option(
        parser=_parse_fps, metavar="RATE", help="Frames per second of pictures. Default: 25."
    ),
]
Height = Annotated[
    int | None, typer.Option(min=1, help="Height of the output, pixels. Default: the input's.")
]
Width = Annotated[
    int | None, typer.Option(min=1, help="Width of the output, pixels. Default: the input's.")
]
Audio = Annotated[
    Literal["copy", "none"] | None,
    typer.Option(help="Sound of the input. Default: copied where the output can have sound."),
]
Codec = Annotated[
    Literal["libx264", "libx265", "libvpx-vp9", "libsvtav1", "ffv1", "gif"] | None,
    typer.Option(help="Codec of the output. Default: libx264; libvpx-vp9 in .webm."),
]
Crf = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=LARGEST_CRF,
        help=f"Constant rate factor: smaller is better and larger. Default: {DEFAULT_CRF}.",
    ),
]
Lossless = Annotated[bool, typer.Option("--lossless", help="Write the video without loss.")]
Format = Annotated[
    Literal["png", "jpg", "webp"] | None,
    typer.Option("--format", help="Of the pictures in an output folder. Default: png."),
]
Bits = Annotated[
    Literal["8", "16"],
    typer.Option(help="Bits of a channel of PNG: 16 keeps what lies between two levels of 8."),
]
Quality = Annotated[
    int | None,
    typer.Option(min=1, max=100, help="Of JPEG and WebP. Default: 95, and WebP without loss."),
]
Preview = Annotated[
    Path | None, typer.Option(help="Video or folder: label maps and frames side by side.")
]
Device = Annotated[
    str | None, typer.Option(help="cpu, cuda, cuda:1 ... Default: a GPU where there is one.")
]
Dtype = Annotated[
    Literal["float32", "bfloat16"], typer.Option(help="Arithmetic of the convolutions.")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="A.B=C", help="Set any setting of the configuration."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of any error.")]
