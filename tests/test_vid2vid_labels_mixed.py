"""Pixels whose colour a codec has mixed: the class of sure neighbours, chosen mostly by luma."""

import numpy as np
import pytest

from vid2vid.labels import mixed
from vid2vid.labels.maps import Tier, colours_to_ids
from vid2vid.labels.mixed import resolve_mixed
from vid2vid.labels.palettes import ID_IGNORE, LabelClass, Palette

RED, BLUE, PURPLE = (200, 0, 0), (0, 0, 200), (100, 0, 100)
PALETTE = Palette(
    name="three",
    classes=tuple(
        LabelClass(id=index, name=str(index), colour=colour)
        for index, colour in enumerate((RED, BLUE, PURPLE))
    ),
)


def halves(height=8, width=8):
    """Red on the left, blue on the right."""
    rgb = np.empty((height, width, 3), dtype=np.uint8)
    rgb[:, : width // 2], rgb[:, width // 2 :] = RED, BLUE
    return rgb


def resolve(rgb, palette=PALETTE):
    return resolve_mixed(rgb, colours_to_ids(rgb, palette), palette)


# The luma of red is 42.5, that of blue 14.4; both pixels are nearest to purple (28.5).
@pytest.mark.parametrize(("colour", "expected"), [((115, 14, 90), 0), ((90, 0, 115), 1)])
def test_a_mixture_takes_the_neighbour_of_its_luma_not_the_third_class_between(colour, expected):
    rgb = halves()
    rgb[3, 4] = colour
    assert colours_to_ids(rgb, PALETTE).ids[3, 4] == 2
    assert resolve(rgb)[3, 4] == expected


def test_a_pixel_within_codec_noise_of_its_class_keeps_it():
    rgb = halves()
    rgb[3, 4] = (102, 1, 98)
    assert colours_to_ids(rgb, PALETTE).tiers[3, 4] == Tier.SURE
    assert resolve(rgb)[3, 4] == 2


@pytest.mark.parametrize(("num_pixels", "expected"), [(4, 2), (3, 0)])
def test_three_neighbours_make_a_near_colour_sure(num_pixels, expected):
    rgb = halves()
    for row, column in ((3, 1), (3, 2), (4, 1), (4, 2))[:num_pixels]:
        rgb[row, column] = (110, 5, 95)
    assert resolve(rgb)[3, 1] == expected


def test_a_thin_thing_keeps_its_class_where_that_is_surely_in_the_frame():
    rgb = halves(16, 32)
    rgb[12:, 24:] = PURPLE
    rgb[2, 20] = (112, 0, 112)  # of purple's luma; blue, all around, is 16 levels off
    assert resolve(rgb)[2, 20] == 2
    rgb[12:, 24:] = BLUE
    assert resolve(rgb)[2, 20] == 1


def test_exact_colours_are_left_alone():
    rgb = np.array([RED, BLUE, PURPLE], dtype=np.uint8)[
        np.random.default_rng(0).integers(0, 3, (20, 30))
    ]
    assert np.array_equal(resolve(rgb), colours_to_ids(rgb, PALETTE).ids)


def test_where_nothing_is_sure_the_nearest_stays():
    rgb = np.full((1, 3, 3), (110, 5, 95), dtype=np.uint8)
    assert resolve(rgb).tolist() == [[2, 2, 2]]


def test_every_colour_of_the_ignored_classes_counts():
    classes = [
        LabelClass(id=0, name="a", colour=RED),
        LabelClass(id=1, name="b", colour=BLUE, ignore=True),
        LabelClass(id=2, name="c", colour=(0, 200, 0), ignore=True),
    ]
    palette = Palette(name="ignoring", classes=tuple(classes))
    rgb = halves()
    rgb[:, 4:] = (0, 200, 0)
    rgb[3, 3] = (60, 160, 60)
    assert resolve(rgb, palette)[3].tolist() == [0] * 3 + [ID_IGNORE] * 5


def noisy(height, width):
    """Fields of the three classes under noise that makes some of the pixels doubtful."""
    rng = np.random.default_rng(1)
    fields = rng.integers(0, 3, (height // 4, width // 4)).repeat(4, axis=0).repeat(4, axis=1)
    rgb = np.array([RED, BLUE, PURPLE])[fields]
    moved = rng.random((height, width, 1)) < 0.15
    return np.clip(rgb + moved * rng.integers(-90, 90, rgb.shape), 0, 255).astype(np.uint8)


def by_hand(rgb, row, column, snapped, sure):
    """Weigh the classes for one pixel with loops."""
    luma = np.array([0.2126, 0.7152, 0.0722])
    best = {}
    for index, colour in enumerate((RED, BLUE, PURPLE)):
        difference = rgb[row, column].astype(float) - colour
        blue = (difference[2] - luma @ difference) / 1.8556
        red = (difference[0] - luma @ difference) / 1.5748
        best[index] = 10 * (luma @ difference) ** 2 + blue**2 + red**2
        window = (
            slice(max(row - 2, 0), row + 3),
            slice(max(column - 2, 0), column + 3),
        )
        near_by = (sure[window] & (snapped.ids[window] == index)).sum()
        is_own = snapped.ids[row, column] == index and snapped.tiers[row, column] == Tier.NEAR
        best[index] += -300 * near_by if near_by else 2000 if is_own else 20000
    return min(best, key=best.__getitem__)


def test_the_choice_equals_loops_over_pixels():
    rgb = noisy(24, 32)
    snapped = colours_to_ids(rgb, PALETTE)
    sure = snapped.tiers <= Tier.SURE
    for row, column in np.argwhere(snapped.tiers == Tier.NEAR):
        window = (slice(max(row - 1, 0), row + 2), slice(max(column - 1, 0), column + 2))
        same = (snapped.ids[window] == snapped.ids[row, column]) & (snapped.tiers[window] < 3)
        sure[row, column] = same.sum() - 1 >= 3
    expected = snapped.ids.copy()
    for row, column in np.argwhere(~sure):
        expected[row, column] = by_hand(rgb, row, column, snapped, sure)
    assert (expected != snapped.ids).sum() > 10
    assert np.array_equal(resolve(rgb), expected)


def test_the_size_of_the_blocks_changes_nothing(monkeypatch):
    rgb = noisy(24, 32)
    whole = resolve(rgb)
    monkeypatch.setattr(mixed, "_BLOCK", 7)
    assert np.array_equal(resolve(rgb), whole)
