"""Cascaded refinement and the networks that its paper compares it with."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from vid2vid.networks.cost import count_parameters, generator_macs
from vid2vid.networks.crn import CRNConfig, MapConv2d
from vid2vid.networks.crn_baselines import EncoderDecoderConfig, FullResolutionConfig
from vid2vid.networks.recompute import recompute_activations
from vid2vid.networks.still import StillGenerator
from vid2vid.rollout import rollout

SMALL = CRNConfig(height=16, width=8)
FAMILIES = [
    SMALL,
    EncoderDecoderConfig(width=4, downsamplings=2),
    FullResolutionConfig(width=4, dilations=(1, 2, 1)),
]
NAMES = ["crn", "encoder_decoder", "full_resolution"]


def make(config, channels=3, seed=0):
    generator = StillGenerator(config, conditioning_channels=channels)
    generator.initialise(seed)
    return generator.eval()


def window(height=16, width=32, channels=3):
    random = torch.Generator().manual_seed(1)
    return torch.randn(1, 1, channels, height, width, generator=random)


def with_outputs(config, outputs):
    return config.model_copy(update={"outputs": outputs})


@pytest.mark.parametrize(
    ("height", "outputs", "parameters", "gmacs"),
    [(256, 9, 97_875_483, 1075), (512, 1, 98_622_851, 1472), (1024, 1, 98_674_531, 1581)],
)
def test_published_sizes_have_the_published_counts_and_costs(height, outputs, parameters, gmacs):
    with torch.device("meta"):
        config = CRNConfig(height=height, outputs=outputs)
        generator = StillGenerator(config, conditioning_channels=20)
    assert count_parameters(generator) == parameters
    macs = generator_macs(generator, height=height, width=2 * height)
    assert round(macs / 1e9) == gmacs


@pytest.mark.parametrize("config", FAMILIES, ids=NAMES)
def test_norms_are_over_all_of_a_sample_or_over_each_channel(config):
    def first_norm(norm):
        network = make(config.model_copy(update={"norm": norm})).network
        layers = list(network.modules())
        index = next(i for i, each in enumerate(layers) if isinstance(each, nn.LeakyReLU)) - 1
        return layers[index](torch.randn(2, 4 if config is not SMALL else 8, 6, 6) * 3 + 1)

    for norm, over in (("layer", (1, 2, 3)), ("instance", (2, 3))):
        means = first_norm(norm).mean(dim=over)
        assert means.abs().max() < 1e-5, norm
    assert first_norm("layer").mean(dim=(2, 3)).abs().max() > 0.01


@pytest.mark.parametrize("config", FAMILIES, ids=NAMES)
def test_batch_norm_renders_with_the_statistics_of_training(config):
    network = make(config.model_copy(update={"norm": "batch"})).network
    layer = next(each for each in network.modules() if isinstance(each, nn.BatchNorm2d))
    channels = layer.num_features
    seen = torch.randn(2, channels, 6, 6, generator=torch.Generator().manual_seed(0)) * 3 + 1
    for _ in range(200):  # each moves them by a tenth
        layer.train()(seen)
    means, spreads = seen.mean((0, 2, 3)), seen.var((0, 2, 3), unbiased=True).sqrt()
    flat = torch.full((1, channels, 6, 6), 5.0)  # by its own statistics it would be 0
    expected = ((5.0 - means) / spreads)[None, :, None, None].expand_as(flat)
    torch.testing.assert_close(layer.eval()(flat), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("height", "sizes"),
    [(256, [4, 8, 16, 32, 64, 128, 256]), (96, [6, 12, 24, 48, 96]), (7, [7]), (8, [4, 8])],
)
def test_modules_begin_at_four_pixels_or_a_little_more(height, sizes):
    config = CRNConfig(height=height)
    assert config.modules == len(sizes)
    assert height / 2**config.enhancers == sizes[0]


def test_widths_are_published_shares_or_as_named():
    assert CRNConfig(height=1024).module_widths == (*[1024] * 5, 512, 512, 128, 32)
    assert CRNConfig(height=4096, width=8).module_widths[-4:] == (1, 1, 1, 1)
    assert CRNConfig(height=16, widths=(5, 4, 3)).module_widths == (5, 4, 3)


@pytest.mark.parametrize("widths", [(4, 4), (4, 4, 0)])
def test_widths_that_do_not_fit_are_refused(widths):
    with pytest.raises(ValueError, match="widths must"):
        CRNConfig(height=16, widths=widths)


def test_a_module_reads_enlarged_features_before_the_averaged_map():
    seen = []
    generator = make(SMALL)
    for module in generator.network.cascade:
        first = next(part for part in module.modules() if isinstance(part, MapConv2d))
        first.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    maps = window()
    features = []
    generator.network.cascade[0].register_forward_hook(lambda _, __, out: features.append(out))
    generator(maps, [])
    assert [tuple(each.shape[1:]) for each in seen] == [(3, 4, 8), (11, 8, 16), (11, 16, 32)]
    halved = F.avg_pool2d(F.avg_pool2d(maps[:, 0], 2), 2)
    torch.testing.assert_close(seen[0], halved)
    enlarged = F.interpolate(features[0], scale_factor=2, mode="bilinear", align_corners=True)
    torch.testing.assert_close(seen[1][:, :8], enlarged)
    torch.testing.assert_close(seen[1][:, 8:], F.avg_pool2d(maps[:, 0], 2))


def test_the_norm_is_over_channels_height_and_width_at_once():
    body = make(SMALL).network.cascade[0].body
    features = body[1](body[0](window(4, 8)[:, 0]))
    assert features.mean().item() == pytest.approx(0, abs=1e-5)
    assert features.var(correction=0).item() == pytest.approx(1, abs=1e-4)
    assert features.mean(dim=(2, 3)).abs().max() > 0.05


@pytest.mark.parametrize("config", FAMILIES, ids=NAMES)
def test_only_the_output_has_a_bias_and_weights_are_drawn_after_glorot(config):
    generator = make(config)
    convolutions = [each for each in generator.modules() if isinstance(each, nn.Conv2d)]
    assert [each.bias is not None for each in convolutions].count(True) == 1
    for each in convolutions:
        taps = each.kernel_size[0] ** 2
        bound = (6 / (taps * (each.in_channels + each.out_channels))) ** 0.5
        assert each.weight.abs().max() <= bound
        assert each.weight.abs().max() > 0.8 * bound
    norms = [each for each in generator.modules() if isinstance(each, nn.GroupNorm)]
    assert all(torch.equal(each.weight, torch.ones_like(each.weight)) for each in norms)


@pytest.mark.parametrize("config", FAMILIES, ids=NAMES)
def test_variants_lie_red_by_red_and_the_chosen_one_is_the_frame(config):
    generator = make(with_outputs(config, 3))
    pictures = generator.network(window()[:, 0])
    (output,) = generator(window(), [])
    assert output.variants.shape == (1, 3, 3, 16, 32)
    assert torch.equal(output.variants[:, 1], pictures[:, 1::3])
    assert torch.equal(output.frame, output.variants[:, 0])
    generator.variant = 2
    assert torch.equal(generator(window(), [])[0].frame, output.variants[:, 2])


@pytest.mark.parametrize("config", FAMILIES, ids=NAMES)
@pytest.mark.parametrize("size", [(16, 16), (13, 22), (1, 3), (16, 70)])
def test_any_size_and_aspect_is_rolled_out(config, size):
    (output,) = rollout(make(with_outputs(config, 2)), [torch.zeros(2, 3, *size)])
    assert output.frame.shape == (2, 3, *size)
    assert output.variants.shape == (2, 2, 3, *size)


@pytest.mark.parametrize("config", FAMILIES, ids=NAMES)
def test_what_is_rendered_is_clamped_and_what_is_trained_is_not(config):
    generator = make(config)
    with torch.no_grad():
        generator.network.stages[-1].head.conv.bias.fill_(40)
        assert generator(window(), [])[0].frame.max() == 1
        assert generator.train()(window(), [])[0].frame.min() > 10


@pytest.mark.parametrize("config", FAMILIES, ids=NAMES)
def test_recomputed_activations_give_the_same_gradients(config):
    gradients = []
    for recompute in (False, True):
        generator = make(config).train()
        if recompute:
            recompute_activations(generator)
        generator(window(), [])[0].frame.square().mean().backward()
        gradients.append([each.grad for each in generator.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))


def test_a_smaller_cascade_is_the_beginning_of_a_larger_one():
    small, large = (make(CRNConfig(height=h, width=4, outputs=k)) for h, k in ((16, 9), (32, 1)))
    own = {k: v.shape for k, v in small.state_dict().items() if "head" not in k}
    assert own.items() <= {k: v.shape for k, v in large.state_dict().items()}.items()
    assert not [key for key in large.state_dict() if "cascade.2.head" in key]


def test_full_resolution_sees_as_far_as_its_dilations():
    generator = make(FullResolutionConfig(width=4, dilations=(1, 2, 4)))
    layers = [layer for layer in generator.network.layers.modules() if isinstance(layer, nn.Conv2d)]
    picture = torch.zeros(1, 3, 1, 31)
    picture[..., 15] = 1
    with torch.no_grad():
        for layer in layers:
            layer.weight.fill_(1)
            picture = layer(picture)
    reached = picture[0, 0, 0].nonzero().flatten().tolist()
    assert reached == list(range(15 - 7, 15 + 8))


def test_dilated_layers_of_any_width_learn_in_bfloat16():
    generator = make(FullResolutionConfig(width=24, dilations=(1, 2, 4))).train()
    generator.to(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        generator(window(32, 48), [])[0].frame.square().mean().backward()
    assert all(each.grad.isfinite().all() for each in generator.parameters())
