"""Videos for the tests: made without the project's own writer, and noise written with it."""

import os
from contextlib import contextmanager, suppress
from fractions import Fraction
from threading import Thread

import av
import numpy as np

from vid2vid.video.reading import read_video
from vid2vid.video.writing import open_writer


def picture(seed, height=32, width=48):
    small = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    return np.kron(small, np.ones((8, 8, 1), dtype=np.uint8))


def encode(path, num_frames, *, codec="libx264", options=None, pix_fmt="yuv420p", rate=25):
    """Write a video without the project's own writer."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.width, stream.height, stream.pix_fmt = 48, 32, pix_fmt
        container.start_encoding()
        for seed in range(num_frames):
            frame = av.VideoFrame.from_ndarray(picture(seed), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def break_video(folder):
    """A video of key frames, zeroed in the middle of the file: frame 20 or so."""
    data = bytearray(encode(folder / "a.mp4", 40, options={"g": "1"}).read_bytes())
    start = data.find(b"mdat") + (data.find(b"moov") - data.find(b"mdat")) // 2
    data[start : start + 400] = bytes(400)
    (folder / "broken.mp4").write_bytes(data)
    return folder / "broken.mp4"


def noise(seed, height=32, width=48):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def write_noise(path, times, *, height=32, width=48, rate=Fraction(25), **options):
    """Write a frame of noise for each time, in seconds; its seed is its index."""
    writer = open_writer(path, width=width, height=height, rate=rate, **options)
    for seed, time in enumerate(times):
        writer.write(noise(seed, height, width), Fraction(time))
    return writer.close()


def read_times(path):
    return [frame.time for frame in read_video(path)]


def film(
    path,
    times,
    *,
    sounds=("aac",),
    seconds=None,
    turned=None,
    matrix=None,
    aspect=None,
    time_base=Fraction(1, 600),
    codec="libx264rgb",
    pix_fmt="rgb24",
    options=None,
    size=(32, 48),
    paint=picture,
):
    """Write a video with sound, turned by so many degrees counter-clockwise when it is shown."""
    height, width = size
    with av.open(str(path), "w") as container:
        options = {"qp": "0"} if options is None else options
        stream = container.add_stream(codec, rate=25, options=options)
        stream.height, stream.width, stream.pix_fmt = height, width, pix_fmt
        stream.codec_context.time_base = time_base
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        if turned is not None:
            stream.set_display_rotation(turned)
        if matrix is not None:
            stream.set_display_matrix(matrix)
        tracks = [container.add_stream(name, rate=48000, layout="stereo") for name in sounds]
        for number, track in enumerate(tracks):
            track.metadata["language"] = ("eng", "deu")[number]
        container.start_encoding()
        end = Fraction(times[-1]) + Fraction(1, 25) if seconds is None else seconds
        coming = [(Fraction(time), "picture", index) for index, time in enumerate(times)]
        coming += [(Fraction(i * 1024, 48000), "sound", i) for i in range(int(end * 48000 / 1024))]
        for time, kind, index in sorted(coming):
            if kind == "sound":
                for track in tracks:
                    container.mux(track.encode(tone(index, track.format.name)))
                continue
            rgb = paint(index, height, width)
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=pix_fmt)
            frame.pts, frame.time_base = round(time / time_base), time_base
            container.mux(stream.encode(frame))
        for each in (stream, *tracks):
            container.mux(each.encode(None))
    return path


def tone(index, sample_format="fltp"):
    """Make 1024 samples of 440 Hz in two channels."""
    wave = np.sin(2 * np.pi * 440 / 48000 * np.arange(index * 1024, (index + 1) * 1024)) / 4
    scale, kind = {"fltp": (1, "f4"), "s16": (1 << 15, "i2"), "s32p": (1 << 31, "i4")}[
        sample_format
    ]
    wave = (wave * scale).astype(kind)
    both = np.stack([wave, wave]) if sample_format.endswith("p") else np.repeat(wave, 2)[None]
    frame = av.AudioFrame.from_ndarray(both, format=sample_format, layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = 48000, index * 1024, Fraction(1, 48000)
    return frame


def sound_packets(path):
    """List the time in seconds and the bytes of every packet of sound, one list a stream."""
    with av.open(str(path)) as container:
        found = {stream.index: [] for stream in container.streams.audio}
        for packet in container.demux(container.streams.audio):
            if packet.size:
                found[packet.stream_index].append((packet.pts * packet.time_base, bytes(packet)))
    return list(found.values())


@contextmanager
def standard_input(descriptor):
    """Let the process read another descriptor as its standard input."""
    kept = os.dup(0)
    os.dup2(descriptor, 0)
    try:
        yield
    finally:
        os.dup2(kept, 0)
        os.close(kept)
        os.close(descriptor)


def piped(data):
    """Put bytes into a pipe that ends; who reads it may stop before."""
    out, into = os.pipe()

    def write():
        with suppress(BrokenPipeError), os.fdopen(into, "wb") as pipe:
            pipe.write(data)

    Thread(target=write, daemon=True).start()
    return out
