import pytest
import torch
from torch import nn

from vid2vid.networks.blocks import (
    BatchNorm,
    Head,
    InstanceNorm,
    ResidualBlock,
    Style,
    doubled,
    down,
    initialise,
    norm_layer,
    residual_blocks,
    stem,
    up,
)
from vid2vid.networks.dropout import Dropout

SPECTRAL = Style(spectral=True)


def seeded(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3))


def by_hand(features, gain, shift):
    mean = features.mean(dim=(2, 3), keepdim=True)
    variance = features.var(dim=(2, 3), keepdim=True, unbiased=False)
    normal = (features - mean) / (variance + 1e-5).sqrt()
    return normal * gain.view(1, -1, 1, 1) + shift.view(1, -1, 1, 1)


@pytest.mark.parametrize("batch", [1, 3])
def test_instance_norm_is_an_affine_norm_of_each_sample(batch):
    norm, features = InstanceNorm(4), seeded(batch, 4, 5, 6)
    nn.init.uniform_(norm.weight)
    nn.init.uniform_(norm.bias)
    expected = by_hand(features, norm.weight, norm.bias)
    torch.testing.assert_close(norm(features), expected, rtol=1e-4, atol=1e-5)


def test_instance_norm_of_one_sample_is_batch_norm_bit_for_bit():
    ours, official = InstanceNorm(4), nn.BatchNorm2d(4)
    with torch.no_grad():
        ours.weight.copy_(seeded(4))
        official.weight.copy_(seeded(4))
    features = seeded(1, 4, 5, 6)
    assert torch.equal(ours(features), official(features))


def test_instance_norm_of_a_sample_does_not_depend_on_the_others():
    norm, features = InstanceNorm(4), seeded(3, 4, 5, 6)
    torch.testing.assert_close(norm(features)[1:2], norm(features[1:2]))


@pytest.mark.parametrize("channels", [1, 4, 16, 40, 56, 96, 200])
def test_group_norm_takes_any_number_of_channels(channels):
    norm = norm_layer("group", channels)
    assert norm(seeded(2, channels, 3, 3)).shape == (2, channels, 3, 3)


def test_group_norm_has_groups_of_16_channels_where_they_divide():
    assert norm_layer("group", 64).num_groups == 4
    assert norm_layer("group", 8).num_groups == 1


def test_norm_none_leaves_features_alone():
    features = seeded(1, 4, 5, 6)
    assert norm_layer("none", 4)(features) is features


def test_stem_keeps_the_size_and_down_halves_it():
    features = seeded(1, 3, 8, 12)
    assert stem(3, 5, Style())(features).shape == (1, 5, 8, 12)
    assert down(3, 5, Style())(features).shape == (1, 5, 4, 6)


@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
def test_up_doubles_the_size(upsampling):
    layers = up(3, 5, Style(upsampling=upsampling))
    assert layers(seeded(1, 3, 4, 6)).shape == (1, 5, 8, 12)


def test_resizing_up_draws_no_checkerboard():
    layers = up(3, 1, Style(norm="none", upsampling="resize"))
    flat = layers(torch.ones(1, 3, 4, 4))
    torch.testing.assert_close(flat, flat[..., :1, :1].expand_as(flat))


def test_residual_block_without_weights_is_the_identity():
    block = ResidualBlock(4, Style(norm="none"))
    for parameter in block.parameters():
        nn.init.zeros_(parameter)
    features = seeded(1, 4, 5, 6)
    assert torch.equal(block(features), features)


def test_residual_block_has_no_activation_after_the_sum():
    features = seeded(1, 4, 5, 6) - 2
    assert ResidualBlock(4, Style())(features).min() < -1


def test_residual_blocks_stand_in_a_row():
    assert len(residual_blocks(4, 3, Style())) == 3


def test_head_computes_in_float32_under_autocast():
    head, features = Head(4, 2), seeded(1, 4, 8, 8)
    exact = head(features)
    with torch.autocast("cpu", torch.bfloat16):
        under_autocast = head(features)
    assert under_autocast.dtype == torch.float32
    assert torch.equal(under_autocast, exact)


