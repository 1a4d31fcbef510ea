"""The control known: which pixels are given, and how the rest is blanked."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from vid2vid.controls.config import FRAMES, name_of, needs_files, source_of, stream_of
from vid2vid.controls.drawing import draw_control
from vid2vid.controls.known import (
    Window,
    blank,
    draw_unknown,
    find_window,
    make_known,
    place_window,
)
from vid2vid.controls.known_config import KnownConfig
from vid2vid.controls.pictures import Material, make_pictures
from vid2vid.data.augment import Size, unvaried

WINDOW = KnownConfig(shape="window", height=4, width=6, position="random")
HOLE = KnownConfig(shape="hole", size=4, fill=(0.5, -0.25, 1.0))
BLOTS = KnownConfig(shape="irregular", share=(0.2, 0.3))


def test_a_window_keeps_its_pixels_and_blanks_the_rest():
    frames = torch.rand(2, 3, 8, 8) * 2 - 1
    made = make_known(WINDOW, frames)
    assert made.shape == (2, 4, 8, 8)
    assert torch.equal(made[:, :3, 2:6, 1:7], frames[:, :, 2:6, 1:7])
    assert made[:, 3].sum() == 2 * (64 - 24)
    assert made[:, :3].count_nonzero() <= 2 * 3 * 24


def test_a_hole_is_filled_with_its_colours():
    made = make_known(HOLE, torch.rand(1, 3, 8, 10))
    assert made[0, :3, 2:6, 3:7].flatten(1).unique(dim=1).flatten().tolist() == [0.5, -0.25, 1.0]
    assert made[0, 3].sum() == 16


def test_what_is_unknown_of_the_photograph_counts_for_nothing():
    unknown = draw_unknown(BLOTS, 32, 32)
    frames = torch.rand(3, 32, 32)
    other = torch.where(unknown, torch.rand(3, 32, 32), frames)
    assert torch.equal(blank(frames, unknown), blank(other, unknown))


def test_random_windows_reach_every_corner_and_stay_over_a_clip():
    places = set()
    for seed in range(200):
        made = make_known(WINDOW, torch.rand(2, 3, 6, 8), rng=np.random.default_rng(seed))
        assert torch.equal(made[0, 3], made[1, 3])
        places.add(find_window(made[0, 3] > 0))
    assert places == {Window(top, left, 4, 6) for top in range(3) for left in range(3)}


@pytest.mark.parametrize(("position", "top"), [("random", 2), ("centre", 2), ("top", 0)])
def test_evaluation_takes_the_centre_or_the_top(position, top: int):
    control = WINDOW.model_copy(update={"position": position})
    assert place_window(control, 9, 8) == Window(top, 1, 4, 6)


def test_blots_cover_their_share_and_are_the_same_in_every_evaluation():
    masks = [draw_unknown(BLOTS, 64, 64, rng=np.random.default_rng(seed)) for seed in range(9)]
    assert all(0.19 < float(mask.float().mean()) < 0.31 for mask in masks)
    assert not torch.equal(masks[0], masks[1])
    assert torch.equal(draw_unknown(BLOTS, 64, 64), draw_unknown(BLOTS, 64, 64))


def test_training_and_rendering_make_it_like_any_control():
    material = Material(Size(8, 8), {}, frames=torch.rand(2, 3, 8, 8))
    made = make_pictures([WINDOW], material, unvaried(Size(8, 8)))
    assert made is not None
    assert torch.equal(made, make_known(WINDOW, material.frames))
    with pytest.raises(ValueError, match="kind known needs photographs"):
        make_pictures([WINDOW], Material(Size(8, 8), {}), unvaried(Size(8, 8)))


def test_it_is_found_in_the_photographs_and_shown_in_colour():
    assert (stream_of(HOLE), source_of(HOLE), name_of(HOLE)) == (None, FRAMES, "known")
    assert not needs_files(HOLE)
    assert draw_control(HOLE, make_known(HOLE, torch.zeros(1, 3, 8, 8))[0])[4, 4].tolist() == [
        191,
        96,
        255,
    ]


@pytest.mark.parametrize("unknown", [torch.ones(4, 4, dtype=torch.bool), torch.eye(4) > 0])
def test_only_a_rectangle_is_a_window(unknown):
    with pytest.raises(ValueError, match="what is known must be a rectangle"):
        find_window(unknown)


def test_a_shape_that_does_not_lie_in_the_frame_is_refused():
    with pytest.raises(ValueError, match="the window of control 'known' must lie in the frame"):
        place_window(WINDOW, 8, 5)
    with pytest.raises(ValueError, match="must be window or hole to lie in a place"):
        place_window(BLOTS, 8, 8)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shape": "window", "height": 4, "width": 4}, "position is missing"),
        ({"shape": "hole", "size": 4, "share": (0.2, 0.3)}, "share says nothing of shape 'hole'"),
        ({"shape": "irregular", "share": (0.3, 0.2)}, "0 < low < high < 1"),
    ],
)
def test_a_shape_that_is_not_described_is_refused(settings, message: str):
    with pytest.raises(ValidationError, match=message):
        KnownConfig(**settings)
