"""Label maps and instance maps in files: ids in grey, in mode P or in channels, and colours."""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vid2vid.errors import DataError
from vid2vid.labels.maps import PLAINLY_FOREIGN, colours_to_ids, is_exact
from vid2vid.labels.mixed import resolve_mixed
from vid2vid.labels.palettes import (
    ID_IGNORE,
    MAPPING_NAMES,
    PALETTE_NAMES,
    LabelMapping,
    Palette,
    load_palette,
)

# Where the commands, and where a training, take them.
_PALETTE_DOORS = "--palette NAME, or labels.palette in a configuration"
_MAP_DOORS = "--map NAME, or labels.map in a configuration"

_GREY_MODES = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L")


class LabelReader:
    """Reads label maps of one palette, however they are stored, and refuses those of another.

    With a mapping, the files are in the palette `mapping.source` and the ids that come out are
    those of `palette`.
    """

    def __init__(
        self,
        palette: Palette,
        *,
        mapping: LabelMapping | None = None,
        source: Palette | None = None,
    ) -> None:
        """Make a reader.

        Args:
            palette: Of the ids that come out.
            mapping: From the palette of the files.
            source: The palette of the files; needed where `mapping.source` is the name of the
                user's own palette, not of one that comes with the package.
        """
        self.palette = palette
        self._source = (source or load_palette(mapping.source)) if mapping else palette
        if mapping:
            self._table = mapping.table(self._source, palette)
        else:
            self._table = np.full(256, ID_IGNORE, dtype=np.uint8)
            self._table[: palette.num_classes] = np.arange(palette.num_classes)
        self._num_pixels = 0
        self._num_far = 0.0

    @property
    def far_share(self) -> float:
        """Share of far pixels (`FAR_COLOUR`) in all that was read from colours so far."""
        return self._num_far / max(self._num_pixels, 1)

    def from_image(self, path: str | Path) -> NDArray[np.uint8]:
        """Read a label map from a picture.

        Grey pictures (8, 16 or 32 bit) hold ids, colour pictures the palette's colours. A mode-P
        picture holds colours if all of its own that occur are the palette's, otherwise ids.

        Returns:
            'h w' ids of `palette`, 255 = ignore.

        Raises:
            DataError: if the file is not such a picture, has ids outside the palette, or is
                plainly in the colours of another palette.
        """
        path = Path(path)
        picture = _read_picture(path)
        if picture.mode in _GREY_MODES:
            return self._from_ids(_grey_values(picture, path), str(path))
        rgb = np.asarray(picture.convert("RGB"))
        if picture.mode == "P" and not is_exact(rgb, self._source):
            return self._from_ids(np.asarray(picture), str(path))
        return self.from_colours(rgb, str(path))

    def from_colours(self, rgb: NDArray[np.uint8], where: str) -> NDArray[np.uint8]:
        """Read a label map from colours, such as a frame of a label video.

        Pixels whose colour a codec has mixed with those around take a class that surely stands
        near them; see `resolve_mixed`. Where the channels hold ids, those are read.

        Args:
            rgb: 'h w 3' uint8 RGB, exact or with the noise of a codec.
            where: File (and frame) for the message.

        Returns:
            'h w' ids of `palette`, 255 = ignore.

        Raises:
            DataError: if the frame is plainly in the colours of another palette.
        """
        snapped = colours_to_ids(rgb, self._source)
        if not snapped.exact and (ids := ids_in_channels(rgb, self._source)) is not None:
            return self._from_ids(ids, where)
        fitting = [] if snapped.exact else _exact_palettes(rgb)
        if not snapped.exact and not fitting and is_exact(rgb[..., ::-1], self._source):
            raise DataError(
                f"{where}: the colours must be RGB, those of the palette '{self._source.name}'; "
                "red and blue are swapped, as by OpenCV, which takes BGR: write the label maps "
                "again after cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)"
            )
        if snapped.far > PLAINLY_FOREIGN or fitting:
            fitting = fitting or _near_palettes(rgb)
            raise DataError(self._foreign_colours(where, snapped.far, fitting))
        self._num_pixels += snapped.ids.size
        self._num_far += snapped.far * snapped.ids.size
        ids = snapped.ids if snapped.exact else resolve_mixed(rgb, snapped, self._source)
        return self._table[ids]

    def _from_ids(self, ids: NDArray[np.integer], where: str) -> NDArray[np.uint8]:
        allowed = [*range(self._source.num_classes), *self._source.ignored_ids]
        foreign = [int(i) for i in np.setdiff1d(np.unique(ids), allowed)]
        if foreign:
            raise DataError(
                f"{where}: ids must be 0 to {self._source.num_classes - 1} of the palette "
                f"'{self._source.name}', or {_listing(self._source.ignored_ids)} (ignored); got "
                f"{_listing(foreign)}: name the palette of these ids ({_PALETTE_DOORS}), and a "
                f"mapping if they must be translated ({_MAP_DOORS})"
            )
        return self._table[ids]

    def _foreign_colours(self, where: str, far: float, fitting: list["_Fit"]) -> str:
        came = f"{far:.0%} of the pixels are far from them" if far > 0.005 else "others occur"
        if not fitting:
            return (
                f"{where}: the colours must be those of the palette '{self._source.name}'; {came}, "
                f"and no palette that comes with the package ({', '.join(PALETTE_NAMES)}) fits: "
                f"write one of these colours and name its file ({_PALETTE_DOORS})"
            )
        direct = {f"{fit.name}-to-{self.palette.name}" for fit in fitting}
        maps = [name for name in MAPPING_NAMES if name in direct]
        return (
            f"{where}: the colours must be those of the palette '{self._source.name}'; {came}, and "
            f"{_listing(fitting)} {'fits' if len(fitting) == 1 else 'fit'}: name it "
            f"({_PALETTE_DOORS}), and the mapping {' or '.join(maps) or 'FILE'} if the ids must be "
            f"translated ({_MAP_DOORS})"
        )


