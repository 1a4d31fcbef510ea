"""The commands `extend` and `morph`. No torch here, so that --help is fast."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli import filling as shared
from pipelines.cli import options
from pipelines.console import run_command
from pipelines.extending.options import (
    ExtendOptions,
    parse_aspect,
    parse_margins,
)
from pipelines.filling.options import FillOptions
from vid2vid.extension.layout import HALVINGS

Checkpoint = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint",
        "-c",
        help="Of kind srn: a .safetensors file or a run folder. Default: the package's own.",
    ),
]


def extend(
    source: shared.Input,
    out: shared.Output,
    to: Annotated[
        str | None,
        typer.Option(metavar="W:H", help="Aspect of the result, such as 16:9 or 1.85."),
    ] = None,
    margins: Annotated[
        str | None,
        typer.Option(metavar="TOP,RIGHT,BOTTOM,LEFT", help="Pixels added on each side."),
    ] = None,
    tile: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Extend the result again, N times in all: by --margins, else by as much as the "
            "checkpoint was trained for. For textures.",
        ),
    ] = None,
    scale: Annotated[
        float | None,
        typer.Option(
            help="Scale at which pictures are continued, above 0 to 1. Default: 1 with --tile, "
            "else the largest at which the margins are no wider than the checkpoint has learnt."
        ),
    ] = None,
    checkpoint: Checkpoint = None,
    picture_format: options.Format = None,
    quality: options.Quality = None,
    flow: shared.Flow = FillOptions.flow,
    raft: shared.Raft = FillOptions.raft,
    chunk: shared.Chunk = FillOptions.chunk,
    overlap: shared.Overlap = FillOptions.overlap,
    frames: options.Frames = None,
    fps: options.Fps = None,
    audio: options.Audio = None,
    codec: options.Codec = None,
    crf: options.Crf = None,
    lossless: options.Lossless = False,
    device: options.Device = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Extend a picture or a video beyond its borders; what is known of it stays as it is."""

    def run() -> None:
        chosen = ExtendOptions(
            margins=None if margins is None else parse_margins(margins),
            aspect=None if to is None else parse_aspect(to),
            tile=tile,
            scale=scale,
            format=picture_format,
            quality=quality,
            video=FillOptions(
                flow=flow,
                raft=raft,
                device=device,
                chunk=chunk,
                overlap=overlap,
                frames=frames,
                fps=fps,
                audio=audio,
                codec=codec,
                crf=crf,
                lossless=lossless,
            ),
        )
        from pipelines.extending.extend import extend as extend_files
        from pipelines.extending.network import load_continuation

        continuation = load_continuation(checkpoint, device=device)
        extender = continuation.extender(scale=chosen.growing_scale)
        done = extend_files(source, out, extender=extender, options=chosen)
        shared.echo_written(done, as_json=as_json)

    raise typer.Exit(run_command(run, debug=debug))


def morph(
    left: Annotated[Path, typer.Argument(help="Picture.")],
    right: Annotated[Path, typer.Argument(help="Picture of the same height.")],
    out: Annotated[Path, typer.Argument(help="Picture (.png .jpg .webp).")],
    gap: Annotated[
        int | None,
        typer.Option(
            min=HALVINGS,
            help="Pixels between the two. Default: a quarter of the narrower one's width.",
        ),
    ] = None,
    checkpoint: Checkpoint = None,
    quality: options.Quality = None,
    device: options.Device = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Put two pictures side by side and paint the transition between them."""

    def run() -> None:
        from pipelines.extending.morph import morph as morph_files
        from pipelines.extending.network import load_continuation

        continuation = load_continuation(checkpoint, device=device)
        done = morph_files(left, right, out, continuation=continuation, gap=gap, quality=quality)
        shared.echo_written(done, as_json=as_json)

    raise typer.Exit(run_command(run, debug=debug))


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("extend")(extend)
    app.command("morph")(morph)
