from fractions import Fraction

import pytest

from vid2vid.extension.margins import Margins, margins_to_aspect


def test_margins_count_clockwise_from_the_top():
    margins = Margins(1, 2, 4, 8)
    assert margins == Margins(top=1, right=2, bottom=4, left=8)
    assert margins.grown_size(10, 20) == (15, 30)
    assert margins.window(10, 20) == (slice(1, 11), slice(8, 28))


def test_margins_around_a_window_are_those_it_was_made_of():
    margins = Margins(1, 2, 4, 8)
    assert Margins.around(margins.window(10, 20), 15, 30) == margins
    assert not margins.is_empty
    assert Margins().is_empty


def test_a_narrow_picture_becomes_wide_evenly_on_both_sides():
    # 480 * 16 / 9 = 853.3; the even number next to it is 854
    assert margins_to_aspect(480, 640, Fraction(16, 9)) == Margins(0, 107, 0, 107)


def test_a_wide_picture_becomes_high():
    assert margins_to_aspect(90, 160, Fraction(1)) == Margins(35, 0, 35, 0)


def test_an_odd_side_grows_to_the_nearest_number():
    # 9 * 4 / 3 = 12 from 7: 5 more, the pixel of the odd rest on the right
    assert margins_to_aspect(9, 7, Fraction(4, 3)) == Margins(0, 3, 0, 2)


def test_a_picture_of_that_aspect_stays():
    assert margins_to_aspect(90, 160, Fraction(16, 9)).is_empty
    assert margins_to_aspect(480, 854, Fraction(16, 9)).is_empty


def test_an_aspect_must_be_above_0():
    with pytest.raises(ValueError, match=r"must be above 0; got height 9, width 7, aspect 0"):
        margins_to_aspect(9, 7, Fraction(0))
