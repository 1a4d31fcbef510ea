"""The picture that says how a run is going: one fixed clip, generated, frame under frame."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vid2vid.networks.interface import Generator
from vid2vid.networks.outputs import GeneratorOutput
from vid2vid.rollout import rollout
from vid2vid.video.levels import to_levels

TITLE_HEIGHT = 18  # px
LARGEST_WIDTH = 1800  # px; previews of wide frames are shrunk


@torch.no_grad()
def generate_clip(
    generator: Generator,
    conditioning: Tensor,
    *,
    first_frames: Tensor | None,
    scales: int | None = None,
) -> list[GeneratorOutput]:
    """Generate a short clip, first frames given or from zeros.

    Args:
        generator: the network.
        conditioning: 'b t k h w'; with `first_frames`, the first `history` maps are theirs.
        first_frames: 'b l 3 h w' or None.
        scales: spatial scales that run.
    """
    history = generator.history if first_frames is not None else 0
    return list(
        rollout(
            generator,
            conditioning[:, history:].unbind(1),
            past_conditioning=conditioning[:, :history] if history else None,
            first_frames=first_frames,
            scales=scales,
        )
    )


def draw_preview(
    inputs: Sequence[NDArray[np.uint8]],
    outputs: Sequence[GeneratorOutput],
    real: Sequence[Tensor],
    *,
    titles: Sequence[str],
) -> NDArray[np.uint8]:
    """Lay out a clip: a row per frame, a titled column per part that the generator has.

    Args:
        inputs: 'h (n w) 3' RGB per frame, the n panels of what it is painted from.
        outputs: generated, batch of one.
        real: '3 h w' in [-1, 1] per frame.
        titles: of the n panels.

    Returns:
        'h w 3', RGB.
    """
    parts = [_parts(output, own) for output, own in zip(outputs, real, strict=True)]
    rows = [
        np.concatenate([drawn, *own.values()], axis=1)
        for drawn, own in zip(inputs, parts, strict=True)
    ]
    titled = draw_titles((*titles, *parts[0]), real[0].shape[2])
    sheet = np.concatenate([titled, *rows], axis=0)
    if sheet.shape[1] <= LARGEST_WIDTH:
        return sheet
    factor = LARGEST_WIDTH / sheet.shape[1]
    return cv2.resize(sheet, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA).astype(
        np.uint8
    )


def _parts(output: GeneratorOutput, real: Tensor) -> dict[str, NDArray[np.uint8]]:
    """Draw one frame, all that the generator made for it, by title."""
    parts = {"hallucinated": to_picture(output.hallucinated[0])}
    if output.warped is not None and output.occlusion is not None:
        parts["warped"] = to_picture(output.warped[0])
        parts["occlusion"] = to_picture(output.occlusion[0] * 2 - 1)
    return {**parts, "result": to_picture(output.frame[0]), "real": to_picture(real)}


def to_picture(frame: Tensor) -> NDArray[np.uint8]:
    """Turn 'c h w' in [-1, 1], c = 3 or 1, into 'h w 3' uint8."""
    return to_levels(frame).cpu().numpy()


def draw_titles(titles: Sequence[str], width: int) -> NDArray[np.uint8]:
    """Draw a strip of titles over columns of `width` pixels: 'h w 3', RGB."""
    strip = np.full((TITLE_HEIGHT, width * len(titles), 3), 255, np.uint8)
    for index, title in enumerate(titles):
        place = (index * width + 3, TITLE_HEIGHT - 5)
        cv2.putText(strip, title, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    return strip
