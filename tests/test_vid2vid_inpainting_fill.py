from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.inpainting_networks import RELU3_1, tiles, tiny_stack
from vid2vid.errors import DataError
from vid2vid.filling.inventor import invent
from vid2vid.inpainting.fill import PatchSynthesis
from vid2vid.inpainting.harmonise import harmonise
from vid2vid.inpainting.membrane import membrane
from vid2vid.inpainting.presets import PRESETS, preset
from vid2vid.inpainting.stack import FeatureStack, segmenter_layers
from vid2vid.networks.segmenter import Segmenter, SegmenterConfig

FAST = preset("fast", iterations=3)


def _hole(height: int, width: int, box: tuple[slice, slice]) -> Tensor:
    hole = torch.zeros(height, width, dtype=torch.bool)
    hole[box] = True
    return hole


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_two_holes_one_at_the_edge_are_filled_alike_each_time(name: str):
    picture = tiles(72, 96) / 2
    hole = _hole(72, 96, (slice(30, 41), slice(20, 33))) | _hole(72, 96, (slice(3), slice(80, 96)))
    options = preset(name, iterations=2)
    fill = PatchSynthesis(tiny_stack(RELU3_1), options)
    blank = torch.where(hole, 0.0, picture)
    filled = invent(fill, blank, hole)
    assert torch.equal(filled, invent(fill, blank, hole))
    assert (filled != blank)[:, hole].any(dim=0).float().mean() > 0.9
    assert invent(fill, picture, torch.zeros_like(hole)) is picture


def test_tiles_come_back_in_a_hole_where_a_membrane_has_none():
    picture, hole = tiles(96, 96) / 2, _hole(96, 96, (slice(40, 56), slice(40, 56)))
    filled = invent(PatchSynthesis(tiny_stack(RELU3_1), FAST), picture, hole)
    error = (filled - picture)[:, hole].square().mean()
    assert error < 0.5 * (membrane(picture, hole) - picture)[:, hole].square().mean()


def test_content_is_asked_at_the_coarsest_level_and_followed():
    picture = torch.rand(3, 160, 160) * 0.1
    hole, asked = _hole(160, 160, (slice(50, 90), slice(50, 90))), []

    def content(level: Tensor, mask: Tensor) -> Tensor:
        asked.append(tuple(level.shape[1:]))
        return torch.where(mask, 0.9, level)

    options = replace(preset("paper", iterations=0, blending="hard"), levels=2)
    fill = PatchSynthesis(tiny_stack(RELU3_1), options, content=content)
    filled = invent(fill, picture, hole)
    assert asked == [(80, 80)]
    torch.testing.assert_close(filled[:, 60:80, 60:80], torch.full((3, 20, 20), 0.9))


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_hole_that_no_coarse_level_shows_is_filled_all_the_same(name: str):
    picture = tiles(272, 272) / 2
    hole = _hole(272, 272, (slice(100, 180), slice(130, 131)))
    fill = PatchSynthesis(tiny_stack(RELU3_1), preset(name, iterations=1))
    filled = invent(fill, torch.where(hole, 1.0, picture), hole)
    assert (filled - 1.0)[:, hole].abs().min() > 0.05


def test_texture_may_come_from_another_picture():
    picture, hole = torch.zeros(3, 40, 40), torch.ones(40, 40, dtype=torch.bool)
    hole[:2] = False
    picture[0] = torch.linspace(-0.2, 0.2, 40)
    with pytest.raises(DataError, match="needs known squares of 12x12 px"):
        PatchSynthesis(tiny_stack(RELU3_1), FAST)(picture, hole)
    samples = [tiles(64, 64)]
    filled = invent(PatchSynthesis(tiny_stack(RELU3_1), FAST, samples=samples), picture, hole)
    assert filled[1:, hole].std() > 0.05


def test_a_window_of_a_segmenter_sees_what_it_sees_in_the_picture():
    segmenter = Segmenter(SegmenterConfig(num_classes=3, widths=(8, 16, 16)))
    stack = FeatureStack(segmenter_layers(segmenter, (1, 2))).eval()
    picture, nothing = torch.rand(3, 96, 96), torch.zeros(96, 96, dtype=torch.bool)
    levels = segmenter.encode(picture[None])
    fitted = stack.fitted(picture, nothing)
    for own, level in zip(fitted(picture), levels[1:], strict=True):
        torch.testing.assert_close(own, level[0], atol=1e-4, rtol=1e-4)
    part = fitted(picture[:, :64, :64])[0]
    torch.testing.assert_close(part[:, :20, :20], levels[1][0, :, :20, :20], atol=1e-4, rtol=1e-4)


def test_a_stripe_goes_on_through_a_deep_hole():
    picture = torch.full((3, 96, 96), -0.4)
    picture[0, 44:52] = 0.6
    hole = _hole(96, 96, (slice(32, 64), slice(30, 66)))
    filled = invent(PatchSynthesis(tiny_stack(RELU3_1), FAST), picture, hole)
    assert (filled - picture)[:, hole].abs().mean() < 0.05
    assert (membrane(picture, hole) - picture)[:, hole].abs().mean() > 0.07


def test_voted_patches_keep_to_the_broad_colours_of_the_content():
    picture, hole = tiles(96, 96) / 4, _hole(96, 96, (slice(36, 60), slice(36, 60)))

    def content(level: Tensor, mask: Tensor) -> Tensor:
        return torch.where(mask, 0.8, level)

    means: list[float] = []
    for pull in (0.0, 0.25, 1.0):
        options = replace(preset("fast", iterations=0, blending="hard"), pull=pull)
        fill = PatchSynthesis(tiny_stack(RELU3_1), options, content=content)
        means.append(float(invent(fill, picture, hole)[:, 44:52, 44:52].mean()))
    assert means[0] < means[1] - 0.1 < means[2] - 0.2
    assert means[2] == pytest.approx(0.8, abs=0.15)


def test_harmonising_takes_the_colour_over_and_keeps_the_shape():
    picture, inside = tiles(64, 64) / 4, _hole(64, 64, (slice(24, 40), slice(24, 40)))
    shape = torch.zeros(3, 64, 64)
    shape[:, 30:34, 30:34] = 0.3
    pasted = picture + shape + torch.tensor([0.4, -0.4, 0.2])[:, None, None]
    stack = tiny_stack(RELU3_1)
    fitted = harmonise(picture, pasted, inside, stack=stack, options=FAST)
    assert (fitted - picture - shape)[:, inside].abs().mean() < 0.1
    assert torch.equal(fitted[:, :16], picture[:, :16])
    assert harmonise(picture, pasted, inside & False, stack=stack, options=FAST) is picture
