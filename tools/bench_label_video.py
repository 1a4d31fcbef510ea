"""Measure how many pixels of label maps come out of a video with the wrong class.

Run from a checkout: python tools/bench_label_video.py DATA
DATA holds camvid15, cityscapes_pairs and cityscapes_labels_2048. Their maps are painted, written
as FFmpeg writes them by itself (BT.601, no tags), and read back by `read_video`; then each way of
turning colours into classes is tried: per cent of wrong pixels, and processor milliseconds a frame.

"as it is read" is what `LabelReader` does. The constants of the ways were chosen on part of these
maps (every third of camvid15, four of cityscapes_pairs, the large ones at half size).
"""

import pipelines  # isort: skip  # noqa: F401 - before torch: says how its threads wait

import logging
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Annotated, NamedTuple

import av
import cv2
import numpy as np
import typer
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from vid2vid.labels.files import LabelReader
from vid2vid.labels.maps import Tier, colours_to_ids, ids_to_colours
from vid2vid.labels.palettes import Palette, load_palette
from vid2vid.video.reading import find_frames, read_video

Ids = NDArray[np.uint8]
Rgb = NDArray[np.uint8]

_LUMA = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
_TO_YCBCR = np.array([_LUMA, [-0.1146, -0.3854, 0.5], [0.5, -0.4542, -0.0458]], dtype=np.float32)
_LUMA_WEIGHT = 10
_SMALL_PX = 4


class Coding(NamedTuple):
    """How a label video is written."""

    name: str
    suffix: str
    codec: str
    pix_fmt: str
    options: dict[str, str]


CODINGS = (
    Coding("libx264rgb qp 0", ".mp4", "libx264rgb", "rgb24", {"qp": "0"}),
    Coding("ffv1", ".mkv", "ffv1", "bgr0", {}),
    Coding("yuv444p crf 0", ".mp4", "libx264", "yuv444p", {"crf": "0"}),
    Coding("yuv420p crf 18", ".mp4", "libx264", "yuv420p", {"crf": "18"}),
    Coding("yuv420p crf 28", ".mp4", "libx264", "yuv420p", {"crf": "28"}),
)


class MapSet(NamedTuple):
    """Label maps of one size."""

    name: str
    palette: Palette
    maps: list[Ids]