def ids_in_channels(rgb: NDArray[np.uint8], palette: Palette) -> NDArray[np.uint8] | None:
    """Take the ids of a grey video, or of a picture that holds them in red alone, as CARLA's do.

    As colours they would all be near black. The one class of a palette that comes with the package
    whose colour looks like an id is Cityscapes' rider, (255, 0, 0).

    Args:
        rgb: 'h w 3' uint8 RGB.
        palette: Of the ids.

    Returns:
        'h w' ids of `palette` and its ignored ones; None where the channels hold something else.
    """
    ids, others = rgb[..., 0], rgb[..., 1:]
    if others.any() and not (others == ids[..., None]).all():
        return None
    found = np.unique(ids)
    if not np.isin(found, [*range(palette.num_classes), *palette.ignored_ids]).all():
        return None
    return ids if np.setdiff1d(found, [0, ID_IGNORE]).size else None  # those two may be colours


def read_instances(path: str | Path) -> NDArray[np.int32]:
    """Read an instance map: 8-, 16- or 32-bit grey, mode P, or RGB as R + 256 G + 65536 B.

    Returns:
        'h w' object ids.

    Raises:
        DataError: if the file is not such a picture.
    """
    path = Path(path)
    picture = _read_picture(path)
    if picture.mode in _GREY_MODES:
        return _grey_values(picture, path).astype(np.int32)
    if picture.mode == "P":
        return np.asarray(picture).astype(np.int32)
    return instances_from_colours(np.asarray(picture.convert("RGB")))


def instances_from_colours(rgb: NDArray[np.uint8], *, is_grey: bool = False) -> NDArray[np.int32]:
    """Read an instance map from colours, such as a frame of a lossless video.

    A grey video holds 8-bit ids, which decode to equal channels. Whether it is one is a matter of
    its pixel format (`is_grey_exact`), never of a frame: in RGB, (7, 7, 7) is another object.

    Args:
        rgb: 'h w 3' uint8 RGB, exact.
        is_grey: the ids are the values of each channel, not R + 256 G + 65536 B.

    Returns:
        'h w' object ids.
    """
    red, green, blue = np.moveaxis(rgb.astype(np.int32), 2, 0)
    return red if is_grey else red + 256 * green + 65536 * blue


def _read_picture(path: Path) -> Image.Image:
    """Decode a picture that can hold ids or colours."""
    try:
        with Image.open(path) as picture:  # closes the file; what was decoded stays
            picture.load()
    except OSError as error:  # a missing, foreign or truncated file; Pillow's own error is one
        reason = "there is no such file" if not path.exists() else "it cannot be decoded"
        raise DataError(
            f"a label map must be a PNG or another picture; {path}: {reason}"
        ) from error
    if picture.mode not in (*_GREY_MODES, "P", "RGB", "RGBA"):
        raise DataError(
            f"a label map must be grey (ids), mode P or RGB; {path} has mode '{picture.mode}': "
            "convert it"
        )
    return picture


def _grey_values(picture: Image.Image, path: Path) -> NDArray[np.integer]:
    """Give the stored values; Pillow spreads those of few bits or levels over the full range."""
    if picture.mode == "1":
        return np.asarray(picture).astype(np.uint8)
    values = np.asarray(picture.getchannel("L") if picture.mode == "LA" else picture)
    if picture.format == "PNG" and picture.mode == "L":
        with path.open("rb") as file:
            bit_depth = file.read(25)[24]  # of the header, which the standard puts first
        return values // (255 // (2**bit_depth - 1))
    if picture.format == "PPM":
        with path.open("rb") as file:
            header = re.sub(rb"#[^\n]*", b"", file.read(4096)).split(None, 4)
        full = 255 if picture.mode == "L" else 65535
        return np.round(values * (int(header[3]) / full)).astype(np.int32)
    return values


@lru_cache(maxsize=1)  # asked at each frame of a video that is not exact
def _packaged_palettes() -> tuple[Palette, ...]:
    return tuple(load_palette(name) for name in PALETTE_NAMES)


class _Fit(NamedTuple):
    """A palette that the colours of a frame could be of."""

    name: str
    far: float | None  # share of the pixels that are far from its colours; None = all are exact

    def __str__(self) -> str:
        return f"'{self.name}'" + ("" if self.far is None else f" ({self.far:.0%} far)")


def _exact_palettes(rgb: NDArray[np.uint8]) -> list[_Fit]:
    return [_Fit(palette.name, None) for palette in _packaged_palettes() if is_exact(rgb, palette)]


def _near_palettes(rgb: NDArray[np.uint8]) -> list[_Fit]:
    """List the packaged palettes that are not plainly wrong, the likeliest first.

    They are not chosen between: those of one data set share colours (`PLAINLY_FOREIGN`).
    """
    fits = [(colours_to_ids(rgb, palette).far, palette.name) for palette in _packaged_palettes()]
    return [_Fit(name, far) for far, name in sorted(fits) if far <= PLAINLY_FOREIGN]


def _listing(items: Sequence[object]) -> str:
    texts = [str(item) for item in items[:8]]
    if len(items) > 8:
        texts.append(f"{len(items) - 8} more")
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
