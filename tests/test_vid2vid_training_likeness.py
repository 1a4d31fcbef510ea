"""Pixels and features of generated frames against the real ones."""

import pytest
import torch
from torch import nn

from vid2vid.losses.config import LossConfig
from vid2vid.networks.outputs import GeneratorOutput
from vid2vid.training.chunks import Chunk
from vid2vid.training.likeness import CALIBRATED_TERMS, likeness_terms
from vid2vid.training.players import Players


def stages(frames):
    """Stand for a feature network: five stages, stage i being i times the frame."""
    return [frames * factor for factor in (1, 2, 3, 4, 5)]


def full(value):
    return torch.full((1, 3, 2, 2), float(value))


def chunk(variants=None):
    frame = full(0.5) if variants is None else variants[:, 0]
    output = GeneratorOutput(frame=frame, hallucinated=frame, variants=variants)
    maps = torch.zeros(1, 4, 2, 2)
    maps[:, 0, 0], maps[:, 1, 1] = 1, 1  # two classes, above and below; then other channels
    return Chunk(output, maps, full(0), None, None, None)


def terms(shown, *, features=stages, divisors=None, **settings):
    players = Players(nn.Identity(), features=features, classes=2)
    found = likeness_terms(shown, players, LossConfig(**settings), divisors or {})
    return {name: (weight, pytest.approx(term.item())) for name, (weight, term) in found.items()}


def test_decaying_weights_count_the_deepest_layer_most():
    expected = 0.5 * (1 / 32 + 2 / 16 + 3 / 8 + 4 / 4 + 5)
    assert terms(chunk(), perceptual=7.0) == {"perceptual": (7.0, expected)}


def test_calibrated_layers_are_terms_of_their_own_with_published_weights():
    found = terms(chunk(), perceptual=2.0, perceptual_balance="calibrated")
    assert tuple(found) == CALIBRATED_TERMS
    assert [weight for weight, _ in found.values()] == [2, 2, 2, 2, 2, 20]
    assert [value for _, value in found.values()] == [0.5, 0.5, 1.0, 1.5, 2.0, 2.5]


def test_calibrated_layers_are_divided_by_what_was_settled():
    divisors = {"perceptual_pixels": 0.5, "perceptual_5": 4.0}
    found = terms(chunk(), perceptual=2.0, perceptual_balance="calibrated", divisors=divisors)
    assert [weight for weight, _ in found.values()] == [4, 2, 2, 2, 2, 5]


def variants(*rows):
    """Pictures whose upper and lower half have a value each."""
    values = torch.tensor(rows, dtype=torch.float32).view(1, len(rows), 1, 2, 1)
    return values.expand(1, len(rows), 3, 2, 2)


def test_each_class_is_held_against_its_best_variant():
    shown = chunk(variants((0.1, 0.8), (0.6, 0.4)))
    found = terms(shown, features=None, perceptual=0, pixel=3.0, all_variants=0.0)
    assert found == {"pixel": (3.0, (0.1 + 0.4) / 2)}


def test_divisors_decide_which_variant_is_best():
    # The upper half of the first is better in pixels, of the second in the features.
    shown = chunk(variants((0.1, 0.0), (0.4, 0.0)))
    shown = shown._replace(output=shown.output._replace(frame=full(0)))

    def backwards(frames):
        return [0.5 - frames] * 5 if frames.shape[0] > 1 else [frames * 0] * 5

    kept = {"perceptual": 1.0, "perceptual_balance": "calibrated", "all_variants": 0.0}
    features = terms(shown, features=backwards, **kept)
    tiny = {"perceptual_pixels": 1e-3}
    pixels = terms(shown, features=backwards, divisors=tiny, **kept)
    assert features["perceptual_pixels"][1] == pytest.approx(0.4 / 2)
    assert pixels["perceptual_pixels"][1] == pytest.approx(0.1 / 2)


def test_a_run_without_labels_takes_the_best_variant_as_a_whole():
    shown = chunk(variants((0.1, 0.8), (0.6, 0.4)))
    players = Players(nn.Identity(), classes=0)
    losses = LossConfig(perceptual=0, pixel=1.0, all_variants=0.0)
    ((_, value),) = likeness_terms(shown, players, losses, {}).values()
    assert value.item() == pytest.approx((0.1 + 0.8) / 2)
