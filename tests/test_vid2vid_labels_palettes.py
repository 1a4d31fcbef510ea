"""Palettes and mappings: what comes with the package, and what is refused."""

import json

import numpy as np
import pytest

from vid2vid.errors import DataError
from vid2vid.labels.palettes import (
    ID_IGNORE,
    MAPPING_NAMES,
    PALETTE_NAMES,
    LabelMapping,
    load_mapping,
    load_palette,
)


@pytest.mark.parametrize(
    ("name", "num_classes"),
    [("cityscapes", 35), ("cityscapes19", 19), ("camvid", 11), ("camvid32", 32)],
)
def test_each_packaged_palette_has_its_number_of_classes(name, num_classes):
    palette = load_palette(name)
    assert palette.name == name
    assert palette.num_classes == num_classes
    assert name in PALETTE_NAMES


def test_the_unlabelled_class_of_camvid_is_ignored():
    palette = load_palette("camvid")
    assert palette.ignored_ids == (11, 255)
    assert palette.readable_colours[(0, 0, 0)] == ID_IGNORE


def test_the_lowest_id_wins_where_cityscapes_repeats_a_colour():
    colours = load_palette("cityscapes").readable_colours
    assert colours[(0, 0, 0)] == 0
    assert colours[(153, 153, 153)] == 17
    assert colours[(0, 0, 142)] == 26


def test_black_reads_as_ignored_where_no_class_is_black(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\nclasses: [{id: 0, name: road, colour: [9, 9, 9]}]")
    palette = load_palette(path)
    assert palette.readable_colours == {(9, 9, 9): 0, (0, 0, 0): ID_IGNORE}
    assert palette.colour_table[ID_IGNORE].tolist() == [0, 0, 0]


def test_the_table_holds_the_colour_of_each_id_and_of_the_ignored_class(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "name: mine\nclasses: [{id: 0, name: road, colour: [9, 8, 7]}, "
        "{id: 5, name: void, colour: [1, 2, 3], ignore: true}]"
    )
    table = load_palette(path).colour_table
    assert table[[0, 5, 255]].tolist() == [[9, 8, 7], [1, 2, 3], [1, 2, 3]]


def test_a_palette_survives_its_own_json():
    palette = load_palette("camvid")
    assert type(palette).model_validate_json(palette.model_dump_json()) == palette


def test_the_camvid_classes_have_the_colours_of_the_data_set(shared_data):
    table = json.loads((shared_data / "camvid15" / "palette.json").read_text())
    palette = load_palette("camvid")
    assert {str(c.id): list(c.colour) for c in palette.classes} == {
        key: colour for key, (_, colour) in table.items()
    }


@pytest.mark.parametrize("name", MAPPING_NAMES)
def test_each_packaged_mapping_fits_its_palettes(name):
    mapping = load_mapping(name)
    source, target = load_palette(mapping.source), load_palette(mapping.target)
    table = mapping.table(source, target)
    assert set(table[: source.num_classes]) <= {*range(target.num_classes), ID_IGNORE}


def test_camvid_roads_are_cityscapes_roads_and_ignored_pixels_stay_so():
    mapping = load_mapping("camvid-to-cityscapes")
    table = mapping.table(load_palette("camvid"), load_palette("cityscapes"))
    assert table[[3, 8, 11, 255]].tolist() == [7, 26, 255, 255]
    assert table.dtype == np.uint8


def test_an_unknown_palette_is_refused_with_the_known_ones():
    with pytest.raises(DataError, match=r"palette must be one of cityscapes, cityscapes19.*'city'"):
        load_palette("city")


def test_an_unknown_mapping_is_refused_with_the_known_ones():
    with pytest.raises(DataError, match="label mapping must be one of camvid-to-cityscapes"):
        load_mapping("a-to-b")


def test_a_palette_file_that_is_not_yaml_is_refused(tmp_path):
    (tmp_path / "bad.yaml").write_text("name: [")
    with pytest.raises(DataError, match=r"bad\.yaml must be YAML with a palette"):
        load_palette(tmp_path / "bad.yaml")


def test_all_problems_of_a_palette_file_are_named(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("name: x\ncolour: 1\nclasses: [{id: 0, name: a, colour: [300, 0, 0]}]")
    with pytest.raises(DataError, match=r"bad\.yaml must hold a palette") as error:
        load_palette(path)
    assert "classes.0.colour.0" in str(error.value)
    assert "colour: Extra inputs" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_without_content_is_not_a_palette(tmp_path):
    (tmp_path / "empty.yaml").write_text("")
    with pytest.raises(DataError, match="must hold a palette"):
        load_palette(tmp_path / "empty.yaml")


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ("[]", "without 'ignore' must be 0, 1, 2"),
        ("[{id: 1, name: a, colour: [1, 1, 1]}]", r"without a gap and at most 254; got \[1\]"),
        (
            "[{id: 0, name: a, colour: [1, 1, 1]}, {id: 0, name: b, colour: [2, 2, 2]}]",
            r"each id must stand once; \[0\] stand more often",
        ),
    ],
)
def test_ids_with_gaps_or_repetitions_are_refused(tmp_path, classes, message):
    path = tmp_path / "bad.yaml"
    path.write_text(f"name: x\nclasses: {classes}")
    with pytest.raises(DataError, match=message):
        load_palette(path)


def test_a_mapping_to_another_palette_is_refused():
    mapping = load_mapping("camvid-to-cityscapes")
    with pytest.raises(DataError, match="must lead to 'camvid32'; got mapping 'camvid' to 'citysc"):
        mapping.table(load_palette("camvid"), load_palette("camvid32"))


def test_a_mapping_that_leaves_classes_out_is_refused():
    mapping = LabelMapping(source="camvid", target="cityscapes", ids={0: 23, 77: 1})
    with pytest.raises(DataError, match=r"ids \[1, 2.*\] are missing and \[77\] are not"):
        mapping.table(load_palette("camvid"), load_palette("cityscapes"))


def test_a_mapping_to_ids_that_the_target_has_not_is_refused():
    mapping = LabelMapping(
        source="camvid", target="cityscapes19", ids=dict.fromkeys(range(11), 20) | {3: 255}
    )
    with pytest.raises(DataError, match=r"must lead to ids 0 to 18 of 'cityscapes19'.*got \[20\]"):
        mapping.table(load_palette("camvid"), load_palette("cityscapes19"))
