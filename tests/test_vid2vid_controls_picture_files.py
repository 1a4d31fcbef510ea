import struct

import cv2
import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from vid2vid.controls.config import PictureConfig
from vid2vid.controls.files import from_colours, read_stored, resizer_of, to_range
from vid2vid.controls.picture_files import measure_picture, of_one_type
from vid2vid.data.augment import Size
from vid2vid.errors import DataError, VideoError

RGB = np.array([[[200, 100, 50], [0, 0, 0]]], np.uint8)
LIGHT = [[round(0.299 * 200 + 0.587 * 100 + 0.114 * 50), 0]]


def write(path, picture):
    """Write 'h w', RGB, or RGBA with OpenCV, which takes blue first."""
    order = {3: [2, 1, 0], 4: [2, 1, 0, 3]}.get(picture.shape[-1]) if picture.ndim == 3 else None
    assert cv2.imwrite(str(path), picture if order is None else picture[..., order])
    return path


def unit(picture, **settings):
    """What the networks see of one picture, 'c h w'."""
    return to_range(PictureConfig(**settings), picture[None])[0]


@pytest.mark.parametrize("name", ["a.png", "a.tiff", "a.bmp", "a.webp"])
def test_grey_is_one_channel_or_three_equal_ones(tmp_path, name):
    path = write(tmp_path / name, np.full((8, 8), 40, np.uint8))
    assert read_stored(PictureConfig(channels=1), path).tolist() == [[40] * 8] * 8
    assert read_stored(PictureConfig(), path).tolist() == [[[40, 40, 40]] * 8] * 8


def test_colours_of_a_palette_picture_are_taken_not_its_indices(tmp_path):
    picture = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
    picture.putpalette([200, 100, 50, 0, 0, 0])
    picture.save(tmp_path / "a.png")
    assert read_stored(PictureConfig(), tmp_path / "a.png").tolist() == RGB.tolist()
    assert read_stored(PictureConfig(channels=1), tmp_path / "a.png").tolist() == LIGHT


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_are_kept(tmp_path, suffix, channels):
    levels = np.array([[0, 1, 32768, 65535]], np.uint16)
    stored = levels if channels == 1 else np.repeat(levels[..., None], 3, axis=2)
    path = write(tmp_path / f"a{suffix}", stored)
    picture = read_stored(PictureConfig(channels=channels), path)
    expected = levels.astype(np.float64) / 65535 * 2 - 1
    assert np.abs(unit(picture, channels=channels)[0].numpy() - expected).max() < 1e-6


def test_a_range_says_which_values_become_minus_one_and_one(tmp_path):
    path = write(tmp_path / "a.png", np.array([[0, 1000, 2000, 4000]], np.uint16))
    control = PictureConfig(channels=1, value_range=(1000, 3000))
    assert unit(read_stored(control, path), channels=1).tolist() == [[[-1, -1, 0, 1]]]
    negative = PictureConfig(channels=1, value_range=(255, 0))
    assert from_colours(negative, np.zeros((1, 1, 3), np.uint8)).tolist() == [[1]]


def test_alpha_is_dropped_laid_on_a_ground_or_refused(tmp_path):
    rgba = np.concatenate([RGB, np.array([[[51], [255]]], np.uint8)], axis=2)
    path = write(tmp_path / "a.png", rgba)

    def read(alpha):
        return read_stored(PictureConfig(alpha=alpha), path)[0, 0].tolist()

    assert read("drop") == [200, 100, 50]
    assert read("black") == [40, 20, 10]
    assert read("white") == [244, 224, 214]
    with pytest.raises(DataError, match=r"takes pictures without alpha; .*a\.png has it: write"):
        read("refuse")
    assert read_stored(PictureConfig(channels=4), path).tolist() == rgba.tolist()
    assert read_stored(PictureConfig(channels=2), path)[0].tolist() == [[LIGHT[0][0], 51], [0, 255]]


def test_alpha_of_sixteen_bits_is_laid_on_a_ground(tmp_path):
    path = write(tmp_path / "a.png", np.array([[[65535, 0, 0, 0]]], np.uint16))
    picture = read_stored(PictureConfig(alpha="white"), path)
    assert unit(picture).flatten().tolist() == [1, 1, 1]


def test_a_palette_with_a_transparent_colour_has_alpha(tmp_path):
    picture = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
    picture.putpalette([200, 100, 50, 0, 0, 0])
    picture.save(tmp_path / "a.png", transparency=0)
    found = read_stored(PictureConfig(alpha="white"), tmp_path / "a.png")
    assert found.tolist() == [[[255, 255, 255], [0, 0, 0]]]


