"""Which codecs a video file can have, and how each is asked for quality, or for losing nothing."""

from pathlib import Path
from typing import NamedTuple

from vid2vid.errors import VideoError

GIF_SUFFIX = ".gif"
OUTPUT_SUFFIXES = (".mp4", ".mkv", ".webm", GIF_SUFFIX)

DEFAULT_CRF = 16
"""Of every lossy codec: at it they differ by 0.4 dB, on film of a kitchen and of a road."""

LARGEST_CRF = 63

_QUIET_X265 = "log-level=none"


class Encoding(NamedTuple):
    """How frames become packets."""

    codec: str
    pix_fmt: str
    options: dict[str, str]
    tag: str | None = None  # four letters by which a container calls the codec; None = FFmpeg's


class _Codec(NamedTuple):
    """What a codec can do."""

    suffixes: tuple[str, ...]
    largest_crf: int | None  # None = it has no crf
    options: tuple[tuple[str, str], ...] = ()  # of its lossy mode
    lossless: Encoding | None = None
    smallest_px: int = 1  # a side
    has_444: bool = True


# x265 crashed on 40x16 pixels and SVT-AV1 hung on 17x200; both did well from 64x64 on.
_CODECS = {
    "libx264": _Codec((".mp4", ".mkv"), 51, lossless=Encoding("libx264rgb", "rgb24", {"qp": "0"})),
    "libx265": _Codec(
        (".mp4", ".mkv"),
        51,
        options=(("x265-params", _QUIET_X265),),
        lossless=Encoding("libx265", "gbrp", {"x265-params": f"{_QUIET_X265}:lossless=1"}),
        smallest_px=64,
    ),
    "libvpx-vp9": _Codec(
        (".webm", ".mkv"),
        63,
        options=(("b", "0"),),  # it takes crf as a ceiling unless its target bit rate is 0
        lossless=Encoding("libvpx-vp9", "gbrp", {"lossless": "1"}),
    ),
    "libsvtav1": _Codec((".mp4", ".mkv", ".webm"), 63, smallest_px=64, has_444=False),
    "ffv1": _Codec((".mkv",), None, lossless=Encoding("ffv1", "bgr0", {})),
    "gif": _Codec((GIF_SUFFIX,), None),
}


def choose_encoding(
    path: Path, *, width: int, height: int, lossless: bool, codec: str | None, crf: int | None
) -> Encoding:
    """Choose the codec and pixel format for a file of one of `OUTPUT_SUFFIXES`.

    Raises:
        VideoError: if the container does not take the codec, or the codec the size, the crf, or
            losing nothing.
    """
    suffix = path.suffix.lower()
    fitting = [name for name, each in _CODECS.items() if suffix in each.suffixes]
    name = codec or fitting[0]
    if name not in fitting:
        raise VideoError(
            f"the codec of a {suffix} file must be {' or '.join(fitting)}; got '{codec}' for "
            f"{path}: choose another codec or suffix"
        )
    chosen = _CODECS[name]
    if min(width, height) < chosen.smallest_px:
        raise VideoError(
            f"{name} needs {chosen.smallest_px} pixels a side or more; {path} would be "
            f"{width}x{height} (width x height): choose another codec or a larger size"
        )
    if lossless and chosen.lossless is None:
        raise VideoError(
            f"{name} cannot write without loss, as {path} was to be written: choose another codec "
            f"or name it {path.stem}.mkv"
        )
    encoding = chosen.lossless
    if encoding is None or (chosen.largest_crf is not None and not lossless):
        return _lossy(name, chosen, crf, is_odd=bool(width % 2 or height % 2))._replace(
            tag=_tag(name, suffix)
        )
    _refuse_crf(crf, f"{path} is written without loss")
    return encoding._replace(tag=_tag(name, suffix))


def tells_aspect(path: Path, encoding: Encoding) -> bool:
    """Whether a file can say that its pixels are not square: some codecs do, and an mp4 itself."""
    return path.suffix.lower() == ".mp4" or encoding.codec in ("libx264", "libx264rgb", "libx265")


def _lossy(name: str, codec: _Codec, crf: int | None, *, is_odd: bool) -> Encoding:
    """Set up the lossy mode of a codec, for sides of which one is odd or none."""
    if codec.largest_crf is None:
        _refuse_crf(crf, f"{name} has none")
        return Encoding(name, "pal8", dict(codec.options))
    quality = DEFAULT_CRF if crf is None else crf
    if not 0 <= quality <= codec.largest_crf:
        raise VideoError(f"the crf of {name} must be 0 to {codec.largest_crf}; got {crf}")
    # libx264 and libx265 refuse 4:2:0 with odd sides, with errors that do not say so.
    pix_fmt = "yuv444p" if is_odd and codec.has_444 else "yuv420p"
    return Encoding(name, pix_fmt, {"crf": str(quality), **dict(codec.options)})


def _refuse_crf(crf: int | None, why: str) -> None:
    if crf is not None:
        raise VideoError(f"a crf is for lossy codecs; got {crf}, but {why}: leave it out")


def _tag(name: str, suffix: str) -> str | None:
    """Call HEVC in an mp4 as Apple's players want it."""
    return "hvc1" if (name, suffix) == ("libx265", ".mp4") else None
