"""Fill holes with everything there is, and score what comes out inside them.

Holes in the middle of photographs, and irregular ones. Beside the system stand what needs no
training: OpenCV's Telea and Navier-Stokes, a membrane, and an exact nearest-patch fill (each patch
on the border of a hole takes what the most similar known patch has: Efros & Leung 1999, patch by
patch); then the content network alone, and the texture with and without it.

    python tools/bench_inpaint.py --photographs inpaint_imagenet/images \
        --masks inpaint_imagenet/masks --masks irregular_masks/masks --checkpoint runs/nps_small

Each mask of a folder goes with a photograph in turn, a single one with all. Figures count unknown
pixels alone: L1 and L2 of 0..1 in %, PSNR the mean over pictures. *gradient* is the gradient energy
by that of the real pixels, the mean over pictures: 1 is as sharp, 0 flat. *CPU s* is the time of
the processor for a picture, all threads together.
"""

import pipelines  # isort: skip  # noqa: F401 - before torch: says how its threads wait

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, NamedTuple, cast

import cv2
import numpy as np
import torch
import torch.nn.functional as F
import typer
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from torch import Tensor

from flow.padding import pad_to_multiple
from pipelines.inpainting.content import load_content
from pipelines.inpainting.inventor import build_inventor
from pipelines.inpainting.options import InpaintOptions, PresetName
from vid2vid.filling.inventor import Inventor, invent
from vid2vid.inpainting.content import predict_content
from vid2vid.inpainting.membrane import membrane
from vid2vid.metrics.inside import gradient_energy_inside, psnr_inside
from vid2vid.training.preview import draw_titles, to_picture
from vid2vid.video.levels import from_levels, to_levels
from vid2vid.video.pictures import write_picture
from vid2vid.video.reading import find_frames, read_image

CPU = torch.device("cpu")
RADIUS = 5  # px, of OpenCV's methods
PATCH = 9  # px, side of a copied patch
SEARCHED = 256  # px, longest side of what patches are sought in
SHOWN = 256  # px, width of a picture on the sheet
HEAD = f"{'':22s} {'L1 %':>7s} {'L2 %':>7s} {'PSNR dB':>8s} {'gradient':>9s} {'CPU s':>7s}"


class Task(NamedTuple):
    """A photograph and its hole."""

    name: str
    real: Tensor  # '3 h w', [-1, 1]
    unknown: Tensor  # 'h w', bool


class Score(NamedTuple):
    """Of one picture, inside its holes."""

    l1: float  # %
    l2: float  # %
    psnr: float  # dB
    gradient: float  # ratio
    seconds: float  # of the CPU, all threads together


class OpenCV(NamedTuple):
    """One of OpenCV's two methods, an `Inventor`."""

    method: int

    def __call__(self, picture: Tensor, unknown: Tensor) -> Tensor:
        """Fill; see `Inventor`."""
        levels = to_levels(picture).numpy()
        mask = unknown.numpy().astype(np.uint8)
        filled = from_levels(torch.from_numpy(cv2.inpaint(levels, mask, RADIUS, self.method)))
        return torch.where(unknown, filled, picture)


