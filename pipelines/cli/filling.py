"""The arguments that `extend` and `inpaint` share, and how they answer. Imports no torch."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from pipelines.rendering.options import Written

Input = Annotated[
    Path,
    typer.Argument(metavar="INPUT", help="Picture, folder or quoted glob of pictures, or video."),
]
Output = Annotated[Path, typer.Argument(help="Picture (.png .jpg .webp), folder, or video.")]
Flow = Annotated[
    Literal["dis", "raft"],
    typer.Option(help="What finds the motion of a video; dis needs no file."),
]
Raft = Annotated[Path | None, typer.Option(help="Weights of torchvision's RAFT.")]
Chunk = Annotated[
    int, typer.Option(min=1, help="Frames of a video finished together: memory grows with it.")
]
Overlap = Annotated[
    int, typer.Option(min=0, help="Frames around them from which pixels are carried.")
]


def echo_written(done: Written, *, as_json: bool) -> None:
    """Say where the result is."""
    typer.echo(json.dumps(done.to_json(), indent=2) if as_json else str(done.path))
