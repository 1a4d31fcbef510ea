"""Make two worse copies of a video, to see what a report says of them.

    python tools/make_degraded.py FRAMES OUT
    vid2vid evaluate --real FRAMES --compare OUT/codec OUT/blurred --report OUT/report

`codec` went through H.264 at a coarse quantiser, which smears texture and pulses from key frame to
key frame; `blurred` through a Gaussian, frame by frame. Both are PNGs with the names of the source.
"""

import tempfile
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from vid2vid.errors import Vid2VidError
from vid2vid.video.pictures import write_picture
from vid2vid.video.reading import open_video, read_video
from vid2vid.video.writing import open_writer

CODEC, BLURRED = "codec", "blurred"


def degrade(source: Path, out: Path, *, crf: int, sigma: float) -> int:
    """Write both copies in one pass over the source, and one over what was encoded.

    Args:
        source: video, folder or glob of frames.
        out: folder; `codec` and `blurred` in it must be new or empty.
        crf: constant rate factor of H.264, 0 to 51.
        sigma: of the Gaussian, px.

    Returns:
        How many frames each has.

    Raises:
        VideoError: if the source cannot be read.
        FileExistsError: if there are copies already.
    """
    info, names = open_video(source), []
    for folder in (out / CODEC, out / BLURRED):
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise FileExistsError(f"{folder} must be new or empty; it holds files: remove them")
    with tempfile.TemporaryDirectory() as scratch:
        encoded = Path(scratch) / "codec.mp4"
        writer = open_writer(encoded, width=info.width, height=info.height, rate=info.rate, crf=crf)
        for frame in read_video(source):
            names.append(f"{frame.name}.png")
            writer.write(frame.rgb, frame.index / info.rate)
            blurred = cv2.GaussianBlur(frame.rgb, (0, 0), sigma).astype(np.uint8, copy=False)
            write_picture(out / BLURRED / names[-1], blurred)
        writer.close()
        for name, frame in zip(names, read_video(encoded), strict=True):
            write_picture(out / CODEC / name, frame.rgb)
    return len(names)


def main(
    source: Annotated[Path, typer.Argument(help="Frames: a video, a folder or a glob.")],
    out: Annotated[Path, typer.Argument(help="Folder of the copies.")],
    crf: Annotated[int, typer.Option(min=0, max=51, help="Of H.264: larger is coarser.")] = 38,
    sigma: Annotated[float, typer.Option(min=0.1, help="Of the Gaussian, pixels.")] = 1.5,
) -> None:
    """Write OUT/codec and OUT/blurred."""
    try:
        count = degrade(source, out, crf=crf, sigma=sigma)
    except (Vid2VidError, OSError) as error:
        raise SystemExit(f"make_degraded: {error}") from error
    print(f"{count} frames in {out / CODEC} and in {out / BLURRED}")


if __name__ == "__main__":
    typer.run(main)
