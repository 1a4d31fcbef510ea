"""The content network and what judges it: shapes, parameters, statistics, the overlap."""

import pytest
import torch
from torch import nn

from vid2vid.networks.context_encoder import (
    ContextEncoder,
    ContextEncoderConfig,
    lay_centre,
    widen,
)
from vid2vid.networks.cost import count_parameters
from vid2vid.networks.hole_discriminator import HoleDiscriminator, HoleDiscriminatorConfig
from vid2vid.networks.smooth import fill_smoothly
from vid2vid.networks.still import StillGenerator

TINY = ContextEncoderConfig(width=2, halvings=3, bottleneck=6, overlap=1)
WHOLE = TINY.model_copy(update={"form": "whole"})


def _generator(config: ContextEncoderConfig = TINY) -> StillGenerator:
    network = StillGenerator(config, conditioning_channels=4, known=0)
    network.initialise(0)
    return network.eval()


def _maps(batch: int = 2, *, size: int = 32, hole: int = 14) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    maps = torch.rand(batch, 4, size, size, generator=generator) * 2 - 1
    start = (size - hole) // 2
    maps[:, 3] = 0
    maps[:, 3, start : start + hole, start : start + hole] = 1
    return maps


@pytest.mark.parametrize(
    ("bottleneck", "millions"), [(4000, 71.1), (100, 7.2)], ids=["published", "small"]
)
def test_it_has_the_published_number_of_weights(bottleneck: int, millions: float):
    with torch.device("meta"):
        network = ContextEncoder(ContextEncoderConfig(bottleneck=bottleneck), 4, known=0)
    assert round(count_parameters(network) / 1e6, 1) == millions


def test_its_centre_is_half_the_frame_and_the_whole_all_of_it():
    with torch.device("meta"):
        centre, whole = (
            ContextEncoder(ContextEncoderConfig(form=form, bottleneck=100), 4, known=0)
            for form in ("centre", "whole")
        )
        features = torch.empty(1, 512, 4, 4)
        assert centre.encoder(torch.empty(1, 3, 128, 128)).shape == (1, 512, 4, 4)
        assert centre.bottleneck[:3](features).shape == (1, 100, 1, 1)
        assert centre.last(centre.decoder(centre.bottleneck(features))).shape == (1, 3, 64, 64)
        assert whole.last(whole.decoder(whole.bottleneck(features))).shape == (1, 3, 128, 128)
        assert centre(torch.empty(1, 4, 128, 128)).shape == (1, 3, 128, 128)


@pytest.mark.parametrize(
    "network",
    [
        ContextEncoder(TINY, 4, known=0),
        HoleDiscriminator(HoleDiscriminatorConfig(width=2, size=16)),
    ],
)
def test_it_has_no_activation_but_elu(network: nn.Module):
    rectifiers = nn.ReLU, nn.LeakyReLU, nn.GELU, nn.SiLU
    assert not any(isinstance(module, rectifiers) for module in network.modules())
    assert any(isinstance(module, nn.ELU) for module in network.modules())


@pytest.mark.parametrize("config", [TINY, WHOLE])
def test_known_pixels_come_back_bit_for_bit(config: ContextEncoderConfig):
    maps = _maps()
    output = _generator(config)(maps[:, None], ())[0]
    known = (maps[:, 3:] == 0).expand(-1, 3, -1, -1)
    assert output.mask is not None
    assert torch.equal(output.mask, maps[:, 3:])
    assert torch.equal(output.frame[known], maps[:, :3][known])
    assert not torch.equal(output.frame, maps[:, :3])


def test_the_prediction_overlaps_with_what_is_known():
    maps = _maps(hole=10)
    photograph = maps[:, :3]
    changed = (_generator(WHOLE)(maps[:, None], ())[0].hallucinated != photograph).any(dim=1)[0]
    rows, columns = changed.any(1).nonzero().flatten(), changed.any(0).nonzero().flatten()
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (10, 21, 10, 21)
    centre = (_generator()(maps[:, None], ())[0].hallucinated != photograph).any(dim=1)[0]
    assert centre[8:24, 8:24].all()
    assert centre.sum() == 16 * 16


