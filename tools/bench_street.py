"""Measure a generator of streets on streets that it was not trained on, against what was asked.

    python tools/bench_street.py OUT
    python tools/bench_street.py OUT --checkpoint runs/street --frame-by-frame runs/street_still

Streets of seeds from 800000 on, in the style that the generator was trained with, are rendered
from their label maps alone and evaluated with the flow and the surfaces that are known of them.
Beside it stand the labels painted with the mean colours of training streets and, where its run is
given, the still-image generator that paints frame by frame. Writes OUT/report, the page of
`vid2vid evaluate`, and OUT/sheet.png: labels, each system, and the real frame.
"""

import pipelines  # isort: skip  # noqa: F401 - before torch: says how its threads wait

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import torch
import typer
from numpy.typing import NDArray

from pipelines.evaluation.evaluate import evaluate
from pipelines.evaluation.options import REAL, EvaluateOptions
from pipelines.evaluation.results import Results
from pipelines.render import Renderer
from pipelines.world import WorldOptions, write_world
from vid2vid.controls.drawing import InputDrawing
from vid2vid.labels.files import LabelReader
from vid2vid.labels.palettes import Palette
from vid2vid.metrics.baselines import mean_colours, paint
from vid2vid.training.preview import draw_titles, to_picture
from vid2vid.video.pictures import write_picture
from vid2vid.video.reading import find_frames, read_image
from vid2vid.weights.street import packaged_street
from vid2vid.world.config import WorldConfig
from vid2vid.world.render import Renderer as StreetRenderer
from vid2vid.world.render import World

FIRST_SEED = 800_000  # up to 899999; what is trained on lies below
TRAINING_SEED, TRAINING_STREETS = 1_000, 40  # whose mean colours are painted with
BEGINNING = 40  # frame; before it nobody has started to move
OURS, STILL, PAINTING = "street", "frame_by_frame", "painting"
SHOWN = 6  # rows of the contact sheet

ROWS = (
    ("psnr", "PSNR, dB"),
    ("contrast_ratio", "contrast, x real"),
    ("gradient_ratio", "gradient energy, x real"),
    ("pixel_accuracy", "pixel accuracy"),
    ("warping_known_1", "warping error, known flow, x 1e-3"),
    ("surface_variance", "surface colour variance, x 1e-3"),
    ("fd_seg", "FD-seg"),
    ("palindrome", "palindrome error, levels"),
)


class Asked(NamedTuple):
    """One thing that is asked of the generator, and what was found."""

    what: str
    found: float
    bound: float
    is_least: bool

    def __str__(self) -> str:
        """Say both, and whether it was reached."""
        is_reached = self.found >= self.bound if self.is_least else self.found <= self.bound
        sign = "at least" if self.is_least else "at most"
        verdict = "reached" if is_reached else "NOT reached"
        return f"{self.what:58s} {self.found:8.3f}  asked {sign} {self.bound:g}: {verdict}"


def write_streets(out: Path, size: tuple[int, int], *, style: int, count: int, frames: int) -> Path:
    """Write streets that nothing was trained on; those that are there are kept."""
    for seed in range(FIRST_SEED, FIRST_SEED + count):
        place = out / f"street_{seed}"
        if not place.is_dir():
            options = WorldOptions(seed, style, frames, BEGINNING, *size, WorldConfig())
            write_world(place, options)
    return out


def streets_in(folder: Path) -> Iterator[Path]:
    """List the streets of a folder, in order."""
    return iter(sorted(folder.glob("street_*")))


def render_each(renderer: Renderer, streets: Path, out: Path) -> Path:
    """Render every street from its label maps."""
    for street in streets_in(streets):
        renderer.render(street / "labels.mp4", out / street.name)
    return out


def paint_each(
    streets: Path, out: Path, palette: Palette, size: tuple[int, int], *, style: int
) -> Path:
    """Paint every street with the mean colours of streets that are trained on."""
    frames: list[torch.Tensor] = []
    labels: list[torch.Tensor] = []
    for seed in range(TRAINING_SEED, TRAINING_SEED + TRAINING_STREETS):
        drawn = StreetRenderer([World(seed, style)], size, offsets=()).render(BEGINNING)
        frames.append(drawn.frames[0])
        labels.append(drawn.labels[0])
    colours = mean_colours(torch.stack(frames), torch.stack(labels), palette.num_classes)
    reader = LabelReader(palette)
    for street in streets_in(streets):
        (out / street.name).mkdir(parents=True)
        for path in find_frames(street / "labels"):
            painted = paint(read_labels(path, reader), colours)[0]
            write_picture(out / street.name / path.name, to_picture(painted))
    return out


def read_labels(path: Path, reader: LabelReader) -> torch.Tensor:
    """Read one label map: '1 h w'."""
    return torch.from_numpy(reader.from_image(path))[None]


