"""Render single frames: each from zeros, none remembering another."""

from dataclasses import replace
from pathlib import Path

from pipelines.render import PLAIN, Renderer
from pipelines.rendering.options import Rendered, RenderOptions


def render_stills(
    renderer: Renderer, labels: Path | str, out: Path | str, options: RenderOptions = PLAIN
) -> Rendered:
    """Render a picture to a picture, a folder or glob to a folder, or a video frame by frame.

    A sequential generator paints the first frame of a video without flow or past; here every frame
    is such a first one. Pictures in a folder keep their names and sizes, which may differ. The
    frames of a video share what dropout and styles draw.

    Args:
        renderer: a checkpoint.
        labels: picture, folder, glob or video of what the checkpoint takes.
        out: picture (.png, .jpg, .webp), folder, or video.
        options: as for a video, without what needs a past.

    Raises:
        Vid2VidError: if something does not fit.
        RenderingError: if input or disk failed after the first frame.
    """
    return renderer.render(labels, out, replace(options, is_still=True))
