"""Label maps in files: grey ids, mode P, colours, and what is refused."""

import io
import struct
import zlib
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from vid2vid.errors import DataError
from vid2vid.labels.files import (
    LabelReader,
    ids_in_channels,
    instances_from_colours,
    read_instances,
)
from vid2vid.labels.maps import colours_to_ids, ids_to_colours
from vid2vid.labels.palettes import LabelMapping, load_mapping, load_palette
from vid2vid.video.reading import read_video
from vid2vid.video.writing import open_writer

CAMVID = load_palette("camvid")
CITYSCAPES = load_palette("cityscapes")
IDS = np.array([[0, 3], [8, 11]], dtype=np.uint8)  # 11 is ignored
READ = [[0, 3], [8, 255]]


def save(path, array, mode=None):
    Image.fromarray(array).convert(mode).save(path) if mode else Image.fromarray(array).save(path)
    return path


def blocks(palette, num_classes, size=64):
    """A label map of square fields, painted."""
    ids = (np.arange(size)[:, None] // 8 * 3 + np.arange(size)[None] // 8) % num_classes
    return ids.astype(np.uint8), ids_to_colours(ids.astype(np.uint8), palette)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32])
def test_grey_pictures_hold_ids_and_ignored_classes_become_255(tmp_path, dtype):
    path = save(tmp_path / ("a.tif" if dtype == np.int32 else "a.png"), IDS.astype(dtype))
    assert LabelReader(CAMVID).from_image(path).tolist() == READ


def test_grey_with_alpha_holds_ids(tmp_path):
    path = save(tmp_path / "a.png", IDS, mode="LA")
    assert LabelReader(CAMVID).from_image(path).tolist() == READ


def test_255_is_ignored(tmp_path):
    path = save(tmp_path / "a.png", np.array([[255, 1]], dtype=np.uint8))
    assert LabelReader(CITYSCAPES).from_image(path).tolist() == [[255, 1]]


