"""The ground: classes and colours of places whose class is known."""

import pytest
import torch

from vid2vid.world.ground import Ground, ground_colours, ground_labels
from vid2vid.world.materials import Label
from vid2vid.world.style import make_look
from vid2vid.world.textures import make_noise

PITCH = torch.tensor([[60.0], [80.0]])


def ground_at(x, z, width=0.02):
    x, z = torch.tensor([float(x)]), torch.tensor([float(z)])
    return Ground(x, z, torch.full_like(x, width), torch.full_like(x, width))


@pytest.mark.parametrize(
    ("x", "z", "label"),
    [
        (0.0, 30.0, Label.ROAD),
        (5.4, 30.0, Label.ROAD),
        (5.6, 30.0, Label.SIDEWALK),
        (-8.9, 30.0, Label.SIDEWALK),
        (9.1, 30.0, Label.TERRAIN),
        (30.0, 80.0, Label.ROAD),
        (60.0, 0.0, Label.ROAD),
        (30.0, 86.0, Label.SIDEWALK),
        (5.7, 5.7, Label.ROAD),  # beyond the straight kerbs, before the rounded one
        (7.0, 7.0, Label.SIDEWALK),
    ],
)
def test_places_have_their_class(x, z, label):
    assert ground_labels(ground_at(x, z), PITCH).item() == label


def colour(x, z, *, patterns, width=0.02):
    look = make_look(0).style
    columns = type(look)(*(column[:, None] for column in look))
    noise = torch.zeros_like(make_noise(0))
    found = ground_colours(ground_at(x, z, width), PITCH, columns, noise=noise, patterns=patterns)
    return found.mean().item()


def test_markings_are_bright_and_can_be_left_out():
    dash, gap = (0.0, 26.0), (0.0, 28.0)
    assert colour(*dash, patterns=True) > 2 * colour(*gap, patterns=True)
    assert colour(*dash, patterns=False) == pytest.approx(colour(*gap, patterns=False))


def test_a_stop_line_lies_on_the_lane_that_leads_to_the_crossing():
    assert colour(1.75, -10.1, patterns=True) > 2 * colour(-1.75, -10.1, patterns=True)
    assert colour(-1.75, 10.1, patterns=True) > 2 * colour(1.75, 10.1, patterns=True)


def test_far_away_a_line_fades_into_the_road():
    near, far = (colour(0.0, 26.0, patterns=True, width=width) for width in (0.02, 3.0))
    road = colour(0.0, 26.0, patterns=False)
    assert road < far < road + 0.2 * (near - road)
