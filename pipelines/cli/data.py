"""The commands for data sets: `check` and `prepare`. No torch here, so that --help is fast."""

import json
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli import options
from pipelines.console import run_command
from vid2vid.errors import ConfigError, DataError


def check(
    where: Annotated[
        str,
        typer.Argument(
            metavar="PATH|CONFIG", help="Configuration, run folder, or folder of a data set."
        ),
    ],
    settings: options.Set = None,
    palette: Annotated[
        str | None, typer.Option(help="Palette of the label maps: a name or a YAML file.")
    ] = None,
    mapping: Annotated[
        str | None,
        typer.Option("--map", help="Mapping of their ids to the palette's: name or YAML file."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Folder for a contact sheet and the result as JSON.")
    ] = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Walk a data set and name every problem at once; status 2 if training would fail."""

    def run() -> None:
        if report is not None and report.exists() and not report.is_dir():
            raise ConfigError(
                f"--report needs a folder, which is made; {report} is a file: name another"
            )
        from pipelines.checking.check import check as walk
        from pipelines.checking.subject import Asked

        found = walk(where, Asked(tuple(settings or ()), palette, mapping, report is not None))
        if report is not None:
            found.write(report)
        typer.echo(json.dumps(found.to_json(), indent=2) if as_json else found.to_text())
        if found.num_errors:
            raise DataError(
                f"training on {found.root} would fail: mend what is marked as an error "
                f"({found.num_errors} in all)"
            )

    raise typer.Exit(run_command(run, debug=debug))


def prepare(
    videos: Annotated[
        list[Path],
        typer.Argument(metavar="VIDEO...", help="Videos, folders of pictures, or of either."),
    ],
    out: Annotated[Path, typer.Argument(help="Folder of the data set, new or empty.")],
    controls: Annotated[
        str,
        typer.Option(
            "--control", metavar="NAMES", help="Streams to make: some of edges,grey,flow,labels."
        ),
    ] = "edges",
    segmenter: Annotated[
        Path | None,
        typer.Option(
            help="For labels: .safetensors, or .pt2 of torch.export. Default: the package's."
        ),
    ] = None,
    palette: Annotated[
        str | None, typer.Option(help="Palette of a segmenter that does not say its classes.")
    ] = None,
    frames: options.Frames = None,
    height: options.Height = None,
    width: options.Width = None,
    validation: Annotated[
        float,
        typer.Option(min=0, max=0.5, help="Share of each shot that is held out, at its end."),
    ] = 0.1,
    device: options.Device = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Make a data set of raw video, cut at shot changes, with a configuration to train on it."""

    def run() -> None:
        from pipelines.parts import read_part
        from pipelines.preparing.options import PrepareOptions, parse_controls

        asked = PrepareOptions(
            videos=tuple(videos),
            out=out,
            controls=parse_controls(controls),
            segmenter=segmenter,
            palette=palette,
            part=read_part(frames),
            height=height,
            width=width,
            validation=validation,
            device=device,
        )
        from pipelines.preparing.prepare import prepare as make

        done = make(asked)
        typer.echo(json.dumps(done.to_json(), indent=2) if as_json else done.to_text())

    raise typer.Exit(run_command(run, debug=debug))


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("check")(check)
    app.command("prepare")(prepare)