def fill_by_patches(picture: Tensor, unknown: Tensor) -> Tensor:
    """Fill from the border inward, every patch from the known one that is nearest to it.

    The search is exact, over all patches that were known at first, in squared differences of what
    is known of a patch; a picture of more than `SEARCHED` px a side is searched at a fraction of
    its size, and filled at its own.
    """
    height, width = unknown.shape
    factor = -(-max(height, width) // SEARCHED)
    padding = pad_to_multiple(height, width, factor)
    fine = padding.pad(torch.where(unknown, 0.0, picture))
    coarse = F.avg_pool2d(fine[None], factor)[0]
    left = F.max_pool2d(padding.pad(unknown)[None].float(), factor)[0] > 0
    places = _find_sources(coarse.numpy(), left.numpy())  # of cells
    rows, columns = (np.kron(own, np.ones((factor, factor), np.int64)) * factor for own in places)
    rows += np.arange(rows.shape[0])[:, None] % factor
    columns += np.arange(rows.shape[1]) % factor
    filled = padding.crop(fine[:, torch.from_numpy(rows), torch.from_numpy(columns)])
    return torch.where(unknown, filled, picture)


def _find_sources(picture: NDArray[np.float32], left: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Find the known pixel that each of '3 h w' takes: '2 h w', its row and column."""
    canvas, left = picture.copy(), left.copy()
    height, width = left.shape
    sources = np.indices((height, width))
    windows = sliding_window_view(canvas, (PATCH, PATCH), axis=(1, 2))  # '3 y x p p', of the canvas
    whole = ~sliding_window_view(left, (PATCH, PATCH)).any(axis=(2, 3))
    tops, sides = np.nonzero(whole)
    if not len(tops):
        raise SystemExit(f"a known patch of {PATCH}x{PATCH} px is needed; the mask leaves none")
    known = np.ascontiguousarray(windows[:, tops, sides].swapaxes(0, 1)).reshape(len(tops), -1)
    squares = np.square(known)
    while left.any():
        y, x = _most_known(left)
        top = min(max(y - PATCH // 2, 0), height - PATCH)
        side = min(max(x - PATCH // 2, 0), width - PATCH)
        here = np.s_[top : top + PATCH, side : side + PATCH]
        missing = left[here].copy()
        weights = np.broadcast_to(~missing, (3, PATCH, PATCH)).ravel().astype(np.float32)
        wanted = canvas[:, here[0], here[1]].ravel() * weights
        best = int((squares @ weights - 2 * (known @ wanted)).argmin())
        found = np.s_[tops[best] : tops[best] + PATCH, sides[best] : sides[best] + PATCH]
        for plane in (*canvas, *sources):
            plane[here][missing] = plane[found][missing]
        left[here] = False
    return sources


def _most_known(left: NDArray[np.bool_]) -> tuple[int, int]:
    """Find the unknown pixel whose patch has the most known pixels; of equals the first."""
    known = cv2.boxFilter((~left).astype(np.float32), -1, (PATCH, PATCH))
    y, x = np.unravel_index(int(np.where(left, known, -1).argmax()), left.shape)
    return int(y), int(x)


def read_tasks(photographs: Path, masks: Path, *, most: int | None) -> list[Task]:
    """Pair photographs with masks, which are brought to their size."""
    pictures, holes = find_frames(photographs), find_frames(masks)
    count = len(pictures) if len(holes) == 1 else min(len(pictures), len(holes))
    tasks: list[Task] = []
    for index in range(count if most is None else min(count, most)):
        levels = torch.from_numpy(read_image(pictures[index]))
        mask = torch.from_numpy(read_image(holes[index % len(holes)])).amax(dim=2) > 127
        size = (levels.shape[0], levels.shape[1])
        own = cv2.resize(mask.numpy().astype(np.uint8), size[::-1], interpolation=cv2.INTER_NEAREST)
        tasks.append(Task(pictures[index].stem, from_levels(levels), torch.from_numpy(own > 0)))
    return tasks


def score(filled: Tensor, task: Task, seconds: float) -> Score:
    """Compare a filled picture with the real one, after it was rounded to 8 bits."""
    rounded = from_levels(to_levels(filled))
    difference = (rounded - task.real)[:, task.unknown].double() / 2
    mask = task.unknown[None, None].float()
    energies = [float(gradient_energy_inside(each[None], mask)) for each in (rounded, task.real)]
    return Score(
        l1=100 * float(difference.abs().mean()),
        l2=100 * float(difference.square().mean()),
        psnr=float(psnr_inside(rounded[None], task.real[None], mask)),
        gradient=energies[0] / energies[1],
        seconds=seconds,
    )


def fill_all(method: Inventor, tasks: Sequence[Task]) -> tuple[list[Tensor], list[Score]]:
    """Let one method fill every picture; known pixels must come back bit for bit."""
    filled: list[Tensor] = []
    scores: list[Score] = []
    for task in tasks:
        hidden = torch.where(task.unknown, 0.0, task.real)
        began = time.process_time()
        filled.append(invent(method, hidden, task.unknown))
        scores.append(score(filled[-1], task, time.process_time() - began))
    return filled, scores


def row(name: str, scores: Sequence[Score]) -> str:
    """Lay out the means of a method as one row of the table."""
    own = Score(*(float(np.mean(values)) for values in zip(*scores, strict=True)))
    return (
        f"{name:22s} {own.l1:7.2f} {own.l2:7.2f} {own.psnr:8.2f} {own.gradient:9.2f} "
        f"{own.seconds:7.1f}"
    )


def write_sheet(columns: dict[str, list[Tensor]], tasks: Sequence[Task], path: Path) -> None:
    """Write a contact sheet: a row per picture, a titled column per method."""
    rows = [
        np.concatenate([_thumbnail(own[index]) for own in columns.values()], axis=1)
        for index in range(len(tasks))
    ]
    write_picture(path, np.concatenate([draw_titles([*columns], SHOWN), *rows], axis=0))


def _thumbnail(picture: Tensor) -> NDArray[np.uint8]:
    height = round(SHOWN * picture.shape[1] / picture.shape[2])
    drawn = to_picture(picture)
    return cv2.resize(drawn, (SHOWN, height), interpolation=cv2.INTER_AREA).astype(np.uint8)


def bench(tasks: Sequence[Task], methods: dict[str, Inventor], sheet: Path) -> list[str]:
    """Run all methods on all pictures; return the rows of the table, and write the sheet."""
    holes = [torch.where(task.unknown, 0.0, task.real) for task in tasks]
    columns = {"hole": holes}
    lines: list[str] = []
    for name, method in methods.items():
        columns[name], scores = fill_all(method, tasks)
        lines.append(row(name, scores))
        print(lines[-1], file=sys.stderr)
    write_sheet(columns | {"real": [task.real for task in tasks]}, tasks, sheet)
    return lines


def list_methods(checkpoint: Path | None, *, presets: Sequence[str]) -> dict[str, Inventor]:
    """List everything that fills holes, each by its name in the table.

    Args:
        checkpoint: of a content network; None leaves out what needs one.
        presets: of the texture.
    """
    methods: dict[str, Inventor] = {
        "telea": OpenCV(cv2.INPAINT_TELEA),
        "navier_stokes": OpenCV(cv2.INPAINT_NS),
        "membrane": membrane,
        "patches": fill_by_patches,
    }
    if checkpoint is not None:
        methods["content"] = partial(predict_content, load_content(checkpoint, CPU))
    for name in presets:
        chosen = InpaintOptions(preset=cast("PresetName", name))
        if checkpoint is not None:
            own = replace(chosen, checkpoint=checkpoint)
            methods[f"{name} with content"] = build_inventor(own)
        methods[name] = build_inventor(chosen)
    return methods


def main(
    photographs: Annotated[Path, typer.Option(help="Folder of photographs.")],
    masks: Annotated[list[Path], typer.Option(help="Folder of masks, white = hole; repeatable.")],
    checkpoint: Annotated[
        Path | None, typer.Option(help="Of a content network; without it, a membrane alone.")
    ] = None,
    presets: Annotated[str, typer.Option(help="Comma list, or nothing.")] = "fast,paper",
    only: Annotated[str, typer.Option(help="Comma list of methods; nothing = all.")] = "",
    pictures: Annotated[int | None, typer.Option(help="The first pictures alone.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("runs/bench_inpaint"),
) -> None:
    """Fill, score; print the tables and write a contact sheet for each folder of masks."""
    out.mkdir(parents=True, exist_ok=True)
    methods = list_methods(checkpoint, presets=[each for each in presets.split(",") if each])
    chosen = {name: own for name, own in methods.items() if not only or name in only.split(",")}
    lines: list[str] = []
    for folder in masks:
        tasks = read_tasks(photographs, folder, most=pictures)
        share = np.mean([float(task.unknown.float().mean()) for task in tasks])
        name = folder.parent.name
        lines += [f"{name}: {len(tasks)} pictures, {100 * share:.0f} % unknown", HEAD]
        lines += [*bench(tasks, chosen, out / f"{name}.png"), ""]
    table = "\n".join(lines)
    print(table)
    (out / "table.txt").write_text(table)


if __name__ == "__main__":
    typer.run(main)
