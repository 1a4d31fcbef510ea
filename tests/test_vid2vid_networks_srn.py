"""SRN: the operators of its feature expansion, context normalisation, shapes and counts."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vid2vid.controls.known import blank, place_window
from vid2vid.controls.known_config import KnownConfig
from vid2vid.networks.context_norm import ContextNorm, context_norm
from vid2vid.networks.cost import count_parameters, generator_macs
from vid2vid.networks.smooth import fill_smoothly
from vid2vid.networks.srn import SRNConfig
from vid2vid.networks.srn_expansion import Expansion, shuffle_subpixels, unfold_mirrored
from vid2vid.networks.still import StillGenerator

# Ratio, size of the window and position: the three groups of the paper, an eighth as large.
GROUPS = [((2, 2), (16, 16), "random"), ((1, 2), (32, 32), "centre"), ((4, 1), (8, 16), "top")]


def make(config: SRNConfig) -> StillGenerator:
    generator = StillGenerator(config, conditioning_channels=4, known=0)
    generator.initialise(3)
    return generator.eval()


def window_of(height: int, width: int, *, top: int, left: int, size: tuple[int, int]) -> Tensor:
    """Mark what is unknown around a window: 'h w'."""
    unknown = torch.ones(size, dtype=torch.bool)
    unknown[top : top + height, left : left + width] = False
    return unknown


def paint(generator: StillGenerator, maps: Tensor):
    with torch.inference_mode():
        return generator(maps.unsqueeze(1), [])[0]


@pytest.mark.parametrize("factors", [(2, 2), (1, 2), (4, 1), (3, 2)])
def test_subpixels_follow_the_formula_of_the_paper(factors: tuple[int, int]):
    rows, columns = factors
    count, height, width = 3, 2, 3
    features = torch.randn(2, count * rows * columns, height, width)
    expected = torch.empty(2, count, height * rows, width * columns)
    for i in range(height * rows):
        for j in range(width * columns):
            for k in range(count):
                channel = count * columns * (i % rows) + count * (j % columns) + k
                expected[:, k, i, j] = features[:, channel, i // rows, j // columns]
    assert torch.equal(shuffle_subpixels(features, factors), expected)


def test_subpixels_of_equal_factors_are_pixel_shuffle_with_other_channels():
    features = torch.randn(1, 12, 2, 2)
    other = features.unflatten(1, (4, 3)).transpose(1, 2).flatten(1, 2)
    assert torch.equal(shuffle_subpixels(features, (2, 2)), F.pixel_shuffle(other, 2))


def test_subpixels_can_be_put_back_and_let_gradients_through():
    features = torch.randn(1, 12, 2, 3, dtype=torch.float64, requires_grad=True)
    large = shuffle_subpixels(features, (3, 2))
    small = large.unflatten(3, (3, 2)).unflatten(2, (2, 3)).permute(0, 3, 5, 1, 2, 4)
    assert torch.equal(small.reshape(1, 12, 2, 3), features)
    assert torch.autograd.gradcheck(lambda x: shuffle_subpixels(x, (3, 2)), features)


def test_unfolding_mirrors_with_the_edge_twice():
    row = torch.tensor([[[[1.0, 2.0, 3.0]]]])
    places = torch.tensor([0]), torch.tensor([4])
    assert unfold_mirrored(row, *places, (1, 9)).flatten().tolist() == [3, 3, 2, 1, 1, 2, 3, 3, 2]


@pytest.mark.parametrize(("ratio", "window", "position"), GROUPS)
def test_every_group_of_the_paper_keeps_what_is_known(ratio, window, position):
    size = (window[0] * ratio[0], window[1] * ratio[1])
    control = KnownConfig(shape="window", height=window[0], width=window[1], position=position)
    place = place_window(control, *size)
    unknown = window_of(*window, top=place.top, left=place.left, size=size)
    frames = torch.rand(2, 3, *size) * 2 - 1
    output = paint(make(SRNConfig(width=4, ratio=ratio)), blank(frames, unknown))
    assert output.frame.shape == frames.shape
    assert torch.equal(output.frame[..., ~unknown], frames[..., ~unknown])
    assert torch.equal(output.frame[..., unknown], output.hallucinated[..., unknown])
    assert output.hallucinated.abs().max() <= 1


def test_windows_of_a_batch_may_lie_in_different_places():
    generator = make(SRNConfig(width=4))
    frames = torch.rand(2, 3, 32, 32) * 2 - 1
    masks = [window_of(16, 16, top=top, left=3, size=(32, 32)) for top in (0, 15)]
    maps = torch.stack([blank(one, mask) for one, mask in zip(frames, masks, strict=True)])
    together = paint(generator, maps).frame
    assert torch.allclose(together[1:], paint(generator, maps[1:]).frame, atol=1e-5)


def test_features_of_the_window_do_not_depend_on_the_margins():
    network = make(SRNConfig(width=4)).network
    photograph = torch.rand(1, 3, 16, 16)
    expanded = []
    for top, left in ((0, 0), (9, 16)):
        unknown = window_of(16, 16, top=top, left=left, size=(32, 32))
        canvas = torch.zeros(1, 3, 32, 32)
        canvas[..., ~unknown] = photograph.flatten(2)
        expanded.append(network.expand(canvas, unknown[None, None].float()))
    assert torch.equal(*expanded)


@pytest.mark.parametrize("expansion", ["deconvolution", "bilinear", "unfold", "none"])
def test_every_expansion_paints_the_canvas(expansion: Expansion):
    unknown = window_of(16, 8, top=5, left=2, size=(32, 24))
    maps = blank(torch.rand(1, 3, 32, 24), unknown)
    assert paint(make(SRNConfig(width=4, ratio=(2, 3), expansion=expansion)), maps).frame.shape == (
        1,
        3,
        32,
        24,
    )


def test_without_expansion_any_mask_will_do():
    unknown = torch.zeros(16, 16, dtype=torch.bool)
    unknown[:, 6:10] = True
    frames = torch.rand(1, 3, 16, 16)
    output = paint(make(SRNConfig(width=4, expansion="none")), blank(frames, unknown))
    assert torch.equal(output.frame[..., ~unknown], frames[..., ~unknown])


@pytest.mark.parametrize(("ratio", "count"), [((2, 2), 11_234_947), ((1, 2), 11_161_091)])
def test_the_published_network_has_the_published_number_of_weights(ratio, count: int):
    with torch.device("meta"):
        generator = StillGenerator(SRNConfig(ratio=ratio), conditioning_channels=4, known=0)
    assert count_parameters(generator) == count


def test_the_parts_of_a_narrow_network_have_their_numbers_of_weights():
    network = make(SRNConfig(width=8)).network
    parts = (network.body, network.expander, network.context)
    assert [count_parameters(part) for part in parts] == [90_824, 2_336, 84_363]


def test_its_cost_can_be_counted_without_memory():
    assert generator_macs(make(SRNConfig(width=4)), height=32, width=32) > 0


def test_context_norm_moves_unknown_features_half_way():
    features = torch.tensor([[[[1.0, 3.0, 10.0, 14.0]]]])
    mask = torch.tensor([[[[0.0, 0.0, 1.0, 1.0]]]])
    half = context_norm(features, mask, share=0.5).flatten()
    assert torch.allclose(half, torch.tensor([1.0, 3.0, 5.5, 8.5]), atol=1e-5)
    whole = context_norm(features, mask, share=1.0).flatten()
    assert torch.allclose(whole, torch.tensor([1.0, 3.0, 1.0, 3.0]), atol=1e-5)
    assert torch.equal(context_norm(features, mask, share=0.0), features)


def test_context_norm_gives_the_unknown_the_statistics_of_the_known():
    features = torch.randn(2, 3, 8, 8) * 4 + 1
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., 3:] = 1
    moved = context_norm(features, mask, share=1.0)
    unknown, known = moved[..., 3:], features[..., :3]
    assert torch.equal(moved[..., :3], known)
    for measure in (torch.mean, lambda x, dim: x.std(dim, correction=0)):
        assert torch.allclose(measure(unknown, dim=(2, 3)), measure(known, dim=(2, 3)), atol=1e-5)


def test_context_norm_follows_the_scale_of_the_known():
    features, mask = torch.randn(1, 1, 4, 4), torch.zeros(1, 1, 4, 4)
    mask[..., 2:] = 1
    scaled = torch.where(mask > 0, features, 3 * features + 2)
    expected = 3 * context_norm(features, mask, share=1.0) + 2
    assert torch.allclose(context_norm(scaled, mask, share=1.0), expected, atol=1e-5)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_context_norm_leaves_a_sample_of_one_region_alone(value: float):
    features = torch.randn(1, 2, 4, 4)
    mask = torch.full((1, 1, 4, 4), value)
    assert torch.equal(context_norm(features, mask, share=0.5), features)


def test_context_norm_treats_samples_apart_and_has_finite_gradients():
    features, mask = torch.randn(2, 2, 4, 4), torch.zeros(2, 1, 8, 8)
    mask[:, :, 4:], features[1] = 1, 1.0  # the second is flat
    features.requires_grad_()
    moved = ContextNorm(0.5)(features, mask)
    alone = ContextNorm(0.5)(features[:1], mask[:1])
    assert torch.allclose(moved[:1], alone, atol=1e-6)
    moved.square().sum().backward()
    assert features.grad is not None
    assert features.grad.isfinite().all()


def test_canvases_that_do_not_fit_are_refused():
    config = SRNConfig(width=4)
    with pytest.raises(ValueError, match="multiples of 4 for an SRN; got 30x32"):
        config.check_canvas(32, 30, (16, 15))
    with pytest.raises(ValueError, match="expands a known window; what is known is of another"):
        config.check_canvas(32, 32, None)
    with pytest.raises(ValueError, match="1/2 as high and 1/2 as wide as the canvas of 32x32"):
        config.check_canvas(32, 32, (16, 12))
    with pytest.raises(ValueError, match="multiples of 4 for sides; it is 14x16"):
        config.check_canvas(32, 28, (16, 14))


def test_ratios_that_no_operator_makes_are_refused():
    with pytest.raises(ValueError, match="ratio must be whole numbers for expansion 'subpixel'"):
        SRNConfig(ratio=(1, 1.5))
    with pytest.raises(ValueError, match=r"each 1 to 8; got \[0.5, 1.0\]"):
        SRNConfig(ratio=(0.5, 1))
    assert SRNConfig(ratio=(1, 4 / 3), expansion="bilinear").window(96, 128) == (96, 96)


def test_a_network_that_fills_must_be_told_what_is_known():
    with pytest.raises(ValueError, match="kind 'srn' needs a control known"):
        StillGenerator(SRNConfig(width=4), conditioning_channels=4)


def test_dilations_of_nothing_are_refused():
    with pytest.raises(ValueError, match=r"dilations must be 1 or more; got \[2, 0\]"):
        SRNConfig(dilations=(2, 0))


def residual_case(*, bias: list[float]) -> tuple[Tensor, Tensor, Tensor]:
    """Paint with a head that says the same everywhere: maps, what is painted, the smooth fill."""
    generator = make(SRNConfig(width=4, residual=True))
    generator.network.context.head.conv.bias.data[:] = torch.tensor(bias)
    unknown = window_of(16, 16, top=4, left=8, size=(32, 32))
    noise = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)) / 2
    maps = blank(noise, unknown)
    return maps, paint(generator, maps).hallucinated, fill_smoothly(maps[:, :3], maps[:, 3:])


def test_a_residual_begins_with_a_smooth_fill():
    _, painted, smooth = residual_case(bias=[0, 0, 0, 0, 0])
    torch.testing.assert_close(painted, smooth)


def test_a_residual_adds_colours_to_a_fill_that_fades():
    _, painted, smooth = residual_case(bias=[0.1, -0.2, 0, 0.5, 0])
    added = torch.tensor([0.1, -0.2, 0]).view(1, 3, 1, 1)
    torch.testing.assert_close(painted, smooth / 2 + added)


def test_a_residual_lays_on_the_detail_of_the_mirrored_window():
    maps, painted, smooth = residual_case(bias=[0, 0, 0, 0, 1])
    detail = painted - smooth
    place = slice(4, 20), slice(8, 24)
    torch.testing.assert_close(detail[..., 3, :], detail[..., 4, :])  # a mirror at its first row
    torch.testing.assert_close(detail[..., 4:20, 24:], detail[..., 4:20, 16:24].flip(3))
    middle = maps[0, :3, 12, 16] - maps[0, :3, 8:17, 12:21].mean(dim=(1, 2))
    torch.testing.assert_close(detail[(0, slice(None), *place)][:, 8, 8], middle)


def test_a_residual_without_expansion_lays_no_detail_on():
    generator = make(SRNConfig(width=4, residual=True, expansion="none"))
    assert generator.network.context.head.conv.out_channels == 4
    maps = blank(torch.rand(1, 3, 16, 16), window_of(4, 8, top=4, left=8, size=(16, 16)))
    smooth = fill_smoothly(maps[:, :3], maps[:, 3:])
    torch.testing.assert_close(paint(generator, maps).hallucinated, smooth)


def test_normalised_layers_have_a_gain_and_a_bias_a_channel():
    plain, normalised = (make(SRNConfig(width=8, norm=norm)) for norm in ("none", "group"))
    # Of each network: 8 at the whole size, 16 at half, 32 at a quarter of it, and the last 4.
    channels = (2 * 8 + 4 * 16 + 9 * 32) + (3 * 8 + 4 * 16 + 8 * 32 + 4)
    extra = count_parameters(normalised) - count_parameters(plain)
    assert extra == 2 * channels