def test_head_runs_on_the_meta_device():
    assert Head(4, 2).to("meta")(torch.empty(1, 4, 8, 8, device="meta")).shape == (1, 2, 8, 8)


def bits(network):
    return [tensor.clone() for tensor in network.state_dict().values()]


def block(style):
    return nn.Sequential(stem(3, 8, style), ResidualBlock(8, style), up(8, 4, style))


@pytest.mark.parametrize("style", [Style(), SPECTRAL], ids=["plain", "spectral"])
def test_weights_follow_from_the_seed_alone(style):
    first, second, other = block(style), block(style), block(style)
    initialise(first, 5)
    initialise(second, 5)
    initialise(other, 6)
    assert all(torch.equal(a, b) for a, b in zip(bits(first), bits(second), strict=True))
    assert any(not torch.equal(a, b) for a, b in zip(bits(first), bits(other), strict=True))


def test_weights_start_at_the_official_spread_and_biases_at_0():
    network = nn.Sequential(nn.Conv2d(20, 20, 5), InstanceNorm(200))
    initialise(network, 0)
    assert network[0].weight.std().item() == pytest.approx(0.02, rel=0.1)
    assert network[1].weight.mean().item() == pytest.approx(1, abs=0.01)
    assert network[1].weight.std().item() == pytest.approx(0.02, rel=0.2)
    assert not network[0].bias.any()
    assert not network[1].bias.any()


def test_flow_heads_start_at_no_motion():
    network = nn.ModuleDict({"flow_head": Head(4, 2), "image_head": Head(4, 3)})
    initialise(network, 0)
    assert not network["flow_head"](seeded(1, 4, 8, 8)).any()
    assert network["image_head"](seeded(1, 4, 8, 8)).any()


def test_spectral_norm_holds_the_largest_singular_value_at_1_from_the_start():
    network = block(SPECTRAL)
    initialise(network, 0)
    for layer in (network[0][1], network[1].body[1]):
        largest = torch.linalg.matrix_norm(layer.weight.flatten(1), 2)
        assert largest.item() == pytest.approx(1, rel=0.05)


def test_batch_norm_trains_over_the_batch_and_gathers_statistics():
    norm, official, features = (
        BatchNorm(4, statistics="frame"),
        nn.BatchNorm2d(4),
        seeded(3, 4, 5, 6),
    )
    assert torch.equal(norm(features), official(features))
    assert torch.equal(norm.running_var, official.running_var)
    assert norm.num_batches_tracked == 1


def test_batch_norm_renders_with_the_statistics_that_were_chosen():
    of_frame, running = (BatchNorm(4, statistics=each).eval() for each in ("frame", "running"))
    features = seeded(3, 4, 5, 6) + 1
    torch.testing.assert_close(of_frame(features), InstanceNorm(4)(features))
    torch.testing.assert_close(running(features), features / (1 + 1e-5) ** 0.5)


def test_dropout_is_drawn_from_its_seed_and_keeps_the_mean():
    layer, features = Dropout(0.25), torch.ones(1, 8, 50, 50)
    layer.seed = 3
    first, again = layer(features), layer(features)
    assert torch.equal(first, again)
    assert first.unique().tolist() == [0, pytest.approx(4 / 3)]
    assert (first == 0).float().mean().item() == pytest.approx(0.25, abs=0.01)
    layer.seed = 4
    assert not torch.equal(layer(features), first)


def test_dropout_without_a_seed_drops_nothing():
    features = seeded(1, 4, 5, 6)
    assert Dropout(0.5)(features) is features


def test_convolutions_of_a_style_without_bias_have_none():
    style = Style(bias=False)
    for layers in (stem(3, 4, style), down(3, 4, style), up(3, 4, style), ResidualBlock(4, style)):
        convolutions = [
            m for m in layers.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)
        ]
        assert convolutions
        assert all(each.bias is None for each in convolutions)


def test_widths_double_up_to_a_cap():
    assert doubled(8, 3) == [8, 16, 32, 64]
    assert doubled(8, 3, widest=20) == [8, 16, 20, 20]
