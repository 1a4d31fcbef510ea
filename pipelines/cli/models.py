"""The commands for checkpoints of other programs: `import` and `export-legacy`. No torch here."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipelines.cli import options
from pipelines.console import run_command
from vid2vid.errors import ConfigError

if TYPE_CHECKING:
    from vid2vid.data.augment import Size


def import_official(
    source: Annotated[
        Path, typer.Argument(help="Folder of latest_net_*.pth, or one file with a generator.")
    ],
    out: Annotated[Path, typer.Argument(help="The checkpoint to write, .safetensors.")],
    arch: Annotated[
        Literal["vid2vid", "pix2pixHD", "pix2pix"] | None,
        typer.Option(help="Program that wrote it, where its keys fit two."),
    ] = None,
    label: Annotated[
        str | None, typer.Option(help="Epoch label of the files. Default: latest.")
    ] = None,
    palette: Annotated[
        str | None, typer.Option(help="Palette of its label maps: a name or a YAML file.")
    ] = None,
    labels: Annotated[
        int | None,
        typer.Option(min=0, help="Label ids without a palette (--label_nc); 0 = pictures."),
    ] = None,
    instances: Annotated[
        bool | None,
        typer.Option(
            "--instances/--no-instances", help="Its last channel is a boundary (--use_instance)."
        ),
    ] = None,
    foreground: Annotated[
        str | None,
        typer.Option(metavar="IDS", help="Label ids of the foreground model: 26 or 24,26."),
    ] = None,
    first_frames: Annotated[
        Literal["real", "zeros"],
        typer.Option(help="How its clips began in training; zeros: --no_first_img."),
    ] = "real",
    features: Annotated[
        int | None, typer.Option(min=0, help="Style channels, where the encoder is not there.")
    ] = None,
    styles: Annotated[
        Path | None, typer.Option(help="Style clusters, where the folder does not hold just one.")
    ] = None,
    dropout: Annotated[
        bool | None, typer.Option("--dropout/--no-dropout", help="A U-Net was trained with it.")
    ] = None,
    render_dropout: Annotated[
        Literal["off", "fixed", "each_frame"] | None,
        typer.Option(help="What dropout does in rendering. Default: off."),
    ] = None,
    statistics: Annotated[
        Literal["frame", "running"] | None,
        typer.Option(help="Statistics of BatchNorm in rendering. Default: frame."),
    ] = None,
    height: Annotated[
        int | None, typer.Option(min=1, help="Height that it was trained at.")
    ] = None,
    width: Annotated[int | None, typer.Option(min=1, help="Width that it was trained at.")] = None,
    config: Annotated[
        Path | None, typer.Option(help="Write a configuration, .yaml, with which to train on.")
    ] = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Turn a checkpoint of the official vid2vid, pix2pixHD or pix2pix into one of ours."""

    def run() -> None:
        from pipelines.models.importing import import_checkpoint, write_config
        from pipelines.official.known import ImportOptions

        given = ImportOptions(
            arch=arch,
            label=label,
            palette=palette,
            labels=labels,
            instances=instances,
            foreground=_ids(foreground),
            first_frames=first_frames,
            features=features,
            styles=styles,
            dropout=dropout,
            render_dropout=render_dropout,
            statistics=statistics,
            size=_size(height, width),
        )
        done = import_checkpoint(source, out, given)
        if config is not None:
            write_config(done, config)
        result = {
            "path": str(done.path),
            "arch": done.arch,
            "networks": done.networks,
            "left_behind": done.passed_over,
            "palette": done.palette.name if done.palette else None,
            "config": str(config) if config else None,
        }
        typer.echo(json.dumps(result, indent=2) if as_json else done.path)

    raise typer.Exit(run_command(run, debug=debug))


def export_official(
    checkpoint: Annotated[Path, typer.Argument(help="A .safetensors file or a run folder.")],
    folder: Annotated[Path, typer.Argument(help="Folder for latest_net_*.pth.")],
    label: Annotated[str, typer.Option(help="Epoch label of the files.")] = "latest",
    norm: Annotated[
        Literal["batch", "instance"] | None,
        typer.Option(help="Official --norm. Default: batch where the norms have learnt gains."),
    ] = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Write a checkpoint in the layout of the official program that its networks are of."""

    def run() -> None:
        from pipelines.models.exporting import export_legacy

        done = export_legacy(checkpoint, folder, label=label, norm=norm)
        paths = [str(path) for path in done.paths]
        result = {"arch": done.arch, "norm": done.norm, "paths": paths}
        typer.echo(json.dumps(result, indent=2) if as_json else "\n".join(paths))

    raise typer.Exit(run_command(run, debug=debug))


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("import")(import_official)
    app.command("export-legacy")(export_official)


def _ids(text: str | None) -> tuple[int, ...] | None:
    """Read label ids: 26 or 24,26.

    Raises:
        ConfigError: if they are no numbers.
    """
    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise ConfigError(
            f"--foreground must be label ids with commas between them, such as 24,26; got {text!r}"
        ) from error


def _size(height: int | None, width: int | None) -> "Size | None":
    """Put the two sides together.

    Raises:
        ConfigError: if one is missing.
    """
    if height is None and width is None:
        return None
    if height is None or width is None:
        raise ConfigError("--height and --width say one size together; only one of them was given")
    from vid2vid.data.augment import Size

    return Size(height, width)
