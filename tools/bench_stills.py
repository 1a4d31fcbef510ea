"""Train every single-image system on a few pictures, and see what each of them has learnt.

`overfit`: the first pictures of a folder, scored on themselves. `unseen`: all but the last pictures
(sorted by name), scored on those. Beside them, each label painted with its mean training colour.

    python tools/bench_stills.py overfit --data cityscapes_pairs --palette cityscapes --minutes 10
    python tools/bench_stills.py overfit --data coco_stuff --palette 182 --minutes 10
    python tools/bench_stills.py unseen --data camvid1hz --palette camvid

Without minutes each trains the steps of its recipe (still_recipes.py). The folder holds `images`
and `labels`, pictures of the same names. Distances are to the real pictures: *colour* of the
histograms of all pixels, half their L1, in [0, 1]; *KD* the kernel distance of what the segmenter
of the package sees.
"""

import pipelines  # isort: skip  # noqa: F401 - before torch: says how its threads wait

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
import typer
import yaml
from apart import Training, cpu_minutes, train_all
from numpy.typing import NDArray
from still_recipes import SYSTEMS, Task, recipe

from pipelines.build import Generation, load_generation
from pipelines.datasets import open_files
from pipelines.official.known import numbered_palette
from vid2vid.controls.drawing import InputDrawing
from vid2vid.data.clips import ClipBatch, collate
from vid2vid.data.config import DataConfig
from vid2vid.metrics.baselines import mean_colours, paint
from vid2vid.metrics.distance import Features, kernel_distance, kernel_sums
from vid2vid.metrics.image import gradient_energy, psnr
from vid2vid.metrics.similarity import ssim
from vid2vid.training.preview import draw_titles, generate_clip, to_picture
from vid2vid.training.targets import prepare
from vid2vid.video.levels import to_levels
from vid2vid.video.pictures import write_picture
from vid2vid.video.reading import find_frames
from vid2vid.weights.segmenter import LoadedSegmenter, load_segmenter

CPU = torch.device("cpu")
OVERFITTED = 4  # pictures
BINS = 8  # a channel
GRID = 4  # cells a side over which the segmenter's features are averaged
SHOWN = 8  # rows of the contact sheet

HEAD = f"{'':33s} {'PSNR dB':>7s} {'SSIM':>6s} {'gradient':>9s} {'colour':>7s} {'KD':>9s}"


class Score(NamedTuple):
    """Means over the pictures."""

    psnr: float  # dB
    ssim: float
    gradient_ratio: float  # of gradient energies
    colour: float  # half the L1 between histograms
    kernel: float


class Exhibit(NamedTuple):
    """A system in the report."""

    name: str  # in the table
    folder: Path  # of its run
    column: str  # on its contact sheet
    sheet: str  # name of that


def write_palette(palette: str, folder: Path) -> str:
    """Name a palette of the package, or write one of so many numbered classes."""
    if not palette.isdigit():
        return palette
    path = folder / f"palette{palette}.yaml"
    path.write_text(yaml.safe_dump(numbered_palette(int(palette)).model_dump(mode="json")))
    return str(path)


def first_pictures(data: Path, folder: Path) -> Path:
    """Link the pictures that are to be overfitted, so that their sizes may differ."""
    names = sorted(path.stem for path in find_frames(data / "labels"))[:OVERFITTED]
    for stream in ("images", "labels"):
        (folder / stream).mkdir(parents=True, exist_ok=True)
        for path in find_frames(data / stream):
            link = folder / stream / path.name
            if path.stem in names and not link.exists():
                link.symlink_to(path.resolve())
    return folder


def settings_of(task: Task, data: Path, out: Path, *, palette: str, held_out: int) -> list[str]:
    """List the overrides that put a configuration on some pictures."""
    own = [
        "data.layout={frames: images, labels: labels}",
        "validation=null",
        "training.preview_every=1000000",
        f"labels.palette={palette}",
        "labels.void=true",
    ]
    if task is Task.UNSEEN:
        return [*own, f"data.root={data}", f"data.frame_range=[0, {-held_out}]"]
    root = first_pictures(data, out / "pictures")
    return [
        *own,
        f"data.root={root}",
        "data.frame_range=null",
        "data.fit=stretch",  # a random crop would be another picture
        "data.scale=[1, 1]",
        "data.flip=false",
    ]


def judged_pictures(generation: Generation, task: Task) -> tuple[ClipBatch, ClipBatch]:
    """Cut the pictures that a system was trained on, and those that it is judged on: 'n 1 ...'."""
    config = generation.config
    if not isinstance(config.data, DataConfig):
        raise SystemExit("pictures are needed; the run has procedural streets")
    whole = config.data.model_copy(update={"frame_range": None})
    dataset = open_files(config, whole, generation.palette)
    if task is Task.OVERFIT:
        counts = [range(sequence.num_frames) for sequence in dataset.sequences]
        own = [
            dataset.evaluation_clip(index, start, 1)
            for index, count in enumerate(counts)
            for start in count
        ]
        return collate(own), collate(own)
    if config.data.frame_range is None:
        raise SystemExit("the run holds nothing out")
    every = range(dataset.sequences[0].num_frames)
    kept = every[slice(*config.data.frame_range)]
    trained, unseen = (
        collate([dataset.evaluation_clip(0, start, 1) for start in part])
        for part in (kept, every[kept.stop :])
    )
    return trained, unseen


def paint_all(generation: Generation, pictures: ClipBatch) -> torch.Tensor:
    """Let a system paint label maps, each by itself: 'n 3 h w'."""
    maps = prepare(pictures, generation.conditioning, device=CPU).conditioning
    outputs = generate_clip(generation.generator, maps.transpose(0, 1), first_frames=None)
    return torch.cat([output.frame for output in outputs]).float()


