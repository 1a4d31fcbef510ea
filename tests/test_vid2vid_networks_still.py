"""Still-image networks behind the interface that all generators share."""

import pytest
import torch

from vid2vid.networks.cost import generator_macs
from vid2vid.networks.interface import Generator
from vid2vid.networks.pix2pix import ResNetConfig, UNetConfig
from vid2vid.networks.pix2pixhd import Pix2PixHDConfig
from vid2vid.networks.still import StillGenerator
from vid2vid.rollout import rollout

HD = {"width": 4, "downsamplings": 1, "blocks": 1, "enhancer_blocks": 1}
ENCODER = {"width": 2, "downsamplings": 1}
DROPPING = {"width": 2, "blocks": 2, "dropout": 0.5, "norm": "instance"}
FAMILIES = [
    UNetConfig(width=2, downsamplings=3),
    ResNetConfig(width=2, blocks=1),
    Pix2PixHDConfig(**HD),
    Pix2PixHDConfig(**HD, enhancers=1),
]
NAMES = ["unet", "resnet", "global", "local"]


def make(config, channels=3, seed=0):
    generator = StillGenerator(config, conditioning_channels=channels)
    generator.initialise(seed)
    return generator.eval()


def window(height=16, width=24, channels=3):
    random = torch.Generator().manual_seed(1)
    return torch.randn(1, 1, channels, height, width, generator=random)


def frames(generator, count=3):
    maps = window(channels=generator.conditioning_channels)[:, 0]
    with torch.no_grad():
        return [output.frame for output in rollout(generator, [maps] * count)]


@pytest.mark.parametrize("config", FAMILIES, ids=NAMES)
def test_a_still_generator_hallucinates_and_has_nothing_of_motion(config):
    generator = make(config)
    (output,) = generator(window(), [])
    assert output.frame is output.hallucinated
    assert output.frame.shape == (1, 3, 16, 24)
    assert all(field is None for field in output[2:])
    assert (generator.history, generator.scales, generator.has_flow) == (0, 1, False)


@pytest.mark.parametrize("config", FAMILIES, ids=NAMES)
@pytest.mark.parametrize("size", [(16, 16), (13, 22), (1, 3)])
def test_any_size_is_rolled_out(config, size):
    maps = torch.zeros(2, 3, *size)
    outputs = list(rollout(make(config), [maps, maps]))
    assert [tuple(output.frame.shape) for output in outputs] == [(2, 3, *size)] * 2


def test_a_size_that_a_unet_takes_is_not_padded():
    generator = make(UNetConfig(width=2, downsamplings=4))
    assert tuple(generator.padding(16, 32, 1)) == (0, 0, 0, 0)
    assert generator.padding(17, 32, 1).top == 7


@pytest.mark.parametrize("config", FAMILIES, ids=NAMES)
def test_frames_do_not_remember_each_other(config):
    first, second = frames(make(config), 2)
    assert torch.equal(first, second)


@pytest.mark.parametrize("config", FAMILIES, ids=NAMES)
def test_weights_follow_from_the_seed(config):
    one, two, other = (make(config, seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("config", FAMILIES, ids=NAMES)
def test_costs_are_counted(config):
    assert generator_macs(make(config), height=16, width=16) > 0


def test_rendering_drops_nothing_unless_asked():
    generator = make(ResNetConfig(**DROPPING))
    before = frames(generator, 1)[0]
    generator.reseed(1)
    assert torch.equal(frames(generator, 1)[0], before)
    assert not generator.is_random


def test_fixed_dropout_is_the_same_in_every_frame_and_follows_from_the_seed():
    generator = make(ResNetConfig(**DROPPING, render_dropout="fixed"))
    generator.reseed(1)
    first, second, third = frames(generator)
    assert torch.equal(first, second)
    assert torch.equal(second, third)
    generator.reseed(2)
    assert not torch.equal(frames(generator)[0], first)
    assert generator.is_random


def test_dropout_of_each_frame_differs_and_comes_again_with_the_seed():
    generator = make(ResNetConfig(**DROPPING, render_dropout="each_frame"))
    generator.reseed(1)
    first, second, _ = frames(generator)
    assert not torch.equal(first, second)
    generator.reseed(1)
    assert torch.equal(frames(generator)[1], second)


def test_training_drops_whatever_rendering_does():
    generator = make(ResNetConfig(**DROPPING)).train()
    first, second = frames(generator, 2)
    assert not torch.equal(first, second)


def test_layers_of_dropout_draw_apart():
    generator = make(ResNetConfig(**DROPPING, render_dropout="fixed"))
    generator(window(), [])
    seeds = [layer.seed for layer in generator.modules() if hasattr(layer, "rate")]
    assert len(seeds) == len(set(seeds)) == 2


def test_the_encoder_is_there_only_with_features():
    with_encoder = make(Pix2PixHDConfig(**HD, features=2, encoder=ENCODER), channels=5)
    assert with_encoder.encoder is not None
    assert (with_encoder.features, with_encoder.pooling) == (2, "instances")
    assert make(Pix2PixHDConfig(**HD, encoder=ENCODER)).encoder is None
    assert make(Pix2PixHDConfig(**HD, features=2, encoder=None), channels=5).encoder is None


def test_features_of_a_photo_are_the_means_of_its_regions():
    generator = make(Pix2PixHDConfig(**HD, features=2, encoder=ENCODER), channels=5)
    photo, regions = torch.rand(1, 3, 8, 8) * 2 - 1, torch.zeros(1, 8, 8, dtype=torch.int32)
    regions[..., 4:] = 9
    styles = generator.encode(photo, regions)
    expected = generator.encoder(photo)[..., 4:].mean(dim=(2, 3))
    torch.testing.assert_close(styles[..., 5, 6], expected)


def test_a_photo_cannot_be_encoded_without_an_encoder():
    with pytest.raises(ValueError, match="a feature encoder is needed"):
        make(FAMILIES[0]).encode(torch.zeros(1, 3, 8, 8), torch.zeros(1, 8, 8))


def test_the_interface_is_abstract():
    generator = Generator()
    for call in (
        lambda: generator.stages,
        lambda: generator.size_multiple(1),
        lambda: generator.initialise(0),
        lambda: generator(torch.zeros(1), []),
    ):
        with pytest.raises(NotImplementedError):
            call()
