"""The options that several commands share: they mean the same everywhere. Imports no torch."""

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

import typer

from pipelines.rendering.options import LARGEST_DETAIL_PX
from vid2vid.errors import ConfigError
from vid2vid.video.codecs import DEFAULT_CRF, LARGEST_CRF


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
    typer.Option("--checkpoint", "-c", help="A .safetensors file or a run folder."),
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
        "checkpoint of a still-image generator that paints them."
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
