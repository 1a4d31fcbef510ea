"""Windows that are copied into a hole: where from, how they are laid, and what joins them."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vid2vid.inpainting.melting import melt
from vid2vid.inpainting.peeling import peel
from vid2vid.inpainting.places import SIZE, Sources, at_home, improve, search, take_over
from vid2vid.inpainting.voting import Sketch, draw_near, follow, halvings_to_begin, vote


def _hole(side: int, rows: slice, columns: slice) -> Tensor:
    hole = torch.zeros(side, side, dtype=torch.bool)
    hole[rows, columns] = True
    return hole


def _moved(wanted: Tensor, *, left: int) -> Sources:
    """Let every window copy what lies so many pixels to its left."""
    places = at_home(wanted) - torch.tensor([0, 0, left])
    return Sources(wanted, places, torch.zeros(len(places)))


def _windows(hole: Tensor) -> Tensor:
    return hole.unfold(0, SIZE, 1).unfold(1, SIZE, 1).any(dim=(2, 3))


def test_what_is_there_twice_is_found_exactly():
    picture, hole = torch.rand(3, 40, 40), _hole(40, slice(20, 26), slice(24, 30))
    picture[:, 14:32, 18:36] = picture[:, 14:32, 0:18]
    found = search([picture], hole)
    assert found is not None
    assert torch.equal(found.places, _moved(_windows(hole), left=18).places)
    assert float(found.apart.max()) == 0


def test_sources_side_by_side_are_copied_as_they_are():
    picture, hole = torch.rand(3, 40, 40), _hole(40, slice(20, 26), slice(20, 26))
    copied = vote([picture], _moved(_windows(hole), left=12))
    torch.testing.assert_close(copied[:, hole], picture.roll(12, 2)[:, hole])


def test_windows_count_by_their_shares():
    gallery = [torch.zeros(1, 8, 7), torch.full((1, 7, 7), 1.0), torch.full((1, 7, 7), 5.0)]
    places = torch.tensor([[1, 0, 0], [2, 0, 0]])
    sources = Sources(torch.ones(2, 1, dtype=torch.bool), places, torch.zeros(2))
    voted = vote(gallery, sources, shares=torch.tensor([3.0, 1.0]))
    assert voted[0, :, 0].tolist() == [1, *[2] * 6, 5]  # (3 * 1 + 1 * 5) / 4 where both lie


def test_what_a_neighbour_copies_goes_from_window_to_window():
    picture, hole = torch.rand(3, 40, 40), _hole(40, slice(20, 26), slice(24, 30))
    picture[:, 14:32, 18:36] = picture[:, 14:32, 0:18]
    right = _moved(_windows(hole), left=18)
    places = torch.zeros_like(right.places)
    places[0] = right.places[0]
    sources, chance = right._replace(places=places), torch.Generator().manual_seed(0)
    for _ in range(24):  # rounds: the last window is 22 steps from the first
        sources = improve([picture], sources, chance)
    assert torch.equal(sources.places, right.places)
    assert float(sources.apart.max()) == 0


def test_sources_never_hold_an_unknown_pixel():
    picture, hole = torch.rand(3, 32, 32), _hole(32, slice(10, 22), slice(8, 30))
    found = search([picture], hole)
    assert found is not None
    found = improve([picture], found, torch.Generator().manual_seed(0))
    assert not _windows(hole)[tuple(found.places[:, 1:].T)].any()


def test_sources_go_on_at_twice_the_size():
    picture, hole = torch.rand(3, 48, 48), _hole(48, slice(24, 30), slice(24, 30))
    coarse = _moved(_windows(hole[::2, ::2]), left=8)
    finer = take_over(coarse, [picture], hole)
    assert finer is not None
    shift = finer.places[:, 1:] - finer.wanted.nonzero()
    assert (shift == torch.tensor([0, -16])).all(dim=1).float().mean() > 0.9


def test_a_peeled_hole_has_the_stripes_around_it():
    stripes = (torch.arange(40) % 8 / 4 - 1).expand(3, 40, 40).contiguous()
    hole = _hole(40, slice(14, 26), slice(15, 27))
    peeled = peel([torch.where(hole, 0.3, stripes)], hole)
    assert peeled is not None
    torch.testing.assert_close(peeled, stripes)
    everything = torch.ones(40, 40, dtype=torch.bool)
    assert peel([stripes], everything) is None


def test_what_is_copied_takes_the_light_at_the_rim():
    dark = (torch.arange(48) % 8 / 16 - 0.5).expand(3, 48, 48).contiguous()
    picture, hole = dark.clone(), _hole(48, slice(20, 30), slice(28, 38))
    picture[:, :, 24:] += 0.6  # the hole lies in the light, its sources in the dark
    sources = _moved(_windows(hole), left=24)
    filled = torch.where(hole, dark, picture)
    melted = melt([filled], sources, unknown=hole, colours=picture)
    torch.testing.assert_close(melted, picture, atol=1e-3, rtol=0)
    assert torch.equal(melted[:, ~hole], picture[:, ~hole])


def test_seams_of_what_is_copied_vanish():
    picture, hole = torch.zeros(3, 40, 40), _hole(40, slice(16, 26), slice(16, 26))
    picture[:, :8], picture[:, 32:] = 0.5, -0.5
    wanted = _windows(hole)
    places = at_home(wanted)
    places[:, 1] = torch.where(places[:, 1] + SIZE // 2 < 21, 0, 33)
    sources = Sources(wanted, places, torch.zeros(len(places)))
    copied = torch.where(hole, vote([picture], sources, spread=0.6), picture)
    assert copied[0, 16:26, 20].diff().abs().max() > 0.3
    melted = melt([copied], sources, unknown=hole, colours=picture)
    assert float(melted[:, hole].abs().max()) < 0.01


def test_a_sketch_without_sources_begins_anew():
    stripes = (torch.arange(40) % 8 / 4 - 1).expand(3, 40, 40).contiguous()
    hole = _hole(40, slice(17, 23), slice(17, 23))
    drawn = follow(Sketch(torch.zeros(3, 20, 20), None), [torch.where(hole, 0, stripes)], hole)
    torch.testing.assert_close(drawn.picture, stripes, atol=1e-3, rtol=0)


@pytest.mark.parametrize(("side", "halvings"), [(6, 0), (20, 2), (40, 3)])
def test_a_hole_is_halved_until_it_is_shallow(side: int, halvings: int):
    start = (256 - side) // 2
    hole = _hole(256, slice(start, start + side), slice(start, start + side))
    assert halvings_to_begin(hole) == halvings


def test_a_hole_with_little_around_it_is_not_halved():
    assert halvings_to_begin(F.pad(torch.ones(30, 30, dtype=torch.bool), (8, 8, 8, 8))) == 0


def test_broad_colours_are_drawn_near_and_detail_stays():
    detail = (torch.arange(30) % 2 - 0.5).expand(3, 30, 30) * 0.2
    hole = _hole(30, slice(5, 25), slice(5, 25))
    moved = draw_near(detail, detail.mean() + torch.full_like(detail, 0.4), hole, pull=0.5, broad=9)
    inner = (slice(None), slice(12, 18), slice(12, 18))
    torch.testing.assert_close(
        (moved - detail)[inner], torch.full((3, 6, 6), 0.2), atol=0.02, rtol=0
    )
    assert torch.equal(moved[:, ~hole], detail[:, ~hole])
