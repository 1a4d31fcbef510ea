"""Train a small SRN in both stages, and its ablations; score what they paint beyond the window.

All but the last ten pictures of a folder (by name) are trained on, those ten are scored: 64x64 in
the middle of 128x128 is known. Beside the networks stand what needs no training: the border
repeated, mirrored, the mean colour, and a membrane. The ablations are the paper's: no context
normalisation, unknown pixels weighted by confidence or all alike, the global critic alone.

    python tools/bench_srn.py --data bsds/images
    python tools/bench_srn.py --data bsds/images --variants srn --jobs 1

Figures count unknown pixels alone. *gradient* is their gradient energy by that of the real ones: 1
is as sharp, 0 flat.
"""

import pipelines  # isort: skip  # noqa: F401 - before torch: says how its threads wait

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import torch
import torch.nn.functional as F
import typer
from apart import Training, cpu_minutes, train_all
from bench_stills import CPU, paint_all

from pipelines.build import Generation, load_generation
from pipelines.datasets import open_files
from vid2vid.controls.known import Window, find_window
from vid2vid.data.clips import ClipBatch, collate
from vid2vid.data.config import DataConfig
from vid2vid.inpainting.membrane import membrane
from vid2vid.metrics.inside import gradient_energy_inside, psnr_inside, ssim_inside
from vid2vid.networks.srn_expansion import unfold_mirrored
from vid2vid.training.preview import draw_titles, to_picture
from vid2vid.video.pictures import write_picture
from vid2vid.video.reading import find_frames

HELD_OUT = 10  # pictures
CONFIGS = ("srn_small", "srn_small_adversarial")
HEAD = f"{'':34s} {'PSNR dB':>7s} {'SSIM':>6s} {'gradient':>9s}"

# What is changed in both stages, and in the second alone.
VARIANTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "srn": ((), ()),
    "no_context_norm": (("generator.context_norm=0",), ()),
    "plain": (("losses.spatial=plain",), ()),
    "confidence": (("losses.spatial=confidence",), ()),
    "global_critic": ((), ("critics.scope=global",)),
}


class Score(NamedTuple):
    """Means over the pictures, in what is unknown of them."""

    psnr: float  # dB
    ssim: float
    gradient_ratio: float  # of summed gradient energies


def split(data: Path, out: Path) -> tuple[Path, Path]:
    """Link the pictures that are trained on, and those that are held out."""
    pictures = sorted(find_frames(data), key=lambda path: path.name)
    folders = out / "pictures" / "train", out / "pictures" / "held_out"
    for folder, own in zip(folders, (pictures[:-HELD_OUT], pictures[-HELD_OUT:]), strict=True):
        folder.mkdir(parents=True, exist_ok=True)
        for path in own:
            link = folder / path.name
            if not link.exists():
                link.symlink_to(path.resolve())
    return folders


def first_stage(variant: str) -> str:
    """Name the variant whose first stage is the same as that of another."""
    same = [name for name, (common, _) in VARIANTS.items() if common == VARIANTS[variant][0]]
    return same[0]


def trainings_of(
    variants: Sequence[str], out: Path, *, stage: int, own: Sequence[str]
) -> list[Training]:
    """List the runs of one stage, 1 or 2."""
    found: dict[Path, Training] = {}
    for variant in variants:
        common, adversarial = VARIANTS[variant]
        begun = out / f"{first_stage(variant)}_1"
        if stage == 1:
            found[begun] = Training(CONFIGS[0], begun, [*own, *common])
        else:
            folder = out / f"{variant}_2"
            settings = [*own, *common, *adversarial, f"training.init_from={begun}"]
            found[folder] = Training(CONFIGS[1], folder, settings)
    return list(found.values())


def judged_pictures(generation: Generation, folder: Path) -> ClipBatch:
    """Cut the pictures that are held out, in the middle: 'n 1 ...'."""
    config = generation.config
    if not isinstance(config.data, DataConfig):
        raise SystemExit("pictures are needed; the run has procedural streets")
    own = config.data.model_copy(update={"root": str(folder), "frame_range": None})
    dataset = open_files(config, own, None)
    return collate(
        [
            dataset.evaluation_clip(index, start, 1)
            for index, sequence in enumerate(dataset.sequences)
            for start in range(sequence.num_frames)
        ]
    )


def score(painted: torch.Tensor, real: torch.Tensor, unknown: torch.Tensor) -> Score:
    """Compare pictures with the real ones, 'n 3 h w', where 'h w' is unknown."""
    mask = unknown[None, None].float()
    energies = [gradient_energy_inside(each, mask).sum() for each in (painted, real)]
    return Score(
        psnr=float(psnr_inside(painted, real, mask).mean()),
        ssim=float(ssim_inside(painted, real, mask).mean()),
        gradient_ratio=float(energies[0] / energies[1]),
    )


