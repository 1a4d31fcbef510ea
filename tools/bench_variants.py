"""Train a CRN that paints several pictures of a map, and see how they differ.

The first pictures of a folder are overfitted, as in `tools/bench_stills.py overfit`. Printed are
the distance between every two pictures of a map, and for each class how often each of them is the
nearest to the photograph: were they copies of one another, one would win everywhere. The contact
sheet shows the map, the pictures, the one that each pixel's class is best in (a colour each), the
best of all classes laid together, and the photograph.

    python tools/bench_variants.py --data cityscapes_pairs --palette cityscapes --minutes 10
"""

import pipelines  # isort: skip  # noqa: F401 - before torch: says how its threads wait

from itertools import combinations
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import torch
import typer
from apart import Training, train_all
from bench_stills import CPU, judged_pictures, settings_of, write_palette
from still_recipes import Task, recipe
from torch import Tensor

from pipelines.build import Generation, load_generation
from vid2vid.controls.drawing import InputDrawing
from vid2vid.losses.diversity import class_errors, class_masks
from vid2vid.metrics.image import psnr
from vid2vid.training.preview import draw_titles, generate_clip, to_picture
from vid2vid.training.targets import prepare
from vid2vid.video.pictures import write_picture

CONFIG = "crn_small"
WINNERS = torch.tensor([[0.9, -0.4, -0.4], [-0.5, 0.6, -0.2], [-0.4, -0.1, 0.9], [0.9, 0.8, -0.6]])


class Variants(NamedTuple):
    """Pictures of the same maps beside the photographs."""

    pictures: Tensor  # 'n k 3 h w'
    real: Tensor  # 'n 3 h w'
    masks: Tensor  # 'n c h w', which pixels are of a class, the last = of none
    labels: Tensor  # 'n h w'

    @property
    def best(self) -> Tensor:
        """The picture that is nearest to the photograph in each class: 'n c'."""
        return class_errors(self.pictures, self.real, self.masks).argmin(dim=1)

    @property
    def winners(self) -> Tensor:
        """The picture that is best in the class of each pixel: 'n h w'."""
        return torch.einsum("nc,nchw->nhw", self.best.float(), self.masks).round().long()

    @property
    def together(self) -> Tensor:
        """Every class from the picture that paints it best: 'n 3 h w'."""
        index = self.winners[:, None, None].expand(-1, 1, 3, -1, -1)
        return self.pictures.gather(1, index).squeeze(1)


def paint_variants(generation: Generation) -> Variants:
    """Let the generator paint all its pictures of the maps that it was trained on."""
    palette = generation.palette
    _, judged = judged_pictures(generation, Task.OVERFIT)
    if palette is None or judged.labels is None:
        raise SystemExit("label maps are needed; the run has none")
    maps = prepare(judged, generation.conditioning, device=CPU).conditioning
    outputs = generate_clip(generation.generator, maps.transpose(0, 1), first_frames=None)
    painted = [output.variants for output in outputs if output.variants is not None]
    if not painted:
        raise SystemExit("several pictures of a map are needed: --outputs must be 2 or more")
    return Variants(
        pictures=torch.cat(painted).float(),
        real=judged.frames[:, 0],
        masks=class_masks(maps[:, 0, : palette.num_classes]),
        labels=judged.labels[:, 0],
    )


def report(generation: Generation, variants: Variants, path: Path) -> None:
    """Print how the pictures differ, and write the contact sheet."""
    count = variants.pictures.shape[1]
    levels = variants.pictures * 127.5
    print("mean absolute difference of two pictures, of 255 levels")
    for one, other in combinations(range(count), 2):
        apart = (levels[:, one] - levels[:, other]).abs().mean()
        print(f"  {one} and {other}: {float(apart):.2f}")
    print("PSNR to the photograph, dB")
    for index, pictures in enumerate(variants.pictures.unbind(1)):
        print(f"  {index}: {float(psnr(pictures, variants.real).mean()):.2f}")
    print(f"  best of each class: {float(psnr(variants.together, variants.real).mean()):.2f}")
    print(f"{'times it is the best':24s}" + "".join(f"{index:>6d}" for index in range(count)))
    is_there = variants.masks.flatten(2).sum(dim=2) > 0
    names = [each.name for each in generation.palette.classes] if generation.palette else []
    for index, name in enumerate([*names, "of no class"]):
        wins = torch.bincount(variants.best[is_there[:, index], index], minlength=count)
        if wins.sum():
            print(f"{name:24s}" + "".join(f"{int(each):6d}" for each in wins))
    write_sheet(generation, variants, path)


def write_sheet(generation: Generation, variants: Variants, path: Path) -> None:
    """Write the contact sheet: a row per picture."""
    colours = WINNERS[variants.winners % len(WINNERS)].movedim(-1, 1)
    columns = [
        *variants.pictures.unbind(1),
        colours,
        variants.together,
        variants.real,
    ]
    drawn = InputDrawing(generation.palette, ()).draw_clip(variants.labels, None)
    rows = [
        np.concatenate([picture, *(to_picture(own[index]) for own in columns)], axis=1)
        for index, picture in enumerate(drawn)
    ]
    count = variants.pictures.shape[1]
    titles = ["labels", *map(str, range(count)), "which is best", "best together", "real"]
    heading = draw_titles(titles, drawn[0].shape[1])
    write_picture(path, np.concatenate([heading, *rows], axis=0))


def main(
    data: Annotated[Path, typer.Option(help="Folder with images and labels.")],
    palette: Annotated[str, typer.Option(help="Palette, or a number of classes.")],
    out: Annotated[Path, typer.Option(help="Folder of the run and the report.")] = Path(
        "runs/bench_variants"
    ),
    minutes: Annotated[float, typer.Option(help="Of training, on one core.")] = 10,
    outputs: Annotated[int, typer.Option(min=2, max=4, help="Pictures of each map.")] = 3,
    share: Annotated[float, typer.Option(help="losses.all_variants.")] = 0.2,
) -> None:
    """Train, paint, and print how the pictures differ."""
    out.mkdir(parents=True, exist_ok=True)
    named = write_palette(palette, out)
    own = [f"generator.outputs={outputs}", f"losses.all_variants={share}"]
    _, by_heart = recipe(CONFIG, Task.OVERFIT)
    settings = [*settings_of(Task.OVERFIT, data, out, palette=named, held_out=0), *by_heart, *own]
    run = Training(CONFIG, out / CONFIG, settings)
    train_all([run], workers=1, minutes=minutes)
    generation = load_generation(run.folder, CPU)
    report(generation, paint_variants(generation), out / "sheet.png")


if __name__ == "__main__":
    typer.run(main)
