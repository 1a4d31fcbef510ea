"""A painter that continues ramps exactly, so that any way of growing must give the whole ramp."""

import numpy as np
import pytest
import torch

from vid2vid.extension.extender import Extender
from vid2vid.extension.layout import Layout
from vid2vid.extension.margins import Margins
from vid2vid.extension.rectangle import largest_rectangle

SMALL = Layout(64, 64, 32, 32, "random")
SCENE = Layout(32, 64, 32, 32, "centre")
STEEPNESS = (0.004, -0.003)


def ramp(height, width, *, top=0, left=0):
    """Grows downwards and to the right; the picture inside of margins begins at their corner."""
    rows = (torch.arange(height, dtype=torch.float32) - top)[:, None] * STEEPNESS[0]
    columns = (torch.arange(width, dtype=torch.float32) - left) * STEEPNESS[1]
    return torch.stack([rows + 0 * columns, columns + 0 * rows, rows + columns])


def continue_ramp(window, margins):
    """Continue what the middle of a window shows of a ramp, whatever its scale."""
    down = (window[:, 12:13, 4:5] - window[:, 4:5, 4:5]) / 8
    across = (window[:, 4:5, 12:13] - window[:, 4:5, 4:5]) / 8
    height, width = margins.grown_size(*window.shape[1:])
    rows = torch.arange(height)[:, None] - margins.top - 4
    columns = torch.arange(width) - margins.left - 4
    return window[:, 4:5, 4:5] + down * rows + across * columns


@pytest.mark.parametrize("scale", [None, 1.0])
@pytest.mark.parametrize(
    ("layout", "size", "margins"),
    [
        (SMALL, (32, 32), Margins(16, 16, 16, 16)),
        (SMALL, (45, 50), Margins(7, 0, 3, 11)),
        (SMALL, (70, 110), Margins(9, 30, 21, 0)),
        (SCENE, (50, 41), Margins(0, 35, 0, 12)),
    ],
)
def test_a_ramp_goes_on_over_every_margin(layout, size, margins, scale):
    picture = ramp(*size)
    grown = Extender(continue_ramp, layout, scale=scale).extend(picture, margins)
    truth = ramp(*margins.grown_size(*size), top=margins.top, left=margins.left)
    # at a border shrinking takes the mean of what there is: less than a pixel off
    assert (grown - truth).abs().max() < (2e-6 if scale else 4e-3)


@pytest.mark.parametrize("scale", [None, 1.0])
def test_known_pixels_come_back_bit_for_bit(scale):
    picture = torch.rand(3, 50, 61, generator=torch.Generator().manual_seed(0)) * 2 - 1
    margins = Margins(20, 3, 0, 40)
    grown = Extender(continue_ramp, SMALL, scale=scale).extend(picture, margins)
    assert torch.equal(grown[:, 20:70, 40:101], picture)
    assert grown.shape == (3, 70, 104)


def test_it_fills_any_mask_from_the_largest_known_rectangle():
    truth = ramp(60, 70)
    unknown = torch.zeros(60, 70, dtype=torch.bool)
    unknown[:, :12] = True
    unknown[5:9, 8:15] = True
    blanked = torch.where(unknown, 0.9, truth)
    filled = Extender(continue_ramp, SMALL)(blanked, unknown)
    assert torch.equal(filled[:, ~unknown], truth[:, ~unknown])
    assert (filled - truth).abs().max() < 2e-6


def test_it_says_where_there_is_nothing_to_begin_from():
    with pytest.raises(ValueError, match="all are unknown"):
        Extender(continue_ramp, SMALL)(ramp(20, 20), torch.ones(20, 20, dtype=torch.bool))


def test_without_unknown_pixels_a_picture_stays():
    picture = ramp(20, 20)
    assert Extender(continue_ramp, SMALL)(picture, torch.zeros(20, 20).bool()) is picture


def test_the_largest_rectangle_is_that_of_a_search_over_all():
    rng = np.random.default_rng(0)
    for _ in range(20):
        known = rng.random((7, 9)) < 0.75
        areas = [
            (bottom - top) * (right - left)
            for top in range(7)
            for bottom in range(top + 1, 8)
            for left in range(9)
            for right in range(left + 1, 10)
            if known[top:bottom, left:right].all()
        ]
        found = known[largest_rectangle(known)]
        assert found.all()
        assert found.size == max(areas)


def test_a_picture_without_known_pixels_has_an_empty_rectangle():
    assert largest_rectangle(np.zeros((3, 4), bool)) == (slice(0, 0), slice(0, 0))
