"""Prepare a data set: plan its sequences, write them one by one, then say how to train on it."""

import logging
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.console import Progress, progress
from pipelines.preparing.labelling import FrameLabeller, open_labeller
from pipelines.preparing.options import PrepareOptions
from pipelines.preparing.plan import Footage, Piece, Plan, make_plan, open_footage
from pipelines.preparing.settings import (
    base_config,
    chosen_controls,
    name_of_run,
    shortest_sequence,
    write_settings,
)
from pipelines.preparing.streams import SequenceWriter, Streams
from pipelines.preparing.workspace import Workspace
from vid2vid.controls.config import LABELS
from vid2vid.data.augment import Size, centred, resize_frame
from vid2vid.data.config import DataConfig
from vid2vid.data.measuring import in_words
from vid2vid.errors import VideoError
from vid2vid.video.reading import read_video

_logger = logging.getLogger(__name__)

_LARGE_PX = 1_000_000


class Prepared(NamedTuple):
    """A data set that is ready."""

    folder: Path
    config: Path
    plan: Plan
    footage: tuple[Footage, ...]
    size: Size  # that training takes the frames at
    streams: tuple[str, ...]  # that it paints them from, in its order

    def to_json(self) -> dict[str, object]:
        """Return JSON values."""
        return {
            "path": str(self.folder),
            "config": str(self.config),
            "cuts": {
                each.name: list(cuts)
                for each, cuts in zip(self.footage, self.plan.cuts, strict=True)
            },
            "sequences": [
                {
                    "name": piece.name,
                    "split": piece.split,
                    "first": piece.first,
                    "num_frames": piece.num_frames,
                }
                for piece in self.plan.pieces
            ],
        }

    def to_text(self) -> str:
        """Write what was made, and the next command."""
        lines = [
            f"{piece.split}/{piece.name}: {piece.num_frames} frames from {piece.first} on"
            for piece in self.plan.pieces
        ]
        size = f"{self.size.width}x{self.size.height}"
        lines.append(f"train on them, at {size}: vid2vid train {self.config}")
        return "\n".join([*lines, f"then render the last of them: {self._render_command()}"])

    def _render_command(self) -> str:
        """Write the command that renders the last sequence from the streams that training reads."""
        piece = self.plan.pieces[-1]
        place, rate = self.folder / piece.split / piece.name, self.footage[piece.video].info.rate
        main, *others = (place / stream for stream in self.streams)
        beside = "".join(f" --control {path.name}={path}" for path in others)
        run = f"runs/{name_of_run(self.folder)}"
        return f"vid2vid-render {main} out.mp4 --fps {rate}{beside} --checkpoint {run}"


def prepare(options: PrepareOptions) -> Prepared:
    """Make a data set of raw video; the same call again goes on where it was interrupted.

    Args:
        options: which streams of which videos.

    Raises:
        ConfigError: if the options do not go together.
        DataError: if a place holds no video, or no shot is long enough.
        VideoError: if a video cannot be read, or the folder not be written.
        CheckpointError: if there is no segmenter for labels.
        OSError: if the disk fails.
        KeyboardInterrupt: after Ctrl-C; what is complete is kept.
    """
    labeller = open_labeller(options)
    footage = open_footage(options)
    _warn_of_size(footage)
    shortest = shortest_sequence(base_config())
    workspace = Workspace(options.out, _request(options, footage, labeller))
    try:
        plan = workspace.plan
        if plan is None:
            plan = make_plan(footage, shortest=shortest, validation=options.validation)
            workspace.keep(plan)
        streams = Streams(chosen_controls(options), labeller)
        _write_all(plan, footage, streams, workspace=workspace)
    except KeyboardInterrupt as error:
        raise KeyboardInterrupt(
            f"stopped; what is complete is in {workspace.folder}: run the same command again to "
            "go on"
        ) from error
    sizes = Counter[Size]()
    for piece in plan.pieces:
        sizes[footage[piece.video].size] += piece.num_frames
    palette = None if labeller is None else labeller.palette
    size = sizes.most_common(1)[0][0]
    config = write_settings(
        workspace.folder, options, size=size, palette=palette, holds_out=plan.holds_out
    )
    folder = workspace.publish()
    names = [LABELS] * (palette is not None)
    names += [str(control.stream) for control in chosen_controls(options)]
    return Prepared(folder, folder / config.name, plan, tuple(footage), size, tuple(names))


def _warn_of_size(footage: list[Footage]) -> None:
    """Warn of frames that are larger than most machines can train on."""
    large = [each for each in footage if each.size.height * each.size.width > _LARGE_PX]
    if large:
        _logger.warning(
            "%s will be prepared, and trained on, at %s, for which the configuration that is "
            "written needs some 14 GB of memory a megapixel: pass --width 512 for less",
            large[0].path, in_words(large[0].size),
        )  # fmt: skip


def _write_all(
    plan: Plan, footage: list[Footage], streams: Streams, *, workspace: Workspace
) -> None:
    """Write every sequence that is not there yet, video by video."""
    done = sum(piece.num_frames for piece in plan.pieces if workspace.has(piece))
    with progress(plan.num_frames, "preparing", done=done) as bar:
        for index, each in enumerate(footage):
            missing = [
                piece for piece in plan.pieces if piece.video == index and not workspace.has(piece)
            ]
            if missing:
                _write_pieces(each, missing, streams, workspace=workspace, bar=bar)


def _write_pieces(
    footage: Footage,
    pieces: list[Piece],
    streams: Streams,
    *,
    workspace: Workspace,
    bar: Progress,
) -> None:
    """Write sequences of one video, in the order of its frames."""
    frames = _decode(footage, last=pieces[-1].end)
    for piece in pieces:
        folder = workspace.begin(piece)
        writer = SequenceWriter(folder, footage.size, streams, rate=footage.info.rate)
        own = (rgb for index, rgb in frames if index >= piece.first)
        try:
            for rgb in islice(own, piece.num_frames):
                writer.write(rgb)
                bar.advance()
            if writer.num_frames < piece.num_frames:
                raise VideoError(
                    f"a video must not change while it is read; {footage.path} had {piece.end} "
                    "frames before and has fewer now: run the command again when it is complete"
                )
            writer.close()
        except BaseException:  # Ctrl-C too
            writer.abort()
            raise
        workspace.finish(piece)


def _decode(footage: Footage, *, last: int) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Decode the frames before `last`, cut and resized to the size that is written."""
    fit = DataConfig(root="", height=footage.size.height, width=footage.size.width)
    shown = round(footage.info.width * footage.info.pixel_aspect)  # in square pixels
    cut = centred(fit, Size(footage.info.height, shown))
    (top, left), (height, width) = cut.crop, cut.keep
    for frame in read_video(footage.path):
        if frame.index >= last:
            return
        rgb = resize_frame(frame.rgb, cut.size)[top : top + height, left : left + width]
        yield frame.index, np.ascontiguousarray(rgb, dtype=np.uint8)


def _request(
    options: PrepareOptions, footage: list[Footage], labeller: FrameLabeller | None
) -> dict[str, object]:
    """List everything that the results depend on."""
    return {
        "videos": [[str(each.path.resolve()), *_stamp(each.path)] for each in footage],
        "frames": [[each.frames.start, each.frames.stop] for each in footage],
        "sizes": [list(each.size) for each in footage],
        "controls": list(options.controls),
        "segmenter": None if labeller is None else labeller.segmenter.sha256,
        "palette": None if labeller is None else labeller.palette.model_dump(mode="json"),
        "validation": options.validation,
    }


def _stamp(path: Path) -> tuple[int, int]:
    """Tell one version of a file or folder from another."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns
