"""What a rendering writes: the frames, and where asked for everything they were composed of."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from torch import Tensor

from flow.files import write_flo
from pipelines.rendering.input_stream import InputStream
from pipelines.rendering.options import RenderOptions
from pipelines.rendering.picture_choice import is_folder
from pipelines.rendering.sinks import (
    FolderSink,
    PictureSink,
    RenderedFrame,
    Rgb,
    Sink,
    WriterSink,
)
from vid2vid.controls.drawing import InputDrawing
from vid2vid.errors import ConfigError
from vid2vid.video.pictures import PICTURE_SUFFIXES, write_picture
from vid2vid.video.writing import open_writer


class Outputs:
    """Every output of one rendering; the frames get their final name last."""

    def __init__(
        self, out: Path, stream: InputStream, *, options: RenderOptions, drawing: InputDrawing
    ) -> None:
        """Open them all, or none.

        Args:
            out: where the frames go.
            stream: the input, for size, rate and times.
            options: what else is written, and how.
            drawing: of the input, in the preview.

        Raises:
            ConfigError: if `out` is a picture and the input more than one frame, or a video and
                the input pictures of several sizes.
            VideoError: if one of them cannot be written.
        """
        self._sinks: list[Sink] = []
        self.num_written = 0
        try:
            for open_sink in _plan(out, stream, options, drawing=drawing):
                self._sinks.append(open_sink())
        except BaseException:
            self.abort()
            raise

    def write(self, rendered: RenderedFrame) -> None:
        """Write one frame everywhere."""
        for sink in self._sinks:
            sink.write(rendered)
        self.num_written += 1

    def close(self) -> list[Path]:
        """Complete every output and give it its final name; the frames' is the last."""
        closed: list[Path] = []
        while self._sinks:
            closed.append(self._sinks[0].close())
            del self._sinks[0]
        return closed

    def abort(self) -> Path | None:
        """Keep what can be looked at of an unfinished rendering; return where the frames are."""
        place: Path | None = None
        for sink in self._sinks:
            place = sink.abort(keep_partial=self.num_written > 0)
        self._sinks.clear()
        return place


def _plan(
    out: Path, stream: InputStream, options: RenderOptions, *, drawing: InputDrawing
) -> list[Callable[[], Sink]]:
    """List how to open every output, the frames' last."""

    def preview(rendered: RenderedFrame) -> Rgb:
        painted = drawing.draw(rendered.source.labels, rendered.source.pictures)
        return np.concatenate([painted, _to_rgb(rendered.frame)], axis=1)

    draws: list[tuple[Path | None, Callable[[RenderedFrame], Rgb], int]] = [
        (options.preview, preview, len(drawing.titles) + 1),
        (options.save_occlusion, lambda rendered: _to_rgb(rendered.occlusion), 1),
        (options.save_hallucinated, lambda rendered: _to_rgb(rendered.hallucinated), 1),
    ]
    plan: list[Callable[[], Sink]] = [
        partial(_open_drawn, place, stream, draw=draw, panels=panels)
        for place, draw, panels in draws
        if place is not None
    ]
    if options.save_flow is not None:
        plan.append(partial(FolderSink, options.save_flow, ".flo", _save_flow))
    return [*plan, partial(_open_frames, out, stream, options)]


def _open_drawn(
    place: Path, stream: InputStream, *, draw: Callable[[RenderedFrame], Rgb], panels: int
) -> Sink:
    """Open a picture, video or folder beside the frames, `panels` pictures wide."""
    if stream.is_mixed and is_folder(place):
        return FolderSink(place, ".png", lambda path, each: write_picture(path, draw(each)))
    if place.suffix.lower() in PICTURE_SUFFIXES and stream.num_frames == 1:
        return PictureSink(place, lambda path, each: write_picture(path, draw(each)))
    _refuse_mixed(place, stream)
    height, width = stream.size
    writer = open_writer(
        place,
        width=width * panels,
        height=height,
        rate=stream.rate,
        time_base=stream.time_base,
        pixel_aspect=stream.pixel_aspect,
    )
    return WriterSink(writer, draw)


def _open_frames(out: Path, stream: InputStream, options: RenderOptions) -> Sink:
    """Open the output proper: a picture, pictures under their own names, or a writer's."""
    if out.suffix.lower() in PICTURE_SUFFIXES and not out.is_dir():
        if stream.num_frames != 1:
            came = "an unknown number" if stream.num_frames is None else stream.num_frames
            raise ConfigError(
                f"a picture holds one frame; {out} would have to hold {came}: name a video or a "
                "folder, or choose a frame, such as --frames 7:8"
            )
        return PictureSink(out, partial(_save_picture, options=options))
    if options.is_still and is_folder(out):
        return FolderSink(
            out, f".{options.format or 'png'}", partial(_save_picture, options=options)
        )
    _refuse_mixed(out, stream)
    height, width = stream.size
    writer = open_writer(
        out,
        width=width,
        height=height,
        rate=stream.rate,
        time_base=stream.time_base,
        lossless=options.lossless,
        codec=options.codec,
        crf=options.crf,
        pixel_aspect=stream.pixel_aspect,
        soundtrack=stream.soundtrack,
    )
    return WriterSink(writer, _draw_frame)


def _draw_frame(rendered: RenderedFrame) -> Rgb:
    return _to_rgb(rendered.frame)


def _save_flow(path: Path, rendered: RenderedFrame) -> None:
    if rendered.flow is not None:
        write_flo(path, rendered.flow)


def _save_picture(path: Path, rendered: RenderedFrame, *, options: RenderOptions) -> None:
    """Write a frame as a picture, with the bits and the quality asked for."""
    if rendered.deep is None:
        write_picture(path, _to_rgb(rendered.frame), quality=options.quality)
    else:
        write_picture(path, rendered.deep.cpu().numpy().astype(np.uint16))


def _refuse_mixed(place: Path, stream: InputStream) -> None:
    if stream.is_mixed:
        raise ConfigError(
            f"the frames of a video have one size; the pictures of the input have several, which "
            f"{place} cannot hold: name a folder, or pass --height and --width"
        )


def _to_rgb(levels: Tensor | None) -> Rgb:
    if levels is None:
        raise ValueError("a part of a frame was to be written that was not asked of the generator")
    return levels.cpu().numpy()
