import pytest
import torch
from torch import nn

from vid2vid.losses.config import LossConfig
from vid2vid.networks.outputs import GeneratorOutput
from vid2vid.training.chunks import Chunk
from vid2vid.training.players import Players
from vid2vid.training.terms import generator_terms

OFF = {
    "perceptual": 0,
    "pixel": 0,
    "flow": 0,
    "warp": 0,
    "generated_warp": 0,
    "occlusion": 0,
}


def full(channels, value):
    return torch.full((1, channels, 4, 4), float(value))


def chunk(*, has_flow=True, has_reference=True):
    output = GeneratorOutput(
        frame=full(3, 0.5),
        hallucinated=full(3, 0.1),
        warped=full(3, 0) if has_flow else None,
        flow=full(2, 3) if has_flow else None,
        occlusion=full(1, 0.25) if has_flow else None,
        foreground=None,
        foreground_mask=None,
        previous=full(3, 0.2),
    )
    flow, confidence = (full(2, 1), full(1, 1)) if has_reference else (None, None)
    return Chunk(output, full(2, 1), full(3, 0), full(3, 0.7), flow, confidence)


def terms(settings, *, scales=1, features=None, **options):
    players = Players(nn.Identity(), features=features)
    losses = LossConfig(**(OFF | settings))
    found = generator_terms(chunk(**options), players, losses, scales=scales)
    return {name: (weight, pytest.approx(term.item())) for name, (weight, term) in found.items()}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"pixel": 2}, {"pixel": (2, 0.5 + 0.1)}),
        ({"pixel": 2, "hallucinated": 0.5}, {"pixel": (2, 0.5 + 0.5 * 0.1)}),
        ({"pixel": 2, "hallucinated": 0}, {"pixel": (2, 0.5)}),
        ({"flow": 3}, {"flow": (3, 2)}),
        ({"warp": 4}, {"warp": (4, 0.7)}),
        ({"generated_warp": 5}, {"generated_warp": (5, 0.3)}),
        ({"occlusion": 6}, {"occlusion": (6, 0.25)}),
    ],
    ids=str,
)
def test_each_term_comes_alone_with_its_weight(settings, expected):
    assert terms(settings) == expected


def test_terms_of_weight_0_are_not_computed():
    assert terms({}) == {}


def test_the_flow_weighs_half_as_much_with_every_scale():
    assert terms({"flow": 8}, scales=3) == {"flow": (2, 2)}


def test_without_flow_the_frame_is_compared_once():
    found = terms({"pixel": 1, "flow": 1, "warp": 1, "occlusion": 1}, has_flow=False)
    assert found == {"pixel": (1, 0.5)}


def test_without_flow_of_its_own_a_frame_still_agrees_with_the_one_before():
    assert terms({"generated_warp": 1}, has_flow=False) == {"generated_warp": (1, 0.3)}


def test_without_reference_flow_there_are_no_flow_terms():
    settings = {"pixel": 1, "flow": 1, "warp": 1, "generated_warp": 1, "occlusion": 1}
    assert terms(settings, has_reference=False) == {"pixel": (1, 0.6)}


class Brightness(nn.Module):
    """Five features that are the frame itself."""

    def forward(self, frames):
        return [frames] * 5


def test_perceptual_term_compares_frame_and_hallucinated_frame():
    weights = 1 / 32 + 1 / 16 + 1 / 8 + 1 / 4 + 1
    found = terms({"perceptual": 10}, features=Brightness())
    assert found == {"perceptual": (10, 0.6 * weights)}
