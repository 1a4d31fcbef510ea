import pytest
import torch
from torch import Tensor

from vid2vid.inpainting import membrane as membranes
from vid2vid.inpainting.blending import Blending, blend
from vid2vid.inpainting.membrane import membrane


@pytest.fixture
def hole() -> Tensor:
    hole = torch.zeros(24, 30, dtype=torch.bool)
    hole[8:16, 9:22] = True
    return hole


def _ramp() -> Tensor:
    rows, columns = torch.meshgrid(torch.arange(24), torch.arange(30), indexing="ij")
    return torch.stack([rows, columns, rows - columns]).double() / 50


def _noise() -> Tensor:
    return torch.rand(3, 24, 30, dtype=torch.float64) - 0.5


def test_a_membrane_goes_on_with_ramps(hole: Tensor):
    spoilt = torch.where(hole, 9.0, _ramp())
    torch.testing.assert_close(membrane(spoilt, hole), _ramp(), atol=1e-7, rtol=0)


def test_a_membrane_goes_on_with_constants_exactly_and_keeps_known_bits(hole: Tensor):
    picture = torch.where(hole, 9.0, torch.full((3, 24, 30), 0.3, dtype=torch.float64))
    filled = membrane(picture, hole)
    torch.testing.assert_close(filled, torch.full_like(filled, 0.3), atol=1e-12, rtol=0)
    noise = _noise().float()
    assert torch.equal(membrane(noise, hole)[:, ~hole], noise[:, ~hole])


def test_a_membrane_over_nothing_known_is_0():
    assert not membrane(torch.ones(3, 4, 5), torch.ones(4, 5, dtype=torch.bool)).any()


def test_a_large_membrane_is_that_of_a_small_one_to_a_level(
    hole: Tensor, monkeypatch: pytest.MonkeyPatch
):
    noise = _noise()
    direct = membrane(noise, hole)
    monkeypatch.setattr(membranes, "MOST_DIRECT", 10)
    torch.testing.assert_close(membrane(noise, hole), direct, atol=1e-3, rtol=0)


@pytest.mark.parametrize("at_edge", [False, True])
def test_a_painting_that_is_off_by_a_constant_blends_to_the_truth(hole: Tensor, *, at_edge: bool):
    if at_edge:
        hole[8:16, 22:] = True
    truth = _noise()
    for method in ("poisson", "laplacian"):
        torch.testing.assert_close(
            blend(truth, truth + 0.2, hole, method=method), truth, atol=1e-12, rtol=0
        )


def test_a_painting_that_is_off_by_a_ramp_blends_to_the_truth(hole: Tensor):
    truth = _noise() / 2
    blended = blend(truth, truth + _ramp() / 2, hole)
    torch.testing.assert_close(blended, truth, atol=1e-7, rtol=0)


def test_a_painting_without_gradients_blends_to_the_membrane(hole: Tensor):
    picture = _noise()
    flat = torch.zeros_like(picture)
    torch.testing.assert_close(blend(picture, flat, hole), membrane(picture, hole))


def test_a_feather_fades_from_the_nearest_known_pixel(hole: Tensor):
    picture, painted = torch.full((3, 24, 30), 0.5), torch.zeros(3, 24, 30)
    blended = blend(picture, painted, hole, method="feather", feather=2)
    assert blended[0, 8:12, 15].tolist() == pytest.approx([0.5, 0.25, 0, 0], abs=0.01)


@pytest.mark.parametrize("method", ["poisson", "feather", "laplacian", "hard"])
def test_every_blending_keeps_known_bits_and_the_range(hole: Tensor, method: Blending):
    picture, painted = (_noise().float() * 2 for _ in range(2))
    blended = blend(picture, painted, hole, method=method)
    assert torch.equal(blended[:, ~hole], picture[:, ~hole])
    assert blended.abs().max() <= 1
    assert method != "hard" or torch.equal(blended[:, hole], painted[:, hole])
