import pytest
import torch

from vid2vid.networks.cost import count_parameters
from vid2vid.networks.segmentation_discriminator import (
    SegmentationDiscriminator,
    SegmentationDiscriminatorConfig,
)


def make(num_classes=3, seed=0, **settings):
    config = SegmentationDiscriminatorConfig(**({"width": 4, "downsamplings": 2} | settings))
    network = SegmentationDiscriminator(config, num_classes)
    network.initialise(seed)
    return network


def frames(height=8, width=12):
    return torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(1))


def block(channels_in, channels_out):
    """Weights of a residual block: two convolutions 3x3 and one 1x1, all with a bias."""
    return channels_out * (9 * channels_in + 9 * channels_out + channels_in + 3)


def test_the_default_has_the_weights_of_its_widths():
    with torch.device("meta"):
        network = SegmentationDiscriminator(SegmentationDiscriminatorConfig(), 34)
    down = [(3, 128), (128, 128), (128, 256), (256, 256), (256, 512), (512, 512)]
    up = [(512, 512), (1024, 256), (512, 256), (512, 128), (256, 128), (256, 64)]
    expected = sum(block(*pair) for pair in down + up) + 64 * 35 + 35
    assert count_parameters(network) == expected
    assert expected == 22_858_915


def test_every_pixel_has_logits_of_all_labels_and_of_generated():
    assert make(num_classes=5)(frames()).shape == (2, 6, 8, 12)


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (9, 4)])
def test_any_size_is_judged_at_its_own_size(size):
    logits = make(downsamplings=3)(frames(*size))
    assert logits.shape == (2, 4, *size)
    assert logits.isfinite().all()


def test_padding_replicates_the_border():
    network, small = make().eval(), frames(8, 11)
    whole = torch.cat([small, small[..., -1:]], dim=-1)
    torch.testing.assert_close(network(small), network(whole)[..., :11])


def test_fine_detail_reaches_the_logits_through_the_skips():
    network, picture = make(downsamplings=3).eval(), frames(16, 16)
    without = [torch.zeros_like] * 2
    handles = [
        each.register_forward_hook(lambda m, i, o, f=f: f(o))
        for each, f in zip(network.shrink[2:], without, strict=False)
    ]
    blind = network(picture)  # the bottleneck is cut: what is left came across
    for handle in handles:
        handle.remove()
    assert (blind[0] - blind[1]).abs().max() > 1e-3


def test_every_convolution_but_the_last_is_spectrally_normalised():
    network = make()
    for _ in range(50):  # each forward pass of training looks for the largest gain a little longer
        network(frames())
    for name, layer in network.named_modules():
        if isinstance(layer, torch.nn.Conv2d) and name != "head":
            assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2) < 1.1


def test_weights_follow_from_the_seed():
    first, second, other = (make(seed=seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])
