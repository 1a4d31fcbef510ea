import pytest
import torch

from flow.warp import compose
from vid2vid.metrics.image import gradient_energy
from vid2vid.networks.blending import blend


def pictures(seed=0, height=24, width=32):
    random = torch.Generator().manual_seed(seed)
    return [torch.rand(1, 3, height, width, generator=random) * 1.6 - 0.8 for _ in range(2)]


def mask(value):
    return torch.full((1, 1, 24, 32), value)


def test_without_detail_it_is_equation_4():
    first, second = pictures()
    assert torch.equal(
        blend(first, second, mask(0.3), detail_px=0), compose(first, second, mask(0.3))
    )


@pytest.mark.parametrize(("occlusion", "index"), [(1.0, 0), (0.0, 1)])
def test_a_mask_that_has_decided_gives_that_picture(occlusion, index):
    both = pictures()
    result = blend(*both, mask(occlusion), detail_px=1.5)
    torch.testing.assert_close(result, both[index], atol=1e-6, rtol=0)


@pytest.mark.parametrize(("occlusion", "index"), [(0.51, 0), (0.49, 1)])
def test_detail_comes_whole_from_the_side_that_the_mask_leans_to(occlusion, index):
    both = pictures()
    energy = gradient_energy(both[index])
    assert gradient_energy(blend(*both, mask(occlusion), detail_px=3)) == pytest.approx(
        energy.item(), rel=0.1
    )
    assert gradient_energy(compose(*both, mask(occlusion))) < 0.6 * energy


def test_broad_colours_are_mixed():
    dark, light = torch.full((1, 3, 24, 32), -0.5), torch.full((1, 3, 24, 32), 0.5)
    result = blend(dark, light, mask(0.3), detail_px=1.5)
    torch.testing.assert_close(result, torch.full_like(dark, 0.2))


def test_the_mask_learns_from_broad_colours_alone():
    checker = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).tile(12, 16).expand(1, 3, 24, 32)
    occlusion = mask(0.3).requires_grad_()
    blend(0.3 * checker - 0.5, 0.2 * checker, occlusion, detail_px=1.5).sum().backward()
    inside = (..., slice(4, -4), slice(4, -4))  # at the border a checker has a mean
    torch.testing.assert_close(
        occlusion.grad[inside], mask(-1.5)[inside], atol=1e-3, rtol=0
    )  # three channels of -0.5 against 0


def test_detail_stays_float32_and_in_range_under_autocast():
    first, second = (torch.sign(picture) for picture in pictures())
    with torch.autocast("cpu", torch.bfloat16):
        result = blend(first, second, mask(0.4), detail_px=1.5)
    assert result.dtype == torch.float32
    assert result.abs().max() <= 1
    torch.testing.assert_close(result, blend(first, second, mask(0.4), detail_px=1.5))


def test_pictures_smaller_than_the_gaussian_are_blended():
    assert blend(*pictures(height=4, width=3), mask(0.4)[..., :4, :3], detail_px=8).shape == (
        1,
        3,
        4,
        3,
    )
