import pytest
import torch
from pydantic import ValidationError
from torch import nn

from vid2vid.networks.cost import count_parameters
from vid2vid.networks.pix2pixhd import GlobalGenerator, LocalEnhancer, Pix2PixHDConfig
from vid2vid.networks.pyramid import halve

TINY = {"width": 8, "downsamplings": 1, "blocks": 1, "enhancer_blocks": 1}


def maps(*size, channels=4):
    return torch.randn(1, channels, *size, generator=torch.Generator().manual_seed(1))


def make(family, **settings):
    network, random = family(Pix2PixHDConfig(**(TINY | settings)), 4), torch.Generator()
    for parameter in network.parameters():
        nn.init.normal_(parameter, 0, 0.3, generator=random.manual_seed(parameter.numel()))
    return network


@pytest.mark.parametrize(
    ("enhancers", "channels", "weights"),
    [(0, 36, 182_546_755), (0, 39, 182_556_163), (1, 36, 182_857_059), (2, 36, 182_947_699)],
)
def test_numbers_of_weights_are_the_official_ones(enhancers, channels, weights):
    family = LocalEnhancer if enhancers else GlobalGenerator
    with torch.device("meta"):  # the official norm has no weights
        network = family(Pix2PixHDConfig(enhancers=enhancers, norm="none"), channels)
    assert count_parameters(network) == weights


def test_a_global_generator_is_trunk_and_head():
    network = make(GlobalGenerator)
    expected = torch.tanh(network.head(network.trunk(maps(8, 12))))
    assert torch.equal(network(maps(8, 12)), expected)


def test_batch_norm_renders_with_the_statistics_of_training():
    network = make(LocalEnhancer, enhancers=1, norm="batch")
    before = network.eval()(maps(16, 24))
    for _ in range(100):  # each moves the statistics by a tenth
        in_training = network.train()(maps(16, 24))
    alone = network.eval()(maps(16, 24))
    beside_another = network(torch.cat([maps(16, 24), 9 * maps(16, 24)]))[:1]
    torch.testing.assert_close(alone, beside_another)  # nor does it depend on the other pictures
    assert (alone - in_training).abs().mean() < 0.02  # variances are of samples, not biased
    assert (before - in_training).abs().mean() > 0.1


def test_an_enhancer_adds_what_it_sees_to_the_features_of_the_coarser_one():
    network, fine = make(LocalEnhancer, enhancers=2), maps(16, 24)
    middle = halve(fine)
    features = network.trunk(halve(middle))
    for enhancer, level in zip(network.enhancers, (middle, fine), strict=True):
        features = enhancer.back(enhancer.front(level) + features)
    assert features.shape == (1, 2, 16, 24)
    expected = torch.tanh(network.enhancers[1].head(features))
    assert torch.equal(network(fine), expected)


def test_only_the_finest_enhancer_has_a_head():
    network = make(LocalEnhancer, enhancers=2)
    assert [enhancer.head is not None for enhancer in network.enhancers] == [False, True]


def test_a_local_enhancer_begins_from_a_global_generator():
    coarse, fine = make(GlobalGenerator), make(LocalEnhancer, enhancers=1)
    names = {name for name in coarse.state_dict() if name.startswith("trunk.")}
    ours = fine.state_dict()
    assert names == {name for name in ours if name.startswith("trunk.")}
    assert all(ours[name].shape == coarse.state_dict()[name].shape for name in names)
    assert not any(name.startswith("head.") for name in ours)


def test_stages_are_the_trunk_and_the_enhancers():
    network = make(LocalEnhancer, enhancers=2)
    assert network.stages == (network.trunk, *network.enhancers)
    alone = make(GlobalGenerator)
    assert alone.stages == (alone,)


def test_sizes_divide_by_all_halvings():
    assert make(LocalEnhancer, enhancers=2, downsamplings=3).size_multiple == 32
    assert make(GlobalGenerator, downsamplings=3).size_multiple == 8


def test_channels_can_be_capped():
    network = make(GlobalGenerator, downsamplings=3, widest=16)
    assert network(maps(16, 16)).shape == (1, 3, 16, 16)
    assert max(p.shape[0] for p in network.parameters()) == 16


def test_a_width_that_enhancers_cannot_halve_is_refused():
    with pytest.raises(ValidationError, match="divisible by 4 with 2 enhancers; got 6"):
        Pix2PixHDConfig(width=6, enhancers=2)
