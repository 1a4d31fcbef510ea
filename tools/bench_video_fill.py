"""Measure how well holes in real video are filled, and how much memory a long one takes.

Run from a checkout: python tools/bench_video_fill.py quality DATA, where DATA holds davis,
carnd_highway and sam2_bedroom. A rider cut out of davis is pasted over each clip and removed
again; the sides of each clip are cropped off and restored. So the truth is known. `memory DATA`
removes the rider of bmx-trees, played forward and backward; Linux only.
"""

import itertools
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import Annotated, Literal, NamedTuple
from unittest import mock

import pipelines  # isort: skip  # noqa: F401 - before torch: says how its threads wait

import cv2
import numpy as np
import torch
import typer
from numpy.typing import NDArray
from torch import Tensor

from flow.confidence import reference_flow
from flow.estimators import DIS
from flow.metrics import warping_error
from vid2vid.filling.chunks import fill_frames
from vid2vid.filling.inventor import Inventor, invent
from vid2vid.filling.moments import MaskedFrame
from vid2vid.filling.window import FilledFrame
from vid2vid.inpainting.masks import grow
from vid2vid.inpainting.membrane import membrane
from vid2vid.video.levels import from_levels, to_levels
from vid2vid.video.reading import find_frames, read_image, read_video
from vid2vid.video.writing import open_writer

app = typer.Typer()

Rgb = NDArray[np.uint8]
Mask = NDArray[np.bool_]

WIDTH = 432  # px, to which clips are scaled
DILATED_PX = 4
CROPPED = 8  # 1 / so much of the width is cropped off either side: 16:9 becomes 4:3
CLIPS = {
    "bmx-trees": "davis/images/bmx-trees",
    "highway": "carnd_highway/videos/solidWhiteRight.mp4",
    "bedroom": "sam2_bedroom/images/bedroom",
}

InventorName = Literal["membrane", "patches"]


class Task(NamedTuple):
    """A clip with holes, and what was there."""

    true: Sequence[Tensor]  # 'h w 3' uint8
    holed: Sequence[MaskedFrame]


class Scores(NamedTuple):
    """Of one way of filling."""

    psnr_db: float  # in the holes
    warping_error: float  # in the holes, along the motion of the true clip, x 1000
    seconds: float  # a frame


class Object(NamedTuple):
    """What is pasted: cut out of one frame."""

    rgb: Rgb
    mask: Mask


def read_clip(place: Path, count: int) -> list[Rgb]:
    """Read the first frames of a clip, scaled."""
    frames: list[Rgb] = []
    for frame in itertools.islice(read_video(place), count):
        height, width = frame.rgb.shape[:2]
        size = (WIDTH, round(height * WIDTH / width))
        frames.append(cv2.resize(frame.rgb, size, interpolation=cv2.INTER_AREA).astype(np.uint8))
    return frames


