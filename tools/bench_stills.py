"""Train every single-image system for the same CPU minutes, and see what each of them has learnt.

`overfit`: the first pictures of a folder, scored on themselves. `unseen`: all but the last pictures
(sorted by name), scored on those. Beside them, each label painted with its mean training colour.

    python tools/bench_stills.py overfit --data cityscapes_pairs --palette cityscapes --minutes 10
    python tools/bench_stills.py overfit --data coco_stuff --palette 182 --minutes 10
    python tools/bench_stills.py unseen --data camvid1hz --palette camvid --minutes 20

The folder holds `images` and `labels`, pictures of the same names. Distances are to the real
pictures: *colour* of the histograms of all pixels, half their L1, in [0, 1]; *KD* the kernel
distance of what the segmenter of the package sees.
"""

import pipelines  # isort: skip  # noqa: F401 - before torch: says how its threads wait

import sys
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
import typer
import yaml
from apart import cpu_minutes, is_trained, train_apart
from numpy.typing import NDArray

from pipelines.build import Generation, load_generation
from pipelines.datasets import open_files
from pipelines.official.known import numbered_palette
from vid2vid.controls.drawing import InputDrawing
from vid2vid.data.clips import Clip, collate
from vid2vid.data.config import DataConfig
from vid2vid.metrics.baselines import mean_colours, paint
from vid2vid.metrics.distance import Features, kernel_distance, kernel_sums
from vid2vid.metrics.image import gradient_energy, psnr
from vid2vid.metrics.similarity import ssim
from vid2vid.training.preview import draw_titles, generate_clip, to_picture
from vid2vid.training.targets import prepare
from vid2vid.video.levels import to_levels
from vid2vid.video.pictures import write_picture
from vid2vid.weights.segmenter import LoadedSegmenter, load_segmenter

CPU = torch.device("cpu")
OVERFITTED = 4  # pictures
BINS = 8  # a channel
GRID = 4  # cells a side over which the segmenter's features are averaged
SHOWN = 8  # rows of the contact sheet

SYSTEMS = ("pix2pix_small", "pix2pixhd_small", "crn_small", "oasis_small")


class Task(StrEnum):
    """What is asked of the systems."""

    OVERFIT = "overfit"
    UNSEEN = "unseen"


class Score(NamedTuple):
    """Means over the pictures."""

    psnr: float  # dB
    ssim: float
    gradient_ratio: float  # of gradient energies
    colour: float  # half the L1 between histograms
    kernel: float


def write_palette(palette: str, folder: Path) -> str:
    """Name a palette of the package, or write one of so many numbered classes."""
    if not palette.isdigit():
        return palette
    path = folder / f"palette{palette}.yaml"
    path.write_text(yaml.safe_dump(numbered_palette(int(palette)).model_dump(mode="json")))
    return str(path)


def settings_of(task: Task, data: Path, *, palette: str, held_out: int) -> list[str]:
    """List the overrides that put a configuration on some pictures."""
    end = OVERFITTED if task is Task.OVERFIT else -held_out
    own = [
        f"data.root={data}",
        "data.layout={frames: images, labels: labels}",
        f"data.frame_range=[0, {end}]",
        "validation=null",
        "training.preview_every=1000000",
    ]
    own += ["data.scale=[1, 1]", "data.flip=false"] if task is Task.OVERFIT else []
    return [*own, f"labels.palette={palette}", "labels.void=true"]


def judged_clips(generation: Generation, task: Task) -> tuple[Clip, Clip]:
    """Cut the pictures that a system was trained on, and those that it is judged on."""
    config = generation.config
    if not isinstance(config.data, DataConfig) or config.data.frame_range is None:
        raise SystemExit("the run holds nothing out")
    whole = config.data.model_copy(update={"frame_range": None})
    dataset = open_files(config, whole, generation.palette)
    number = dataset.sequences[0].num_frames
    own = range(number)[slice(*config.data.frame_range)]
    trained = dataset.evaluation_clip(0, start=0, length=len(own))
    if task is Task.OVERFIT:
        return trained, trained
    return trained, dataset.evaluation_clip(0, start=own.stop, length=number - own.stop)


