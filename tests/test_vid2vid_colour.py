import kornia.color
import pytest
import torch

from vid2vid.colour import from_lab, to_lab


def rgb(*levels):
    return torch.tensor(levels, dtype=torch.float32).view(1, 3, 1, 1) / 127.5 - 1


def noise(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize(
    ("colour", "lab"),
    [  # CIE Lab of sRGB under D65, as tables have it
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
        ((119, 119, 119), (50.03, 0, 0)),
    ],
)
def test_known_colours_have_their_lab(colour, lab):
    light, a, b = to_lab(rgb(*colour)).flatten().tolist()
    assert ((light + 1) * 50, a * 110, b * 110) == pytest.approx(lab, abs=0.05)


def test_every_frame_comes_back():
    frames = noise(2, 3, 3, 32, 32)
    assert (from_lab(to_lab(frames)) - frames).abs().max() < 1e-4


def test_colours_that_srgb_has_not_lose_chroma_and_no_lightness():
    lab = noise(1, 3, 64, 64)
    lightness = (to_lab(from_lab(lab)) - lab)[:, 0] * 50
    assert lightness.abs().max() < 0.1
    scaled = torch.cat([(lab[:, :1] + 1) * 50, lab[:, 1:] * 110], dim=1)
    clipped = kornia.color.lab_to_rgb(scaled) * 2 - 1
    assert (to_lab(clipped) - lab)[:, 0].abs().max() * 50 > 20  # what clipping would do


def test_the_hue_stays_where_chroma_is_lost():
    found = to_lab(from_lab(torch.tensor([0.0, 0.9, 0.9]).view(1, 3, 1, 1))).flatten()
    assert 0.2 < found[1] < 0.9
    assert found[1].item() == pytest.approx(found[2].item(), abs=0.01)


def test_the_gradient_reaches_the_colours():
    lab = noise(1, 3, 4, 4).requires_grad_()
    from_lab(lab).sum().backward()
    assert lab.grad is not None
    assert lab.grad.isfinite().all()
    assert (lab.grad[:, 1:] != 0).any()