def fill_plainly(real: torch.Tensor, unknown: torch.Tensor) -> dict[str, torch.Tensor]:
    """Fill what is unknown without learning anything, in four ways: 'n 3 h w' each."""
    window = find_window(unknown)
    rows = slice(window.top, window.top + window.height)
    columns = slice(window.left, window.left + window.width)
    known = real[..., rows, columns]
    top = torch.full((len(real),), window.top)
    left = torch.full((len(real),), window.left)
    size = (unknown.shape[0], unknown.shape[1])
    filled = {
        "replicate": F.pad(known, _sides(window, size), mode="replicate"),
        "mirror": unfold_mirrored(known, top, left, size),
        "mean": known.mean(dim=(2, 3), keepdim=True).expand_as(real),
        "membrane": torch.stack([membrane(each, unknown) for each in real]),
    }
    return {name: torch.where(unknown, own, real) for name, own in filled.items()}


def _sides(window: Window, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """List what a window lacks on the left, right, top and bottom, as `F.pad` wants it."""
    right = size[1] - window.left - window.width
    bottom = size[0] - window.top - window.height
    return window.left, right, window.top, bottom


def write_sheet(columns: dict[str, torch.Tensor], path: Path) -> None:
    """Write a contact sheet: a row per picture, a titled column per way."""
    rows = [torch.cat(list(each), dim=2) for each in zip(*columns.values(), strict=True)]
    width = next(iter(columns.values())).shape[3]
    sheet = to_picture(torch.cat(rows, dim=1))
    titles = draw_titles(list(columns), width)
    write_picture(path, torch.cat([torch.from_numpy(titles), torch.from_numpy(sheet)]).numpy())


def row(name: str, own: Score, note: str = "") -> str:
    """Lay out one row of the table."""
    return f"{name:34s} {own.psnr:7.2f} {own.ssim:6.3f} {own.gradient_ratio:9.2f} {note}".rstrip()


def conclude(scores: dict[str, Score]) -> list[str]:
    """Say what the two stages are held to, where both were trained."""
    lines: list[str] = []
    first, second = scores.get("srn_1"), scores.get("srn_2")
    if first is not None:
        ahead = first.psnr - scores["replicate"].psnr
        lines.append(f"stage 1 is {ahead:+.2f} dB from replicate (asked: +1.00 or more)")
    if first is not None and second is not None:
        lines.append(
            f"stage 2 is {second.psnr - first.psnr:+.2f} dB from stage 1 (asked: -1.00 or more) at "
            f"a gradient ratio of {second.gradient_ratio:.2f} (asked: above 0.40)"
        )
    return lines


def report(folders: Sequence[Path], held_out: Path, out: Path) -> None:
    """Score what was trained, print the table, and write the contact sheet."""
    scores: dict[str, Score] = {}
    columns: dict[str, torch.Tensor] = {}
    lines = [HEAD]
    for folder in folders:
        generation = load_generation(folder, CPU)
        pictures = judged_pictures(generation, held_out)
        if pictures.pictures is None:
            raise SystemExit("the control known is needed; the run has none")
        real, unknown = pictures.frames[:, 0], pictures.pictures[0, 0, 3] > 0
        if not columns:
            columns["known"], columns["real"] = pictures.pictures[:, 0, :3], real
            plain = fill_plainly(real, unknown)
            columns.update(plain)
            scores.update({name: score(own, real, unknown) for name, own in plain.items()})
            lines += [row(name, own) for name, own in scores.items()]
        columns[folder.name] = paint_all(generation, pictures)
        scores[folder.name] = score(columns[folder.name], real, unknown)
        note = f"{cpu_minutes(folder):.1f} CPU minutes, {generation.step} steps"
        lines.append(row(folder.name, scores[folder.name], note))
    columns["real"] = columns.pop("real")  # the last one
    table = "\n".join([*lines, *conclude(scores)])
    print(table)
    (out / "table.txt").write_text(table + "\n")
    write_sheet(columns, out / "sheet.png")


def main(
    data: Annotated[Path, typer.Option(help="Folder of photographs.")],
    out: Annotated[Path, typer.Option(help="Folder of the runs and the report.")] = Path(
        "runs/bench_srn"
    ),
    steps: Annotated[int, typer.Option(help="Of the first stage.")] = 600,
    adversarial_steps: Annotated[
        int, typer.Option(help="Of the second stage; 0 leaves it out.")
    ] = 200,
    variants: Annotated[str, typer.Option(help="Comma list.")] = ",".join(VARIANTS),
    jobs: Annotated[int, typer.Option(help="Trained at a time, one core each.")] = 2,
    settings: Annotated[list[str] | None, typer.Option("--set", help="Any setting.")] = None,
) -> None:
    """Train, paint, score; print the table and write a contact sheet."""
    names = variants.split(",")
    if unknown := [name for name in names if name not in VARIANTS]:
        raise SystemExit(f"variants are {', '.join(VARIANTS)}; got {', '.join(unknown)}")
    trained_on, held_out = split(data, out)
    common = [
        f"data.root={trained_on}",
        "data.frame_range=null",
        "validation=null",
        "training.preview_every=1000000",
        *(settings or []),
    ]
    folders: list[Path] = []
    for stage, count in ((1, steps), (2, adversarial_steps)):
        own = [*common, f"schedule.steps={count}"]
        wanted = trainings_of(names, out, stage=stage, own=own) if count else []
        train_all(wanted, workers=jobs)
        folders += [training.folder for training in wanted]
    report(folders, held_out, out)


if __name__ == "__main__":
    typer.run(main)
