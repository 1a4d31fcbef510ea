"""Time a render as it runs: throughput, latency, first frame, memory; and drive it there and back.

Label maps are decoded ahead in their own thread, as in `pipelines.render`; a frame counts as there
when its picture lies in the main memory. Encoding is left out.
"""

import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipelines.build import Generation
from pipelines.console import Progress, progress
from pipelines.render import AHEAD, Renderer
from pipelines.rendering.frames import FrameGenerator
from pipelines.rendering.input_choice import choose_inputs
from pipelines.rendering.input_stream import InputFrame, InputStream, open_input
from pipelines.rendering.label_choice import choose_conditioning, choose_reader
from pipelines.rendering.options import Dtype, RenderOptions
from pipelines.rendering.stream import ReadAhead
from pipelines.rendering.style_choice import choose_styles
from vid2vid.errors import VideoError
from vid2vid.networks.cost import count_parameters, generator_macs

_PERCENTILES = (50, 95, 99)
_KIB = 1024
_KEPT_FIELDS = ("labels", "instances", "pictures")  # of a frame's input, on the way there and back


@dataclass(frozen=True)
class RenderTiming:
    """What one render cost."""

    num_frames: int
    height: int
    width: int
    frames_per_second: float  # of the frames after the first
    first_frame_seconds: float  # from before the checkpoint is read
    latency_ms: dict[str, float]  # p50, p95 and p99 of the frames after the first
    peak_memory_mb: float  # of the process; on a GPU, of what torch has allocated there
    parameters: int
    macs_per_frame: int
    device: str
    dtype: str
    threads: int

    def to_json(self) -> dict[str, Any]:
        """Describe it in JSON values."""
        return asdict(self)


def timing_rows(timing: RenderTiming) -> dict[str, str]:
    """Put a timing into words, line by line."""
    latency = ", ".join(f"{name} {ms:.1f} ms" for name, ms in timing.latency_ms.items())
    return {
        "throughput": f"{timing.frames_per_second:.2f} frames/s",
        "latency of a frame": latency,
        "first frame": f"{timing.first_frame_seconds:.2f} s, from before the checkpoint is read",
        "peak memory": f"{timing.peak_memory_mb:.0f} MB",
        "network": f"{timing.parameters / 1e6:.2f} M parameters, "
        f"{timing.macs_per_frame / 1e9:.2f} GMAC a frame",
        "where": f"{timing.device}, {timing.dtype}, {timing.threads} threads, "
        f"{timing.width}x{timing.height} (width x height), {timing.num_frames} frames",
    }


def describe_timing(timing: RenderTiming) -> str:
    """Write a timing as lines for the terminal."""
    return "\n".join(f"{name:<20}{text}" for name, text in timing_rows(timing).items())


def time_render(
    checkpoint: Path, labels: Path, options: RenderOptions, *, device: str | None, dtype: Dtype
) -> RenderTiming:
    """Render label maps without writing them, and time every frame.

    Args:
        checkpoint: a file or a run folder.
        labels: video, folder or glob; two frames or more.
        options: how they are read, and which part of them.
        device: None takes a GPU where there is one.
        dtype: arithmetic of the convolutions.

    Raises:
        Vid2VidError: if checkpoint, labels and options do not fit, or there is a single frame.
    """
    began = time.perf_counter()
    generation = Renderer.load(checkpoint, device=device, dtype=dtype).generation
    return time_generation(generation, labels, options, dtype=dtype, began=began)


def time_generation(
    generation: Generation, labels: Path, options: RenderOptions, *, dtype: Dtype, began: float
) -> RenderTiming:
    """Render label maps with a checkpoint that has just been read, and time every frame.

    Args:
        generation: of a `Renderer`.
        labels: video, folder or glob; two frames or more.
        options: how they are read, and which part of them.
        dtype: arithmetic of the convolutions.
        began: `time.perf_counter` from before the checkpoint was read.

    Raises:
        Vid2VidError: if checkpoint, labels and options do not fit, or there is a single frame.
    """
    place = next(generation.generator.parameters()).device
    if place.type == "cuda":
        torch.cuda.reset_peak_memory_stats(place)
    stream = _open(labels, options, generation)
    stamps = [began]
    with progress(stream.num_frames, "timing") as bar:
        for _ in _pictures(stream, options, generation, dtype=dtype):
            stamps.append(time.perf_counter())
            bar.advance()
    if len(stamps) < 3:
        raise VideoError(f"a render is timed over two frames or more; {labels} has one: give more")
    return _report(stamps, stream, generation, dtype=dtype)


