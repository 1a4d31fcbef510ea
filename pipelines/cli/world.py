"""The command `world`: a street whose truth is known. No torch here, so that --help is fast."""

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli import options
from pipelines.console import run_command
from vid2vid.errors import ConfigError
from vid2vid.world.config import PathName, WorldConfig


def world(
    out: Annotated[Path, typer.Argument(help="Folder, new or empty.")],
    world_seed: Annotated[
        int, typer.Option(min=0, help="Seed of streets, houses and traffic.")
    ] = 0,
    style_seed: Annotated[int, typer.Option(min=0, help="Seed of weather, light and colours.")] = 0,
    frames: Annotated[int, typer.Option(min=1, help="How many frames, 25 to a second.")] = 100,
    size: Annotated[
        str, typer.Option(metavar="HEIGHTxWIDTH", help="Size of the frames, pixels.")
    ] = "256x512",
    path: Annotated[PathName, typer.Option(help="Where the camera drives.")] = "straight",
    start: Annotated[int, typer.Option(min=0, help="Number of the first frame.")] = 0,
    traffic: Annotated[
        float, typer.Option(min=0, max=1, help="How many cars, cyclists and people.")
    ] = 0.5,
    thin: Annotated[
        float, typer.Option(min=0, max=1, help="How many lamps, signs, lights and fences.")
    ] = 0.5,
    speed: Annotated[float, typer.Option(max=40, help="Speed of the camera, m/s, above 0.")] = 10.0,
    light_change: Annotated[
        float, typer.Option(min=0, max=1, help="How much the light varies over time.")
    ] = 0.0,
    patterns: Annotated[
        bool, typer.Option("--patterns/--no-patterns", help="Draw windows and road markings.")
    ] = True,
    device: options.Device = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Render a procedural street: frames, labels, instances, flow, occlusion, depth, surface."""

    def run() -> None:
        if speed <= 0:
            raise ConfigError(f"--speed must be above 0 m/s; got {speed:g}")
        config = WorldConfig(
            path=path,
            traffic=traffic,
            thin=thin,
            speed=speed,
            light_change=light_change,
            patterns=patterns,
        )
        height, width = _parse_size(size)
        from pipelines.world import WorldOptions, write_world

        chosen = WorldOptions(world_seed, style_seed, frames, start, height, width, config, device)
        folder = write_world(out, chosen)
        result = {
            "path": str(folder),
            "num_frames": frames,
            "start": start,
            "height": height,
            "width": width,
        }
        typer.echo(json.dumps(result, indent=2) if as_json else folder)

    raise typer.Exit(run_command(run, debug=debug))


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("world")(world)


def _parse_size(text: str) -> tuple[int, int]:
    """Read HEIGHTxWIDTH.

    Raises:
        ConfigError: if it is something else.
    """
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if match is None:
        raise ConfigError(f"--size must be HEIGHTxWIDTH, such as 256x512; got {text!r}")
    return int(match[1]), int(match[2])
