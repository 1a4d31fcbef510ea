"""The contact sheet of styles: what every style of every class looks like."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from pipelines.build import Generation
from pipelines.console import progress
from pipelines.rendering.frames import FrameGenerator
from pipelines.rendering.input_stream import InputFrame
from pipelines.styling.data import Origin, regions_of
from vid2vid.clustering import Clusters
from vid2vid.data.clips import Clip, ClipDataset
from vid2vid.styles import ChosenStyles, PhotoStyles, photo_styles
from vid2vid.training.preview import draw_titles, to_picture
from vid2vid.world.clips import WorldClips

Rgb = NDArray[np.uint8]

CELL = 128  # px a side
_MARGIN = 0.1  # around an instance, of the longer side of its box
_SMALLEST = 16  # px a side of what is cut out


class Scenes(NamedTuple):
    """What a sheet is drawn from."""

    dataset: ClipDataset | WorldClips
    generation: Generation
    origins: Mapping[int, Sequence[Origin]]  # of every row, by class


def draw_style_sheet(
    scenes: Scenes, found: Mapping[int, Clusters], names: Mapping[int, str]
) -> Rgb:
    """Draw two rows for every class, a column for each of its styles.

    The upper row shows, cut out of its photograph, the instance that is nearest to the style. The
    lower row shows one instance, the first of the upper row, painted in each of the styles; it is
    left out for a checkpoint that takes controls beside labels.

    Returns:
        'h w 3'.
    """
    columns = max(len(each.centres) for each in found.values())
    blocks: list[Rgb] = []
    with progress(len(found), "drawing", unit="classes") as bar:
        for label, clusters in found.items():
            origins = [scenes.origins[label][index] for index in clusters.nearest]
            title = f"{names[label]}: styles 0 to {len(origins) - 1}"
            rows = [_photographs(scenes, origins)]
            if not scenes.generation.config.controls:
                rows.append(_painted(scenes, origins[0], clusters))
            titled = [draw_titles([title], columns * CELL), *(_fill(row, columns) for row in rows)]
            blocks.append(np.concatenate(titled))
            bar.advance()
    return np.concatenate(blocks)


def _photographs(scenes: Scenes, origins: Sequence[Origin]) -> list[Rgb]:
    """Cut instances out of their photographs."""
    cells: list[Rgb] = []
    for origin in origins:
        clip = scenes.dataset.evaluation_clip(origin.sequence, origin.start, 1)
        mask = regions_of(clip, scenes.generation)[0].numpy() == origin.region
        cells.append(_cut(to_picture(clip.frames[0]), mask))
    return cells


def _painted(scenes: Scenes, origin: Origin, clusters: Clusters) -> list[Rgb]:
    """Paint one instance in every style; all else keeps the styles of the photograph."""
    generation, device = scenes.generation, next(scenes.generation.generator.parameters()).device
    clip = scenes.dataset.evaluation_clip(origin.sequence, origin.start, 1)
    regions = regions_of(clip, generation)
    source = InputFrame(
        labels=None if clip.labels is None else clip.labels[0].numpy(),
        instances=None if clip.instances is None else clip.instances[0].numpy(),
        time=Fraction(0),
        name=clip.name,
    )
    conditioning = generation.conditioning
    if conditioning.boundary == "instances" and clip.instances is None:
        conditioning = conditioning._replace(boundary="labels")
    cells: list[Rgb] = []
    with torch.inference_mode():
        own = _own_styles(clip, regions, generation)
        for centre in torch.from_numpy(clusters.centres).to(device):
            styles = ChosenStyles(own, {origin.region: centre}, {}, {})
            painter = FrameGenerator(generation.generator, conditioning, device, styles=styles)
            generation.generator.reseed(0)
            picture = next(painter.stills([source])).frame.cpu().numpy()
            cells.append(_cut(picture, regions[0].numpy() == origin.region))
    return cells


def _own_styles(clip: Clip, regions: torch.Tensor, generation: Generation) -> PhotoStyles:
    """Encode the photograph of a clip."""
    device = next(generation.generator.parameters()).device
    placed = regions.to(device)
    features = generation.generator.encode(clip.frames.to(device), placed)[0]
    labels = None if clip.labels is None else clip.labels[0].to(device)
    return photo_styles(features, placed[0], labels)


def _cut(picture: Rgb, mask: NDArray[np.bool_]) -> Rgb:
    """Cut a box around a mask, square where the picture allows it, and fit it into a cell."""
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    side = max(_SMALLEST, round(max(width, height) * (1 + 2 * _MARGIN)))
    rows = _span(top + height / 2, side, picture.shape[0])
    columns = _span(left + width / 2, side, picture.shape[1])
    part = picture[rows, columns]
    factor = CELL / max(part.shape[:2])
    size = tuple(max(1, round(length * factor)) for length in part.shape[1::-1])
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    cell = np.full((CELL, CELL, 3), 255, np.uint8)
    cell[: size[1], : size[0]] = cv2.resize(part, size, interpolation=method)
    return cell


def _span(centre: float, side: int, limit: int) -> slice:
    """Place `side` pixels about a centre, within 0 to `limit`."""
    start = min(max(0, round(centre - side / 2)), max(0, limit - side))
    return slice(start, min(limit, start + side))


def _fill(cells: Sequence[Rgb], columns: int) -> Rgb:
    """Lay cells side by side, white on the right."""
    white = np.full((CELL, CELL, 3), 255, np.uint8)
    return np.concatenate([*cells, *[white] * (columns - len(cells))], axis=1)
