"""Videos for the tests: made without the project's own writer, and noise written with it."""

from fractions import Fraction

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
