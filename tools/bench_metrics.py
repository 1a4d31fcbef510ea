"""Print what each metric says of hand-made cases, as the table of docs/metrics.md.

    python tools/bench_metrics.py --write docs/metrics.md

The scene is a texture over which a window pans, there and back, so that flow, surface points and
labels are known exactly and places are visited again. Its cases: perfect (the real frames), frozen
(the first frame, for ever), shuffled (in time), blurred, and one planted flicker (a single brighter
frame).
"""

import pipelines  # isort: skip  # noqa: F401 - before torch: says how its threads wait

import tempfile
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
import typer
from numpy.typing import NDArray
from torch import Tensor

from pipelines.evaluation.evaluate import Evaluation, evaluate
from pipelines.evaluation.options import EvaluateOptions
from pipelines.evaluation.tables import write_number

CASES = ("perfect", "frozen", "shuffled", "blurred", "flicker")
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"

GRAIN_LEVELS = 3.0  # standard deviation, of 255

_STEP_PX = (3, 1)  # a frame, to the right and down
_FLICKER_GAIN = 1.25
_BLUR_SIGMA = 1.6
_CLASSES = 3


class Scene:
    """A window that pans over a large texture, there and back, with all that is known of it."""

    def __init__(self, *, num_frames: int, height: int, width: int, seed: int = 0) -> None:
        there = np.arange(num_frames)
        period = max(2 * (num_frames // 2), 2)
        self._along = np.minimum(there % period, period - there % period)
        self.size = (height, width)
        room = int(self._along.max())
        shape = (height + _STEP_PX[1] * room, width + _STEP_PX[0] * room)
        generator = np.random.default_rng(seed)
        # One grey texture and three tints, so that each pixel shows its class beyond doubt.
        sizes = [(shape[0] // cell + 2, shape[1] // cell + 2) for cell in (3, 8, 24)]
        noise = [
            cv2.resize(generator.random(size), shape[::-1], interpolation=cv2.INTER_CUBIC)
            for size in sizes
        ]
        field = sum(weight * each for weight, each in zip((0.4, 0.3, 0.3), noise, strict=True))
        self.classes = self._classes(shape)
        tint = np.eye(3)[self.classes] * 0.3
        self._texture = (0.1 + 0.6 * field[..., None] + tint) * 255
        self._grain = generator
        self._ids = np.arange(shape[0] * shape[1], dtype=np.int64).reshape(shape)

    def frames(self) -> list[NDArray[np.uint8]]:
        """Cut the real frames, 'h w 3' each, and lay the grain of a sensor over them."""
        found: list[NDArray[np.uint8]] = []
        for index in range(len(self._along)):
            clean = self._cut(self._texture, index)
            grain = self._grain.normal(0, GRAIN_LEVELS, clean.shape)
            found.append((clean + grain).round().clip(0, 255).astype(np.uint8))
        return found

    def labels(self, frame: int) -> NDArray[np.uint8]:
        """Cut the label map of a frame, 'h w'."""
        return self._cut(self.classes, frame).astype(np.uint8)

    def surface(self, frame: int) -> NDArray[np.int64]:
        """Cut the surface points of a frame, 'h w'."""
        return self._cut(self._ids, frame)

    def motion(self, frame: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Give the flow to the frame before, '2 h w', and where nothing was to be seen there."""
        step = int(self._along[frame] - self._along[frame - 1])
        height, width = self.size
        dx, dy = _STEP_PX[0] * step, _STEP_PX[1] * step
        flow = np.empty((2, height, width), np.float32)
        flow[0], flow[1] = dx, dy
        x, y = np.meshgrid(np.arange(width) + dx, np.arange(height) + dy)
        hidden = (x < 0) | (x >= width) | (y < 0) | (y >= height)
        return flow, hidden.astype(np.uint8) * 255

    def _cut(self, whole: NDArray, frame: int) -> NDArray:  # type: ignore[type-arg]
        along, (height, width) = int(self._along[frame]), self.size
        top, left = _STEP_PX[1] * along, _STEP_PX[0] * along
        return whole[top : top + height, left : left + width]

    @staticmethod
    def _classes(shape: tuple[int, int]) -> NDArray[np.int64]:
        """Deal the texture into three classes, in patches of 40 pixels."""
        y, x = np.mgrid[: shape[0], : shape[1]]
        return (x // 40 + 2 * (y // 40)) % _CLASSES


class ColourSegmenter(torch.nn.Module):
    """Takes the strongest colour channel for the class; its features are colours and edges."""

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Map 'b 3 h w' to logits 'b 3 h w' and features 'b 9 h w'."""
        across = (frames - frames.roll(1, 3)).abs()
        down = (frames - frames.roll(1, 2)).abs()
        return frames * 10, torch.cat([frames, across, down], dim=1)


def make_cases(real: list[NDArray[np.uint8]]) -> dict[str, list[NDArray[np.uint8]]]:
    """Make the hand-made cases of a video."""
    order = np.random.default_rng(1).permutation(len(real))
    flicker = [each.copy() for each in real]
    middle = len(real) // 2
    flicker[middle] = cv2.convertScaleAbs(flicker[middle], alpha=_FLICKER_GAIN).astype(np.uint8)
    return {
        "perfect": real,
        "frozen": [real[0]] * len(real),
        "shuffled": [real[int(k)] for k in order],
        "blurred": [cv2.GaussianBlur(x, (0, 0), _BLUR_SIGMA).astype(np.uint8) for x in real],
        "flicker": flicker,
    }


def write_scene(scene: Scene, folder: Path) -> EvaluateOptions:
    """Write the real frames, the world and the cases, and say how they are evaluated."""
    real = scene.frames()
    _write_pictures(folder / "real", real)
    cases = make_cases(real)
    for name, frames in cases.items():
        _write_pictures(folder / name, frames)
        _write_pictures(folder / "there_and_back" / name, [*frames, *_back(name, frames)])
    world = folder / "world"
    for stream in ("flow", "occlusion", "surface", "labels"):
        (world / stream).mkdir(parents=True)
    for frame in range(len(real)):
        np.save(world / "surface" / f"{frame:06d}.npy", scene.surface(frame))
        cv2.imwrite(str(world / "labels" / f"{frame:06d}.png"), scene.labels(frame))
        flow, hidden = scene.motion(frame) if frame else (None, np.full(scene.size, 255, np.uint8))
        cv2.imwrite(str(world / "occlusion" / f"{frame:06d}.png"), hidden)
        if flow is not None:
            np.save(world / "flow" / f"{frame:06d}.npy", flow)
    _write_segmenter(folder, scene.size)
    return EvaluateOptions(
        real=folder / "real",
        generated=tuple(folder / name for name in CASES),
        report=folder / "report",
        world=world,
        palette=str(folder / "palette.yaml"),
        segmenter=folder / "segmenter.pt2",
        palindrome=tuple(folder / "there_and_back" / name for name in CASES),
        device="cpu",
    )


def _back(name: str, frames: list[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    """Give the way back of a palindrome: the same frames, but where a case forgets the order."""
    back = frames[-2::-1]
    if name == "shuffled":
        order = np.random.default_rng(2).permutation(len(back))
        return [back[int(k)] for k in order]
    if name == "flicker":  # it flickers on the way there alone
        middle = len(frames) // 2
        place = len(back) - 1 - middle
        dark = cv2.convertScaleAbs(back[place], alpha=1 / _FLICKER_GAIN).astype(np.uint8)
        return [dark if k == place else each for k, each in enumerate(back)]
    return back


def _write_pictures(folder: Path, frames: list[NDArray[np.uint8]]) -> None:
    folder.mkdir(parents=True)
    for index, frame in enumerate(frames):
        cv2.imwrite(str(folder / f"{index:06d}.png"), cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))


def _write_segmenter(folder: Path, size: tuple[int, int]) -> None:
    """Write the palette of the scene and a segmenter for it, as users bring theirs."""
    colours = ("[255, 0, 0]", "[0, 255, 0]", "[0, 0, 255]")
    classes = "".join(
        f"  - {{id: {k}, name: c{k}, colour: {rgb}}}\n" for k, rgb in enumerate(colours)
    )
    (folder / "palette.yaml").write_text(f"name: patches\nclasses:\n{classes}")
    program = torch.export.export(ColourSegmenter(), (torch.zeros(1, 3, *size),))
    torch.export.save(program, folder / "segmenter.pt2")


def run(folder: Path, *, num_frames: int, height: int, width: int) -> Evaluation:
    """Evaluate the hand-made cases in a folder."""
    return evaluate(write_scene(Scene(num_frames=num_frames, height=height, width=width), folder))


def markdown_table(done: Evaluation) -> str:
    """Write figures as a table: a row a metric, a column a case."""
    lines = [f"| metric | {' | '.join(CASES)} |", f"|---|{'--:|' * len(CASES)}"]
    for metric in done.results.metrics.values():
        arrow = {"higher": "↑", "lower": "↓", "one": "→ 1"}[metric.better]
        unit = f" ({metric.unit})" if metric.unit else ""
        cells = [
            "–" if figure is None else write_number(figure.value, metric)
            for figure in done.results.table(metric.key, done.systems)
        ]
        lines.append(f"| {metric.title}{unit} {arrow} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(
    frames: Annotated[int, typer.Option(help="Frames of the scene.")] = 96,
    height: Annotated[int, typer.Option(help="Height, px.")] = 176,
    width: Annotated[int, typer.Option(help="Width, px.")] = 240,
    write: Annotated[
        Path | None, typer.Option(help="Put the table into this file, between its marks.")
    ] = None,
) -> None:
    """Measure the cases and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        table = markdown_table(run(Path(folder), num_frames=frames, height=height, width=width))
    print(table)
    if write is not None:
        before, _, rest = write.read_text("utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        write.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
