"""Fill the holes of a video, or widen it: decode, carry and invent, encode.

`fill_video` takes masks, `extend_video` margins; below them, for frames that are no files, is
`vid2vid.filling.chunks.fill_frames`.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
import torch.nn.functional as F

from flow.estimators import FlowEstimator
from pipelines.console import progress
from pipelines.filling.estimator import choose_estimator
from pipelines.filling.footage import open_footage
from pipelines.filling.masks import pair_masks, read_masks
from pipelines.filling.options import Filled, FillOptions
from pipelines.filling.output import Output
from pipelines.rendering.label_choice import check_places
from pipelines.rendering.options import RenderOptions
from pipelines.rendering.sound_choice import takes_sound
from pipelines.rendering.stream import Consumer, ReadAhead
from vid2vid.errors import ConfigError
from vid2vid.extension.margins import Margins
from vid2vid.filling.chunks import ChunkPlan, fill_frames
from vid2vid.filling.inventor import Inventor
from vid2vid.filling.memory import return_large_blocks
from vid2vid.filling.moments import MaskedFrame
from vid2vid.filling.takes import Take, mark_shots
from vid2vid.inpainting.masks import grow

PLAIN = FillOptions()

AHEAD = 4  # frames in each queue

_Masker = Callable[[Take, int], MaskedFrame]
"""From a frame and its number in the part to what of it is unknown."""


def fill_video(
    source: Path | str,
    masks: Path | str,
    out: Path | str,
    *,
    inventor: Inventor,
    options: FillOptions = PLAIN,
) -> Filled:
    """Fill the holes of a video. Memory does not grow with its length.

    Args:
        source: video, or folder or glob of pictures.
        masks: what is to go: one picture for all frames, a video, or a folder or glob.
        out: .mp4, .mkv, .webm, .gif, or a folder of PNGs.
        inventor: what makes up what no frame shows.
        options: how.

    Raises:
        Vid2VidError: if input, masks, options or output do not fit; no frame was written.
        RenderingError: if something failed later. What there is of the output then lies beside it
            and plays: out.partial.mp4.
        KeyboardInterrupt: after Ctrl-C, likewise.
    """
    place = Path(masks)
    if place.resolve() == Path(out).resolve():
        raise ConfigError(
            f"the output needs a place of its own; {out} holds the masks: choose another name"
        )
    given = read_masks(place, options.frame_slice())

    def mask(take: Take, index: int) -> MaskedFrame:
        rgb = torch.from_numpy(take.frame.rgb)
        size = (rgb.shape[0], rgb.shape[1])
        unknown = pair_masks(given, index, size=size, place=place, time=take.frame.time)
        return MaskedFrame(rgb, grow(unknown, options.dilate), take.begins_shot)

    return _run(Path(source), Path(out), mask, inventor=inventor, options=options)


def extend_video(
    source: Path | str,
    margins: Margins,
    out: Path | str,
    *,
    inventor: Inventor,
    options: FillOptions = PLAIN,
) -> Filled:
    """Widen a video on any side; its own pixels stay as they are.

    Args:
        source: video, or folder or glob of pictures.
        margins: px.
        out: as of `fill_video`.
        inventor: what makes up what no frame shows.
        options: how; masks do not grow here.

    Raises:
        ConfigError: if nothing is added, or less.
        Vid2VidError: likewise as `fill_video`, as all others.
    """
    if margins.is_empty or min(margins) < 0:
        raise ConfigError(
            "margins must be at least 0 pixels on every side and above 0 on one; got "
            f"{','.join(map(str, margins))} (top, right, bottom, left): widen a side"
        )

    def mask(take: Take, _: int) -> MaskedFrame:
        rgb = torch.from_numpy(take.frame.rgb)
        top, right, bottom, left = margins
        canvas = F.pad(rgb, (0, 0, left, right, top, bottom))
        unknown = torch.ones(canvas.shape[:2], dtype=torch.bool)
        unknown[margins.window(rgb.shape[0], rgb.shape[1])] = False
        return MaskedFrame(canvas, unknown, take.begins_shot)

    return _run(Path(source), Path(out), mask, inventor=inventor, options=options)


def _run(
    source: Path, out: Path, mask: _Masker, *, inventor: Inventor, options: FillOptions
) -> Filled:
    """Open both ends, and send every frame through."""
    started = time.perf_counter()
    return_large_blocks()
    plain = RenderOptions(
        audio=options.audio, codec=options.codec, crf=options.crf, lossless=options.lossless
    )
    check_places(plain, source, out)
    estimator = choose_estimator(options)
    footage = open_footage(source, options, with_sound=takes_sound(plain, source, out))
    taken = mark_shots(footage.frames)
    first = next(taken)
    frame = mask(first, 0)  # fits, or nothing is written
    height, width = frame.unknown.shape
    output = Output(out, footage, options, size=(height, width))

    def masked() -> Iterator[MaskedFrame]:
        output.expect(first.frame)
        yield frame
        for index, take in enumerate(taken, start=1):
            output.expect(take.frame)
            yield mask(take, index)

    try:
        plan = ChunkPlan(options.chunk, options.overlap)
        total = footage.num_frames
        _send(masked(), output, inventor, estimator=estimator, plan=plan, num_frames=total)
        path = output.close()
    except BaseException as error:
        output.leave_partial(error)
    return Filled(
        path=path,
        num_frames=output.num_written,
        height=height,
        width=width,
        seconds=time.perf_counter() - started,
        num_key_frames=output.num_key_frames,
        carried_share=output.carried_share,
    )


def _send(
    frames: Iterator[MaskedFrame],
    output: Output,
    inventor: Inventor,
    *,
    estimator: FlowEstimator,
    plan: ChunkPlan,
    num_frames: int | None,
) -> None:
    """Read, fill and write, each in a thread of its own."""
    with (
        ReadAhead(frames, ahead=AHEAD) as ready,
        Consumer(output.write, ahead=AHEAD) as encoder,
        progress(num_frames, "filling") as bar,
    ):
        for filled in fill_frames(ready, inventor, estimator, plan=plan):
            encoder.put(filled)
            bar.advance()
