import pytest
import torch

from flow.propagate import NOWHERE, Link, Origins, fetch, follow, own_origins, put_origins

KNOWN = torch.ones(2, 1, 6, dtype=torch.bool)
NOTHING = torch.zeros(1, 6, dtype=torch.bool)


def _link(pixel: int, dx: float, *, trusted: bool = True) -> Link:
    sure = torch.tensor([trusted])
    return Link(
        torch.tensor([pixel]), torch.tensor([[dx, 0.0]]), trusted=sure, plausible=~sure | sure
    )


def _at(frame: int, x: float, y: float) -> Origins:
    return Origins(torch.tensor([frame]), torch.tensor([[x, y]]))


def test_a_pixel_takes_the_place_that_its_flow_points_to() -> None:
    found = follow(_link(2, 1.5), own_origins(0, KNOWN[0]), KNOWN, within=NOTHING)
    assert found.frame.tolist() == [0]
    assert found.position.tolist() == [[3.5, 0.0]]


def test_a_chain_keeps_fractions_of_a_pixel() -> None:
    first = follow(_link(2, 0.4), own_origins(0, KNOWN[0]), KNOWN, within=NOTHING)
    second = put_origins(own_origins(1, NOTHING), _link(2, 0.4), first)
    found = follow(_link(2, 0.4), second, KNOWN, within=NOTHING)
    assert found.position[0].tolist() == pytest.approx([2.8, 0.0])


def test_a_link_that_does_not_lead_back_is_followed_within_holes_alone() -> None:
    link, origins = _link(2, 1.0, trusted=False), own_origins(0, KNOWN[0])
    assert follow(link, origins, KNOWN, within=NOTHING).frame.tolist() == [NOWHERE]
    assert follow(link, origins, KNOWN, within=~NOTHING).frame.tolist() == [0]
    assert follow(link.loosened(), origins, KNOWN, within=NOTHING).frame.tolist() == [0]


def test_chains_end_where_they_leave_the_frame_or_the_known_pixels() -> None:
    origins = own_origins(0, KNOWN[0])
    assert follow(_link(5, 1.0), origins, KNOWN, within=NOTHING).frame.tolist() == [NOWHERE]
    drifted = origins._replace(position=origins.position + torch.tensor([2.0, 0.0]))
    assert follow(_link(1, 3.0), drifted, KNOWN, within=NOTHING).frame.tolist() == [NOWHERE]


def test_fetching_at_a_pixel_gives_its_value_and_between_a_ramp_its_mean() -> None:
    ramp = torch.arange(48, dtype=torch.uint8).reshape(1, 6, 8, 1)
    known = torch.ones(1, 6, 8, dtype=torch.bool)
    assert fetch(list(ramp), list(known), _at(0, 3.0, 2.0)).item() == 19
    assert fetch(list(ramp), list(known), _at(0, 3.5, 2.0)).item() == pytest.approx(19.5)


def test_fetching_takes_nothing_from_unknown_pixels() -> None:
    images = torch.full((1, 5, 5, 1), 10.0)
    known = torch.ones(1, 5, 5, dtype=torch.bool)
    images[0, 2, 3], known[0, 2, 3] = 200.0, False
    assert fetch(list(images), list(known), _at(0, 2.4, 2.0)).item() == pytest.approx(10.0)
    assert fetch(list(images), list(known), _at(0, 3.0, 2.0)).isnan().all()
    assert fetch(list(images), list(known), _at(NOWHERE, 1.0, 1.0)).isnan().all()
    assert fetch(list(images), list(known), _at(0, -1.0, 1.0)).isnan().all()
