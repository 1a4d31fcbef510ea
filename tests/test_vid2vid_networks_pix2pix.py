"""The generators of pix2pix, against their tables and against constructions of plain torch."""

import pytest
import torch
from torch import nn

from vid2vid.networks.cost import count_parameters
from vid2vid.networks.pix2pix import ResNetConfig, ResNetGenerator, UNet, UNetConfig


def pictures(*size, channels=3):
    return torch.randn(1, channels, *size, generator=torch.Generator().manual_seed(1))


def fill(network, seed=0):
    """Draw weights of a spread at which every layer counts."""
    random = torch.Generator().manual_seed(seed)
    for parameter in network.parameters():
        nn.init.normal_(parameter, 0, 0.3, generator=random)
    return network


@pytest.mark.parametrize(("downsamplings", "weights"), [(8, 54_413_955), (7, 41_828_995)])
def test_unets_have_the_official_numbers_of_weights(downsamplings, weights):
    with torch.device("meta"):
        network = UNet(UNetConfig(downsamplings=downsamplings), 3)
    assert count_parameters(network) == weights


def test_convolutions_have_a_bias_only_beside_a_norm_of_each_sample():
    for norm, has_bias in (("batch", False), ("none", False), ("instance", True), ("group", True)):
        network = UNet(UNetConfig(width=4, downsamplings=3, norm=norm), 3)
        assert (network.shrink[1][1].bias is not None) == has_bias
        assert network.last.bias is not None


def test_a_unet_that_resizes_draws_no_checkerboard():
    """Constant features stay constant under resizing; transposed convolutions tell pixels apart."""
    features = torch.ones(1, 8, 4, 4)
    spreads = {}
    for upsampling in ("resize", "transposed"):
        config = UNetConfig(width=4, downsamplings=3, norm="none", upsampling=upsampling)
        network = fill(UNet(config, 3))
        painted = network.last(features)
        assert painted.shape == (1, 3, 8, 8)
        spreads[upsampling] = painted[..., 2:6, 2:6].std(dim=(2, 3)).max()
    assert spreads["resize"] < 1e-5
    assert spreads["transposed"] > 0.1


def unet_of_plain_torch(shrinking, growing, last, maps):
    """The U-Net as nested functions, with the official order of what is concatenated."""

    def level(index, features):
        inner = shrinking[index](features)
        if index + 1 < len(shrinking):
            deeper = nn.functional.leaky_relu(inner, 0.2)
            inner = torch.cat([inner, level(index + 1, deeper)], dim=1)
        grow = growing[index - 1] if index else last
        return grow(torch.relu(inner))

    return torch.tanh(level(0, maps))


@pytest.mark.parametrize("downsamplings", [2, 4, 6])
def test_unet_is_the_nesting_of_its_levels(downsamplings):
    network = fill(UNet(UNetConfig(width=2, downsamplings=downsamplings, norm="instance"), 3))
    shrinking = [each[1:] for each in network.shrink]
    growing = [each[1:] for each in network.grow]
    maps = pictures(64, 128)
    expected = unet_of_plain_torch(shrinking, growing, network.last, maps)
    torch.testing.assert_close(network(maps), expected)


def test_unet_drops_features_only_in_its_repeated_coarse_levels():
    network = UNet(UNetConfig(width=2, downsamplings=8), 3)
    drops = [hasattr(each[3], "rate") for each in network.grow]
    # grow[0] belongs to level 1; the official unet_256 drops in levels 4, 5 and 6 of 0 to 7.
    assert drops == [False, False, False, True, True, True, False]


def test_resnet_is_a_row_of_its_parts():
    network = fill(ResNetGenerator(ResNetConfig(width=2, blocks=2, norm="instance"), 3))
    maps = pictures(16, 24)
    features = network.encoder(maps)
    assert features.shape == (1, 8, 4, 6)
    for block in network.blocks:
        features = features + block.body(features)
    expected = torch.tanh(network.head.conv(network.head.pad(network.decoder(features))))
    torch.testing.assert_close(network(maps), expected)


@pytest.mark.parametrize(("blocks", "millions"), [(6, 7.8), (9, 11.4)])
def test_resnets_have_the_sizes_that_are_reported_of_them(blocks, millions):
    with torch.device("meta"):
        network = ResNetGenerator(ResNetConfig(blocks=blocks), 3)
    assert count_parameters(network) / 1e6 == pytest.approx(millions, abs=0.05)


@pytest.mark.parametrize("padding", ["reflect", "replicate", "zeros"])
def test_blocks_are_padded_as_asked(padding):
    config = ResNetConfig(width=2, blocks=1, block_padding=padding, norm="instance")
    network = fill(ResNetGenerator(config, 3))
    names = {"reflect": "reflect", "replicate": "replicate", "zeros": "constant"}
    features = network.encoder(pictures(16, 16))
    padded = nn.functional.pad(features, (1, 1, 1, 1), mode=names[padding])
    assert torch.equal(network.blocks[0].body[0](features), padded)


def test_names_of_weights_do_not_depend_on_dropout():
    with_dropout, without = (
        ResNetGenerator(ResNetConfig(width=2, blocks=1, dropout=rate), 3) for rate in (0.5, 0.0)
    )
    assert list(with_dropout.state_dict()) == list(without.state_dict())


@pytest.mark.parametrize("config", [UNetConfig(width=2, downsamplings=3), ResNetConfig(width=2)])
def test_running_statistics_are_gathered_in_training_and_used_where_asked(config):
    family = UNet if isinstance(config, UNetConfig) else ResNetGenerator
    running = fill(family(config.model_copy(update={"statistics": "running"}), 3))
    of_frame = fill(family(config, 3))
    running(pictures(16, 16))
    of_frame.load_state_dict(running.state_dict())
    in_training = running(pictures(16, 16))
    maps = pictures(16, 16)
    # As the official test script: statistics of the one frame, as in training.
    assert torch.equal(of_frame.eval()(maps), in_training)
    assert not torch.allclose(running.eval()(maps), in_training)
