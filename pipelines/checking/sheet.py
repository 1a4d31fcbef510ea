"""The contact sheet: what training would see of each sequence, labels laid over their frames."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.config.run import RunConfig
from vid2vid.controls.drawing import InputDrawing
from vid2vid.data.clips import Clip, ClipDataset
from vid2vid.errors import Vid2VidError
from vid2vid.labels.maps import ids_to_colours
from vid2vid.labels.palettes import Palette
from vid2vid.training.preview import draw_titles, to_picture

Rgb = NDArray[np.uint8]

COLUMNS = 4
"""Frames of a sequence that are shown, evenly apart."""
ROWS = 16
"""Sequences that are shown, evenly apart."""
_SHEET_WIDTH = 1920  # px, at most, as long as panels keep the smallest width
_PANEL_WIDTHS = (120, 320)  # px, smallest and largest
_BLEND = 0.5  # of the label colours
_CONTEXT = 2  # frames of a clip of which the last is shown: a flow needs the one before
_SWATCH = 14  # px a side, of a class in the legend
_LEGEND_COLUMN = 160  # px


class _Sheet(NamedTuple):
    dataset: ClipDataset
    palette: Palette | None
    controls: InputDrawing | None  # of the controls alone


def draw_sheet(dataset: ClipDataset, config: RunConfig, palette: Palette | None) -> Rgb | None:
    """Draw a row for each of up to 16 sequences, a column for each of four frames, and a legend.

    A cell shows a frame at the training size with its labels laid over it, and each control beside
    it. Frames that cannot be read are left white.

    Returns:
        'h w 3'; None where nothing could be read.
    """
    controls = InputDrawing(None, config.controls) if config.controls else None
    sheet = _Sheet(dataset, palette, controls)
    chosen = np.unique(np.linspace(0, len(dataset.sequences) - 1, ROWS).astype(int))
    rows = [row for index in chosen.tolist() if (row := _draw_row(sheet, index)) is not None]
    if not rows:
        return None
    width = max(row.shape[1] for row in rows)
    if palette is not None:
        rows.append(_draw_legend(palette, width))
    return np.concatenate([_widen(row, width) for row in rows])


def _draw_row(sheet: _Sheet, sequence_index: int) -> Rgb | None:
    """Draw frames of one sequence side by side under its name; None where none can be read."""
    sequence = sheet.dataset.sequences[sequence_index]
    lengths = sheet.dataset.clip_lengths()[sequence_index]
    chosen = np.unique(np.linspace(0, lengths - 1, COLUMNS).astype(int)).tolist()
    cells: list[Rgb] = []
    titles: list[str] = []
    for frame in chosen:
        length = min(_CONTEXT, frame + 1)
        start = (frame - length + 1) * sheet.dataset.config.stride[0]
        try:
            clip = sheet.dataset.evaluation_clip(sequence_index, start, length)
        except Vid2VidError:  # reported by whoever reads the files one by one
            continue
        cells.append(_draw_cell(clip, sheet))
        titles.append(f"{sequence.name} {frame}")
    if not cells:
        return None
    width = cells[0].shape[1]
    return np.concatenate([draw_titles(titles, width), np.concatenate(cells, axis=1)])


def _draw_cell(clip: Clip, sheet: _Sheet) -> Rgb:
    """Draw the last frame of a clip, 'h w 3'."""
    picture = to_picture(clip.frames[-1])
    if clip.labels is not None and sheet.palette is not None:
        colours = ids_to_colours(clip.labels[-1].numpy(), sheet.palette)
        picture = cv2.addWeighted(picture, 1 - _BLEND, colours, _BLEND, 0.0).astype(np.uint8)
    panels = [picture]
    if sheet.controls is not None and clip.pictures is not None:
        panels.append(sheet.controls.draw(None, clip.pictures[-1]))
    cell = np.concatenate(panels, axis=1)
    smallest, largest = _PANEL_WIDTHS
    width = min(
        largest, max(smallest, _SHEET_WIDTH // (COLUMNS * cell.shape[1] // picture.shape[1]))
    )
    factor = width / picture.shape[1]
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_NEAREST_EXACT
    size = (round(cell.shape[1] * factor), round(cell.shape[0] * factor))
    return cv2.resize(cell, size, interpolation=method).astype(np.uint8)


def _draw_legend(palette: Palette, width: int) -> Rgb:
    """Draw the colour and name of each class, 'h w 3'."""
    columns = max(1, width // _LEGEND_COLUMN)
    height = -(-len(palette.classes) // columns) * (_SWATCH + 4) + 4
    legend = np.full((height, width, 3), 255, np.uint8)
    for index, each in enumerate(palette.classes):
        top, left = (
            4 + index // columns * (_SWATCH + 4),
            4 + index % columns * _LEGEND_COLUMN,
        )
        legend[top : top + _SWATCH, left : left + _SWATCH] = each.colour
        place = (left + _SWATCH + 4, top + _SWATCH - 3)
        text = f"{each.id} {each.name}"
        cv2.putText(legend, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    return legend


def _widen(row: Rgb, width: int) -> Rgb:
    """Add white on the right, 'h w 3'."""
    white = np.full((row.shape[0], width - row.shape[1], 3), 255, np.uint8)
    return np.concatenate([row, white], axis=1)