def test_four_bands_of_a_tiff_are_no_alpha(tmp_path):
    cv2.imwrite(str(tmp_path / "a.tiff"), np.zeros((4, 4, 4), np.float32))
    with pytest.raises(DataError, match=r"takes pictures of 3 channels; .*a\.tiff has 4"):
        read_stored(PictureConfig(value_range=(0, 1)), tmp_path / "a.tiff")
    control = PictureConfig(channels=4, value_range=(0, 1))
    assert read_stored(control, tmp_path / "a.tiff").shape == (4, 4, 4)


def test_arrays_have_any_channels(tmp_path):
    array = np.arange(24, dtype=np.float32).reshape(2, 2, 6)
    np.save(tmp_path / "a.npy", array)
    control = PictureConfig(channels=6, value_range=(0, 24))
    values = unit(read_stored(control, tmp_path / "a.npy"), channels=6)
    assert values[5, 1, 1] == pytest.approx(11 / 12)
    assert measure_picture(tmp_path / "a.npy") == Size(2, 2)
    np.save(tmp_path / "b.npy", array[..., 0].astype(np.uint16))
    assert read_stored(PictureConfig(channels=1), tmp_path / "b.npy").shape == (2, 2)


def test_many_channels_are_resized():
    resize = resizer_of(PictureConfig(channels=6))
    picture = np.ones((4, 6, 6), np.float32)
    assert resize(picture, Size(8, 3)).tolist() == np.ones((8, 3, 6)).tolist()


def test_pictures_of_eight_and_sixteen_bits_go_into_one_clip():
    bytes_, floats = of_one_type([np.full((1, 1), 255, np.uint8), np.zeros((1, 1), np.float32)])
    assert (bytes_.dtype, bytes_.tolist(), floats.tolist()) == (np.float32, [[1]], [[0]])


def test_a_turned_photograph_is_read_upright_and_a_deep_one_refused(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (6, 4)).save(tmp_path / "a.jpg", exif=exif)
    Image.new("RGB", (6, 4)).save(tmp_path / "a.png", exif=exif)
    for name in ("a.jpg", "a.png"):
        assert read_stored(PictureConfig(), tmp_path / name).shape == (6, 4, 3)
    cv2.imwrite(str(tmp_path / "b.png"), np.zeros((4, 6), np.uint16))
    Image.open(tmp_path / "b.png").save(tmp_path / "b.png", exif=exif)
    with pytest.raises(DataError, match=r"stored upright; .*b\.png turn it \(orientation 6"):
        read_stored(PictureConfig(), tmp_path / "b.png")


# Errors


def test_floats_without_a_range_are_refused(tmp_path):
    cv2.imwrite(str(tmp_path / "a.tiff"), np.zeros((2, 2), np.float32))
    with pytest.raises(DataError, match=r"float32 need a range; .*a\.tiff .* give it value_range"):
        read_stored(PictureConfig(channels=1), tmp_path / "a.tiff")


def test_values_that_are_no_numbers_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[np.nan]]))
    with pytest.raises(DataError, match=r"a\.npy has some that are not \(NaN or infinite\)"):
        read_stored(PictureConfig(channels=1, value_range=(0, 1)), tmp_path / "a.npy")


def test_other_channels_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((2, 2, 5), np.uint8))
    with pytest.raises(DataError, match=r"'pictures' takes pictures of 3 channels; .* has 5: set"):
        read_stored(PictureConfig(), tmp_path / "a.npy")
    np.save(tmp_path / "b.npy", np.zeros((2, 2, 2, 2), np.uint8))
    with pytest.raises(DataError, match=r"must be 'h w' or 'h w c'; .*b\.npy holds \(2, 2, 2, 2\)"):
        read_stored(PictureConfig(), tmp_path / "b.npy")


def test_a_tiff_of_more_bands_than_can_be_decoded_says_what_to_write(tmp_path):
    entries = [(256, 1), (257, 1), (258, 8), (259, 1), (262, 1), (273, 200), (277, 5), (279, 5)]
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    data = b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + bytes(4)
    (tmp_path / "a.tif").write_bytes(data.ljust(200, b"\0") + bytes(5))
    for read in (measure_picture, lambda path: read_stored(PictureConfig(channels=5), path)):
        with pytest.raises(DataError, match=r"at most 4 bands; .*a\.tif .* as \.npy 'h w c'"):
            read(tmp_path / "a.tif")


@pytest.mark.parametrize("data", [b"", b"nothing", None])
def test_what_is_no_picture_is_named(tmp_path, data):
    if data is not None:
        (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(VideoError, match=r"a picture must be .*a\.png"):
        read_stored(PictureConfig(), tmp_path / "a.png")


def test_a_range_has_width():
    with pytest.raises(ValidationError, match="value_range must be two different values"):
        PictureConfig(value_range=(1, 1))
