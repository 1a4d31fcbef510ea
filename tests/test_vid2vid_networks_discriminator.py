import pytest
import torch

from vid2vid.networks.cost import count_parameters
from vid2vid.networks.discriminator import DiscriminatorConfig, MultiScaleDiscriminator
from vid2vid.networks.pyramid import halve, pyramid


def make(channels=5, seed=0, **settings):
    config = DiscriminatorConfig(**({"width": 2, "layers": 2, "scales": 2} | settings))
    discriminator = MultiScaleDiscriminator(config, channels)
    discriminator.initialise(seed)
    return discriminator


def pictures(*size, channels=5):
    return torch.randn(2, channels, *size, generator=torch.Generator().manual_seed(1))


def test_stages_have_the_official_sizes():
    stages = make(layers=3)(pictures(256, 512))
    sizes = [tuple(stage.shape[2:]) for stage in stages[0]]
    assert sizes == [(129, 257), (65, 129), (33, 65), (34, 66), (35, 67)]


def test_score_has_one_channel_and_comes_last():
    stages = make()(pictures(16, 16))
    assert [scale[-1].shape[1] for scale in stages] == [1, 1]


@pytest.mark.parametrize(
    ("channels", "scales", "millions"), [(39, 2, 5.6), (39, 3, 8.4), (13, 2, 5.55), (13, 3, 8.33)]
)
def test_numbers_of_weights_are_the_official_ones(channels, scales, millions):
    with torch.device("meta"):
        network = MultiScaleDiscriminator(DiscriminatorConfig(scales=scales), channels)
    assert count_parameters(network) / 1e6 == pytest.approx(millions, rel=0.01)


def test_coarser_patch_networks_are_wider_up_to_64():
    network = MultiScaleDiscriminator(DiscriminatorConfig(width=8, scales=5), 9)
    firsts = [patch.stages[0][0].weight.shape for patch in network.patches]
    assert [shape[0] for shape in firsts] == [64, 64, 32, 16, 8]
    assert firsts[-1] == (8, 9, 4, 4)


@pytest.mark.parametrize(
    ("settings", "widths"),
    [
        ({"width": 4, "layers": 5}, [4, 8, 16, 32, 64, 128]),
        ({"width": 128, "layers": 3}, [128, 256, 512, 512]),
        ({"width": 64, "layers": 4}, [64, 128, 256, 512, 512]),
        ({"width": 4, "layers": 5, "widest": None}, [4, 8, 16, 32, 32, 32]),
        ({"width": 128, "layers": 3, "widest": None}, [128, 256, 512, 1024]),
    ],
)
def test_widths_double_up_to_the_cap_of_the_family(settings, widths):
    with torch.device("meta"):
        network = MultiScaleDiscriminator(DiscriminatorConfig(scales=1, **settings), 3)
    assert [stage[0].out_channels for stage in network.patches[0].stages[:-1]] == widths


def test_stages_come_finest_scale_first():
    fine, coarse = make()(pictures(32, 32))
    assert fine[0].shape[2] == 17
    assert coarse[0].shape[2] == 9


def test_first_patch_network_sees_the_coarsest_picture():
    network, frames = make(), pictures(32, 32)
    alone = network.patches[0](halve(frames))
    assert torch.equal(network(frames)[-1][-1], alone[-1])


def test_patch_networks_stay_at_their_resolution_when_the_finest_is_unused():
    network, frames = make(scales=3), pictures(32, 32)
    whole, without = network(frames), network(halve(frames), unused=1)
    assert len(without) == 2
    assert torch.equal(without[0][-1], whole[1][-1])


def test_one_patch_network_always_judges():
    assert len(make()(pictures(8, 8), unused=5)) == 1


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 4)])
def test_tiny_pictures_are_judged_too(size):
    score = make(norm="group", layers=3)(pictures(*size))[0][-1]
    assert score.isfinite().all()


def test_weights_follow_from_the_seed_and_differ_between_patch_networks():
    first, second = make(width=64, seed=3), make(width=64, seed=3)
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    fine, coarse = (patch.stages[0][0].weight for patch in first.patches)
    assert not torch.equal(fine, coarse)


def test_spectral_norm_bounds_every_convolution():
    network = make(spectral=True)
    for patch in network.patches:
        for stage in patch.stages:
            layer = stage if isinstance(stage, torch.nn.Conv2d) else stage[0]
            assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2) < 1.1


def test_pyramid_is_coarsest_first_and_does_not_count_the_border():
    levels = pyramid(torch.ones(1, 1, 6, 5), 3)
    assert [tuple(level.shape[2:]) for level in levels] == [(2, 2), (3, 3), (6, 5)]
    assert all(torch.equal(level, torch.ones_like(level)) for level in levels)


def test_halving_averages_3_by_3_windows():
    maps = torch.arange(16.0).view(1, 1, 4, 4)
    assert halve(maps)[0, 0, 1, 1] == maps[0, 0, 1:, 1:].mean()
    assert halve(maps)[0, 0, 0, 0] == maps[0, 0, :2, :2].mean()


@pytest.mark.parametrize(
    ("layers", "side", "weights"),
    [
        (1, 126, 139_585),
        (2, 62, 666_433),
        (3, 30, 2_768_705),
        (4, 14, 6_964_033),
        (5, 6, 11_159_361),
    ],
)
def test_padding_1_gives_the_patches_of_pix2pix(layers, side, weights):
    config = DiscriminatorConfig(layers=layers, scales=1, padding=1, norm="batch")
    with torch.device("meta"):
        network = MultiScaleDiscriminator(config, 6)
        assert network(torch.empty(1, 6, 256, 256))[0][-1].shape == (1, 1, side, side)
    assert count_parameters(network) == weights


def test_the_pixel_discriminator_has_the_weights_of_pix2pix():
    config = DiscriminatorConfig(pixel=True, scales=1, norm="batch")
    with torch.device("meta"):
        network = MultiScaleDiscriminator(config, 6)
    # 1x1 to 64 with bias, to 128 and its batch norm, to 1; the last two without a bias
    assert count_parameters(network) == (6 * 64 + 64) + (64 * 128 + 2 * 128) + 128


def test_batch_norm_sees_the_whole_batch_and_instance_norm_each_sample():
    frames = pictures(16, 16)
    for norm, alone in (("instance", True), ("batch", False)):
        network = make(norm=norm, width=4)
        both, first = network(frames)[0][-1], network(frames[:1])[0][-1]
        assert torch.allclose(both[:1], first, atol=1e-5) == alone


def test_the_pixel_discriminator_sees_no_neighbourhood():
    network, frames = make(width=4, pixel=True, scales=1, norm="none"), pictures(8, 8)
    score = network(frames)[0][-1]
    assert score.shape == (2, 1, 8, 8)
    frames[..., 0, 0] += 1
    changed = (network(frames)[0][-1] != score).nonzero()[:, 2:]
    assert changed.unique(dim=0).tolist() == [[0, 0]]
    widths = [stage[0].out_channels for stage in network.patches[0].stages[:-1]]
    assert widths == [4, 8]


def test_patch_networks_may_all_be_of_one_width():
    network = make(width=8, scales=3, widening=False)
    assert [patch.stages[0][0].out_channels for patch in network.patches] == [8, 8, 8]