def time_render(renderer: Renderer, street: Path) -> float:
    """Return frames a second from a label video to a video, decoding and encoding included."""
    with tempfile.TemporaryDirectory() as folder:
        rendered = renderer.render(street / "labels.mp4", Path(folder) / "out.mp4")
        return rendered.num_frames / rendered.seconds


def value(results: Results, stream: str, metric: str) -> float:
    """Return a figure; not a number where it was not measured."""
    found = results.figures.get(stream, {}).get(metric)
    return float("nan") if found is None else found.value


def print_table(results: Results, systems: list[str]) -> None:
    """Print what was measured of each system and of the real frames."""
    columns = [*systems, REAL]
    print(f"{'':36s}" + "".join(f"{name:>16s}" for name in columns))
    for metric, name in ROWS:
        figures = [value(results, column, metric) for column in columns]
        print(f"{name:36s}" + "".join(f"{figure:16.3f}" for figure in figures))


def compare(results: Results, *, fps: float, has_still: bool) -> list[Asked]:
    """Hold the figures of the generator against what is asked."""

    def of(metric: str, stream: str = OURS) -> float:
        return value(results, stream, metric)

    warped = of("warping_known_1")
    found = [
        Asked("PSNR above label painting, dB", of("psnr") - of("psnr", PAINTING), 3.0, True),
        Asked("contrast, x real", of("contrast_ratio"), 0.7, True),
        Asked("contrast, x real", of("contrast_ratio"), 1.4, False),
        Asked(
            "pixel accuracy, share of that of real frames",
            of("pixel_accuracy") / of("pixel_accuracy", REAL),
            0.85,
            True,
        ),
        Asked(
            "warping error, x that of real frames",
            warped / of("warping_known_1", REAL),
            1.5,
            False,
        ),
        Asked("frames a second, decoding and encoding included", fps, 20.0, True),
    ]
    if has_still:
        still = warped / of("warping_known_1", STILL)
        found.append(Asked("warping error, x that of frame by frame", still, 0.5, False))
    return found


def write_sheet(systems: dict[str, Path], streets: Path, palette: Palette, path: Path) -> None:
    """Write a contact sheet: a row per street, at its middle frame."""
    drawing, reader = InputDrawing(palette, ()), LabelReader(palette)
    rows: list[NDArray[np.uint8]] = []
    for street in list(streets_in(streets))[:SHOWN]:
        middle = len(find_frames(street / "frames")) // 2
        labels = read_labels(find_frames(street / "labels")[middle], reader)
        pictures = [drawing.draw_clip(labels, None)[0]]
        places = [folder / street.name for folder in systems.values()]
        for place in (*places, street / "frames"):
            pictures.append(read_image(find_frames(place)[middle]).astype(np.uint8))
        rows.append(np.concatenate(pictures, axis=1))
    titles = draw_titles(["labels", *systems, "real"], rows[0].shape[1] // (len(systems) + 2))
    write_picture(path, np.concatenate([titles, *rows], axis=0))


def main(
    out: Annotated[Path, typer.Argument(help="Folder of the streets and the report, new.")],
    checkpoint: Annotated[
        Path | None, typer.Option(help="Of the generator. Default: the package's.")
    ] = None,
    frame_by_frame: Annotated[
        Path | None, typer.Option(help="Of a still-image generator, to compare with.")
    ] = None,
    streets: Annotated[int, typer.Option(min=1, help="How many.")] = 8,
    frames: Annotated[int, typer.Option(min=2, help="Of each.")] = 60,
    style_seed: Annotated[int, typer.Option(min=0, help="Weather and colours of all.")] = 1,
) -> None:
    """Render unseen streets, evaluate, print the figures."""
    place = packaged_street() if checkpoint is None else checkpoint
    # The convolutions of a video run in bfloat16, as it was trained.
    renderer = Renderer.load(place, dtype="bfloat16")
    palette, data = renderer.generation.palette, renderer.generation.config.data
    if palette is None:
        raise SystemExit("a generator of label maps is needed; this one takes none")
    size = (data.height, data.width)
    written = write_streets(out / "real", size, style=style_seed, count=streets, frames=frames)
    systems = {OURS: render_each(renderer, written, out / OURS)}
    if frame_by_frame is not None:
        still = Renderer.load(frame_by_frame, dtype="bfloat16")
        systems[STILL] = render_each(still, written, out / STILL)
    systems[PAINTING] = paint_each(written, out / PAINTING, palette, size, style=style_seed)
    done = evaluate(
        EvaluateOptions(
            real=written,
            generated=tuple(systems.values()),
            report=out / "report",
            labels=written,
            world=written,
        )
    )
    print_table(done.results, list(systems))
    fps = time_render(renderer, next(streets_in(written)))
    for asked in compare(done.results, fps=fps, has_still=frame_by_frame is not None):
        print(asked)
    write_sheet(systems, written, palette, out / "sheet.png")
    print(done.page_path)


if __name__ == "__main__":
    typer.run(main)
