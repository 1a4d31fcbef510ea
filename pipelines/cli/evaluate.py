"""The commands that judge: `evaluate`, `bench` and `study`. Imports no torch."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli import options
from pipelines.console import run_command
from vid2vid.errors import ConfigError

if TYPE_CHECKING:
    from pipelines.study.options import StudyOptions

Seed = Annotated[int, typer.Option(min=0, help="Seed of everything that is drawn.")]


def evaluate(
    real: Annotated[
        Path,
        typer.Option(help="Real frames: a video, a folder of pictures, of such, or a .txt list."),
    ],
    report: Annotated[Path, typer.Option(help="Folder for report.json and report.html.")],
    systems: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[A B C ...]", help="Generated frames of several, with --compare."),
    ] = None,
    generated: Annotated[Path | None, typer.Option(help="Generated frames of one system.")] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Put the systems A B C into one table.")
    ] = False,
    frames: options.Frames = None,
    labels: Annotated[Path | None, typer.Option(help="Label maps that were rendered.")] = None,
    world: Annotated[
        Path | None,
        typer.Option(help="Folder of 'vid2vid world': known flow, surface points, labels."),
    ] = None,
    palette: Annotated[
        str | None, typer.Option(help="Palette of the label maps. Default: the segmenter's.")
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            help="Mapping of their ids to the segmenter's palette: name or YAML file; again for "
            "the checkpoint's.",
        ),
    ] = None,
    segmenter: Annotated[
        Path | None,
        typer.Option(help=".safetensors, or .pt2 of torch.export. Default: the package's."),
    ] = None,
    raft: Annotated[Path | None, typer.Option(help="torchvision's RAFT weights.")] = None,
    inception: Annotated[
        Path | None, typer.Option(help="inception-2015-12-05.pt, for FID and KID.")
    ] = None,
    lpips: Annotated[Path | None, typer.Option(help="alexnet-owt-7be5be79.pth, for LPIPS.")] = None,
    i3d: Annotated[Path | None, typer.Option(help="i3d_torchscript.pt, for FVD.")] = None,
    palindrome: Annotated[
        list[Path] | None,
        typer.Option(help="Video rendered from labels 1 ... N ... 1; once for each system."),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="What rendered --labels: times it, and drives it there and back."),
    ] = None,
    instances: Annotated[
        Path | None,
        typer.Option(help="Instance maps, for --checkpoint. Default: the world's, if it has any."),
    ] = None,
    boundary: options.Boundary = None,
    seed: Seed = 0,
    device: options.Device = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Measure generated video against real video, beside controls, and write a report."""

    def run() -> None:
        places = _systems(generated, tuple(systems or ()), is_comparison=compare)
        from pipelines.evaluation.evaluate import evaluate as measure
        from pipelines.evaluation.options import EvaluateOptions
        from pipelines.evaluation.tables import text_table

        asked = EvaluateOptions(
            real=real,
            generated=places,
            report=report,
            frames=frames,
            labels=labels,
            world=world,
            palette=palette,
            maps=tuple(mapping or ()),
            segmenter=segmenter,
            raft=raft,
            inception=inception,
            lpips=lpips,
            i3d=i3d,
            palindrome=tuple(palindrome or ()),
            checkpoint=checkpoint,
            instances=instances,
            boundary=boundary,
            seed=seed,
            device=device,
        )
        done = measure(asked)
        if as_json:
            typer.echo(json.dumps(done.report, indent=1))
            return
        typer.echo(text_table(done.results, done.systems))
        for each in done.report["not_measured"]:
            typer.echo(f"not measured: {each['what']}: {each['why']}")
        typer.echo(done.page_path)

    raise typer.Exit(run_command(run, debug=debug))