def read_object(data: Path, index: int) -> Object:
    """Cut the rider out of a frame of bmx-trees, and enlarge him."""
    pictures = find_frames(data / "davis/images/bmx-trees")
    labels = find_frames(data / "davis/labels/bmx-trees")
    index %= len(labels)
    rgb, mask = read_image(pictures[index]), read_image(labels[index]).max(axis=2) > 0
    ys, xs = np.nonzero(mask)
    box = (slice(ys.min(), ys.max() + 1), slice(xs.min(), xs.max() + 1))
    size = tuple(round(1.3 * side) for side in mask[box].shape[::-1])
    large = cv2.resize(mask[box].astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    return Object(cv2.resize(rgb[box], size).astype(np.uint8), large > 0)


def plant(frames: Sequence[Rgb], data: Path) -> Task:
    """Let the rider go through a clip from left to right."""
    holed: list[MaskedFrame] = []
    for index, rgb in enumerate(frames):
        thing = read_object(data, index)
        height, width = rgb.shape[:2]
        top = max(0, round(0.6 * height) - thing.mask.shape[0] // 2)
        left = round((0.3 + 0.4 * index / max(len(frames) - 1, 1)) * width)
        left = max(0, left - thing.mask.shape[1] // 2)
        part = (slice(top, top + thing.mask.shape[0]), slice(left, left + thing.mask.shape[1]))
        mask, pasted = np.zeros((height, width), bool), rgb.copy()
        own = mask[part].shape
        mask[part] = thing.mask[: own[0], : own[1]]
        pasted[mask] = thing.rgb[: own[0], : own[1]][mask[part]]
        unknown = grow(torch.from_numpy(mask), DILATED_PX)
        holed.append(MaskedFrame(torch.from_numpy(pasted), unknown))
    return Task([torch.from_numpy(rgb) for rgb in frames], holed)


def crop(frames: Sequence[Rgb]) -> Task:
    """Crop the sides off a clip."""
    unknown = torch.zeros(frames[0].shape[:2], dtype=torch.bool)
    side = unknown.shape[1] // CROPPED
    unknown[:, :side] = unknown[:, -side:] = True
    true = [torch.from_numpy(rgb) for rgb in frames]
    return Task(
        true, [MaskedFrame(rgb.masked_fill(unknown[..., None], 0), unknown) for rgb in true]
    )


def fill_video_of(task: Task, inventor: Inventor) -> list[Tensor]:
    """Fill as this project does."""
    filled = [each.rgb for each in fill_frames(task.holed, inventor, DIS())]
    for one, other in zip(filled, task.holed, strict=True):
        if not torch.equal(one[~other.unknown], other.rgb[~other.unknown]):
            raise ValueError("known pixels must come back bit for bit; some did not")
    return filled


def fill_each(task: Task, inventor: Inventor) -> list[Tensor]:
    """Fill frame by frame."""
    filled = [invent(inventor, from_levels(each.rgb), each.unknown) for each in task.holed]
    return [to_levels(each) for each in filled]


def fill_by_opencv(task: Task, method: int) -> list[Tensor]:
    """Fill frame by frame with OpenCV."""
    return [
        torch.from_numpy(
            cv2.inpaint(each.rgb.numpy(), each.unknown.numpy().astype(np.uint8), 3, method)
        )
        for each in task.holed
    ]


def score(task: Task, fill: Callable[[], list[Tensor]]) -> Scores:
    """Fill, and compare with the truth inside the holes."""
    started = time.perf_counter()
    filled = fill()
    seconds = (time.perf_counter() - started) / len(filled)
    holes = [each.unknown for each in task.holed]
    gaps = [
        (one[hole].float() - other[hole].float()).flatten()
        for one, other, hole in zip(filled, task.true, holes, strict=True)
    ]
    error = float(torch.cat(gaps).square().mean())
    estimator, unsteady = DIS(), list[float]()
    for index in range(1, len(filled)):
        real = [from_levels(task.true[at])[None] for at in (index, index - 1)]
        made = [from_levels(filled[at])[None] for at in (index, index - 1)]
        found = reference_flow(estimator, real[0], real[1])
        where = found.confidence * holes[index][None, None]
        unsteady.append(float(warping_error(made[0], made[1], found.flow, where)))
    psnr = 10 * np.log10(255**2 / max(error, 1e-9))
    return Scores(float(psnr), 1000 * float(np.nanmean(unsteady)), seconds)


def choose_inventor(name: InventorName) -> Inventor:
    """Make what invents."""
    if name == "membrane":
        return membrane
    from pipelines.inpainting.inventor import build_inventor
    from pipelines.inpainting.options import InpaintOptions

    return build_inventor(InpaintOptions())


@app.command()
def quality(
    data: Annotated[Path, typer.Argument(help="Folder of davis, carnd_highway, sam2_bedroom.")],
    frames: Annotated[int, typer.Option(help="Of each clip.")] = 50,
    inventor: Annotated[InventorName, typer.Option(help="What makes up the rest.")] = "membrane",
    sheets: Annotated[Path | None, typer.Option(help="Folder for pictures to look at.")] = None,
) -> None:
    """Print PSNR and warping error inside the holes."""
    made = choose_inventor(inventor)
    print(f"{frames} frames {WIDTH} px wide; PSNR dB | warping error x 1000 | seconds a frame")
    for name, place in CLIPS.items():
        clip = read_clip(data / place, frames)
        for kind, task in (("removal", plant(clip, data)), ("widening", crop(clip))):
            ways: dict[str, Callable[[], list[Tensor]]] = {
                "video": lambda task=task: fill_video_of(task, made),
                f"each frame, {inventor}": lambda task=task: fill_each(task, made),
                "Telea": lambda task=task: fill_by_opencv(task, cv2.INPAINT_TELEA),
                "Navier-Stokes": lambda task=task: fill_by_opencv(task, cv2.INPAINT_NS),
            }
            for way, fill in ways.items():
                psnr, error, seconds = score(task, fill)
                print(f"{name:10} {kind:8} {way:20} {psnr:6.2f} {error:8.3f} {seconds:6.2f}")
            if sheets is not None:
                _draw(sheets / f"{name}_{kind}.png", task, ways["video"]())


def _draw(path: Path, task: Task, filled: Sequence[Tensor]) -> None:
    """Put what came, what was there and what was made one below the other, for some frames."""
    path.parent.mkdir(parents=True, exist_ok=True)
    chosen = np.linspace(0, len(filled) - 1, 5).round().astype(int)
    rows = [[each.rgb for each in task.holed], task.true, filled]
    sheet = torch.cat([torch.cat([row[at] for at in chosen], dim=1) for row in rows])
    cv2.imwrite(str(path), cv2.cvtColor(sheet.numpy(), cv2.COLOR_RGB2BGR))


@app.command()
def memory(
    data: Annotated[Path, typer.Argument(help="Folder of davis.")],
    frames: Annotated[list[int] | None, typer.Option(help="Where to read it; again.")] = None,
) -> None:
    """Print the peak memory so far of removing the rider at 854x480, after so many frames."""
    counts = sorted(frames or [150, 600])
    with tempfile.TemporaryDirectory() as temporary:
        source, masks = write_long(data, Path(temporary), counts[-1])
        places = get_context("spawn").SimpleQueue()
        process = get_context("spawn").Process(target=_remove, args=(source, masks, counts, places))
        process.start()
        process.join()
        if process.exitcode:
            raise typer.Exit(process.exitcode)
    found = [places.get() for _ in counts]
    for count, (peak_mb, seconds) in zip(counts, found, strict=True):
        print(f"{count:5d} frames  {peak_mb:8.1f} MB  {count / seconds:6.2f} frames/s")
    print(f"ratio {found[-1][0] / found[0][0]:.3f} (last to first)")


def write_long(data: Path, folder: Path, count: int) -> tuple[Path, Path]:
    """Write bmx-trees forward and backward, scaled to 854x480, and its masks as a video."""
    pictures = find_frames(data / "davis/images/bmx-trees")
    labels = find_frames(data / "davis/labels/bmx-trees")
    order = [*range(len(pictures)), *range(len(pictures) - 2, 0, -1)]
    size = (854, 480)
    places = folder / "film.mp4", folder / "masks.mkv"
    writers = [
        open_writer(place, width=size[0], height=size[1], rate=Fraction(24), lossless=is_mask)
        for place, is_mask in zip(places, (False, True), strict=True)
    ]
    for index, at in zip(range(count), itertools.cycle(order), strict=False):
        mask = (read_image(labels[at]).max(axis=2, keepdims=True) > 0).repeat(3, axis=2)
        rgb = cv2.resize(read_image(pictures[at]), size, interpolation=cv2.INTER_CUBIC)
        large = cv2.resize(mask.astype(np.uint8) * 255, size, interpolation=cv2.INTER_NEAREST)
        for writer, picture in zip(writers, (rgb, large), strict=True):
            writer.write(picture.astype(np.uint8), Fraction(index, 24))
    for writer in writers:
        writer.close()
    return places


def _remove(source: Path, masks: Path, counts: Sequence[int], places: SimpleQueue) -> None:
    """Remove the rider; tell the peak memory so far, in MB, and the seconds after some frames."""
    from pipelines.filling import video

    started = time.perf_counter()

    def counted(*arguments: object, **settings: object) -> Iterator[FilledFrame]:
        for number, filled in enumerate(fill_frames(*arguments, **settings), start=1):
            yield filled
            if number in counts:
                places.put((peak_rss_mb(), time.perf_counter() - started))

    with mock.patch.object(video, "fill_frames", counted):
        video.fill_video(source, masks, source.with_name("out.mp4"), inventor=membrane)


def peak_rss_mb() -> float:
    """Return the largest memory that this process has held so far; Linux only."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


if __name__ == "__main__":
    app()