def test_the_mask_is_not_read():
    maps = _maps()
    other = maps.clone()
    other[:, 3] = 0
    network = _generator()
    one, two = (network(each[:, None], ())[0].hallucinated for each in (maps, other))
    assert torch.equal(one, two)


def test_a_picture_does_not_depend_on_those_beside_it():
    network = _generator()
    network.train()
    network(_maps(8)[:, None], ())  # gathers statistics
    network.eval()
    maps = _maps(3)
    alone = network(maps[1:2, None], ())[0].frame
    together = network(maps[:, None], ())[0].frame[1:2]
    torch.testing.assert_close(alone, together, rtol=0, atol=1e-6)
    network.train()
    alone, together = network(maps[1:2, None], ())[0].frame, network(maps[:, None], ())[0].frame
    assert (alone - together[1:2]).abs().max() > 1e-4


def test_one_picture_alone_can_be_learnt_from():
    network = _generator().train()
    network(_maps(1)[:, None], ())[0].frame.sum().backward()
    gradient = network.network.get_parameter("bottleneck.0.weight").grad
    assert gradient is not None
    assert gradient.isfinite().all()


def test_a_mask_grows_by_a_square():
    mask = torch.zeros(1, 1, 7, 7)
    mask[0, 0, 3, 2] = 1
    grown = widen(mask, 2)
    assert grown.sum() == 5 * 5
    assert grown[0, 0, 1:6, 0:5].all()
    assert torch.equal(widen(mask, 0), mask)


def test_a_centre_is_laid_into_the_middle():
    frame = lay_centre(torch.ones(1, 1, 2, 4), torch.zeros(1, 1, 4, 8))
    assert frame.sum() == 8
    assert frame[0, 0, 1:3, 2:6].all()


def test_the_discriminator_sees_the_middle_alone():
    judge = HoleDiscriminator(HoleDiscriminatorConfig(width=2, size=16)).eval()
    judge.initialise(0)
    frames = torch.rand(2, 3, 24, 40)
    other = frames.clone()
    other[:, :, :4] = other[..., :12] = 5
    (stages,) = judge(frames)
    assert [tuple(stage.shape[1:]) for stage in stages] == [(2, 8, 8), (4, 4, 4), (1, 1, 1)]
    assert torch.equal(stages[-1], judge(other)[0][-1])
    other[:, :, 4, 12] = 5
    assert not torch.equal(stages[-1], judge(other)[0][-1])


def test_the_discriminator_is_as_published():
    assert HoleDiscriminatorConfig().widths == [64, 128, 256, 512]
    assert HoleDiscriminatorConfig(size=128).widths == [64, 64, 128, 256, 512]
    with pytest.raises(ValueError, match=r"size must be a power of 2, such as 64; got 96"):
        HoleDiscriminatorConfig(size=96)


def test_a_content_network_without_holes_is_refused():
    with pytest.raises(ValueError, match="needs a control known"):
        StillGenerator(TINY, conditioning_channels=4)


@pytest.mark.parametrize("form", ["centre", "whole"])
def test_a_residual_begins_with_a_smooth_fill(form: str):
    network = _generator(TINY.model_copy(update={"form": form, "residual": True}))
    network.network.last.weight.data.zero_()
    maps = _maps()
    painted = network(maps[:, None], ())[0].hallucinated
    smooth = fill_smoothly(maps[:, :3], maps[:, 3:])
    inside = widen(maps[:, 3:], 1 if form == "whole" else 0).expand(-1, 3, -1, -1) > 0
    torch.testing.assert_close(painted[inside], smooth[inside].clamp(-1, 1))