def _report(
    stamps: list[float], stream: InputStream, generation: Generation, *, dtype: Dtype
) -> RenderTiming:
    """Work out a timing from when the render began and each picture came."""
    place = next(generation.generator.parameters()).device
    waits = np.diff(stamps)[1:]
    found = np.percentile(waits, _PERCENTILES) * 1000
    return RenderTiming(
        num_frames=len(stamps) - 1,
        height=stream.size.height,
        width=stream.size.width,
        frames_per_second=float(len(waits) / waits.sum()),
        first_frame_seconds=stamps[1] - stamps[0],
        latency_ms={f"p{p}": float(ms) for p, ms in zip(_PERCENTILES, found, strict=True)},
        peak_memory_mb=_peak_memory(place) / 1e6,
        parameters=count_parameters(generation.generator),
        macs_per_frame=_macs(generation, stream),
        device=str(place),
        dtype=dtype,
        threads=torch.get_num_threads(),
    )


def drive_palindrome(
    generation: Generation, labels: Path, options: RenderOptions, *, scratch: Path
) -> Iterator[tuple[int, NDArray[np.uint8], NDArray[np.uint8]]]:
    """Drive label maps 1 ... N ... 1, and give both visits of every frame but the last.

    The pictures and label maps of the way there lie in files, so that memory does not grow.

    Args:
        generation: of a checkpoint.
        labels: video, folder or glob; two frames or more.
        options: how they are read.
        scratch: a folder for those files, which are removed at the end.

    Yields:
        The frame, from the last to the first, and its pictures 'h w 3' there and back.
    """
    stream = _open(labels, options, generation)
    kept = scratch / "palindrome"
    kept.mkdir()
    with progress(None, "driving there and back") as bar:
        there = stream._replace(frames=_keep(stream.frames, kept))
        both = there._replace(frames=_back_again(there.frames, kept))
        pictures = _pictures(both, options, generation, dtype="float32")
        yield from _meet(pictures, kept, bar)


def _meet(
    pictures: Iterator[NDArray[np.uint8]], kept: Path, bar: Progress
) -> Iterator[tuple[int, NDArray[np.uint8], NDArray[np.uint8]]]:
    """Keep pictures until the way back begins, and pair those that come then."""
    for index, picture in enumerate(pictures):
        bar.advance()
        count = _count(kept)
        if count is None or index < count:
            np.save(kept / f"picture_{index}.npy", picture)
        else:
            visit = 2 * (count - 1) - index
            yield visit, np.load(kept / f"picture_{visit}.npy"), picture


def _keep(frames: Iterator[InputFrame], kept: Path) -> Iterator[InputFrame]:
    """Write the input to files on its way through, and the number of its frames at the end."""
    count = 0
    for frame in frames:
        for field in _KEPT_FIELDS:
            if (part := getattr(frame, field)) is not None:
                np.save(kept / f"{field}_{count}.npy", part)
        count += 1
        yield frame
    written = kept / "count.partial"
    written.write_text(str(count))
    written.rename(kept / "count")  # it may be read from another thread


def _count(kept: Path) -> int | None:
    """Read how many label maps there are, once the last has been seen."""
    path = kept / "count"
    return int(path.read_text()) if path.is_file() else None


def _back_again(frames: Iterator[InputFrame], kept: Path) -> Iterator[InputFrame]:
    """Give label maps once more in reverse order, without the last."""
    last = None
    for last in frames:
        yield last
    if last is None:
        return
    for index in reversed(range((_count(kept) or 1) - 1)):
        labels, instances, pictures = (_load(kept, field, index) for field in _KEPT_FIELDS)
        yield last._replace(
            labels=labels,
            instances=instances,
            pictures=None if pictures is None else torch.from_numpy(pictures),
        )


def _load(kept: Path, field: str, index: int) -> NDArray[Any] | None:
    """Read a part of a frame's input back; None where it has none."""
    path = kept / f"{field}_{index}.npy"
    return np.load(path) if path.is_file() else None


def _open(labels: Path, options: RenderOptions, generation: Generation) -> InputStream:
    return open_input(labels, choose_inputs(options, generation), options)


def _pictures(
    stream: InputStream, options: RenderOptions, generation: Generation, *, dtype: Dtype
) -> Iterator[NDArray[np.uint8]]:
    """Generate the pictures of a stream, from zeros: 'h w 3' each."""
    device = next(generation.generator.parameters()).device
    conditioning = choose_conditioning(options, generation)
    styles = choose_styles(options, generation, choose_reader(options, generation))
    generation.generator.reseed(options.seed or 0)
    generator = FrameGenerator(generation.generator, conditioning, device, styles=styles)
    with (
        ReadAhead(stream.frames, ahead=AHEAD) as frames,
        torch.inference_mode(),
        torch.autocast(device.type, torch.bfloat16, enabled=dtype == "bfloat16"),
    ):
        for rendered in generator.video(frames):
            yield rendered.frame.cpu().numpy()


def _macs(generation: Generation, stream: InputStream) -> int:
    generator = generation.generator
    padding = generator.padding(*stream.size, generator.scales)
    height, width = padding.padded_size(*stream.size)
    return generator_macs(generator, height=height, width=width)


def _peak_memory(device: torch.device) -> int:
    """Read the highest memory so far, bytes."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest if sys.platform == "darwin" else highest * _KIB
