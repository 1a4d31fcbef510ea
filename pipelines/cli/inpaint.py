"""The commands `inpaint` and `harmonise`. No torch here, so that --help is fast."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pipelines.cli import filling as shared
from pipelines.cli import options
from pipelines.console import run_command
from pipelines.filling.options import FillOptions
from pipelines.inpainting.options import InpaintOptions

Preset = Annotated[
    Literal["paper", "fast"],
    typer.Option(help="The published recipe, minutes a picture, or one of seconds."),
]
Weights = Annotated[
    Literal["paper", "balanced"],
    typer.Option(help="Of the three terms: as published, for VGG19, or calibrated."),
]
LineSearch = Annotated[
    bool, typer.Option("--line-search", help="Search along each step of L-BFGS.")
]
Iterations = Annotated[
    int | None, typer.Option(min=0, help="Of L-BFGS at each level. Default: the preset's.")
]
Blending = Annotated[
    Literal["poisson", "feather", "laplacian", "hard"],
    typer.Option(help="How the painting is laid into the picture."),
]
VggWeights = Annotated[
    Path | None,
    typer.Option(
        help="torchvision's VGG19. Default: torch's cache, else the segmenter of the package."
    ),
]


def inpaint(
    source: shared.Input,
    masks: Annotated[
        Path,
        typer.Argument(
            metavar="MASK", help="White = to go: one for all, one for each by name, or a video."
        ),
    ],
    out: shared.Output,
    preset: Preset = "fast",
    weights: Weights = "balanced",
    iterations: Iterations = None,
    line_search: LineSearch = False,
    blending: Blending = "poisson",
    dilate: Annotated[int, typer.Option(min=0, help="Pixels by which masks grow.")] = 4,
    patches: Annotated[
        Path | None, typer.Option(help="Folder of pictures that texture is taken from too.")
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            "--checkpoint", "-c", help="Of a content network. Default: none, but a membrane."
        ),
    ] = None,
    vgg_weights: VggWeights = None,
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
    """Fill the holes of a picture or a video; what is outside of them stays as it is."""

    def run() -> None:
        chosen = InpaintOptions(
            preset=preset,
            weights=weights,
            line_search=line_search,
            iterations=iterations,
            blending=blending,
            patches=patches,
            checkpoint=checkpoint,
            vgg_weights=vgg_weights,
            format=picture_format,
            quality=quality,
            video=FillOptions(
                dilate=dilate,
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
        from pipelines.inpainting.inpaint import inpaint as inpaint_files

        shared.echo_written(inpaint_files(source, masks, out, options=chosen), as_json=as_json)

    raise typer.Exit(run_command(run, debug=debug))


def harmonise(
    picture: Annotated[Path, typer.Argument(help="Picture that the object is pasted into.")],
    pasted: Annotated[
        Path, typer.Argument(metavar="OBJECT", help="Picture of its size with the object in place.")
    ],
    mask: Annotated[Path, typer.Argument(help="White where the object is.")],
    out: Annotated[Path, typer.Argument(help="Picture (.png .jpg .webp).")],
    weights: Weights = "balanced",
    iterations: Iterations = None,
    line_search: LineSearch = False,
    blending: Blending = "poisson",
    vgg_weights: VggWeights = None,
    quality: options.Quality = None,
    device: options.Device = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Fit the colour and texture of a pasted object to its surroundings; its shape is kept."""

    def run() -> None:
        chosen = InpaintOptions(
            weights=weights,
            line_search=line_search,
            iterations=iterations,
            blending=blending,
            vgg_weights=vgg_weights,
            quality=quality,
            video=FillOptions(device=device),
        )
        from pipelines.inpainting.harmonise import harmonise as harmonise_files

        done = harmonise_files(picture, pasted, mask, out, options=chosen)
        shared.echo_written(done, as_json=as_json)

    raise typer.Exit(run_command(run, debug=debug))


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("inpaint")(inpaint)
    app.command("harmonise")(harmonise)
