import pytest
import torch

from vid2vid.errors import ConfigError
from vid2vid.extension.extender import Extender
from vid2vid.extension.layout import Layout
from vid2vid.extension.margins import Margins
from vid2vid.extension.morphing import Joiner
from vid2vid.extension.network import GeneratorPainter
from vid2vid.inpainting.blending import blend
from vid2vid.networks.srn import SRNConfig
from vid2vid.networks.still import StillGenerator

LAYOUTS = {
    "random": Layout(64, 64, 32, 32, "random"),
    "centre": Layout(32, 64, 32, 32, "centre"),
    "top": Layout(64, 32, 16, 32, "top"),
}
FILL = (0.1, 0.0, -0.1)


def make_generator(position="random", expansion="subpixel"):
    ratio = tuple(float(each) for each in LAYOUTS[position].ratio)
    config = SRNConfig(width=4, ratio=ratio, expansion=expansion)
    generator = StillGenerator(config, conditioning_channels=4, known=0)
    generator.initialise(0)
    return generator.eval()


def make_painter(position="random"):
    return GeneratorPainter(make_generator(position), fill=FILL, device=torch.device("cpu"))


def noise(height, width, seed=0):
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize(
    ("position", "margins"),
    [
        ("random", Margins(5, 30, 0, 9)),
        ("random", Margins(0, 90, 0, 0)),
        ("centre", Margins(0, 11, 0, 40)),
        ("top", Margins(bottom=70)),
    ],
)
@pytest.mark.parametrize("scale", [None, 1.0])
def test_a_network_of_any_layout_leaves_known_pixels_alone(position, margins, scale):
    picture = noise(45, 61)
    extender = Extender(make_painter(position), LAYOUTS[position], scale=scale)
    grown = extender.extend(picture, margins)
    rows, columns = margins.window(45, 61)
    assert torch.equal(grown[:, rows, columns], picture)
    assert grown.shape[1:] == margins.grown_size(45, 61)
    assert grown.abs().max() <= 1
    assert torch.equal(grown, extender.extend(picture, margins))


def test_one_trained_canvas_is_what_the_generator_paints_fitted_to_the_picture():
    picture, margins = noise(32, 32), Margins(16, 16, 16, 16)
    grown = Extender(make_painter(), LAYOUTS["random"]).extend(picture, margins)
    canvas = torch.tensor(FILL).view(3, 1, 1).expand(3, 64, 64).clone()
    canvas[:, 16:48, 16:48] = picture
    unknown = torch.ones(1, 64, 64)
    unknown[:, 16:48, 16:48] = 0
    with torch.no_grad():
        (output,) = make_generator()(torch.cat([canvas, unknown])[None, None], ())
    fitted = blend(canvas, output.hallucinated[0], unknown[0].bool())
    assert torch.allclose(grown, fitted, atol=1e-5)


def test_what_a_mask_hides_changes_nothing():
    picture, unknown = noise(40, 60), torch.zeros(40, 60, dtype=torch.bool)
    unknown[:, :14] = True
    extender = Extender(make_painter(), LAYOUTS["random"])
    filled = extender(picture, unknown)
    assert torch.equal(filled, extender(torch.where(unknown, 0.7, picture), unknown))
    assert torch.equal(filled[:, ~unknown], picture[:, ~unknown])


@pytest.mark.parametrize("expansion", ["subpixel", "bilinear", "none"])
@pytest.mark.parametrize("gap", [16, 45])
def test_joining_keeps_both_pictures(expansion, gap):
    left, right = noise(50, 48), noise(50, 70, seed=1)
    joiner = Joiner(make_generator("random", expansion).network, LAYOUTS["random"], fill=FILL)
    joined = joiner.join(left, right, gap)
    assert joined.shape == (3, 50, 48 + gap + 70)
    assert torch.equal(joined[:, :, :48], left)
    assert torch.equal(joined[:, :, -70:], right)
    assert joined[:, :, 48 : 48 + gap].std() > 0


def test_a_joint_depends_on_both_pictures():
    left, right, other = (noise(32, 32, seed) for seed in range(3))
    joiner = Joiner(make_generator().network, LAYOUTS["random"], fill=FILL)
    middle = joiner.join(left, right, 16)[:, :, 32:48]
    assert (joiner.join(other, right, 16)[:, :, 32:48] - middle).abs().max() > 1e-3
    assert (joiner.join(left, other, 16)[:, :, 32:48] - middle).abs().max() > 1e-3


def test_a_wide_gap_is_painted_at_a_scale_that_the_network_knows():
    joiner = Joiner(make_generator().network, LAYOUTS["random"], fill=FILL)
    assert joiner.plan(64, 200, 64) == (128, 16, 32, 16)
    assert joiner.plan(64, 200, 16) == (32, 64, 32, 16)


def test_joining_needs_both_sides():
    joiner = Joiner(make_generator("top").network, LAYOUTS["top"], fill=FILL)
    with pytest.raises(ConfigError, match=r"to the left and to the right; .* 32x16 to 32x64"):
        joiner.plan(64, 64, 16)


def test_pictures_to_be_joined_have_a_size():
    joiner = Joiner(make_generator().network, LAYOUTS["random"], fill=FILL)
    with pytest.raises(ConfigError, match=r"at least 16 pixels .* narrower one is 9x64, the gap 8"):
        joiner.plan(64, 9, 8)
