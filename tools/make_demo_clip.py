"""Cut the demo clip that the repository carries from the robot_kitchen sequence.

    python tools/make_demo_clip.py FOLDER_OF_ROBOT_KITCHEN configs/clips/robot_kitchen

Writes `train/ep0/frames.mp4` (near lossless), `train/ep0/labels.mp4` (lossless),
and `palette.yaml`. Source: the robot augmentation example of Cosmos-Transfer1,
Apache-2.0.
"""

import colorsys
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
import yaml
from numpy.typing import NDArray

from vid2vid.labels.files import LabelReader
from vid2vid.labels.palettes import Palette, load_palette
from vid2vid.video.reading import find_frames, open_video, read_video
from vid2vid.video.writing import open_writer, write_label_video

GOLDEN_RATIO = 0.618034  # hues this far apart stay apart, however many classes there are


def write_palette(classes: list[str], path: Path) -> Palette:
    """Give every class a colour of its own; the first, void, is black."""
    colours = [(0, 0, 0)]
    for index in range(1, len(classes)):
        rgb = colorsys.hsv_to_rgb(index * GOLDEN_RATIO % 1, 0.65, 0.95 if index % 2 else 0.65)
        colours.append(tuple(round(255 * level) for level in rgb))
    entries = [
        {"id": index, "name": name, "colour": list(colour)}
        for index, (name, colour) in enumerate(zip(classes, colours, strict=True))
    ]
    text = yaml.safe_dump(
        {"name": "robot_kitchen", "classes": entries}, sort_keys=False, default_flow_style=None
    )
    path.write_text(text)
    return load_palette(path)


def read_labels(
    folder: Path, palette: Palette, size: tuple[int, int]
) -> Iterator[NDArray[np.uint8]]:
    """Read and shrink the label maps, nearest neighbour."""
    reader = LabelReader(palette)
    for path in find_frames(folder):
        ids = reader.from_image(path)
        yield cv2.resize(ids, size, interpolation=cv2.INTER_NEAREST_EXACT).astype(np.uint8)


def main(
    source: Annotated[Path, typer.Argument(help="Folder with videos/, labels/ and classes.json.")],
    out: Annotated[Path, typer.Argument(help="Folder of the clip.")],
    width: int = 192,
    height: int = 120,
) -> None:
    """Cut, shrink and write the clip."""
    sequence = out / "train" / "ep0"
    sequence.mkdir(parents=True, exist_ok=True)
    classes = json.loads((source / "classes.json").read_text())["classes"]
    palette = write_palette(classes, out / "palette.yaml")
    video = source / "videos" / "ep0_train.mp4"
    rate = open_video(video).rate
    writer = open_writer(sequence / "frames.mp4", width=width, height=height, rate=rate, crf=10)
    for frame in read_video(video):
        small = cv2.resize(frame.rgb, (width, height), interpolation=cv2.INTER_AREA)
        writer.write(small.astype(np.uint8), frame.time)
    writer.close()
    labels = list(read_labels(source / "labels" / "ep0", palette, (width, height)))
    write_label_video(sequence / "labels.mp4", labels, palette, rate=rate)


if __name__ == "__main__":
    typer.run(main)
