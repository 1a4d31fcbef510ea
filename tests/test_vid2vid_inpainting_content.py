"""Content for holes of any place and form: what is shown to the network, and what is kept of it."""

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vid2vid.inpainting.content import ContentNetwork, predict_content
from vid2vid.networks.context_encoder import ContextEncoderConfig
from vid2vid.networks.outputs import GeneratorOutput
from vid2vid.networks.still import StillGenerator

FILL = (-0.5, 0.0, 0.5)


def _network(form: str = "centre", *, hole: int | None = 14) -> ContentNetwork:
    config = ContextEncoderConfig.model_validate(
        {"form": form, "width": 2, "halvings": 3, "bottleneck": 6, "overlap": 1}
    )
    generator = StillGenerator(config, conditioning_channels=4, known=0)
    generator.initialise(0)
    return ContentNetwork(generator.eval(), size=32, hole=hole, overlap=1, fill=FILL)


class Watcher(nn.Module):
    """A generator that keeps what it is shown, and paints red where something is unknown."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.seen: list[Tensor] = []

    def forward(self, window: Tensor, pasts: object) -> tuple[GeneratorOutput]:
        del pasts
        self.seen.append(window[0, 0])
        red = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1)
        painted = torch.where(window[:, 0, 3:] > 0, red, window[:, 0, :3])
        return (GeneratorOutput(painted, painted),)


def _picture(height: int, width: int) -> Tensor:
    generator = torch.Generator().manual_seed(2)
    coarse = torch.rand(1, 3, 6, 6, generator=generator) * 2 - 1
    return nn.functional.interpolate(coarse, (height, width), mode="bilinear")[0]


def _mask(height: int, width: int, *boxes: tuple[int, int, int, int]) -> Tensor:
    mask = torch.zeros(height, width, dtype=torch.bool)
    for top, left, bottom, right in boxes:
        mask[top:bottom, left:right] = True
    return mask


def _circle(height: int, width: int) -> Tensor:
    drawn = cv2.circle(np.zeros((height, width), np.uint8), (30, 20), 11, 1, -1)
    return torch.from_numpy(drawn).bool()


@pytest.mark.parametrize(("form", "hole"), [("centre", 14), ("whole", None)])
@pytest.mark.parametrize(
    "mask",
    [
        _mask(50, 71, (0, 0, 20, 9)),
        _mask(50, 71, (0, 60, 50, 71)),
        _mask(50, 71, (5, 5, 9, 12), (30, 40, 44, 70), (48, 0, 50, 3)),
        _circle(50, 71),
        _mask(50, 71, (1, 0, 50, 71)),
    ],
    ids=["corner", "side", "several", "round", "almost all"],
)
def test_any_hole_is_filled_and_the_rest_kept(form: str, hole: int | None, mask: Tensor):
    picture = _picture(50, 71)
    unseen = torch.where(mask, 77.0, picture)
    network = _network(form, hole=hole)
    filled = predict_content(network, unseen, mask)
    assert torch.equal(filled[:, ~mask], picture[:, ~mask])
    assert filled.abs().max() <= 1
    assert torch.equal(filled, predict_content(network, torch.where(mask, -3.0, picture), mask))


def test_a_picture_without_holes_comes_back():
    picture = _picture(20, 30)
    assert torch.equal(predict_content(_network(), picture, _mask(20, 30)), picture)


def test_a_hole_as_in_training_is_shown_as_it_was_there():
    picture, mask = _picture(32, 32), _mask(32, 32, (9, 9, 23, 23))
    network = _network()
    filled = predict_content(network, picture, mask)
    maps = torch.cat([torch.where(mask, torch.tensor(FILL).view(3, 1, 1), picture), mask[None]])
    assert torch.equal(filled, network.generator(maps[None, None], ())[0].frame[0])


def test_the_box_of_a_hole_becomes_the_trained_hole():
    watcher = Watcher()
    network = ContentNetwork(watcher, size=32, hole=14, overlap=1, fill=FILL)  # pyright: ignore[reportArgumentType]
    picture, mask = _picture(100, 100), _mask(100, 100, (60, 20, 88, 30))
    filled = predict_content(network, picture, mask)
    (shown,) = watcher.seen
    assert shown.shape == (4, 32, 32)
    middle = shown[3, 9:23, 9:23]
    assert middle.all()
    assert shown[3].sum() <= 16 * 14  # what shrinks may touch a pixel more
    assert (shown[:3, 16, 16] - torch.tensor(FILL)).abs().max() < 1e-6
    assert (filled[0, mask] > 0.9).all()
    # The window of 64 px begins in row 42 and 7 px left of the picture: 2x2 px become one.
    expected = picture[:, 62:64, 1:3].mean(dim=(1, 2))
    assert (shown[:3, 10, 4] - expected).abs().max() < 0.02
    assert (picture[:, 62, 20] - expected).abs().max() > 0.2


def test_holes_apart_are_filled_one_after_the_other_and_the_last_sees_the_first():
    watcher = Watcher()
    network = ContentNetwork(watcher, size=32, hole=14, overlap=1, fill=FILL)  # pyright: ignore[reportArgumentType]
    mask = _mask(40, 60, (20, 10, 34, 24), (24, 28, 27, 31))
    predict_content(network, _picture(40, 60), mask)
    small, large = watcher.seen
    assert small.shape == large.shape
    red = torch.tensor([1.0, -1.0, -1.0]).view(3, 1, 1)
    # The second window begins at (11, 1), at the size of the picture.
    torch.testing.assert_close(large[:3, 13:16, 27:30], red.expand(3, 3, 3))


def test_holes_close_together_are_one():
    watcher = Watcher()
    network = ContentNetwork(watcher, size=32, hole=None, overlap=1, fill=FILL)  # pyright: ignore[reportArgumentType]
    mask = _mask(40, 60, (20, 10, 30, 20), (20, 21, 30, 30), (2, 50, 4, 55))
    predict_content(network, _picture(40, 60), mask)
    assert len(watcher.seen) == 2
    assert all(((shown[3] > 0) == (shown[0] == FILL[0])).all() for shown in watcher.seen)


def test_a_picture_of_which_nothing_is_known_is_refused():
    with pytest.raises(ValueError, match=r"leave some known; got \(4, 4\) for \(3, 4, 4\), 16 pix"):
        predict_content(_network(), torch.zeros(3, 4, 4), torch.ones(4, 4, dtype=torch.bool))
