import math

import pytest
import torch

from flow import draw_flow


def vector(dx, dy):
    return torch.tensor([dx, dy]).view(1, 2, 1, 1)


def colour(dx, dy, max_px):
    return tuple(draw_flow(vector(dx, dy), max_px=max_px).flatten().tolist())


def test_zero_flow_is_white():
    assert (draw_flow(torch.zeros(2, 2, 3, 4)) == 255).all()
    assert (draw_flow(torch.zeros(2, 2, 3, 4), max_px=5.0) == 255).all()


def test_directions_have_the_hues_of_the_baker_wheel():
    assert colour(1.0, 0.0, 1.0) == (255, 0, 0)  # right is red
    assert colour(0.0, 1.0, 1.0) == (255, 229, 0)  # down is yellow
    red, green, blue = colour(-1.0, 0.0, 1.0)  # left is blue-green
    assert red == 0
    assert min(green, blue) > 150
    red, green, blue = colour(0.0, -1.0, 1.0)  # up is blue-violet
    assert blue == 255
    assert max(red, green) < 150


def test_half_the_length_is_half_as_strong():
    assert colour(5.0, 0.0, 10.0) == (255, 127, 127)


def test_the_scale_is_fixed_by_max_px():
    alone = draw_flow(vector(2.0, 1.0), max_px=8.0)
    beside = draw_flow(torch.cat((vector(2.0, 1.0), vector(0.0, 7.0))), max_px=8.0)
    assert torch.equal(alone, beside[:1])


def test_longer_vectors_look_like_the_longest():
    assert colour(30.0, 40.0, 5.0) == colour(3.0, 4.0, 5.0)


def test_without_max_px_the_longest_vector_of_the_batch_sets_the_scale():
    flow = torch.cat((vector(5.0, 0.0), vector(0.0, 10.0)))
    assert torch.equal(draw_flow(flow), draw_flow(flow, max_px=10.0))


@pytest.mark.parametrize("max_px", [None, 4.375693])
def test_the_longest_vector_does_not_wrap_to_a_bright_channel(max_px):
    # torchvision alone paints this vector (255, 41, 255): a blue level of -1, as uint8.
    assert colour(4.196444034576416, 1.239607810974121, max_px) == (255, 41, 0)


def test_the_picture_is_uint8_of_the_same_size_for_any_dtype():
    picture = draw_flow(torch.randn(2, 2, 3, 5).bfloat16())
    assert picture.dtype == torch.uint8
    assert picture.shape == (2, 3, 3, 5)


def test_a_flow_without_a_batch_axis_is_refused():
    with pytest.raises(ValueError, match=r"flow must be 'b 2 h w' to be drawn; got \(2, 4, 4\)"):
        draw_flow(torch.zeros(2, 4, 4))


@pytest.mark.parametrize("max_px", [0.0, -1.0, math.nan])
def test_a_scale_that_is_not_a_length_is_refused(max_px):
    with pytest.raises(ValueError, match="max_px must be a length above 0"):
        draw_flow(vector(1.0, 0.0), max_px=max_px)
