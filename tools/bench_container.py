"""Compare a rendering with its input stream by stream: times, shape, turning, colour, sound.

Run from a checkout: python tools/bench_container.py
Label video with two streams of sound, turned by its display matrix, with oblong pixels and at a
varying rate goes through `vid2vid-render` with a small random network, into every container, in
part, and through a pipe. What is printed was read back from the files.
"""

import contextlib
import hashlib
import io
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Annotated, NamedTuple

import av
import typer
from sample_film import label_maps, write_checkpoint, write_film

from pipelines.cli.app import render_main
from vid2vid.video.decoding import VideoInfo, decode_video

FRAMES = 60
STEPS = (1, 1, 3, 1, 2, 1, 6, 1, 1, 4)  # thirtieths of a second between frames, over and over


class Sound(NamedTuple):
    """A stream of sound."""

    codec: str
    language: str | None
    times: tuple[Fraction, ...]  # seconds, of its packets
    digests: tuple[str, ...]  # of the bytes of each


class Contents(NamedTuple):
    """What a player finds in a file."""

    info: VideoInfo  # as it is shown
    codec: str
    rotation: int  # degrees that a player has to turn
    times: tuple[Fraction, ...]  # seconds, of the frames
    seconds: float  # of the whole
    colour: str  # matrix/primaries/transfer/range, after ITU-T H.273; 2 = not said
    sounds: tuple[Sound, ...]


class Case(NamedTuple):
    """A rendering."""

    source: str
    out: str
    arguments: tuple[str, ...] = ()
    is_piped: bool = False


CASES = (
    Case("aac.mp4", "out.mp4"),
    Case("aac.mp4", "out.mkv"),
    Case("opus.mkv", "out.webm"),
    Case("opus.mkv", "piped.mp4", is_piped=True),
    Case("aac.mp4", "part.mp4", ("--frames", "20:50")),
    Case("aac.mp4", "silent.webm", ("--audio", "none")),
    Case("aac.mp4", "out.gif"),
)


def look(path: Path) -> Contents:
    """Read everything that is compared."""
    video = decode_video(path)
    times = tuple(frame.time for frame in video.frames)
    with av.open(str(path)) as container:
        pictures = container.streams.video[0]
        frame = next(container.decode(pictures))
        tags = (frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range)
        colour = "/".join(map(str, tags))
        found = Contents(
            info=video.info,
            codec=f"{pictures.codec.canonical_name} {pictures.pix_fmt}",
            rotation=frame.rotation,
            times=times,
            seconds=(container.duration or 0) / av.time_base,
            colour=colour,
            sounds=(),
        )
    return found._replace(sounds=look_at_sound(path))


def look_at_sound(path: Path) -> tuple[Sound, ...]:
    """Read every packet of sound."""
    with av.open(str(path)) as container:
        streams = container.streams.audio
        packets: dict[int, list[tuple[Fraction, str]]] = {each.index: [] for each in streams}
        for packet in container.demux(streams) if streams else ():
            if packet.size and packet.pts is not None:
                digest = hashlib.sha256(bytes(packet)).hexdigest()
                packets[packet.stream.index].append((packet.pts * packet.time_base, digest))
        return tuple(
            Sound(
                each.codec.canonical_name,
                each.language,
                tuple(time for time, _ in packets[each.index]),
                tuple(digest for _, digest in packets[each.index]),
            )
            for each in streams
        )


def largest_difference_ms(ours: tuple[Fraction, ...], theirs: tuple[Fraction, ...]) -> float:
    """Compare times that begin together."""
    pairs = zip(ours, theirs, strict=True)
    return float(max(abs(one - other) for one, other in pairs) * 1000)


def part_of(source: Contents, first: int, end: int | None) -> Contents:
    """Cut what a part of the frames should hold, shifted to the beginning."""
    stop = None if end is None else source.times[end]
    shift = source.times[first] - source.times[0]

    def kept(sound: Sound) -> Sound:
        chosen = [
            (time - shift, digest)
            for time, digest in zip(sound.times, sound.digests, strict=True)
            if (first == 0 or time >= source.times[first]) and (stop is None or time < stop)
        ]
        times, digests = zip(*chosen, strict=True)
        return sound._replace(times=times, digests=digests)

    return source._replace(
        times=tuple(time - shift for time in source.times[first:end]),
        sounds=tuple(map(kept, source.sounds)),
    )


def render(source: Path, out: Path, checkpoint: Path, case: Case) -> None:
    """Render in this process, or in one that reads a pipe."""
    command = [str(out), "--checkpoint", str(checkpoint), *case.arguments]
    if not case.is_piped:
        with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
            render_main([str(source), *command])
        return
    code = "from pipelines.cli.app import render_main; render_main()"
    with subprocess.Popen(["cat", str(source)], stdout=subprocess.PIPE) as pipe:
        subprocess.run(
            [sys.executable, "-c", code, "-", *command],
            stdin=pipe.stdout,
            stdout=subprocess.DEVNULL,
            check=True,
        )


def describe(case: Case, source: Contents, out: Contents) -> list[str]:
    """Put a comparison into lines; colour as in `Contents`."""
    shown = f"{out.info.width}x{out.info.height}, pixels {out.info.pixel_aspect}"
    arguments = " ".join(case.arguments)
    lines = [
        f"{'- < ' if case.is_piped else ''}{case.source} -> {case.out} {arguments}".rstrip(),
        f"  pictures  {out.codec}, {len(out.times)} of {len(source.times)} frames, shown {shown}, "
        f"turned {out.rotation} (input {source.rotation}), colour {out.colour} (input "
        f"{source.colour}); times differ by "
        f"{largest_difference_ms(out.times, source.times):.3f} ms, lasts {out.seconds:.3f} s "
        f"(input {source.seconds:.3f})",
    ]
    if not out.sounds:
        return [*lines, "  no sound"]
    for ours, theirs in zip(out.sounds, source.sounds, strict=True):
        same = sum(a == b for a, b in zip(ours.digests, theirs.digests, strict=True))
        lines.append(
            f"  sound     {ours.codec} {ours.language}, {same} of {len(theirs.digests)} packets "
            f"bit for bit; times differ by {largest_difference_ms(ours.times, theirs.times):.3f} ms"
        )
    return lines


def write_sources(folder: Path, *, height: int, width: int) -> None:
    """Write the inputs: both lie on their side, one for players of mp4 and one for webm."""
    steps = [Fraction(sum((STEPS * FRAMES)[:index]), 30) for index in range(FRAMES)]
    for name, sounds in (("aac.mp4", ("aac", "aac")), ("opus.mkv", ("libopus",))):
        write_film(
            folder / name,
            label_maps(FRAMES, height=height, width=width),
            steps,
            sounds=sounds,
            quarter_turns=1,
            pixel_aspect=Fraction(4, 3) if name == "aac.mp4" else Fraction(1),
        )


def main(
    height: Annotated[int, typer.Option(help="Of the frames as they are shown, pixels.")] = 96,
    width: Annotated[int, typer.Option(help="Of the frames as they are shown, pixels.")] = 64,
) -> None:
    """Render every case and print how its streams differ from the input's."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        checkpoint = write_checkpoint(folder / "run")
        write_sources(folder, height=height, width=width)
        for case in CASES:
            out = folder / case.out
            render(folder / case.source, out, checkpoint, case)
            source = look(folder / case.source)
            if case.out == "part.mp4":
                source = part_of(source, 20, 50)
            print("\n".join(describe(case, source, look(out))))


if __name__ == "__main__":
    typer.run(main)
