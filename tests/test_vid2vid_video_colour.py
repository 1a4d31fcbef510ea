"""Decoded frames become 8-bit RGB: rounded, and out of HDR and wide gamuts with a sentence."""

from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorPrimaries, ColorTrc
from sample_videos import film

from vid2vid.video.colour import RgbConverter
from vid2vid.video.reading import read_video

KR, KB = 0.2126, 0.0722  # ITU-R BT.709


def planes(depth, subsampling, seed=0):
    """Blocks of 8x8 pixels, at full and at chroma size, in limited range."""
    rng = np.random.default_rng(seed)
    scale = 1 << (depth - 8)
    y, u, v = (rng.integers(low * scale, high * scale, (4, 8)) for low, high in LIMITS)
    full = [np.kron(each, np.ones((8, 8), int)).astype(np.uint16) for each in (y, u, v)]
    rows, columns = subsampling
    return full, [full[0], *(each[::rows, ::columns] for each in full[1:])]


LIMITS = ((70, 190), (110, 150), (110, 150))


def make_frame(pix_fmt, stored):
    height, width = stored[0].shape
    frame = av.VideoFrame(width, height, pix_fmt)
    for plane, values in zip(frame.planes, stored, strict=True):
        rows = np.zeros((plane.height, plane.line_size // 2), np.uint16)
        rows[: values.shape[0], : values.shape[1]] = values
        plane.update(rows.tobytes())
    frame.colorspace, frame.color_range = 1, 1
    return frame


def exact_rgb(full, depth):
    """Work out RGB, 0 to 255, without rounding."""
    scale = 1 << (depth - 8)
    y, u, v = (each.astype(float) for each in full)
    y = (y - 16 * scale) / (219 * scale)
    u, v = ((each - 128 * scale) / (224 * scale) for each in (u, v))
    red, blue = y + 2 * (1 - KR) * v, y + 2 * (1 - KB) * u
    return 255 * np.stack([red, (y - KR * red - KB * blue) / (1 - KR - KB), blue], axis=-1)


@pytest.mark.parametrize(
    ("pix_fmt", "depth", "subsampling"),
    [
        ("yuv420p10le", 10, (2, 2)),
        ("yuv422p10le", 10, (1, 2)),
        ("yuv444p10le", 10, (1, 1)),
        ("yuv420p12le", 12, (2, 2)),
    ],
)
def test_deep_video_is_rounded_to_the_nearest_level(pix_fmt, depth, subsampling):
    full, stored = planes(depth, subsampling)
    rgb = RgbConverter(Path("a"))(make_frame(pix_fmt, stored))
    assert np.abs(rgb - exact_rgb(full, depth)).max() < 0.52


@pytest.mark.parametrize(("pix_fmt", "depth"), [("gbrp10le", 10), ("gray16le", 16)])
def test_deep_rgb_and_grey_are_rounded_too(pix_fmt, depth):
    values = np.random.default_rng(0).integers(0, 1 << depth, (32, 64)).astype(np.uint16)
    frame = av.VideoFrame(64, 32, pix_fmt)
    for plane in frame.planes:
        plane.update(values.tobytes())
    rgb = RgbConverter(Path("a"))(frame)
    assert np.abs(rgb - values[..., None] / ((1 << depth) - 1) * 255).max() < 0.52


def test_a_ten_bit_file_comes_back_as_rounded(tmp_path):
    path = tmp_path / "a.mkv"
    film(path, [0], sounds=(), codec="ffv1", pix_fmt="yuv420p10le", options={"level": "3"})
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    y = np.frombuffer(bytes(frame.planes[0]), np.uint16).reshape(frame.planes[0].height, -1)[:, :48]
    grey = (y.astype(float) - 64) / 876 * 255
    rgb = next(read_video(path)).rgb.astype(float)
    light = rgb @ [0.299, 0.587, 0.114]  # an untagged file is BT.601
    assert abs((light - np.clip(grey, 0, 255)).mean()) < 0.3


def grey_frame(signal, trc, primaries):
    """A row of grey patches of a 10-bit signal, 0 to 1."""
    y = np.repeat(np.round(64 + 876 * np.array(signal)), 8)[None].repeat(16, 0).astype(np.uint16)
    frame = make_frame("yuv444p10le", [y, np.full_like(y, 512), np.full_like(y, 512)])
    frame.color_trc, frame.color_primaries, frame.colorspace = trc, primaries, 9
    return frame


def pq(nits):
    """Encode light after SMPTE ST 2084."""
    light = (np.array(nits) / 10000) ** (2610 / 16384)
    c1, c2, c3 = 3424 / 4096, 2413 / 128, 2392 / 128
    return ((c1 + c2 * light) / (1 + c3 * light)) ** (2523 / 32)


def test_hdr_is_converted_with_one_sentence(caplog):
    nits = [0, 5, 18, 50, 100, 203, 1000]
    to_rgb = RgbConverter(Path("hdr.mp4"))
    for _ in range(2):
        rgb = to_rgb(grey_frame(pq(nits), ColorTrc.SMPTE2084, ColorPrimaries.BT2020))
    # White at 203 cd/m2 (BT.2408), on a display of gamma 2.4 (BT.1886).
    expected = np.minimum(np.array(nits) / 203, 1) ** (1 / 2.4) * 255
    assert np.abs(rgb[8, 4::8] - expected[:, None]).max() <= 2
    assert [r.message for r in caplog.records] == [
        "hdr.mp4 is HDR (PQ) and was converted to BT.709: what is brighter than reference white "
        "or outside that gamut is clipped"
    ]


def test_a_wide_gamut_is_converted(caplog):
    y, u, v = (np.repeat([part], 8, axis=1).repeat(16, 0) for part in PATCHES)
    frame = make_frame("yuv444p10le", [each.astype(np.uint16) for each in (y, u, v)])
    frame.colorspace = 9
    plain = RgbConverter(Path("plain.mp4"))(frame)[8, 4::8].astype(int)
    frame.color_primaries = ColorPrimaries.BT2020
    wide = RgbConverter(Path("wide.mp4"))(frame)[8, 4::8].astype(int)
    assert np.abs(wide[0] - plain[0]).max() <= 2  # grey stays grey
    assert wide[1, 0] > plain[1, 0] + 10  # the same numbers mean a stronger red
    assert "wide.mp4 is wide gamut (BT.2020)" in caplog.text
    assert "plain.mp4" not in caplog.text


PATCHES = ([502, 300], [512, 480], [512, 700])  # y, u and v of a grey and a red, 10 bits
