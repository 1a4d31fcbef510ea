"""Find the sequences of a data set and pair their frames with what they are painted from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeVar

from vid2vid.controls.config import FRAMES, LABELS, AnyControl, stream_of
from vid2vid.data.augment import Size
from vid2vid.data.config import DataLayout, Direction
from vid2vid.data.locating import Places, Wanted
from vid2vid.data.pairing import (
    Source,
    Stream,
    open_control,
    open_instances,
    open_stream,
    pair,
    pair_control,
)
from vid2vid.data.places import find_places
from vid2vid.errors import DataError

Item = TypeVar("Item")


@dataclass(frozen=True)
class Sequence:
    """Consecutive frames of one shot with what belongs to them, as they lie on the disk."""

    name: str
    frames: tuple[Source, ...]
    labels: tuple[Source, ...] | None  # one per frame
    instances: tuple[Source, ...] | None  # one per frame
    size: Size  # of the frames on the disk
    controls: Mapping[str, tuple[Source | None, ...]] = field(default_factory=dict)
    # by stream, one per frame; None where the first has none, as a flow

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return len(self.frames)


def find_sequences(
    root: str | Path,
    split: str,
    layout: DataLayout = "auto",
    *,
    direction: Direction = "a_to_b",
    frame_range: tuple[int, int | None] | None = None,
    with_labels: bool = True,
    controls: tuple[AnyControl, ...] = (),
    mixed: bool = False,
) -> list[Sequence]:
    """Find all sequences of a split, sorted by name, each frame paired with its maps.

    Args:
        root: folder of the data set.
        split: such as "train", a part of folder names.
        layout: how the files are arranged, see `DataConfig.layout`.
        direction: which side is the frames, in layouts with two.
        frame_range: slice (first, end) of each sequence's frames to keep; None = all.
        with_labels: whether every frame needs a label map.
        controls: those with a stream of their own need a file of it at every frame.
        mixed: whether the pictures of a folder may differ in size, as of stills; those of each size
            then are a sequence.

    Raises:
        DataError: if nothing is found, a stream or picture lacks its partner, or sizes differ.
        VideoError: if a folder is empty or a video cannot be read.
    """
    root = Path(root)
    if not root.is_dir():
        raise DataError(f"root must be the folder of the data set; {root} is no folder: mend root")
    named = {name: control for control in controls if (name := stream_of(control))}
    wanted = Wanted(with_labels, named)
    places = find_places(root, split, layout, wanted=wanted, direction=direction)
    kept = slice(*(frame_range or (None,)))
    opened = (_open(place, named, mixed=mixed) for place in places)
    sequences = [each for one in opened for each in one.sequences(kept)]
    _check_instances(sequences)
    return sequences


class Paired(NamedTuple):
    """The frames of a folder or video, and what belongs to each of them."""

    name: str
    frames: Stream
    labels: tuple[Source, ...] | None
    instances: tuple[Source, ...] | None
    controls: Mapping[str, tuple[Source | None, ...]]

    def sequences(self, kept: slice) -> list[Sequence]:
        """Make a sequence of the frames of each size, and keep a slice of it."""
        indices: dict[Size, list[int]] = {}
        for index in range(len(self.frames.sources)):
            indices.setdefault(self.frames.size_at(index), []).append(index)
        return [
            Sequence(
                self.name if len(indices) == 1 else f"{self.name} {size.width}x{size.height}",
                _choose(self.frames.sources, own[kept]),
                self.labels and _choose(self.labels, own[kept]),
                self.instances and _choose(self.instances, own[kept]),
                size,
                {name: _choose(each, own[kept]) for name, each in self.controls.items()},
            )
            for size, own in indices.items()
        ]


def _choose(sources: tuple[Item, ...], indices: list[int]) -> tuple[Item, ...]:
    return tuple(sources[index] for index in indices)


def _open(places: Places, controls: Mapping[str, AnyControl], *, mixed: bool) -> Paired:
    """Open and pair the streams of one place."""
    sides = places.sides

    def open_own(stream: str, place: Path) -> Stream:
        return open_stream(stream, place, side=sides.get(stream), mixed=mixed)

    def pair_own(stream: str, place: Path) -> tuple[Source | None, ...]:
        control = controls[stream]
        opened = open_control(control, place, side=sides.get(stream), mixed=mixed)
        return pair_control(frames, opened, control)

    frames = open_own(FRAMES, places.frames)
    labels = instances = None
    if places.labels is not None:
        labels = pair(frames, open_own(LABELS, places.labels))
    if places.instances is not None:
        instances = pair(frames, open_instances(places.instances, mixed=mixed))
    paired = {stream: pair_own(stream, place) for stream, place in places.controls.items()}
    return Paired(places.name, frames, labels, instances, paired)


def _check_instances(sequences: list[Sequence]) -> None:
    without = [sequence.name for sequence in sequences if sequence.instances is None]
    if 0 < len(without) < len(sequences):
        raise DataError(
            f"either all sequences have instance maps or none; {len(without)} of {len(sequences)} "
            f"have none, the first is '{without[0]}': add them, or move the others away"
        )
