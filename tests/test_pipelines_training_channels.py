"""Which channels of two runs mean the same."""

import pytest
from tiny_runs import tiny_config

from pipelines.build import build_conditioning, palette_for
from pipelines.training.channels import Channel, class_pairs, map_channels, match_channels
from vid2vid.errors import DataError
from vid2vid.labels.palettes import LabelMapping, Palette, load_palette


def palette(name, *classes):
    colours = [
        {"id": index, "name": each, "colour": (index, 0, 0)} for index, each in enumerate(classes)
    ]
    return Palette.model_validate({"name": name, "classes": colours})


def channels(**sections):
    config = tiny_config(**sections)
    return map_channels(config, palette_for(config))


def labelled(*names):
    return [Channel("class", name) for name in names]


def write_mapping(path, source, target, ids):
    mapping = LabelMapping(source=source, target=target, ids=ids)
    path.write_text(mapping.model_dump_json())
    return str(path)


CONTROLS = [{"kind": "picture", "stream": "sketch"}, {"kind": "edges"}, {"kind": "boundary"}]


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"labels": {"void": True, "boundary": "labels"}},
        {"labels": {"void": True}, "controls": CONTROLS},
        {"labels": None, "controls": [*CONTROLS, {"kind": "landmarks"}]},
    ],
    ids=str,
)
def test_every_channel_of_the_conditioning_has_a_meaning_of_its_own(sections):
    config = tiny_config(**sections)
    found = channels(**sections)
    assert len(found) == build_conditioning(config, palette_for(config)).channels
    assert len(set(found)) == len(found)


def test_channels_stand_in_the_order_of_the_conditioning():
    found = channels(labels={"void": True, "boundary": "labels"}, controls=CONTROLS[:2])
    names = [str(channel) for channel in found]
    assert names[:2] == ["Sky", "Building"]
    assert names[11:] == ["void", "boundary", *(f"picture sketch {n}" for n in range(3)), "edges 0"]


def test_classes_match_by_name_whatever_the_case_and_place():
    there = [*labelled("Road", "car", "tree"), Channel("void", "")]
    here = [*labelled("CAR", "sky", "road"), Channel("boundary", ""), Channel("void", "")]
    assert match_channels(there, here, {}) == {0: 1, 2: 0, 4: 3}


def test_a_class_is_no_channel_of_another_kind():
    assert match_channels(labelled("void"), [Channel("void", "")], {}) == {}


def test_pairs_come_before_names():
    assert match_channels(labelled("a", "b"), labelled("a", "c"), {"a": "b"}) == {0: 1}


def test_the_packages_mapping_is_found_either_way_round():
    camvid, cityscapes = load_palette("camvid"), load_palette("cityscapes")
    assert class_pairs(cityscapes, camvid, None)["Pavement"] == "sidewalk"
    assert class_pairs(camvid, cityscapes, None)["sidewalk"] == "Pavement"
    assert class_pairs(camvid, camvid, None) == {}


def test_of_several_classes_that_become_one_the_equal_name_is_taken(tmp_path):
    there, here = palette("fine", "van", "Car", "bus"), palette("coarse", "car", "big")
    file = write_mapping(tmp_path / "m.yaml", "fine", "coarse", {0: 0, 1: 0, 2: 1})
    assert class_pairs(there, here, file) == {"car": "Car", "big": "bus"}
    without_name = palette("coarse", "vehicle", "big")
    assert class_pairs(there, without_name, file) == {"vehicle": "van", "big": "bus"}


def test_one_class_may_become_several(tmp_path):
    there, here = palette("coarse", "vehicle"), palette("fine", "van", "car")
    file = write_mapping(tmp_path / "m.yaml", "fine", "coarse", {0: 0, 1: 255})
    assert class_pairs(there, here, file) == {"van": "vehicle"}


def test_a_mapping_of_other_palettes_is_refused(tmp_path):
    file = write_mapping(tmp_path / "m.yaml", "a", "b", {0: 0})
    with pytest.raises(
        DataError, match=r"init_map must lead between the palettes 'x' and 'y'.*'b'"
    ):
        class_pairs(palette("x", "k"), palette("y", "k"), file)
