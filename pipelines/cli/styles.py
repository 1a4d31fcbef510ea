"""The command `styles`: finds styles for a checkpoint. No torch here, so that --help is fast."""

import json
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli import options
from pipelines.console import run_command
from pipelines.styling.options import CLUSTERS, SMALLEST_SHARE, StyleOptions


def styles(
    checkpoint: Annotated[Path, typer.Argument(help="A .safetensors file or a run folder.")],
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA", help="Configuration, run folder, or folder of a data set with labels."
        ),
    ],
    clusters: Annotated[int, typer.Option(min=1, help="Styles of a class, at most.")] = CLUSTERS,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the clustering.")] = 0,
    min_area: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Share of its picture that an instance must cover to count."
        ),
    ] = SMALLEST_SHARE,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Frames that are read, evenly apart. Default: all."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The checkpoint to write. Default: a copy beside it, *_styles.safetensors; the "
            "name of CHECKPOINT itself replaces it."
        ),
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Contact sheet, a picture: every style of every class.")
    ] = None,
    mapping: Annotated[
        str | None,
        typer.Option("--map", help="Mapping of the label ids to the checkpoint's: name or file."),
    ] = None,
    settings: options.Set = None,
    device: options.Device = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Find the styles of every class in a data set, and write them into a checkpoint."""

    def run() -> None:
        asked = StyleOptions(
            clusters=clusters,
            seed=seed,
            min_area=min_area,
            limit=limit,
            out=out,
            sheet=sheet,
            map=mapping,
            overrides=tuple(settings or ()),
            device=device,
        )
        from pipelines.styling.find import learn_styles

        done = learn_styles(checkpoint, data, asked)
        typer.echo(json.dumps(done.to_json(), indent=2) if as_json else done.to_text())

    raise typer.Exit(run_command(run, debug=debug))


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("styles")(styles)
