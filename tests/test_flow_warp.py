import math

import pytest
import torch

from flow import compose, pixel_grid, warp


def ramp(height, width):
    """Every pixel holds 10 y + x."""
    x, y = pixel_grid(height, width)
    return (10 * y + x)[None, None]


def constant_flow(dx, dy, size):
    return torch.tensor([dx, dy]).view(1, 2, 1, 1).expand(1, 2, *size)


def fetch(picture, x, y):
    """Bilinear lookup at one position, clamped to the picture, by its definition."""
    height, width = picture.shape
    x, y = min(max(x, 0.0), width - 1.0), min(max(y, 0.0), height - 1.0)
    left, top = math.floor(x), math.floor(y)
    right, bottom = min(left + 1, width - 1), min(top + 1, height - 1)
    upper = picture[top, left] * (1 - x + left) + picture[top, right] * (x - left)
    lower = picture[bottom, left] * (1 - x + left) + picture[bottom, right] * (x - left)
    return (upper * (1 - y + top) + lower * (y - top)).item()


def test_pixel_grid_holds_x_then_y_of_each_pixel():
    x, y = pixel_grid(2, 3)
    assert x.tolist() == [[0, 1, 2], [0, 1, 2]]
    assert y.tolist() == [[0, 0, 0], [1, 1, 1]]


def test_pixel_grid_takes_the_dtype_asked_for():
    assert pixel_grid(2, 3, device="cpu", dtype=torch.float64).dtype == torch.float64


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_zero_flow_is_identity(interpolation):
    image = torch.rand(2, 3, 37, 53)
    warped = warp(image, torch.zeros(2, 2, 37, 53), interpolation=interpolation)
    torch.testing.assert_close(warped, image, atol=1e-5, rtol=0)


def test_flow_of_one_in_x_looks_one_pixel_right_and_repeats_the_border():
    warped = warp(ramp(2, 3), constant_flow(1.0, 0.0, (2, 3)))
    torch.testing.assert_close(warped[0, 0], torch.tensor([[1.0, 2, 2], [11, 12, 12]]))


def test_flow_of_minus_one_in_y_looks_one_pixel_up():
    warped = warp(ramp(2, 3), constant_flow(0.0, -1.0, (2, 3)))
    torch.testing.assert_close(warped[0, 0], torch.tensor([[0.0, 1, 2], [0, 1, 2]]))


def test_half_a_pixel_mixes_two_neighbours_equally():
    warped = warp(ramp(2, 3), constant_flow(0.5, 0.0, (2, 3)))
    torch.testing.assert_close(warped[0, 0, 0], torch.tensor([0.5, 1.5, 2.0]))


def test_bilinear_warp_equals_a_loop_over_pixels():
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(1, 1, 5, 7, generator=generator)
    flow = 3 * torch.randn(1, 2, 5, 7, generator=generator)
    warped = warp(image, flow)[0, 0]
    for y in range(5):
        for x in range(7):
            dx, dy = flow[0, :, y, x].tolist()
            assert warped[y, x].item() == pytest.approx(
                fetch(image[0, 0], x + dx, y + dy), abs=1e-5
            )


def test_bicubic_warp_is_sharper_than_bilinear_between_pixels():
    # The cubic kernel (a = -0.75) at one half: weights -3/32, 19/32, 19/32, -3/32.
    image = torch.tensor([0.0, 0, 1, 0, 0, 0]).expand(1, 1, 4, 6)
    warped = warp(image, constant_flow(0.5, 0.0, (4, 6)), interpolation="bicubic")
    torch.testing.assert_close(warped[0, 0, 1, :4], torch.tensor([-3.0, 19, 19, -3]) / 32)


@pytest.mark.parametrize("size", [(1, 1), (1, 4), (4, 1)])
def test_an_axis_of_one_pixel_gives_its_only_value(size):
    warped = warp(torch.full((1, 1, *size), 0.25), constant_flow(2.0, -3.0, size))
    assert (warped == 0.25).all()


def test_each_item_of_a_batch_follows_its_own_flow():
    flow = torch.cat((constant_flow(1.0, 0.0, (2, 3)), constant_flow(0.0, 1.0, (2, 3))))
    warped = warp(ramp(2, 3).expand(2, 1, 2, 3), flow)
    assert warped[:, 0, 0, 0].tolist() == pytest.approx([1, 10], abs=1e-5)


@pytest.mark.parametrize("width", [1024, 1280])
def test_positions_keep_their_precision_under_autocast(width):
    image = (pixel_grid(2, width)[:1, None] % 2).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        warped = warp(image, constant_flow(1.0, 0.0, (2, width)).bfloat16())
    assert warped.dtype == torch.bfloat16
    torch.testing.assert_close(warped[..., :-1], image[..., 1:], atol=1e-3, rtol=0)


def test_warp_has_the_gradients_of_finite_differences():
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(1, 2, 4, 5, dtype=torch.float64, generator=generator)
    # Positions away from whole pixels, where bilinear interpolation has no kink.
    flow = 0.3 + 0.4 * torch.rand(1, 2, 4, 5, dtype=torch.float64, generator=generator)
    assert torch.autograd.gradcheck(warp, (image.requires_grad_(), flow.requires_grad_()))


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf, 1e38])
@pytest.mark.parametrize("size", [(5, 6), (1, 1)])
def test_warp_survives_flows_that_are_not_finite(value, size, interpolation):
    image = torch.rand(1, 2, *size).requires_grad_()
    flow = torch.full((1, 2, *size), value, requires_grad=True)
    warped = warp(image, flow, interpolation=interpolation)
    warped.sum().backward()
    assert warped.isfinite().all()


def test_warp_refuses_a_flow_of_another_size():
    with pytest.raises(ValueError, match=r"got flow \(1, 2, 4, 4\) for image \(1, 3, 5, 5\)"):
        warp(torch.zeros(1, 3, 5, 5), torch.zeros(1, 2, 4, 4))


def test_warp_refuses_an_image_without_a_batch_axis():
    with pytest.raises(ValueError, match="flow must be 'b 2 h w'"):
        warp(torch.zeros(3, 5, 5), torch.zeros(2, 5, 5))


def test_occlusion_of_one_takes_the_hallucinated_pixel():
    hallucinated, warped = torch.rand(1, 3, 2, 2), torch.rand(1, 3, 2, 2)
    assert torch.equal(compose(hallucinated, warped, torch.ones(1, 1, 2, 2)), hallucinated)
    assert torch.equal(compose(hallucinated, warped, torch.zeros(1, 1, 2, 2)), warped)


def test_occlusion_between_blends_in_proportion():
    hallucinated, warped = torch.full((1, 3, 1, 1), 1.0), torch.full((1, 3, 1, 1), -1.0)
    frame = compose(hallucinated, warped, torch.full((1, 1, 1, 1), 0.75))
    assert frame.flatten().tolist() == [0.5, 0.5, 0.5]