def paint_all(generation: Generation, clip: Clip) -> torch.Tensor:
    """Let a system paint the label maps of a clip, each by itself: 'n 3 h w'."""
    targets = prepare(collate([clip]), generation.conditioning, device=CPU)
    outputs = generate_clip(generation.generator, targets.conditioning, first_frames=None)
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


def sheet(columns: dict[str, torch.Tensor], drawn: list[NDArray[np.uint8]], path: Path) -> None:
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
        f"{name:18s} {own.psnr:7.2f} {own.ssim:6.3f} {own.gradient_ratio:9.2f} {own.colour:7.3f} "
        f"{own.kernel:9.4f} {note}"
    )


def train_all(jobs: dict[str, list[str]], out: Path, *, minutes: float, workers: int) -> None:
    """Train what has not been trained yet, `workers` systems at a time."""
    wanted = [name for name in jobs if not is_trained(out / name)]

    def train(name: str) -> float:
        return train_apart(name, out / name, jobs[name], minutes=minutes)

    with ThreadPoolExecutor(workers) as pool:
        for name, taken in zip(wanted, pool.map(train, wanted), strict=True):
            print(f"{name}: {taken:.1f} CPU minutes", file=sys.stderr)


def main(
    task: Annotated[Task, typer.Argument(help="overfit, or unseen.")],
    data: Annotated[Path, typer.Option(help="Folder with images and labels.")],
    palette: Annotated[str, typer.Option(help="Palette, or a number of classes.")],
    out: Annotated[Path, typer.Option(help="Folder of the runs and the report.")] = Path(
        "runs/bench_stills"
    ),
    minutes: Annotated[float, typer.Option(help="Of training each system, on one core.")] = 10,
    held_out: Annotated[int, typer.Option(help="Pictures that are not trained on.")] = 13,
    systems: Annotated[str, typer.Option(help="Comma list of configurations.")] = ",".join(SYSTEMS),
    jobs: Annotated[int, typer.Option(help="Systems trained at a time, one core each.")] = 2,
    settings: Annotated[list[str] | None, typer.Option("--set", help="Any setting.")] = None,
) -> None:
    """Train, paint, score; print the table and write a contact sheet."""
    out.mkdir(parents=True, exist_ok=True)
    names = systems.split(",")
    common = settings_of(task, data, palette=write_palette(palette, out), held_out=held_out)
    wanted = {name: [*common, *(settings or [])] for name in names}
    train_all(wanted, out, minutes=minutes, workers=jobs)
    segmenter = load_segmenter(device=CPU)
    columns: dict[str, torch.Tensor] = {}
    lines: list[str] = []
    for name in names:
        generation = load_generation(out / name, CPU)
        trained, judged = judged_clips(generation, task)
        columns[name] = paint_all(generation, judged)
        note = f"{cpu_minutes(out / name):.1f} CPU minutes, {generation.step} steps"
        lines.append(row(name, score(columns[name], judged.frames, segmenter), note))
    if generation.palette is None or trained.labels is None or judged.labels is None:
        raise SystemExit("label maps are needed; the last system has none")
    colours = mean_colours(trained.frames, trained.labels, generation.palette.num_classes)
    painting = paint(judged.labels, colours)
    lines.append(row("label painting", score(painting, judged.frames, segmenter)))
    head = f"{'':18s} {'PSNR dB':>7s} {'SSIM':>6s} {'gradient':>9s} {'colour':>7s} {'KD':>9s}"
    table = "\n".join([head, *lines])
    print(table)
    (out / "table.txt").write_text(table + "\n")
    drawn = InputDrawing(generation.palette, ()).draw_clip(judged.labels, None)
    sheet({**columns, "painting": painting, "real": judged.frames}, drawn, out / "sheet.png")


if __name__ == "__main__":
    typer.run(main)
