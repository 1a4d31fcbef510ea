"""What can be wrong with the label maps of a sequence, beside what their reader refuses."""

from math import gcd
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipelines.checking.headers import Header
from pipelines.checking.photographs import digest_of
from pipelines.checking.problems import Findings, place_of
from vid2vid.data.measuring import cut_half
from vid2vid.data.pairing import Source
from vid2vid.errors import Vid2VidError, VideoError
from vid2vid.labels.files import ids_in_channels
from vid2vid.labels.maps import Tier, colours_to_ids
from vid2vid.labels.palettes import ID_IGNORE, Palette

IGNORED_SHARE = 0.25
"""Share of ignored pixels in a sequence from which it is warned of. CamVid has 1.5 %."""

# Means over the real maps of five data sets: at most 0.3 % (CamVid at 256x192). The same maps
# after JPEG of quality 75 to 95: 0.8 % at least, mostly 1.5 to 6 %.
ISOLATED_SHARE = 0.006
"""Share of pixels that differ from all four neighbours from which maps were compressed."""

_WRITE_AGAIN = "write them as PNG from the originals, resized by nearest neighbour if at all"


def check_storage(path: Path, header: Header, findings: Findings, *, name: str) -> None:
    """Warn of a map of ids whose format may have changed what was labelled.

    Args:
        path: of the picture.
        header: how it is stored.
        findings: takes the warnings.
        name: of the stream.
    """
    if header.has_alpha:
        findings.warn(
            "alpha",
            f"{name} are ids or colours; {path} has transparency ({header.mode}), which is "
            "dropped: write it without, and check that no ids were in it",
            str(path),
        )
    if header.format == "JPEG":
        findings.warn(
            "compressed-labels",
            f"{name} must be stored without loss; {path} is a JPEG, whose noise changes the ids "
            f"along every edge: {_WRITE_AGAIN}",
            str(path),
        )


def check_colours(source: Source, palette: Palette, findings: Findings) -> bool:
    """Warn of colours near those of the palette that are none of them.

    Args:
        source: of an RGB picture, or the half of one, that was read as a label map.
        palette: of the file.
        findings: takes the warning.

    Returns:
        Whether there are such.
    """
    path = source.path
    with Image.open(path) as picture:
        rgb = cut_half(np.asarray(picture.convert("RGB")), source.side)
    if ids_in_channels(rgb, palette) is not None:
        return False
    snapped = colours_to_ids(rgb, palette)
    if not snapped.exact:
        share = np.count_nonzero(snapped.tiers != Tier.EXACT) / snapped.tiers.size
        findings.warn(
            "compressed-labels",
            f"label maps must have exact colours; {share:.1%} of the pixels of {path} have none of "
            f"the palette '{palette.name}' and take the class of a near one, as after JPEG "
            f"compression or smooth resizing: {_WRITE_AGAIN}",
            str(path),
        )
    return not snapped.exact


def explain_refusal(
    error: Vid2VidError, source: Source, palette: Palette, *, findings: Findings
) -> None:
    """Note an error of the reader, and say of grey ids what may have become of them.

    Args:
        error: what the reader raised.
        source: what it read.
        palette: of the file.
        findings: takes the error.
    """
    place = place_of(source)
    if isinstance(error, VideoError) or isinstance(error.__cause__, OSError):
        findings.error("unreadable", str(error), place)
        return
    findings.error("foreign-labels", str(error), place)
    is_whole = source.frame is None and source.side is None
    factor = _stretched_by(source.path, palette) if is_whole else 1
    if factor > 1:
        findings.error(
            "bit-depth",
            f"label maps must hold the ids themselves; all ids of {place} are multiples of "
            f"{factor}, as if they went from 8 to 16 bits or were made visible: divide them by "
            f"{factor}",
            place,
        )


class LabelTally:
    """Counts what the label maps of a sequence hold."""

    def __init__(self) -> None:
        self.pixels = np.zeros(256, dtype=np.int64)
        """Pixels of each id."""
        self._isolated = 0.0
        self._digests: set[bytes] = set()
        self._num_maps = 0

    def add(self, ids: NDArray[np.uint8]) -> None:
        """Take the next map, 'h w' ids of the palette."""
        self.pixels += np.bincount(ids.ravel(), minlength=256)
        self._isolated += isolated_share(ids)
        self._num_maps += 1
        self._digests.add(digest_of(ids))

    def report(self, findings: Findings, where: str, *, is_suspect: bool, moves: bool) -> None:
        """Tell of ignored pixels, of maps that stay the same, and of the traces of compression.

        Args:
            findings: takes the warnings.
            where: folder or video of the maps.
            is_suspect: whether something was said of compression already.
            moves: whether the frames of the maps do.
        """
        if not self._num_maps:
            return
        self._report_ignored(findings, where)
        if moves and self._num_maps > 1 and len(self._digests) == 1:
            findings.warn(
                "duplicates",
                f"label maps must follow their frames, which move; all {self._num_maps} in {where} "
                "are the same: make one of each frame",
            )
        isolated = self._isolated / self._num_maps
        if not is_suspect and isolated > ISOLATED_SHARE:
            findings.warn(
                "compressed-labels",
                f"label maps must be stored without loss; in {where} {isolated:.1%} of the pixels "
                "differ from all their neighbours, as after JPEG compression or smooth resizing: "
                f"{_WRITE_AGAIN}",
            )

    def _report_ignored(self, findings: Findings, where: str) -> None:
        """Tell of pixels that say nothing."""
        ignored = self.pixels[ID_IGNORE] / self.pixels.sum()
        if ignored == 1:
            findings.error(
                "ignored",
                f"label maps must say what is to be painted; every pixel in {where} is ignored: "
                "give them classes, or name their palette (--palette NAME, or labels.palette)",
            )
        elif ignored and not self.pixels[1:ID_IGNORE].any():
            findings.warn(
                "ignored",
                f"label maps should say what is to be painted; those in {where} have the id 0 and "
                f"ignored pixels ({ignored:.0%}) alone, as a mask of 0 and 255 has: write its ids "
                "as 0 and 1, and a palette of these two classes",
            )
        elif ignored > IGNORED_SHARE:
            findings.warn(
                "ignored",
                f"label maps should say what is to be painted; {ignored:.0%} of the pixels in "
                f"{where} are ignored (warned of above {IGNORED_SHARE:.0%}): give them classes, "
                "or set labels.void to true so that the network sees where they are",
            )


def isolated_share(ids: NDArray[np.uint8]) -> float:
    """Measure which share of the inner pixels differs from all four neighbours; 'h w' ids."""
    centre = ids[1:-1, 1:-1]
    if not centre.size:
        return 0.0
    others = (ids[:-2, 1:-1], ids[2:, 1:-1], ids[1:-1, :-2], ids[1:-1, 2:])
    return float(np.logical_and.reduce([centre != other for other in others]).mean())


def _stretched_by(path: Path, palette: Palette) -> int:
    """Find the number that all grey ids are multiples of, if they fit without it; 1 = none."""
    try:
        with Image.open(path) as picture:
            values = np.asarray(picture)
    except OSError:
        return 1
    if values.ndim != 2 or not np.issubdtype(values.dtype, np.integer):
        return 1
    ids = [int(value) for value in np.unique(values)]
    factor = gcd(*ids)
    fits = factor > 1 and max(ids) // factor < palette.num_classes
    return factor if fits else 1
