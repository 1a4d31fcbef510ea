"""The command line. Torch is imported by the commands that need it, so that --help is fast."""

import json
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli import (
    data,
    evaluate,
    extend,
    inpaint,
    models,
    options,
    styles,
    train,
    world,
)
from pipelines.console import run_command
from pipelines.rendering.options import Dtype, Rendered, RenderOptions

if TYPE_CHECKING:
    from pipelines.render import Renderer

app = typer.Typer(
    name="vid2vid",
    help="Turn label maps into photographic, temporally coherent video.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


train.register(app)
styles.register(app)


@app.command()
def render(
    labels: options.Labels,
    out: Annotated[Path, typer.Argument(help=".mp4, .mkv, .webm, .gif, or a folder for PNGs.")],
    checkpoint: options.Checkpoint = None,
    instances: options.Instances = None,
    boundary: options.Boundary = None,
    palette: options.Palette = None,
    mapping: options.Map = None,
    control: options.Control = None,
    drawn: options.Drawn = False,
    first_frame: options.FirstFrame = None,
    frames: options.Frames = None,
    fps: options.Fps = None,
    height: options.Height = None,
    width: options.Width = None,
    audio: options.Audio = None,
    codec: options.Codec = None,
    crf: options.Crf = None,
    lossless: options.Lossless = False,
    seed: options.Seed = None,
    detail: options.Detail = None,
    style_from: options.StyleFrom = None,
    style_labels: options.StyleLabels = None,
    style_instances: options.StyleInstances = None,
    style: options.Style = None,
    styles: options.NumStyles = None,
    variant: options.Variant = None,
    preview: options.Preview = None,
    save_flow: Annotated[
        Path | None, typer.Option(help="Folder of .flo files, from each frame to the one before.")
    ] = None,
    save_occlusion: Annotated[
        Path | None, typer.Option(help="Video or folder: white where a pixel was hallucinated.")
    ] = None,
    save_hallucinated: Annotated[
        Path | None, typer.Option(help="Video or folder: what the generator painted by itself.")
    ] = None,
    device: options.Device = None,
    dtype: options.Dtype = "float32",
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Turn a stream of label maps or controls into a video, of its size, length and time stamps."""

    def run() -> None:
        first_frames, from_zeros = options.parse_first_frames(first_frame)
        chosen = RenderOptions(
            instances=instances,
            palette=palette,
            map=mapping,
            boundary=boundary,
            controls=options.parse_controls(control),
            drawn=drawn,
            first_frames=first_frames,
            from_zeros=from_zeros,
            frames=frames,
            fps=fps,
            height=height,
            width=width,
            audio=audio,
            codec=codec,
            crf=crf,
            lossless=lossless,
            seed=seed,
            detail=detail,
            style_from=style_from,
            style_labels=style_labels,
            style_instances=style_instances,
            style=options.parse_styles(style),
            styles=styles,
            variant=variant,
            preview=preview,
            save_flow=save_flow,
            save_occlusion=save_occlusion,
            save_hallucinated=save_hallucinated,
        )
        renderer = _load(checkpoint, device, dtype)
        _print_rendered(renderer.render(labels, out, chosen), as_json=as_json)

    raise typer.Exit(run_command(run, debug=debug))


@app.command()
def still(
    labels: options.Labels,
    out: Annotated[Path, typer.Argument(help="Picture (.png .jpg .webp), folder, or video.")],
    checkpoint: options.Checkpoint = None,
    instances: options.Instances = None,
    boundary: options.Boundary = None,
    palette: options.Palette = None,
    mapping: options.Map = None,
    control: options.Control = None,
    drawn: options.Drawn = False,
    frames: options.Frames = None,
    fps: options.Fps = None,
    height: options.Height = None,
    width: options.Width = None,
    audio: options.Audio = None,
    codec: options.Codec = None,
    crf: options.Crf = None,
    lossless: options.Lossless = False,
    seed: options.Seed = None,
    style_from: options.StyleFrom = None,
    style_labels: options.StyleLabels = None,
    style_instances: options.StyleInstances = None,
    style: options.Style = None,
    styles: options.NumStyles = None,
    variant: options.Variant = None,
    picture_format: options.Format = None,
    bits: options.Bits = "8",
    quality: options.Quality = None,
    preview: options.Preview = None,
    device: options.Device = None,
    dtype: options.Dtype = "float32",
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Render single frames, each by itself: a picture, a folder, or a video frame by frame."""

    def run() -> None:
        chosen = RenderOptions(
            instances=instances,
            palette=palette,
            map=mapping,
            boundary=boundary,
            controls=options.parse_controls(control),
            drawn=drawn,
            frames=frames,
            fps=fps,
            height=height,
            width=width,
            audio=audio,
            codec=codec,
            crf=crf,
            lossless=lossless,
            seed=seed,
            style_from=style_from,
            style_labels=style_labels,
            style_instances=style_instances,
            style=options.parse_styles(style),
            styles=styles,
            variant=variant,
            format=picture_format,
            bits=16 if bits == "16" else 8,
            quality=quality,
            preview=preview,
        )
        renderer = _load(checkpoint, device, dtype)
        from pipelines.still import render_stills

        _print_rendered(render_stills(renderer, labels, out, chosen), as_json=as_json)

    raise typer.Exit(run_command(run, debug=debug))


data.register(app)
extend.register(app)
inpaint.register(app)
models.register(app)
evaluate.register(app)
world.register(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `vid2vid`; the arguments are the process's own unless given."""
    _configure_logging()
    app(arguments, prog_name="vid2vid")


def train_main(arguments: Sequence[str] | None = None) -> None:
    """Run `vid2vid-train`."""
    _run_alone(train.train, arguments)


def render_main(arguments: Sequence[str] | None = None) -> None:
    """Run `vid2vid-render`."""
    _run_alone(render, arguments)


def still_main(arguments: Sequence[str] | None = None) -> None:
    """Run `vid2vid-still`."""
    _run_alone(still, arguments)


def _run_alone(command: Callable[..., None], arguments: Sequence[str] | None) -> None:
    """Run one command under a name of its own."""
    _configure_logging()
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    alone.command()(command)
    alone(arguments, prog_name=f"vid2vid-{command.__name__}")


def _load(checkpoint: Path | None, device: str | None, dtype: Dtype) -> "Renderer":
    """Load the renderer of a checkpoint."""
    from pipelines.render import Renderer

    return Renderer.load(checkpoint, device=device, dtype=dtype)


def _print_rendered(rendered: Rendered, *, as_json: bool) -> None:
    """Print where the result is."""
    result = {
        "path": str(rendered.path),
        "num_frames": rendered.num_frames,
        "height": rendered.height,
        "width": rendered.width,
        "seconds": round(rendered.seconds, 3),
        "extras": [str(path) for path in rendered.extras],
        "far_share": round(rendered.far_share, 6),
    }
    print(_to_json(result) if as_json else "\n".join(map(str, (rendered.path, *rendered.extras))))


def _to_json(result: object) -> str:
    return json.dumps(result, indent=2)


class _StderrHandler(logging.Handler):
    """Writes plain lines to whatever stderr is now: a progress bar moves it aside."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(f"{self.format(record)}\n")


def _configure_logging() -> None:
    """Show what our packages say."""
    for name in ("flow", "vid2vid", "pipelines"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        if not any(isinstance(handler, _StderrHandler) for handler in logger.handlers):
            logger.addHandler(_StderrHandler())
