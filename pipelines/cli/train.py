"""The commands around a training run: `train`, `inspect`, `schema`. No torch here."""

import json
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli import options
from pipelines.console import run_command
from vid2vid.errors import ConfigError


def train(
    config: Annotated[str, typer.Argument(help="YAML file, or a packaged name: robot_kitchen.")],
    settings: options.Set = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="Train as long as this instead of a step count.")
    ] = None,
    init_from: Annotated[
        str | None,
        typer.Option(
            metavar="CHECKPOINT",
            help="Begin with the weights of a run folder or checkpoint, also of another palette.",
        ),
    ] = None,
    device: options.Device = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Print configuration, networks, memory and schedule; stop."),
    ] = False,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Train a run from its configuration; the same command again goes on where it stopped."""

    def run() -> None:
        overrides = tuple(settings or ())
        if init_from is not None:
            overrides += (f"training.init_from={json.dumps(init_from)}",)
        if dry_run:
            from pipelines.training.dry_run import describe_dry_run
            from pipelines.training.dry_run import dry_run as resolve

            plan = resolve(config, overrides=overrides, minutes=minutes)
            typer.echo(_to_json(plan.to_json()) if as_json else describe_dry_run(plan))
            return
        from pipelines.train import TrainOptions
        from pipelines.train import train as train_run

        done = train_run(config, TrainOptions(overrides, minutes, device))
        result = {"folder": str(done.folder), "step": done.step, "total_steps": done.total_steps}
        typer.echo(_to_json(result) if as_json else done.folder)

    raise typer.Exit(run_command(run, debug=debug))


def inspect(
    name: Annotated[
        str, typer.Argument(metavar="CONFIG|CHECKPOINT", help="YAML file, packaged name, or run.")
    ],
    settings: options.Set = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Print every network with its parameters and multiply-accumulates, and what training takes."""

    def run() -> None:
        from pipelines.models.inspect import describe
        from pipelines.models.inspect import inspect as look

        found = look(name, overrides=tuple(settings or ()))
        typer.echo(_to_json(found.to_json()) if as_json else describe(found))

    raise typer.Exit(run_command(run, debug=debug))


def schema(
    out: Annotated[Path | None, typer.Option(help="File to write. Default: print it.")] = None,
    debug: options.Debug = False,
) -> None:
    """Print the JSON schema of configurations, with which editors complete and check them."""

    def run() -> None:
        from pipelines.config.schema import config_schema

        text = config_schema()
        if out is None:
            typer.echo(text, nl=False)
            return
        try:
            out.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ConfigError(
                f"--out must be a file that can be written; {out}: {error.strerror}: choose another"
            ) from error
        typer.echo(out)

    raise typer.Exit(run_command(run, debug=debug))


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(train)
    app.command()(inspect)
    app.command()(schema)


def _to_json(result: object) -> str:
    return json.dumps(result, indent=2)