def small_grey_png(values, bit_depth):
    """A grey PNG of one row with 1, 2 or 4 bits a pixel, which Pillow does not write."""
    bits = "".join(f"{value:0{bit_depth}b}" for value in values)
    row = b"\0" + int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(
        -(-len(bits) // 8), "big"
    )

    def chunk(kind, data):
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", len(values), 1, bit_depth, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize(("bit_depth", "values"), [(1, [0, 1, 1]), (2, [0, 3, 2]), (4, [9, 10, 1])])
def test_grey_pictures_of_few_bits_hold_the_stored_values(tmp_path, bit_depth, values):
    (tmp_path / "a.png").write_bytes(small_grey_png(values, bit_depth))
    assert LabelReader(CAMVID).from_image(tmp_path / "a.png").tolist() == [values]
    assert read_instances(tmp_path / "a.png").tolist() == [values]


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colour_pictures_hold_the_colours_of_the_palette(tmp_path, mode):
    path = save(tmp_path / "a.png", ids_to_colours(IDS, CAMVID), mode=mode)
    assert LabelReader(CAMVID).from_image(path).tolist() == READ


def mode_p(path, indices, colours):
    picture = Image.fromarray(np.array(indices, dtype=np.uint8))
    picture = picture.copy()
    picture.putpalette(np.array(colours, dtype=np.uint8).tobytes())
    picture.save(path)
    with Image.open(path) as saved:
        assert saved.mode == "P"
    return path


@pytest.mark.parametrize("mode", ["RGB", "red"])
def test_ids_in_the_channels_of_a_colour_picture_are_read_as_ids(tmp_path, mode):
    ids = np.array([[0, 3], [8, 11]], dtype=np.uint8)
    others = ids if mode == "RGB" else np.zeros_like(ids)  # CARLA writes (id, 0, 0)
    path = save(tmp_path / "a.png", np.dstack([ids, others, others]))
    assert LabelReader(CAMVID).from_image(path).tolist() == READ


def test_a_grey_video_of_ids_is_read_as_ids(tmp_path):
    ids = blocks(CITYSCAPES, 19)[0]
    writer = open_writer(tmp_path / "a.mkv", width=64, height=64, rate=Fraction(25), codec="ffv1")
    writer.write(np.dstack([ids] * 3), Fraction(0))
    writer.close()
    rgb = next(read_video(tmp_path / "a.mkv")).rgb
    assert np.array_equal(LabelReader(CITYSCAPES).from_colours(rgb, "a.mkv"), ids)


@pytest.mark.parametrize("name", ["camvid", "camvid32", "cityscapes", "cityscapes19"])
def test_colours_of_a_palette_are_not_taken_for_ids(name):
    palette = load_palette(name)
    for class_id in range(palette.num_classes):
        rgb = ids_to_colours(np.array([[class_id]], dtype=np.uint8), palette)
        assert ids_in_channels(rgb, palette) is None


def test_swapped_red_and_blue_are_refused():
    swapped = np.ascontiguousarray(blocks(CAMVID, 11)[1][..., ::-1])
    with pytest.raises(DataError, match=r"^a\.png: .* red and blue are swapped, as by OpenCV"):
        LabelReader(CAMVID).from_colours(swapped, "a.png")


def test_a_mode_p_picture_in_the_palettes_colours_is_read_by_colour(tmp_path):
    colours = [CAMVID.colour_table[8], CAMVID.colour_table[3], (1, 2, 3)]  # the last is not used
    path = mode_p(tmp_path / "a.png", [[0, 1]], colours)
    assert LabelReader(CAMVID).from_image(path).tolist() == [[8, 3]]


def test_a_mode_p_picture_in_other_colours_is_read_by_index(tmp_path):
    path = mode_p(tmp_path / "a.png", [[0, 1]], [(1, 1, 1), (250, 3, 3)])
    assert LabelReader(CAMVID).from_image(path).tolist() == [[0, 1]]


def test_ids_outside_the_palette_are_refused_with_the_way_out(tmp_path):
    path = save(tmp_path / "a.png", np.array([[3, 40, 200]], dtype=np.uint8))
    message = (
        r"a\.png: ids must be 0 to 10 of the palette 'camvid', or 11 and 255 \(ignored\); got 40 "
        r"and 200: name the palette of these ids \(--palette NAME, or labels\.palette in a "
        r"configuration\), and a mapping .* \(--map NAME, or labels\.map in a configuration\)"
    )
    with pytest.raises(DataError, match=message):
        LabelReader(CAMVID).from_image(path)


def test_many_foreign_ids_are_counted_instead_of_listed(tmp_path):
    path = save(tmp_path / "a.png", np.arange(40, 60, dtype=np.uint8)[None])
    with pytest.raises(DataError, match="got 40, 41, 42, 43, 44, 45, 46, 47 and 12 more:"):
        LabelReader(CAMVID).from_image(path)


def test_sixteen_bit_ids_above_255_are_refused(tmp_path):
    path = save(tmp_path / "a.png", np.array([[3, 26001]], dtype=np.uint16))
    with pytest.raises(DataError, match="got 26001"):
        LabelReader(CITYSCAPES).from_image(path)


def test_a_mapping_translates_ids_and_colours(tmp_path):
    reader = LabelReader(CITYSCAPES, mapping=load_mapping("camvid-to-cityscapes"))
    ids = save(tmp_path / "ids.png", IDS)
    colours = save(tmp_path / "colours.png", ids_to_colours(IDS, CAMVID))
    assert reader.from_image(ids).tolist() == [[23, 7], [26, 255]]
    assert reader.from_image(colours).tolist() == [[23, 7], [26, 255]]


def test_a_mapping_starts_from_a_palette_of_the_user(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("name: my drawing\nclasses: [{id: 0, name: lane, colour: [9, 9, 9]}]")
    mapping = LabelMapping(source=str(path), target="cityscapes", ids={0: 7})
    rgb = np.array([[[9, 9, 9], [0, 0, 0]]], dtype=np.uint8)
    assert LabelReader(CITYSCAPES, mapping=mapping).from_colours(rgb, "a").tolist() == [[7, 255]]


def test_a_mapping_from_an_unknown_palette_is_refused():
    mapping = LabelMapping(source="mine", target="camvid", ids={0: 0})
    with pytest.raises(DataError, match=r"a palette must be one of .* got 'mine'"):
        LabelReader(CAMVID, mapping=mapping)


def test_colours_of_another_data_set_are_refused_naming_every_palette_that_fits():
    rgb = blocks(load_palette("cityscapes19"), 19)[1]
    with pytest.raises(DataError) as error:
        LabelReader(CAMVID).from_colours(rgb, "frame 3 of labels.mp4")
    assert str(error.value).startswith(
        "frame 3 of labels.mp4: the colours must be those of the palette 'camvid'; "
    )
    assert "'cityscapes' and 'cityscapes19' fit: name it (--palette NAME, or labels.palette" in str(
        error.value
    )
    assert "and the mapping FILE if" in str(error.value)


def test_a_mapping_that_comes_with_the_package_is_proposed():
    rgb = blocks(CAMVID, 11)[1]
    message = "'camvid' fits: name it .* and the mapping camvid-to-cityscapes if the ids must"
    with pytest.raises(DataError, match=message):
        LabelReader(CITYSCAPES).from_colours(rgb, "a.png")


def test_exact_colours_of_a_near_palette_are_told_apart():
    rgb = blocks(CAMVID, 11)[1]
    with pytest.raises(DataError, match=r"of the palette 'camvid32'; .* and 'camvid' fits"):
        LabelReader(load_palette("camvid32")).from_colours(rgb, "a.png")


def test_a_single_exact_pixel_of_a_wider_palette_is_told_apart():
    ids = np.full((32, 32), 7, dtype=np.uint8)
    ids[5, 6] = 9  # parking, which has no train id; not far from another class
    rgb = ids_to_colours(ids, CITYSCAPES)
    with pytest.raises(DataError, match=r"fits: .* mapping cityscapes-to-cityscapes19"):
        LabelReader(load_palette("cityscapes19")).from_colours(rgb, "a.png")


def test_colours_of_no_palette_are_refused():
    rgb = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    with pytest.raises(
        DataError, match=r"no palette that comes with .* fits: write one .*--palette NAME"
    ):
        LabelReader(CAMVID).from_colours(rgb, "a.png")


def test_colours_that_two_palettes_share_are_read_without_a_guess():
    rgb = np.full((4, 4, 3), (128, 64, 128), dtype=np.uint8)
    assert LabelReader(CAMVID).from_colours(rgb, "a")[0, 0] == 3
    assert LabelReader(CITYSCAPES).from_colours(rgb, "a")[0, 0] == 7


def test_the_share_of_far_pixels_is_kept_over_pictures():
    near = np.full((4, 4, 3), (128, 64, 128), dtype=np.uint8)
    partly = near.copy()
    partly[0, :2] = (0, 255, 0)
    reader = LabelReader(CAMVID)
    assert reader.far_share == 0
    reader.from_colours(near, "a")
    reader.from_colours(partly, "b")
    assert reader.far_share == 2 / 32


@pytest.mark.parametrize("crf", [18, 28])
def test_a_lossy_label_video_of_real_maps_is_read_in_its_palette_only(shared_data, tmp_path, crf):
    paths = sorted((shared_data / "camvid15" / "labels").rglob("*.png"))[:3]
    ids = [LabelReader(CAMVID).from_image(path) for path in paths]
    size = {"width": ids[0].shape[1], "height": ids[0].shape[0]}
    writer = open_writer(tmp_path / "a.mp4", **size, rate=Fraction(15), crf=crf)
    for index, label_map in enumerate(ids):
        writer.write(ids_to_colours(label_map, CAMVID), Fraction(index, 15))
    frames = [frame.rgb for frame in read_video(writer.close())]
    reader = LabelReader(CAMVID)
    wrong = [np.mean(reader.from_colours(f, "a") != i) for f, i in zip(frames, ids, strict=True)]
    nearest = [
        np.mean(colours_to_ids(f, CAMVID).ids != i) for f, i in zip(frames, ids, strict=True)
    ]
    assert max(wrong) < 0.012
    assert np.mean(wrong) < {18: 0.4, 28: 0.6}[crf] * np.mean(nearest)
    assert 0 < reader.far_share < 0.06
    with pytest.raises(DataError, match=r"'camvid' \(\d% far\) and 'camvid32' \(1\d% far\) fit"):
        LabelReader(CITYSCAPES).from_colours(frames[0], "a.mp4")


def test_the_likelier_of_the_palettes_that_fit_stands_first():
    rgb = blocks(CITYSCAPES, 34)[1]
    rgb[0, 0] += 5  # no longer exact
    with pytest.raises(DataError, match=r"'cityscapes' \(0% far\) and 'cityscapes19' \(\d+% far\)"):
        LabelReader(CAMVID).from_colours(rgb, "a.png")


def test_a_missing_picture_is_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.png: there is no such file"):
        LabelReader(CAMVID).from_image(tmp_path / "none.png")


def test_a_text_file_is_not_a_label_map(tmp_path):
    (tmp_path / "a.png").write_text("hello")
    with pytest.raises(DataError, match=r"a\.png: it cannot be decoded"):
        LabelReader(CAMVID).from_image(tmp_path / "a.png")


def test_a_truncated_picture_is_not_a_label_map(tmp_path):
    data = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 9, (64, 64), dtype=np.uint8)
    Image.fromarray(noise).save(data, "PNG")
    (tmp_path / "a.png").write_bytes(data.getvalue()[:500])
    with pytest.raises(DataError, match="it cannot be decoded"):
        read_instances(tmp_path / "a.png")


def test_a_picture_of_floats_is_refused(tmp_path):
    Image.fromarray(np.zeros((2, 2), dtype=np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(DataError, match=r"must be grey \(ids\), mode P or RGB; .* has mode 'F'"):
        LabelReader(CAMVID).from_image(tmp_path / "a.tif")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_instances_are_read_from_grey(tmp_path, dtype):
    ids = np.array([[0, 7], [200, 26001 % (np.iinfo(dtype).max + 1)]], dtype=dtype)
    read = read_instances(save(tmp_path / "a.png", ids))
    assert read.dtype == np.int32
    assert np.array_equal(read, ids)


def test_instances_are_read_from_mode_p_by_index(tmp_path):
    path = mode_p(tmp_path / "a.png", [[0, 2]], [(128, 0, 0), (0, 0, 0), (9, 9, 9)])
    assert read_instances(path).tolist() == [[0, 2]]


def test_instances_in_rgb_count_in_base_256(tmp_path):
    rgb = np.array([[[1, 0, 0], [1, 2, 3]]], dtype=np.uint8)
    assert read_instances(save(tmp_path / "a.png", rgb)).tolist() == [[1, 1 + 512 + 3 * 65536]]


def test_instances_of_a_grey_video_are_its_values():
    rgb = np.full((1, 2, 3), 7, dtype=np.uint8)
    assert instances_from_colours(rgb, is_grey=True).tolist() == [[7, 7]]
    assert instances_from_colours(rgb).tolist() == [[7 * 65793] * 2]


@pytest.mark.parametrize(("levels", "dtype"), [(19, ">u1"), (255, ">u1"), (1000, ">u2")])
def test_a_pgm_of_few_levels_holds_the_stored_values(tmp_path, levels, dtype):
    values = np.array([0, 1, levels - 1, levels], dtype=dtype)
    header = f"P5\n# {levels} levels\n4 1\n{levels}\n".encode()
    (tmp_path / "a.pgm").write_bytes(header + values.tobytes())
    assert read_instances(tmp_path / "a.pgm").tolist() == [values.tolist()]


@pytest.mark.parametrize("suffix", ["bmp", "tif", "tiff", "pgm"])
def test_grey_pictures_of_every_kind_hold_ids(tmp_path, suffix):
    assert LabelReader(CAMVID).from_image(save(tmp_path / f"a.{suffix}", IDS)).tolist() == READ
