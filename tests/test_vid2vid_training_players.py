from vid2vid.networks.discriminator import DiscriminatorConfig, MultiScaleDiscriminator
from vid2vid.networks.generator import GeneratorConfig, SequentialGenerator
from vid2vid.networks.pix2pixhd import Pix2PixHDConfig
from vid2vid.networks.still import StillGenerator
from vid2vid.training.players import Players


def make(**settings):
    config = GeneratorConfig(width=8, downsamplings=1, blocks=1, refiners=2)
    return Players(SequentialGenerator(config, conditioning_channels=2), **settings)


def judge():
    return MultiScaleDiscriminator(DiscriminatorConfig(width=4, layers=1, scales=1), 5)


def test_every_player_is_named():
    players = make(image_discriminator=judge(), video_discriminators=[judge(), judge()])
    assert [name for name, _ in players.trained()] == [
        "generator",
        "image_discriminator",
        "video_discriminator_0",
        "video_discriminator_1",
    ]


def test_a_generator_may_play_alone():
    assert [name for name, _ in make().trained()] == ["generator"]


def test_the_coarsest_scales_can_be_fixed_and_freed():
    players = make()
    scales = [players.generator.coarse, *players.generator.refiners]
    for fixed in (2, 1, 0):
        players.freeze(fixed)
        trained = [all(p.requires_grad for p in scale.parameters()) for scale in scales]
        assert trained == [index >= fixed for index in range(3)]


def test_a_local_enhancer_can_be_trained_alone():
    config = Pix2PixHDConfig(width=4, downsamplings=1, blocks=1, enhancers=2)
    players = Players(StillGenerator(config, conditioning_channels=2))
    players.freeze(2)
    network = players.generator.network
    assert not any(p.requires_grad for p in network.trunk.parameters())
    assert not any(p.requires_grad for p in network.enhancers[0].parameters())
    assert all(p.requires_grad for p in network.enhancers[1].parameters())