class Candidates:
    """What the ways below know of a frame."""

    def __init__(self, rgb: Rgb, palette: Palette) -> None:
        snapped = colours_to_ids(rgb, palette)
        self.rgb, self.nearest, self.tiers = rgb, snapped.ids, snapped.tiers
        self.classes = np.unique(list(palette.readable_colours.values())).astype(np.uint8)
        colours = {class_id: colour for colour, class_id in palette.readable_colours.items()}
        self.colours = np.array([colours[int(i)] for i in self.classes], dtype=np.float32)

    @property
    def doubtful(self) -> tuple[NDArray[np.intp], ...]:
        """Rows and columns of the far pixels."""
        return np.nonzero(self.tiers == Tier.FAR)

    def count(self, radius: int) -> NDArray[np.float32]:
        """Count the pixels of each class that are not far, within `radius`: 'k h w'."""
        near = self.tiers < Tier.FAR
        side = (2 * radius + 1, 2 * radius + 1)
        planes = [(near & (self.nearest == i)).astype(np.float32) for i in self.classes]
        return np.stack([cv2.boxFilter(p, -1, side, normalize=False, borderType=0) for p in planes])

    def distances(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Weigh luma above chroma in the squared distance of 'n 3' to each class: 'n k'."""
        weights = np.sqrt(np.array([_LUMA_WEIGHT, 1, 1], dtype=np.float32))
        own, all_ = (x.astype(np.float32) @ _TO_YCBCR.T * weights for x in (pixels, self.colours))
        return np.square(all_).sum(axis=1) - 2 * own @ all_.T


def nearest_colour(rgb: Rgb, palette: Palette) -> Ids:
    """Take the class with the nearest colour in RGB."""
    return colours_to_ids(rgb, palette).ids


def nearest_by_luma(rgb: Rgb, palette: Palette) -> Ids:
    """Take the class with the nearest colour, luma counting ten times."""
    frame = Candidates(rgb, palette)
    chosen = frame.classes[frame.distances(rgb.reshape(-1, 3)).argmin(axis=1)]
    return np.where(frame.tiers == Tier.EXACT, frame.nearest, chosen.reshape(rgb.shape[:2]))


def majority(rgb: Rgb, palette: Palette) -> Ids:
    """Give far pixels the class that most of those around them have."""
    frame = Candidates(rgb, palette)
    votes = frame.count(2)[:, *frame.doubtful]
    ids = frame.nearest.copy()
    ids[frame.doubtful] = np.where(
        votes.max(axis=0) > 0, frame.classes[votes.argmax(axis=0)], ids[frame.doubtful]
    )
    return ids


def small_parts_removed(rgb: Rgb, palette: Palette) -> Ids:
    """Fill connected parts of at most four far pixels with the class around them."""
    frame = Candidates(rgb, palette)
    removed = np.zeros(frame.nearest.shape, dtype=bool)
    for class_id in frame.classes:
        part = (frame.nearest == class_id).astype(np.uint8)
        _, parts, stats, _ = cv2.connectedComponentsWithStats(part, connectivity=8)
        is_small = stats[:, cv2.CC_STAT_AREA] <= _SMALL_PX
        is_small[0] = False
        removed |= is_small[parts]
    removed &= frame.tiers == Tier.FAR
    votes = frame.count(1)[:, removed]
    ids = frame.nearest.copy()
    ids[removed] = frame.classes[votes.argmax(axis=0)]
    return ids


def luma_guided(rgb: Rgb, palette: Palette) -> Ids:
    """Give far pixels the class around them that is nearest, luma counting ten times."""
    frame = Candidates(rgb, palette)
    rows, columns = frame.doubtful
    costs = frame.distances(rgb[rows, columns])
    costs[(frame.count(2)[:, rows, columns] == 0).T] = np.inf
    ids = frame.nearest.copy()
    is_known = np.isfinite(costs.min(axis=1, initial=np.inf))
    chosen = frame.classes[costs.argmin(axis=1)]
    ids[rows[is_known], columns[is_known]] = chosen[is_known]
    return ids


def chroma_blocks(rgb: Rgb, palette: Palette) -> Ids:
    """Give blocks of 2x2 with far pixels the four classes whose mean chroma and lumas fit best."""
    frame = Candidates(rgb, palette)
    height, width = (side // 2 * 2 for side in rgb.shape[:2])
    far = (frame.tiers == Tier.FAR)[:height, :width].reshape(height // 2, 2, width // 2, 2)
    rows, columns = (2 * i for i in np.nonzero(far.any(axis=(1, 3))))
    cells = [(rows + down, columns + right) for down, right in np.ndindex(2, 2)]
    pixels = np.stack([rgb[cell] for cell in cells], axis=1).astype(np.float32)  # 'n 4 3'
    count = frame.count(2)
    votes = np.sum([count[:, *cell] for cell in cells], axis=0)
    misses = np.abs((pixels @ _LUMA)[..., None] - frame.colours @ _LUMA).min(axis=1)
    likely = np.where(votes.T > 0, misses, np.inf).argsort(axis=1)[:, :3]  # 'n 3', of luma
    colours = frame.colours[likely]
    best = np.full(len(rows), np.inf)
    chosen = np.stack([frame.nearest[cell] for cell in cells], axis=1)
    for combination in product(range(3), repeat=4):
        four = colours[:, combination]
        lumas = four @ _LUMA
        shown = four.mean(axis=1, keepdims=True) + (lumas - lumas.mean(axis=1)[:, None])[..., None]
        error = np.square(shown.clip(0, 255) - pixels).sum(axis=(1, 2))
        is_better = error < best
        best[is_better] = error[is_better]
        chosen[is_better] = frame.classes[likely[is_better][:, combination]]
    ids = frame.nearest.copy()
    for index, cell in enumerate(cells):
        ids[cell] = np.where(frame.tiers[cell] == Tier.FAR, chosen[:, index], ids[cell])
    return ids


def as_read(rgb: Rgb, palette: Palette) -> Ids:
    """Read as every command does."""
    return LabelReader(palette).from_colours(rgb, "frame")


WAYS: dict[str, Callable[[Rgb, Palette], Ids]] = {
    "nearest colour": nearest_colour,
    "nearest by luma": nearest_by_luma,
    "majority of near": majority,
    "small parts removed": small_parts_removed,
    "luma-guided": luma_guided,
    "2x2 chroma blocks": chroma_blocks,
    "as it is read": as_read,
}


def read_sets(data: Path, *, most: int) -> Iterator[MapSet]:
    """Read the maps of each data set, at most `most`, a sixth of those of 2048x1024."""
    for palette_name, place, count in (
        ("camvid", "camvid15/labels/0016E5", most),
        ("cityscapes", "cityscapes_pairs/labels_only/labels", most),
        ("cityscapes", "cityscapes_labels_2048/labels", -(-most // 6)),
    ):
        palette = load_palette(palette_name)
        reader = LabelReader(palette)
        maps = [reader.from_image(path) for path in find_frames(data / place)[:count]]
        yield MapSet(place.partition("/")[0], palette, maps)


def write(path: Path, frames: Sequence[Rgb], coding: Coding) -> None:
    """Write frames as FFmpeg does by itself."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(coding.codec, rate=15, options=coding.options)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = coding.pix_fmt
        for index, rgb in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
            frame = frame.reformat(format=coding.pix_fmt, interpolation=Interpolation.BICUBIC)
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def measure(maps: MapSet, folder: Path) -> dict[str, tuple[list[float], float]]:
    """Count the wrong pixels.

    Returns:
        For each way the share of wrong pixels with each coding, and its milliseconds a frame with
        the last one.
    """
    painted = [ids_to_colours(ids, maps.palette) for ids in maps.maps]
    truth = [colours_to_ids(rgb, maps.palette).ids for rgb in painted]  # ids that share a colour
    found: dict[str, tuple[list[float], float]] = {way: ([], 0.0) for way in WAYS}
    for coding in CODINGS:
        path = folder / f"labels{coding.suffix}"
        write(path, painted, coding)
        frames = [frame.rgb for frame in read_video(path)]
        for name, way in WAYS.items():
            start = time.process_time()
            read = [way(rgb, maps.palette) for rgb in frames]
            milliseconds = 1000 * (time.process_time() - start) / len(frames)
            shares = [np.mean(ids != true) for ids, true in zip(read, truth, strict=True)]
            found[name] = ([*found[name][0], float(np.mean(shares))], milliseconds)
    return found


def main(
    data: Path,
    most: Annotated[int, typer.Option(min=1, help="Maps of each data set at most.")] = 24,
) -> None:
    """Print the share of wrong pixels, per cent, for each way and coding."""
    for maps in read_sets(data, most=most):
        height, width = maps.maps[0].shape
        print(f"\n{maps.name}, {width}x{height}, {len(maps.maps)} maps: wrong pixels, %\n")
        print("| | " + " | ".join(coding.name for coding in CODINGS) + " | ms a frame |")
        print("|---" * (len(CODINGS) + 2) + "|")
        with tempfile.TemporaryDirectory() as folder:
            for way, (shares, milliseconds) in measure(maps, Path(folder)).items():
                cells = " | ".join(f"{100 * share:.3f}" for share in shares)
                print(f"| {way} | {cells} | {milliseconds:.0f} |", flush=True)


if __name__ == "__main__":
    logging.disable(logging.WARNING)  # ids of Cityscapes that share a colour
    typer.run(main)