def bench(
    checkpoint: Annotated[Path, typer.Argument(help="A .safetensors file or a run folder.")],
    labels: options.Labels,
    instances: options.Instances = None,
    boundary: options.Boundary = None,
    palette: options.Palette = None,
    mapping: options.Map = None,
    control: options.Control = None,
    drawn: options.Drawn = False,
    frames: options.Frames = None,
    height: options.Height = None,
    width: options.Width = None,
    seed: options.Seed = None,
    device: options.Device = None,
    dtype: options.Dtype = "float32",
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Time a render: throughput, latency, first frame, peak memory."""

    def run() -> None:
        from pipelines.bench import describe_timing, time_render
        from pipelines.rendering.options import RenderOptions

        chosen = RenderOptions(
            instances=instances,
            boundary=boundary,
            palette=palette,
            map=mapping,
            controls=options.parse_controls(control),
            drawn=drawn,
            frames=frames,
            height=height,
            width=width,
            seed=seed,
        )
        timing = time_render(checkpoint, labels, chosen, device=device, dtype=dtype)
        text = json.dumps(timing.to_json(), indent=2) if as_json else describe_timing(timing)
        typer.echo(text)

    raise typer.Exit(run_command(run, debug=debug))


def study(
    systems: Annotated[
        list[Path] | None, typer.Argument(metavar="[A B]", help="Frames of the two systems.")
    ] = None,
    reference: Annotated[
        Path | None, typer.Option(help="Real frames, shown above each pair.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for study.html and key.json.")] = None,
    frames: options.Frames = None,
    pairs: Annotated[int, typer.Option(min=1, help="Pairs that are compared.")] = 40,
    clip_frames: Annotated[int, typer.Option(min=1, help="Frames of a clip; 1 = stills.")] = 16,
    display: Annotated[
        float | None,
        typer.Option(
            min=0.125, max=8, metavar="SECONDS", help="How long a pair is shown. Default: no limit."
        ),
    ] = None,
    height: Annotated[
        int | None,
        typer.Option(
            min=16, help="Height on the screen, pixels. Default: the frames', or what fits."
        ),
    ] = None,
    question: Annotated[
        str, typer.Option(help="What people are asked.")
    ] = "Which video looks more realistic?",
    seed: Seed = 0,
    score: Annotated[
        list[Path] | None,
        typer.Option(help="Score these answers instead; again for the next person."),
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="key.json of the study. Default: beside the answers.")
    ] = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Make a page on which people compare two systems blindly; or score their answers."""

    def run() -> None:
        if score:
            if systems or out or reference:
                raise ConfigError("--score reads answers; leave systems, --out and --reference out")
            typer.echo(_scored(score, key, as_json=as_json))
            return
        if key is not None:
            raise ConfigError("--key is for --score, which reads answers: add it or leave it out")
        if systems is None or len(systems) != 2 or out is None:
            raise ConfigError(
                "a study needs two systems and a folder: vid2vid study A B --out DIR; got "
                f"{len(systems or ())} systems{'' if out else ' and no --out'}"
            )
        from pipelines.study.options import StudyOptions

        asked = StudyOptions(
            first=systems[0],
            second=systems[1],
            out=out,
            reference=reference,
            frames=frames,
            pairs=pairs,
            clip_frames=clip_frames,
            display_seconds=display,
            height=height,
            question=question,
            seed=seed,
        )
        typer.echo(_made(asked, as_json=as_json))

    raise typer.Exit(run_command(run, debug=debug))


def _made(asked: "StudyOptions", *, as_json: bool) -> str:
    """Make a study and say where it lies."""
    from pipelines.study.make import make_study

    made = make_study(asked)
    result = {
        "page": str(made.page),
        "key": str(made.key),
        "pairs": made.num_pairs,
        "sentinels": made.num_sentinels,
        "bytes": made.num_bytes,
    }
    return json.dumps(result, indent=2) if as_json else f"{made.page}\n{made.key}"


def _scored(answers: list[Path], key: Path | None, *, as_json: bool) -> str:
    """Score answers and put it into words."""
    from pipelines.study.score import describe_score, score_study

    found = score_study(answers, key=key)
    return json.dumps(found.to_json(), indent=2) if as_json else describe_score(found)


def _systems(
    generated: Path | None, systems: tuple[Path, ...], *, is_comparison: bool
) -> tuple[Path, ...]:
    """Settle what is judged.

    Raises:
        ConfigError: unless one system or, with --compare, several are named.
    """
    if is_comparison and len(systems) > 1 and generated is None:
        return systems
    if not is_comparison and generated is not None and not systems:
        return (generated,)
    raise ConfigError(
        "one system is given as --generated PLACE, several as --compare A B C; got "
        f"{'--generated, ' if generated else ''}{'--compare, ' if is_comparison else ''}"
        f"{len(systems)} arguments: give one or the other"
    )


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(evaluate)
    app.command()(bench)
    app.command()(study)
