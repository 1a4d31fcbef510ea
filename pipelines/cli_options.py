"""The options that several commands share: they mean the same everywhere. Imports no torch."""

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

import typer


def _parse_fps(text: str) -> Fraction:
    """Read frames per second: 25, 29.97 or 30000/1001."""
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise typer.BadParameter(f"{text!r} is no number such as 25 or 30000/1001") from error


Labels = Annotated[
    Path, typer.Argument(help="Label maps: a video, a folder or a quoted glob of pictures.")
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
Codec = Annotated[
    Literal["libx264", "libvpx-vp9", "ffv1"] | None,
    typer.Option(help="Codec of the output. Default: libx264; libvpx-vp9 in .webm."),
]
Crf = Annotated[
    int, typer.Option(min=0, max=51, help="Constant rate factor: smaller is better and larger.")
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
