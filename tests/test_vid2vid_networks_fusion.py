"""Fusion: one network, several passes, one picture."""

import pytest
import torch
from pydantic import ValidationError

from vid2vid.networks.cost import count_parameters
from vid2vid.networks.fusion import FusionConfig, seen_channels
from vid2vid.networks.still import StillGenerator

HD = {"kind": "pix2pixhd", "width": 4, "downsamplings": 1, "blocks": 1, "enhancer_blocks": 1}
BASES = {
    "unet": {"kind": "pix2pix_unet", "width": 2, "downsamplings": 3},
    "resnet": {"kind": "pix2pix_resnet", "width": 2, "blocks": 1},
    "global": HD,
    "local": {**HD, "enhancers": 1},
}
PASSES = ((1, 2), (3,))  # channel 0 is seen by both
every_base = pytest.mark.parametrize("base", BASES.values(), ids=BASES)


def make(base, passes=PASSES, channels=4, **settings):
    names = [[f"p{index}"] for index in range(len(passes))]
    config = FusionConfig.model_validate({"base": base, "passes": names, **settings})
    generator = StillGenerator(config, conditioning_channels=channels, passes=passes)
    generator.initialise(0)
    return generator.eval()


def maps(channels=4):
    return torch.randn(1, channels, 16, 24, generator=torch.Generator().manual_seed(1))


def paint(generator, conditioning):
    return generator(conditioning.unsqueeze(1), [])[0].frame


def test_each_pass_sees_its_pictures_and_what_is_in_none():
    assert seen_channels(PASSES, 5).tolist() == [[1, 1, 1, 0, 1], [1, 0, 0, 1, 1]]
    assert seen_channels([(1, 2), (1, 2, 3)], 4).tolist() == [[1, 1, 1, 0], [1, 1, 1, 1]]


@every_base
def test_without_the_joint_it_paints_from_the_mean_of_the_passes(base):
    generator = make(base)
    network = generator.network
    for parameter in network.joint.parameters():
        torch.nn.init.zeros_(parameter)
    first, second = maps(), maps()
    first[:, 3] = 0
    second[:, 1:3] = 0
    with torch.no_grad():
        mean = (network.base.features(first) + network.base.features(second)) / 2
        torch.testing.assert_close(paint(generator, maps()), network.base.paint(mean))


@every_base
def test_a_base_alone_paints_what_it_painted(base):
    network = make(base).network.base
    with torch.no_grad():
        assert torch.equal(network(maps()), network.paint(network.features(maps())))
        assert network.features(maps()).shape[1] == network.feature_channels


@every_base
def test_every_pass_and_what_they_share_matter(base):
    generator, given = make(base), maps().requires_grad_()
    paint(generator, given).square().sum().backward()
    assert (given.grad.abs().sum(dim=(0, 2, 3)) > 0).all()


def test_a_pass_sees_no_picture_of_another():
    network = make(HD).network
    given = maps().requires_grad_()
    network.base.features(given * network.seen[0].view(-1, 1, 1)).sum().backward()
    assert (given.grad.abs().sum(dim=(0, 2, 3)) > 0).tolist() == [True, True, True, False]


def test_stages_are_the_base_and_the_joint():
    generator = make(BASES["local"], passes=((1,), (2,), (3,)))
    assert list(generator.stages) == [generator.network.base, generator.network.joint]
    total = sum(count_parameters(stage) for stage in generator.stages)
    assert total == count_parameters(generator)
    assert not any("seen" in name for name in generator.state_dict())


def test_dropout_of_the_base_is_the_same_in_every_pass_and_follows_from_the_seed():
    base = {**BASES["resnet"], "norm": "instance", "render_dropout": "fixed"}
    generator = make(base, passes=((1,), (1,)))
    assert generator.is_random
    generator.reseed(3)
    with torch.no_grad():
        first = paint(generator, maps())
        one, other = (generator.network.base.features(maps()) for _ in range(2))
        generator.reseed(3)
        again = paint(generator, maps())
        generator.reseed(4)
        assert not torch.equal(paint(generator, maps()), first)
    assert torch.equal(one, other)
    assert torch.equal(again, first)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"passes": [["a"]]}, "at least 2 items"),
        ({"passes": [["a"], []]}, r"passes must each name a control; got \[\['a'\], \[\]\]"),
        ({"base": {**HD, "features": 2}}, "base.features must be 0, for passes share no styles"),
        ({"base": {**HD, "noise": 2}}, "base.noise must be 0; got 2: set generator.noise"),
        ({"base": {"kind": "sequential"}}, "does not match any of the expected tags"),
    ],
)
def test_what_cannot_be_joined_is_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        FusionConfig.model_validate({"base": HD, "passes": [["a"], ["b"]], **changes})
