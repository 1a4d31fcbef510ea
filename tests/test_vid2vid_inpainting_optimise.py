import math

import pytest
import torch
from torch import Tensor

from tests.inpainting_networks import RELU3_1, RELU4_1, tiles, tiny_stack
from vid2vid.inpainting.matching import MatchOptions
from vid2vid.inpainting.optimise import (
    Level,
    OptimiseOptions,
    _Objective,
    optimise,
    total_variation,
)
from vid2vid.inpainting.texture import Texture, sum_energies

ONCE = MatchOptions(stride=1)


def _hole(side: int, size: int) -> Tensor:
    hole, start = torch.zeros(side, side, dtype=torch.bool), (side - size) // 2
    hole[start : start + size, start : start + size] = True
    return hole


def _energy(texture: Texture, picture: Tensor) -> float:
    features = texture.features(picture)
    return float(sum_energies(features, texture.assign(features)))


@pytest.mark.parametrize("tap", [RELU3_1, RELU4_1])
def test_tiles_are_made_of_their_own_patches_and_a_mean_is_not(tap: int):
    picture, hole = tiles(128, 128), _hole(128, 16)
    texture = Texture(tiny_stack(tap), picture, hole, options=ONCE)
    filled = torch.where(hole, picture.mean(), picture)
    assert _energy(texture, picture) < 1e-9 * _energy(texture, filled)


def test_a_window_has_the_features_that_it_has_in_the_picture():
    picture, hole = torch.rand(3, 192, 200) * 2 - 1, torch.zeros(192, 200, dtype=torch.bool)
    hole[100:110, 96:104] = True
    stack = tiny_stack()
    texture = Texture(stack, picture, hole, options=ONCE)
    window = texture.window
    assert window.rows.stop - window.rows.start < 192
    whole, part = stack(picture)[0], texture.features(picture)[0]
    row, column = (100 - window.rows.start) // 4, (96 - window.columns.start) // 4
    torch.testing.assert_close(part[:, row, column], whole[:, 25, 24])


def test_the_variation_of_a_ramp_is_9():
    assert total_variation(torch.arange(4.0).expand(1, 3, 4)) == 9


def test_content_alone_leaves_the_hole_as_its_content():
    picture, content = torch.rand(3, 16, 16), torch.rand(3, 16, 16)
    hole = _hole(16, 6)
    plain = OptimiseOptions(iterations=5, texture=0, smoothness=0)
    done = optimise(Level(picture, hole, content, content), None, plain)
    assert torch.equal(done.picture, torch.where(hole, content, picture))


@pytest.mark.parametrize("line_search", ["none", "strong_wolfe"])
def test_smoothness_alone_goes_on_with_a_ramp(line_search: str):
    ramp = (torch.arange(16.0) / 16 - 0.5).expand(3, 16, 16)
    hole = _hole(16, 6)
    options = OptimiseOptions(
        iterations=60, content=0, texture=0, weights="paper", line_search=line_search
    )
    start = torch.where(hole, 0.0, ramp)
    done = optimise(Level(ramp, hole, start, start), None, options)
    torch.testing.assert_close(done.picture, ramp, atol=1e-3, rtol=0)
    assert torch.equal(done.picture[:, ~hole], ramp[:, ~hole])


@pytest.mark.parametrize("rematch", [0, 1])
def test_texture_alone_brings_the_features_of_a_hole_halfway_to_the_known(rematch: int):
    picture, hole = tiles(64, 64), _hole(64, 16)
    start = torch.where(hole, picture.mean(), picture)
    texture = Texture(tiny_stack(RELU3_1), start, hole, options=ONCE)
    options = OptimiseOptions(iterations=60, content=0, smoothness=0, rematch=rematch)
    level = Level(picture, hole, start, start)
    done = optimise(level, texture, options)
    assert _energy(texture, done.picture) < 0.5 * _energy(texture, start)
    assert torch.equal(done.picture[:, ~hole], picture[:, ~hole])


def test_no_step_of_a_line_search_ends_higher():
    picture, hole = tiles(64, 64), _hole(64, 16)
    start = torch.where(hole, picture.mean(), picture)
    texture = Texture(tiny_stack(RELU3_1), start, hole, options=ONCE)
    ends: list[float] = []
    for iterations in (2, 5, 10):
        options = OptimiseOptions(iterations=iterations, line_search="strong_wolfe")
        ends.append(min(optimise(Level(picture, hole, start, start), texture, options).objectives))
    assert ends == sorted(ends, reverse=True)


def test_what_is_not_finite_ends_at_the_best_before_it():
    picture, hole = torch.rand(3, 16, 16), _hole(16, 6)
    content = torch.where(hole, math.inf, picture)
    done = optimise(Level(picture, hole, picture, content), None, OptimiseOptions(smoothness=0))
    assert not done.is_whole
    assert torch.equal(done.picture, picture)


def test_patches_are_chosen_once_or_at_every_evaluation():
    picture, hole = tiles(64, 64), _hole(64, 16)
    start = torch.where(hole, picture.mean(), picture)
    texture = Texture(tiny_stack(RELU3_1), start, hole, options=ONCE)
    pixels = torch.rand(3, int(hole.sum()), requires_grad=True)
    for rematch, is_same in ((0, True), (1, False)):
        options = OptimiseOptions(rematch=rematch)
        objective = _Objective(Level(picture, hole, start, start), texture, options)
        objective(pixels)
        before = objective._assignments
        objective(1 - pixels)
        assert (objective._assignments is before) is is_same


def test_published_weights_count_in_levels():
    picture, hole = torch.zeros(3, 8, 8), _hole(8, 2)
    level = Level(picture, hole, picture, picture)
    objective = _Objective(level, None, OptimiseOptions(weights="paper"))
    value = objective(torch.full((3, 4), 1 / 127.5))
    assert float(value) == pytest.approx(12 + 5e-6 * 24, rel=1e-6)
