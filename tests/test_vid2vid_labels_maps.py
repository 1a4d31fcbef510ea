"""Label maps in memory: channels, boundaries, colours."""

import logging

import numpy as np
import pytest
import torch

from vid2vid.labels.maps import (
    FAR_COLOUR,
    PLAINLY_FOREIGN,
    Tier,
    _warn_of_lost_ids,
    boundary,
    colours_to_ids,
    ids_to_colours,
    is_exact,
    one_hot,
)
from vid2vid.labels.palettes import ID_IGNORE, PALETTE_NAMES, load_palette


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.int64])
def test_one_hot_marks_the_channel_of_each_id(dtype):
    labels = torch.tensor([[[[0, 2], [1, 255]]]], dtype=dtype)
    channels = one_hot(labels, 3, void=False)
    assert channels.shape == (1, 1, 3, 2, 2)
    assert channels.dtype == torch.float32
    assert channels[0, 0, :, 0, 1].tolist() == [0, 0, 1]
    assert channels[0, 0, :, 1, 1].tolist() == [0, 0, 0]


def test_the_void_channel_comes_last_and_makes_every_pixel_sum_to_one():
    labels = torch.tensor([[[[0, 255], [1, 255]]]], dtype=torch.uint8)
    channels = one_hot(labels, 2, void=True)
    assert channels[0, 0, 2].tolist() == [[0, 1], [0, 1]]
    assert torch.equal(channels.sum(dim=2), torch.ones(1, 1, 2, 2))


def test_one_hot_refuses_other_shapes_and_floats():
    with pytest.raises(ValueError, match=r"labels must be 'b t h w' integers; got \(2, 2\)"):
        one_hot(torch.zeros(2, 2, dtype=torch.uint8), 3, void=False)
    with pytest.raises(ValueError, match=r"integers; got \(1, 1, 2, 2\) torch.float32"):
        one_hot(torch.zeros(1, 1, 2, 2), 3, void=False)


def test_one_hot_refuses_an_impossible_number_of_classes():
    with pytest.raises(ValueError, match="num_classes must be 1 to 255; got 256"):
        one_hot(torch.zeros(1, 1, 2, 2, dtype=torch.uint8), 256, void=False)


def test_the_boundary_lies_on_both_sides_of_a_change():
    instances = torch.tensor([[[[5, 5, 7, 7], [5, 5, 5, 5]]]])
    expected = [[0, 1, 1, 1], [0, 0, 1, 1]]
    assert boundary(instances)[0, 0, 0].tolist() == expected


def test_the_boundary_does_not_join_frames():
    instances = torch.stack([torch.zeros(3, 3), torch.ones(3, 3)])[None].int()
    assert boundary(instances).shape == (1, 2, 1, 3, 3)
    assert not boundary(instances).any()


def test_boundary_refuses_other_shapes():
    with pytest.raises(ValueError, match=r"instances must be 'b t h w'; got \(3, 3\)"):
        boundary(torch.zeros(3, 3))


@pytest.mark.parametrize("name", PALETTE_NAMES)
def test_ids_come_back_from_colours_where_no_colour_is_repeated(name):
    palette = load_palette(name)
    kept = [i for i in set(palette.readable_colours.values()) if i != ID_IGNORE]
    if ID_IGNORE in palette.readable_colours.values():
        kept.append(ID_IGNORE)
    ids = np.array([kept, kept], dtype=np.uint8)
    snapped = colours_to_ids(ids_to_colours(ids, palette), palette)
    assert np.array_equal(snapped.ids, ids)
    assert snapped.far == 0


def test_painting_warns_once_of_ids_that_a_repeated_colour_loses(caplog):
    _warn_of_lost_ids.cache_clear()
    ids = np.full((2, 2), 34, dtype=np.uint8)
    with caplog.at_level(logging.WARNING):
        ids_to_colours(ids, load_palette("cityscapes"))
        ids_to_colours(ids, load_palette("cityscapes"))
    assert caplog.text.count("ids [34] of the palette 'cityscapes' share a colour") == 1


def test_painting_does_not_warn_of_ignored_pixels(caplog):
    ids = np.array([[0, 11, 255]], dtype=np.uint8)
    assert ids_to_colours(ids, load_palette("camvid"))[0, 1:].tolist() == [[0, 0, 0], [0, 0, 0]]
    assert not caplog.records


def test_painting_refuses_ids_without_a_colour():
    with pytest.raises(ValueError, match=r"must be those of the palette 'camvid'; got \[40\]"):
        ids_to_colours(np.full((2, 2), 40, dtype=np.uint8), load_palette("camvid"))


def test_painting_refuses_wider_integers():
    with pytest.raises(ValueError, match="ids must be uint8; got int64"):
        ids_to_colours(np.zeros((2, 2), dtype=np.int64), load_palette("camvid"))


def test_noisy_colours_snap_to_the_nearest_class_as_brute_force_does():
    palette = load_palette("cityscapes")
    rgb = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    colours = np.array(list(palette.readable_colours))
    distances = np.linalg.norm(rgb[:, :, None].astype(float) - colours, axis=3)
    ids = np.array(list(palette.readable_colours.values()))[distances.argmin(axis=2)]
    snapped = colours_to_ids(rgb, palette)
    assert np.array_equal(snapped.ids, ids)
    assert snapped.far == (distances.min(axis=2) > FAR_COLOUR).mean()
    assert np.array_equal(colours_to_ids(rgb, palette).ids, ids)


@pytest.mark.parametrize(
    ("colour", "tier"),
    [((128, 64, 128), Tier.EXACT), ((132, 64, 128), Tier.SURE), ((133, 64, 128), Tier.NEAR)],
)
def test_how_near_a_colour_is_to_the_palette_is_told(colour, tier):
    snapped = colours_to_ids(np.full((1, 2, 3), colour, dtype=np.uint8), load_palette("camvid"))
    assert snapped.tiers.tolist() == [[tier, tier]]
    assert snapped.exact == (tier is Tier.EXACT)


def test_a_colour_beyond_the_largest_distance_is_far():
    rgb = np.full((1, 2, 3), (128, 64, 128), dtype=np.uint8)
    rgb[0, 1] = (0, 255, 0)
    snapped = colours_to_ids(rgb, load_palette("camvid"))
    assert snapped.tiers.tolist() == [[Tier.EXACT, Tier.FAR]]
    assert snapped.far == 0.5


def test_snapping_refuses_what_is_not_an_rgb_picture():
    with pytest.raises(ValueError, match=r"rgb must be 'h w 3' uint8; got \(4, 4\) uint8"):
        colours_to_ids(np.zeros((4, 4), dtype=np.uint8), load_palette("camvid"))


def test_one_foreign_pixel_makes_a_picture_inexact():
    palette = load_palette("camvid")
    rgb = ids_to_colours(np.full((20, 20), 3, dtype=np.uint8), palette)
    assert is_exact(rgb, palette)
    rgb[7, 9] += 1
    assert not is_exact(rgb, palette)


def test_real_maps_are_far_from_foreign_palettes_only(shared_data):
    cv2 = pytest.importorskip("cv2")
    path = sorted((shared_data / "cityscapes_labels_2048" / "labels").glob("*.png"))[0]
    ids = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    rgb = ids_to_colours(ids, load_palette("cityscapes"))
    assert colours_to_ids(rgb, load_palette("cityscapes")).far == 0
    assert colours_to_ids(rgb, load_palette("camvid")).far > PLAINLY_FOREIGN
    assert colours_to_ids(rgb, load_palette("camvid32")).far > PLAINLY_FOREIGN
