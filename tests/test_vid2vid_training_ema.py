import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from vid2vid.training.ema import ema_decay, update_average


def test_decay_is_short_at_first_and_then_as_configured():
    assert ema_decay(0.999, 0) == pytest.approx(0.1)
    assert ema_decay(0.999, 90) == pytest.approx(0.91)
    assert ema_decay(0.999, 10**6) == 0.999


def test_weights_move_by_what_the_decay_leaves():
    average, network = nn.Linear(1, 1), nn.Linear(1, 1)
    for module, value in ((average, 1.0), (network, 3.0)):
        for parameter in module.parameters():
            nn.init.constant_(parameter, value)
    update_average(average, network, 0.75)
    assert (average.weight.item(), average.bias.item()) == (1.5, 1.5)
    assert network.weight.item() == 3


def test_decay_0_copies():
    average, network = nn.Linear(3, 2), nn.Linear(3, 2)
    update_average(average, network, 0.0)
    assert torch.equal(average.weight, network.weight)


def test_singular_vectors_are_copied_and_stay_unit_vectors():
    average, network = (spectral_norm(nn.Linear(3, 2)) for _ in range(2))
    update_average(average, network, 0.5)
    pairs = list(zip(average.buffers(), network.buffers(), strict=True))
    assert len(pairs) == 2
    assert all(torch.equal(own, other) for own, other in pairs)
    assert not torch.equal(average.parametrizations.weight.original, network.weight)