def score(painted: torch.Tensor, real: torch.Tensor, segmenter: LoadedSegmenter) -> Score:
    """Compare pictures with the real ones, 'n 3 h w'."""
    kernel = kernel_sums(see(painted, segmenter), see(real, segmenter), seed=0, paired=True)
    return Score(
        psnr=float(psnr(painted, real).mean()),
        ssim=float(ssim(painted, real).mean()),
        gradient_ratio=float((gradient_energy(painted) / gradient_energy(real)).mean()),
        colour=float((histogram(painted) - histogram(real)).abs().sum() / 2),
        kernel=kernel_distance(kernel),
    )


def histogram(pictures: torch.Tensor) -> torch.Tensor:
    """Count the colours of all pixels: 'BINS^3', its sum 1."""
    levels = to_levels(pictures.movedim(1, 0).flatten(1).unsqueeze(1)).long().reshape(-1, 3)
    places = (levels * BINS // 256) @ torch.tensor([BINS * BINS, BINS, 1])
    return torch.bincount(places, minlength=BINS**3).double() / len(places)


def see(pictures: torch.Tensor, segmenter: LoadedSegmenter) -> Features:
    """Average what the segmenter sees over a grid of cells."""
    with torch.inference_mode():
        _, features = segmenter.segment(pictures)
    cells = F.adaptive_avg_pool2d(features.float(), GRID).flatten(2).movedim(1, 2)
    units = np.repeat(np.arange(len(cells)), cells.shape[1])
    return Features(cells.flatten(0, 1).double().numpy(), units)


def write_sheet(
    columns: dict[str, torch.Tensor], drawn: list[NDArray[np.uint8]], path: Path
) -> None:
    """Write a contact sheet: a row per picture, a titled column per system."""
    chosen = np.linspace(0, len(drawn) - 1, min(SHOWN, len(drawn))).round().astype(int)
    rows = [
        np.concatenate([drawn[i], *(to_picture(own[i]) for own in columns.values())], axis=1)
        for i in chosen
    ]
    titles = draw_titles(["labels", *columns], drawn[0].shape[1])
    write_picture(path, np.concatenate([titles, *rows], axis=0))


def row(name: str, own: Score, note: str = "") -> str:
    """Lay out one row of the table."""
    return (
        f"{name:33s} {own.psnr:7.2f} {own.ssim:6.3f} {own.gradient_ratio:9.2f} {own.colour:7.3f} "
        f"{own.kernel:9.4f} {note}"
    )


def report(exhibits: Sequence[Exhibit], out: Path, *, task: Task) -> None:
    """Score what was trained, print the table, and write the contact sheets.

    Args:
        exhibits: the systems, one or more, all on the same pictures.
        out: folder of the table and the sheets.
        task: says which pictures they are judged on.
    """
    segmenter = load_segmenter(device=CPU)
    sheets: dict[str, dict[str, torch.Tensor]] = {}
    lines = [HEAD]
    for exhibit in exhibits:
        generation = load_generation(exhibit.folder, CPU)
        trained, judged = judged_pictures(generation, task)
        painted, real = paint_all(generation, judged), judged.frames[:, 0]
        sheets.setdefault(exhibit.sheet, {})[exhibit.column] = painted
        note = f"{cpu_minutes(exhibit.folder):.1f} CPU minutes, {generation.step} steps"
        lines.append(row(exhibit.name, score(painted, real, segmenter), note))
    palette = generation.palette
    if palette is None or trained.labels is None or judged.labels is None:
        raise SystemExit("label maps are needed; the last system has none")
    colours = mean_colours(trained.frames[:, 0], trained.labels[:, 0], palette.num_classes)
    labels = judged.labels[:, 0]
    painting = paint(labels, colours)
    lines.append(row("label painting", score(painting, real, segmenter)))
    table = "\n".join(lines)
    print(table)
    (out / "table.txt").write_text(table + "\n")
    drawn = InputDrawing(palette, ()).draw_clip(labels, None)
    for name, columns in sheets.items():
        shown = {**columns, "painting": painting, "real": real}
        write_sheet(shown, drawn, out / f"{name}.png")


def main(
    task: Annotated[Task, typer.Argument(help="overfit, or unseen.")],
    data: Annotated[Path, typer.Option(help="Folder with images and labels.")],
    palette: Annotated[str, typer.Option(help="Palette, or a number of classes.")],
    out: Annotated[Path, typer.Option(help="Folder of the runs and the report.")] = Path(
        "runs/bench_stills"
    ),
    minutes: Annotated[
        float | None, typer.Option(help="Of training each system; none = the steps of its recipe.")
    ] = None,
    held_out: Annotated[int, typer.Option(help="Pictures that are not trained on.")] = 13,
    systems: Annotated[str, typer.Option(help="Comma list of configurations.")] = ",".join(SYSTEMS),
    jobs: Annotated[int, typer.Option(help="Systems trained at a time, one core each.")] = 2,
    settings: Annotated[list[str] | None, typer.Option("--set", help="Any setting.")] = None,
) -> None:
    """Train, paint, score; print the table and write a contact sheet."""
    out.mkdir(parents=True, exist_ok=True)
    names = systems.split(",")
    named = write_palette(palette, out)
    common = settings_of(task, data, out, palette=named, held_out=held_out)
    trainings = [
        Training(config, out / name, [*common, *own, *(settings or [])])
        for name, (config, own) in ((name, recipe(name, task)) for name in names)
    ]
    train_all(trainings, workers=jobs, minutes=minutes)
    exhibits = [Exhibit(name, out / name, name, "sheet") for name in names]
    report(exhibits, out, task=task)


if __name__ == "__main__":
    typer.run(main)
