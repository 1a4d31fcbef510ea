"""Find the sequences of a data set and pair their frames with what they are painted from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vid2vid.controls.config import FRAMES, LABELS, AnyControl, stream_of
from vid2vid.data.augment import Size
from vid2vid.data.config import DataLayout
from vid2vid.data.pairing import (
    Source,
    open_control,
    open_instances,
    open_stream,
    pair,
    pair_control,
)
from vid2vid.data.places import Places, Wanted, find_places
from vid2vid.errors import DataError


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
    frame_range: tuple[int, int | None] | None = None,
    with_labels: bool = True,
    controls: tuple[AnyControl, ...] = (),
) -> list[Sequence]:
    """Find all sequences of a split, sorted by name, each frame paired with its maps.

    Args:
        root: folder of the data set.
        split: such as "train", a part of folder names.
        layout: how the files are arranged, see `DataConfig.layout`.
        frame_range: slice (first, end) of each sequence's frames to keep; None = all.
        with_labels: whether every frame needs a label map.
        controls: those with a stream of their own need a file of it at every frame.

    Raises:
        DataError: if nothing is found, a stream or picture lacks its partner, or sizes differ.
        VideoError: if a folder is empty or a video cannot be read.
    """
    root = Path(root)
    if not root.is_dir():
        raise DataError(f"root must be the folder of the data set; {root} is no folder: mend root")
    named = {name: control for control in controls if (name := stream_of(control))}
    wanted = Wanted(with_labels, named)
    places = find_places(root, split, layout, wanted=wanted)
    kept = slice(*(frame_range or (None,)))
    sequences = [_open(place, kept, named) for place in places]
    _check_instances(sequences)
    return sequences


def _open(places: Places, kept: slice, controls: Mapping[str, AnyControl]) -> Sequence:
    frames = open_stream(FRAMES, places.frames)
    labels = instances = None
    if places.labels is not None:
        labels = pair(frames, open_stream(LABELS, places.labels))[kept]
    if places.instances is not None:
        instances = pair(frames, open_instances(places.instances))[kept]
    paired = {
        stream: pair_control(frames, open_control(controls[stream], place), controls[stream])[kept]
        for stream, place in places.controls.items()
    }
    return Sequence(
        places.name, frames.sources[kept], labels, instances, frames.size, controls=paired
    )


def _check_instances(sequences: list[Sequence]) -> None:
    without = [sequence.name for sequence in sequences if sequence.instances is None]
    if 0 < len(without) < len(sequences):
        raise DataError(
            f"either all sequences have instance maps or none; {len(without)} of {len(sequences)} "
            f"have none, the first is '{without[0]}': add them, or move the others away"
        )
