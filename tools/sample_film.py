"""Label video as a camera writes video, with sound, turned, at a varying rate; and what renders it.

For the benchmarks beside it; made without the project's own writer.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch
from numpy.typing import NDArray

from pipelines.build import build_state
from pipelines.config.run import RunConfig
from vid2vid.labels.maps import ids_to_colours
from vid2vid.labels.palettes import load_palette
from vid2vid.training.state import save_state

PALETTE = "cityscapes19"
SAMPLE_RATE = 48000
BLOCK = 1024  # samples that are encoded at once
TONE_HZ = 440


def write_checkpoint(folder: Path) -> Path:
    """Write a small random generator for Cityscapes labels."""
    config = RunConfig.model_validate(
        {
            "name": "sample",
            "data": {"root": "nowhere", "height": 128, "width": 256},
            "labels": {"palette": PALETTE, "boundary": "labels"},
            "generator": {"width": 8, "downsamplings": 2, "blocks": 3},
            "image_discriminator": None,
            "video_discriminator": None,
            "losses": {"perceptual": 0},
        }
    )
    palette = load_palette(PALETTE)
    state = build_state(config, palette, torch.device("cpu"))
    folder.mkdir()
    save_state(folder, state, config=config.model_dump(mode="json"), palette=palette)
    return folder


def label_maps(count: int, *, height: int, width: int) -> Iterator[NDArray[np.uint8]]:
    """Yield blocks of classes that drift over the picture."""
    rows = np.arange(height)[:, None] // 16
    columns = np.arange(width)[None]
    for index in range(count):
        yield ((rows * 7 + (columns + 2 * index) // 24) % 19).astype(np.uint8)


def write_film(
    path: Path,
    maps: Iterable[NDArray[np.uint8]],
    times: Iterable[Fraction],
    *,
    sounds: tuple[str, ...] = ("aac",),
    quarter_turns: int = 0,
    pixel_aspect: Fraction = Fraction(1),
) -> Path:
    """Write label maps in their colours, without loss, and tones beside them; memory is constant.

    Args:
        path: .mp4 or .mkv.
        maps: 'h w' ids of `PALETTE`, as they are to be seen.
        times: of each, seconds, multiples of 1/600.
        sounds: codecs of the streams of sound, the first in English, the second in German.
        quarter_turns: counter-clockwise, that a player turns the frames back; they lie in the file.
        pixel_aspect: width of a stored pixel through its height.
    """
    palette = load_palette(PALETTE)
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("libx264rgb", rate=25, options={"qp": "0"})
        pictures.codec_context.time_base = Fraction(1, 600)
        pictures.codec_context.sample_aspect_ratio = pixel_aspect
        tracks = [container.add_stream(name, rate=SAMPLE_RATE, layout="stereo") for name in sounds]
        for track, language in zip(tracks, ("eng", "deu"), strict=False):
            track.metadata["language"] = language
        written = 0  # blocks of sound
        for ids, time in zip(maps, times, strict=False):
            lying = np.ascontiguousarray(np.rot90(ids_to_colours(ids, palette), -quarter_turns))
            if not written:
                pictures.height, pictures.width = lying.shape[:2]
                pictures.pix_fmt = "rgb24"
                if quarter_turns:
                    pictures.set_display_rotation(90 * quarter_turns)
            while written * BLOCK <= time * SAMPLE_RATE:
                for track in tracks:
                    container.mux(track.encode(tone(written)))
                written += 1
            frame = av.VideoFrame.from_ndarray(lying, format="rgb24")
            frame.pts, frame.time_base = round(time * 600), Fraction(1, 600)
            container.mux(pictures.encode(frame))
        for each in (pictures, *tracks):
            container.mux(each.encode(None))
    return path


def tone(block: int) -> av.AudioFrame:
    """Make a block of sound of two channels."""
    samples = np.arange(block * BLOCK, (block + 1) * BLOCK)
    wave = (np.sin(2 * np.pi * TONE_HZ / SAMPLE_RATE * samples) / 4).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]), format="fltp", layout="stereo")
    frame.sample_rate, frame.pts = SAMPLE_RATE, block * BLOCK
    frame.time_base = Fraction(1, SAMPLE_RATE)
    return frame
