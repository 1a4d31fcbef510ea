import random

import pytest

from vid2vid.errors import ConfigError
from vid2vid.extension.layout import Layout
from vid2vid.extension.margins import Margins
from vid2vid.extension.planning import Box, plan_growth
from vid2vid.extension.tiling import own_margins

SMALL = Layout(128, 128, 64, 64, "random")
SCENE = Layout(256, 512, 256, 256, "centre")
BODY = Layout(256, 128, 64, 128, "top")
ODD = Layout(96, 96, 64, 64, "random")  # one and a half times as large


def test_reach_is_what_lay_beside_the_window_in_training():
    assert SMALL.reach == Margins(32, 32, 32, 32)
    assert SMALL.farthest == Margins(64, 64, 64, 64)
    assert SCENE.reach == SCENE.farthest == Margins(0, 128, 0, 128)
    assert BODY.reach == Margins(0, 0, 192, 0)


def test_the_trained_picture_is_one_canvas_of_the_trained_size():
    plan = plan_growth(64, 64, Margins(32, 32, 32, 32), layout=SMALL)
    assert plan.way == "canvas"
    (step,) = plan.steps
    assert step.window == Box(0, 0, 64, 64)
    assert step.canvas == step.known == Box(-32, -32, 96, 96)


def test_a_random_window_is_moved_no_farther_than_its_margins_need():
    plan = plan_growth(64, 64, Margins(0, 0, 0, 40), layout=SMALL, scale=1.0)
    assert plan.steps[0].canvas == Box(-32, -40, 96, 88)
    assert plan.steps[0].known == Box(0, -40, 64, 64)


def test_a_canvas_of_centred_windows_is_cropped():
    plan = plan_growth(256, 256, Margins(0, 20, 0, 50), layout=SCENE)
    assert plan.steps[0].canvas == Box(0, -128, 256, 384)
    assert plan.steps[0].known == Box(0, -50, 256, 276)


def test_a_wide_margin_is_brought_within_reach_by_shrinking():
    plan = plan_growth(480, 640, Margins(0, 107, 0, 107), layout=SMALL)
    # 31/107 of 480 and 640, to multiples of 4; the margins with the pixel to interpolate from
    assert (plan.height, plan.width) == (140, 184)
    assert plan.margins == Margins(0, 32, 0, 32)
    assert plan.way == "strips"
    assert [step.window for step in plan.steps] == [Box(0, 0, 140, 64), Box(0, 120, 140, 184)]


def test_at_its_own_scale_a_picture_grows_strip_by_strip():
    plan = plan_growth(200, 200, Margins(0, 80, 0, 0), layout=SMALL, scale=1.0)
    assert [step.known.right for step in plan.steps] == [232, 264, 280]
    assert plan.steps[1].window == Box(0, 168, 200, 232)
    assert plan.describe(200, 200) == "strip by strip, in 3 strips"


def test_a_description_tells_of_shrinking():
    plan = plan_growth(256, 256, Margins(0, 0, 96, 0), layout=SMALL)
    assert (
        plan.describe(256, 256) == "at 84x84 instead of 256x256, as one canvas of 168x168, cropped"
    )


def test_every_new_pixel_lies_in_a_canvas_of_the_ratio():
    rng = random.Random(0)
    for _ in range(400):
        layout = rng.choice([SMALL, SCENE, BODY, ODD])
        margins = Margins(*(rng.randint(0, 150) * (px > 0) for px in layout.reach))
        if margins.is_empty:
            continue
        size = rng.randint(16, 300), rng.randint(16, 300)
        plan = plan_growth(*size, margins, layout=layout, scale=rng.choice([None, 1.0, 0.5]))
        known = Box(0, 0, plan.height, plan.width)
        for step in plan.steps:
            assert step.window.height % 4 == step.window.width % 4 == 0
            assert step.canvas.height == step.window.height * layout.ratio[0]
            assert step.canvas.width == step.window.width * layout.ratio[1]
            assert all(
                step.canvas.top <= y < step.canvas.bottom
                and step.canvas.left <= x < step.canvas.right
                for y in (step.known.top, known.top, known.bottom - 1, step.known.bottom - 1)
                for x in (step.known.left, known.left, known.right - 1, step.known.right - 1)
                if not (known.top <= y < known.bottom and known.left <= x < known.right)
            )
            known = step.known
        assert known == Box(0, 0, plan.height, plan.width).grow(plan.margins)


def test_sides_that_were_never_continued_are_refused():
    needed = r"\(right, left; .*256x256 to 512x256.*\); got top,right,bottom,left 9,0,0,0"
    with pytest.raises(ConfigError, match=needed):
        plan_growth(256, 256, Margins(top=9), layout=SCENE)


def test_tiny_pictures_are_refused():
    with pytest.raises(ConfigError, match=r"at least 16 pixels on each side .* it is 40x15"):
        plan_growth(15, 40, Margins(top=9), layout=SMALL)


def test_programmers_mistakes_are_told_of():
    with pytest.raises(ValueError, match=r"margins must be at least 0 and one of them above"):
        plan_growth(64, 64, Margins(), layout=SMALL)
    with pytest.raises(ValueError, match=r"scale must be above 0 and at most 1; got 2"):
        plan_growth(64, 64, Margins(9), layout=SMALL, scale=2)


def test_own_margins_make_a_picture_as_much_larger_as_a_canvas():
    assert own_margins(SMALL, 50, 31) == Margins(25, 16, 25, 15)
    assert own_margins(BODY, 64, 128) == Margins(0, 0, 192, 0)
    assert own_margins(ODD, 64, 64) == Margins(16, 16, 16, 16)
