import pytest
import torch
from torch import nn

from vid2vid.networks.cost import count_macs, count_parameters, generator_macs, training_macs
from vid2vid.networks.generator import GeneratorConfig, SequentialGenerator


def street(refiners):
    with torch.device("meta"):
        return SequentialGenerator(
            GeneratorConfig(refiners=refiners), conditioning_channels=36, foreground=(26,)
        )


def test_weights_of_a_convolution_are_counted():
    assert count_parameters(nn.Conv2d(3, 4, 5)) == 3 * 4 * 25 + 4


def test_multiply_accumulates_of_a_convolution_are_counted():
    conv = nn.Conv2d(3, 4, 3, padding=1)
    macs = count_macs(conv, lambda ghost: ghost(torch.empty(1, 3, 8, 6, device="meta")))
    assert macs == 8 * 6 * 4 * 3 * 9


def test_counting_leaves_the_network_as_it_is():
    conv = nn.Conv2d(3, 4, 3)
    before = conv.weight.clone()
    count_macs(conv, lambda ghost: ghost(torch.empty(1, 3, 8, 6, device="meta")))
    assert conv.weight.device.type == "cpu"
    assert torch.equal(conv.weight, before)


@pytest.mark.parametrize(
    ("refiners", "height", "width", "millions", "gmacs"),
    [(0, 256, 512, 411.3, 1057), (1, 512, 1024, 414.2, 1057 + 593), (2, 1024, 2048, 415.0, 2532)],
)
def test_street_generators_cost_what_the_official_ones_do(refiners, height, width, millions, gmacs):
    generator = street(refiners)
    assert count_parameters(generator) / 1e6 == pytest.approx(millions, abs=0.1)
    macs = generator_macs(generator, height=height, width=width)
    assert macs / 1e9 == pytest.approx(gmacs, rel=1e-3)


def test_coarser_scales_can_be_counted_alone():
    assert generator_macs(street(2), height=256, width=512, scales=1) == generator_macs(
        street(0), height=256, width=512
    )


def test_a_trained_network_costs_three_times_its_forward_pass_and_a_frozen_one_less():
    config = GeneratorConfig(width=4, downsamplings=1, blocks=2, refiners=1, refiner_blocks=2)
    generator = SequentialGenerator(config, conditioning_channels=2)
    size = {"height": 16, "width": 16, "scales": 2}
    forward = generator_macs(generator, **size)
    # What reads maps alone needs no gradient to its input, so it is a little less than 3.
    assert 2.5 * forward < training_macs(generator, **size, frozen=0) <= 3 * forward
    assert forward < training_macs(generator, **size, frozen=1) < 2.5 * forward


@pytest.mark.parametrize("spectral", [False, True])
def test_a_generator_with_weights_is_counted_too(spectral):
    config = GeneratorConfig(width=4, downsamplings=1, blocks=1, spectral=spectral)
    generator = SequentialGenerator(config, conditioning_channels=2)
    assert generator_macs(generator, height=8, width=8) > 0
    assert {p.device.type for p in generator.parameters()} == {"cpu"}
