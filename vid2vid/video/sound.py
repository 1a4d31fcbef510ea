"""The sound of a video on its way to another file: its packets, bit for bit, never decoded."""

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, cast

from av import Packet
from av.audio.stream import AudioStream
from av.bitstream import BitStreamFilterContext
from av.container import OutputContainer
from av.stream import Stream

from vid2vid.errors import VideoError
from vid2vid.video.containers import source_name

_MP4_SUFFIX = ".mp4"
_KEPT_METADATA = ("language", "title", "handler_name")


class _Waiting(NamedTuple):
    """A packet of the input."""

    packet: "Packet[Any]"
    stamp: int  # ticks of its time base
    time: Fraction  # seconds
    stream: int  # its index in the input


class Soundtrack:
    """Packets between the thread that reads a video and the one that writes another.

    The reader says with which frame the part that is kept begins and ends, so that what is cut
    away is not kept in memory, and packets wait no longer than the frames beside them.
    """

    def __init__(self, path: Path, streams: tuple[AudioStream, ...]) -> None:
        """Begin with no packet.

        Args:
            path: The video, for messages.
            streams: Of the open input, which stays open until a `SoundWriter` was made.
        """
        self.name, self.streams = source_name(path), streams
        self._waiting: deque[_Waiting] = deque()
        self._last: dict[int, tuple[int, int]] = {}  # by stream: ticks of the last packet, the next
        self._reached = {stream.index: Fraction(-1) for stream in streams}
        self._shift = Fraction(0)
        self._end: Fraction | None = None

    def put(self, packet: "Packet[Any]") -> None:
        """Queue a packet of the input; the empty one that ends a stream is left out.

        A packet without a time, or one that goes back as where two transport streams were joined,
        follows the one before it.
        """
        if packet.size == 0:
            return
        index = packet.stream_index
        last, follows = self._last.get(index, (None, 0))
        stamp = packet.dts if packet.pts is None else packet.pts
        if stamp is None or (last is not None and stamp <= last):
            stamp = follows
        self._last[index] = (stamp, stamp + max(1, packet.duration or 0))
        self._reached[index] = time = stamp * packet.time_base
        if self._end is None or time < self._end:
            self._waiting.append(_Waiting(packet, stamp, time, index))

    def drop_before(self, time: Fraction) -> None:
        """Forget what begins before the frame at `time`, seconds of the input."""
        kept = [each for each in self._waiting if each.time >= time]
        self._waiting.clear()
        self._waiting.extend(kept)

    def shift_by(self, seconds: Fraction) -> None:
        """Let everything come so much earlier than in the input."""
        self._shift = seconds

    def end_at(self, time: Fraction) -> bool:
        """Keep nothing from `time` on, seconds of the input; return whether all came that far."""
        self._end = time
        return all(reached >= time for reached in self._reached.values())

    def take(self, until: Fraction | None) -> Iterator[tuple[int, "Packet[Any]"]]:
        """Give the packets up to a time of the output, or all; each with the index of its stream.

        Their time stamps are those of the output.
        """
        while self._waiting and (until is None or self._waiting[0].time - self._shift <= until):
            packet, stamp, time, stream = self._waiting.popleft()
            if self._end is None or time < self._end:
                # Sound is decoded in the order in which it is heard.
                packet.pts = packet.dts = stamp - round(self._shift / packet.time_base)
                yield stream, packet


class SoundWriter:
    """Writes a soundtrack into a container beside its pictures."""

    def __init__(self, container: OutputContainer, soundtrack: Soundtrack, path: Path) -> None:
        """Add a stream for each one of the soundtrack; its language and title come along.

        Args:
            container: Of which the header has not been written.
            soundtrack: Of an open input.
            path: Of the file, whose suffix names the container.

        Raises:
            VideoError: if the container does not hold such sound.
        """
        self._container, self._soundtrack = container, soundtrack
        self._streams: dict[int, Stream] = {}
        self._filters: dict[int, BitStreamFilterContext] = {}
        suffix = path.suffix.lower()
        for source in soundtrack.streams:
            self._streams[source.index] = self._add(source, suffix)
            # An MPEG transport stream heads every AAC packet with what an mp4 says once.
            if suffix == _MP4_SUFFIX and source.codec.name == "aac" and not _has_setup(source):
                self._filters[source.index] = BitStreamFilterContext("aac_adtstoasc", source)

    def write(self, until: Fraction | None) -> None:
        """Write what comes up to a time, seconds, or all that is left."""
        for index, packet in self._soundtrack.take(until):
            is_filtered = index in self._filters
            for each in self._filters[index].filter(packet) if is_filtered else [packet]:
                each.stream = self._streams[index]
                self._container.mux_one(each)

    def _add(self, source: AudioStream, suffix: str) -> Stream:
        try:
            stream = cast(Stream, self._container.add_stream_from_template(source))
        except ValueError as error:
            raise VideoError(
                f"the output must hold the sound of the input; that of {self._soundtrack.name} is "
                f"{source.codec.canonical_name}, which a {suffix} file does not hold: name the "
                "output .mkv, or leave the sound out with --audio none"
            ) from error
        kept = {key: source.metadata[key] for key in _KEPT_METADATA if key in source.metadata}
        stream.metadata.update(kept)
        stream.disposition = source.disposition
        return stream


def _has_setup(source: AudioStream) -> bool:
    """Whether the codec's parameters stand beside its packets rather than in each of them."""
    return bool(source.codec_context.extradata)
