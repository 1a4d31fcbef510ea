import pytest
import torch

from flow.completion import complete_flow, harmonic
from flow.warp import pixel_grid


def _affine(height: int, width: int) -> torch.Tensor:
    x, y = pixel_grid(height, width)
    return torch.stack((3 + 0.1 * x - 0.05 * y, 0.02 * x + 0.04 * y - 1))[None]


def _box(height: int, width: int, *, rows: slice, columns: slice) -> torch.Tensor:
    mask = torch.zeros(1, 1, height, width, dtype=torch.bool)
    mask[..., rows, columns] = True
    return mask


@pytest.mark.parametrize("columns", [slice(20, 36), slice(0, 14), slice(40, 60)])
def test_affine_motion_goes_on_into_holes_and_beyond_borders(columns: slice) -> None:
    flow = _affine(40, 60)
    unknown = _box(
        40, 60, rows=slice(0, 40) if columns.start != 20 else slice(9, 30), columns=columns
    )
    done = complete_flow(flow.masked_fill(unknown, 50.0), unknown)
    assert torch.allclose(done, flow, atol=1e-3)


def test_a_moving_thing_beside_a_hole_does_not_bend_the_motion_far_away() -> None:
    flow = torch.zeros(1, 2, 60, 80)
    flow[..., 0:8, 20:26] = 9.0  # at the hole's upper border
    unknown = _box(60, 80, rows=slice(8, 50), columns=slice(10, 50))
    done = complete_flow(flow, unknown)
    assert done[..., 40:50, 10:50].abs().max() < 0.3


def test_known_flow_stays_and_without_any_the_motion_is_zero() -> None:
    flow = torch.randn(1, 2, 12, 16, generator=torch.Generator().manual_seed(0))
    unknown = _box(12, 16, rows=slice(3, 7), columns=slice(4, 9))
    done = complete_flow(flow, unknown)
    assert torch.equal(done[~unknown.expand_as(done)], flow[~unknown.expand_as(flow)])
    assert complete_flow(flow, torch.ones_like(unknown)).abs().max() == 0


def test_a_hole_too_large_to_be_solved_by_pixel_is_filled_as_smoothly() -> None:
    flow = _affine(130, 150)[0].double().numpy()
    unknown = _box(130, 150, rows=slice(10, 115), columns=slice(12, 140))[0, 0].numpy()
    assert unknown.sum() > 8000
    assert abs(harmonic(flow, unknown) - flow).max() < 0.1


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"unknown must be 'b 1 h w'.*got \(1, 1, 3, 4\)"):
        complete_flow(torch.zeros(1, 2, 3, 5), torch.zeros(1, 1, 3, 4, dtype=torch.bool))
