"""The layouts of pix2pix, whose pictures come in pairs of two sides, A and B.

pairs         `<root>/<split>A` and `<root>/<split>B`, or `<root>/A/<split>` and `<root>/B/<split>`
side_by_side  `<root>/<split>`, pictures whose left half is A and whose right half is B

One side is the frames; the other is the label maps, or the one control that has a stream. Folders
within are sequences of their own.
"""

from pathlib import Path

from vid2vid.controls.config import (
    FRAMES,
    LABELS,
    EdgesConfig,
    GreyConfig,
    LowResolutionConfig,
    PictureConfig,
)
from vid2vid.data.config import Direction
from vid2vid.data.locating import Places, Wanted, gather_parallel, has_pictures, walk
from vid2vid.data.locating import name_of_folder as name
from vid2vid.errors import DataError

_HALVES = (PictureConfig, EdgesConfig, GreyConfig, LowResolutionConfig)


def pair_folders(root: Path, split: str) -> tuple[Path, Path]:
    """Name the folders of the sides A and B in the layout 'pairs', whether or not they exist."""
    flat = root / f"{split}A", root / f"{split}B"
    nested = root / "A" / split, root / "B" / split
    return nested if any(map(Path.is_dir, nested)) and not any(map(Path.is_dir, flat)) else flat


def has_pairs(root: Path, split: str) -> bool:
    """Tell whether there are folders of the layout 'pairs'."""
    return all(map(Path.is_dir, pair_folders(root, split)))


def in_pairs(root: Path, split: str, wanted: Wanted, direction: Direction) -> list[Places]:
    """Find the sequences of the layout 'pairs'.

    Raises:
        DataError: if there is none, one lacks its other side, or more than two streams are wanted.
    """
    other = other_stream(wanted, "pairs")
    sides = pair_folders(root, split)
    theirs, ours = sides if direction == "a_to_b" else sides[::-1]
    if not ours.is_dir():
        raise DataError(
            f"layout 'pairs' needs folders {split}A and {split}B, or A/{split} and B/{split}; "
            f"there is no {ours}: mend root or split, or set layout"
        )

    def place(stream: str, partner: Path) -> Path | None:
        return theirs / partner if stream == other else None

    places = gather_parallel(ours, split, place, wanted=wanted)
    if not places:
        raise DataError(f"layout 'pairs' needs pictures or videos; found none below {ours}")
    return places


def in_halves(root: Path, split: str, wanted: Wanted, direction: Direction) -> list[Places]:
    """Find the sequences of the layout 'side_by_side'.

    Raises:
        DataError: if there is none, or what is wanted is in no picture's other half.
    """
    other = other_stream(wanted, "side_by_side")
    if other is not None and other != LABELS and not isinstance(wanted.controls[other], _HALVES):
        raise DataError(
            "the other half of a picture can be label maps or a control of kind picture, edges, "
            f"grey or low_resolution; '{other}' is of kind {wanted.controls[other].kind}: set "
            "layout to another, with files of its own"
        )
    base = root / split
    ours, theirs = ("right", "left") if direction == "a_to_b" else ("left", "right")
    places = [
        Places(
            name(folder, base, split),
            folder,
            folder if other == LABELS else None,
            None,
            {other: folder} if other not in (None, LABELS) else {},
            sides={FRAMES: ours} if other is None else {FRAMES: ours, other: theirs},
        )
        for folder, files in walk(base, set())
        if has_pictures(files)
    ]
    if not places:
        raise DataError(
            f"layout 'side_by_side' needs pictures of A and B side by side in {split}; found none "
            f"below {base}: mend root or split, or set layout"
        )
    return places


def other_stream(wanted: Wanted, layout: str) -> str | None:
    """Name what is on the other side of the frames; None where the frames are enough.

    Raises:
        DataError: if there would have to be more than one.
    """
    names = [*([LABELS] if wanted.labels else []), *wanted.controls]
    if len(names) > 1:
        raise DataError(
            f"layout '{layout}' has one side beside the frames; {', '.join(names)} must lie there: "
            "set layout to another, or leave all but one of them out"
        )
    return names[0] if names else None
