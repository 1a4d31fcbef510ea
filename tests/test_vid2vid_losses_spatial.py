"""Spatially variant weights: the published layouts, a row by hand, and the losses under them."""

from itertools import pairwise

import pytest
import torch

from vid2vid.losses.spatial import (
    SpatialForm,
    SpatialWeighting,
    _remembered,
    filter_taps,
    known_loss,
    relative,
    spatial_loss,
    spatial_weights,
    spread,
)

RSV = SpatialWeighting("rsv")


def layout(height: int, width: int, *, rows: slice, columns: slice) -> torch.Tensor:
    """Mark what is unknown around a window: '1 1 h w'."""
    mask = torch.ones(1, 1, height, width)
    mask[..., rows, columns] = 0
    return mask


FACES = layout(256, 256, rows=slice(64, 192), columns=slice(64, 192))
SCENES = layout(256, 512, rows=slice(None), columns=slice(128, 384))
BODIES = layout(256, 128, rows=slice(64), columns=slice(None))


def test_a_row_by_hand():
    unknown = torch.tensor([[0.0, 0, 0, 0, 1, 1, 1, 1]])
    spreads = spread(unknown, (torch.ones(1), torch.full((3,), 1 / 3)), steps=3)
    expected = [[1 / 3, 0, 0], [4 / 9, 1 / 9, 0], [14 / 27, 5 / 27, 1 / 27]]
    for each, row in zip(spreads, expected, strict=True):
        assert torch.allclose(each[0, 4:7], torch.tensor(row))
    weights = relative(spreads, form="max")[0]
    assert torch.allclose(weights, torch.tensor([0, 0, 0, 0, 6 / 7, 0.6, 0, 0]))


def test_the_layout_of_faces_has_its_published_weights():
    weights = spatial_weights(FACES, RSV)[0, 0]
    unknown = weights[FACES[0, 0] > 0]
    row = torch.tensor([0.9313, 0.9395, 0.9478, 0.9551, 0.9623, 0.9726, 0.9799, 0.9856])
    assert torch.allclose(weights[128, 0:64:8], row, atol=1e-3)
    found = [float(each) for each in (unknown.min(), unknown.max(), unknown.mean())]
    assert found == pytest.approx([0.8571, 0.9897, 0.9436], abs=1e-3)
    assert float(weights[128, 63]) == pytest.approx(0.9896, abs=1e-3)


def test_the_layout_of_scenes_has_its_published_weights():
    weights = spatial_weights(SCENES, SpatialWeighting("rsv", form="additive"))[0, 0]
    row = torch.tensor([0.6588, 0.715, 0.7697, 0.8252, 0.8731, 0.9143, 0.9463, 0.9727])
    assert torch.allclose(weights[128, 0:128:16], row, atol=1e-3)
    unknown = weights[SCENES[0, 0] > 0]
    assert [float(unknown.min()), float(unknown.mean())] == pytest.approx(
        [0.6453, 0.8616], abs=1e-3
    )


@pytest.mark.parametrize(("form", "least"), [("max", 0.222), ("additive", 0.126)])
def test_the_layout_of_bodies_has_its_published_weights(form: SpatialForm, least: float):
    weights = spatial_weights(BODIES, SpatialWeighting("rsv", form=form))[0, 0]
    column = torch.tensor([0.9913, 0.9723, 0.9326, 0.8721, 0.7883, 0.6796, 0.5452, 0.387])
    tolerance = 1e-3 if form == "max" else 1e-2
    assert torch.allclose(weights[64::24, 64], column, atol=tolerance)
    assert float(weights[64:].min()) == pytest.approx(least, abs=1e-3)


def test_confidence_after_nine_steps_is_the_published_one():
    taps = filter_taps(64, "box")
    confidence = spread(FACES[0, 0], (taps, taps), steps=9)[-1]
    row = torch.tensor([0.128, 0.187, 0.260, 0.345, 0.442, 0.548, 0.647, 0.737])
    assert torch.allclose(confidence[128, 0:64:8], row, atol=1e-3)


def test_a_wide_gaussian_gives_nearly_the_weights_of_a_box():
    gaussian = spatial_weights(FACES, SpatialWeighting("rsv", "gaussian"))
    unknown = FACES > 0
    assert float(gaussian[unknown].mean()) == pytest.approx(0.9376, abs=2e-3)


def test_confidence_grows_with_every_step_and_stays_below_one():
    taps = filter_taps(16, "box")
    spreads = spread(FACES[0, 0, ::4, ::4], (taps, taps), steps=9)
    for before, after in pairwise(spreads):
        assert bool((after >= before - 1e-6).all())
    assert float(spreads[-1].min()) >= 0
    assert float(spreads[-1].max()) <= 1


@pytest.mark.parametrize("kind", ["rsv", "confidence", "plain"])
def test_weights_are_zero_where_it_is_known(kind):
    mask = FACES[..., ::4, ::4]
    weights = spatial_weights(mask, SpatialWeighting(kind))
    assert not weights[mask == 0].any()
    assert bool((weights[mask > 0] > 0).all())


def test_far_pixels_count_more_than_by_confidence():
    mask = FACES[..., ::4, ::4]
    corner = (0, 0, 0, 0)
    relative_weight, confidence = (
        spatial_weights(mask, SpatialWeighting(kind))[corner] for kind in ("rsv", "confidence")
    )
    assert confidence < 0.2 < 0.8 < relative_weight


def test_weights_reach_as_far_at_every_size():
    small = spatial_weights(FACES[..., ::2, ::2], RSV)[0, 0]
    assert torch.allclose(small, spatial_weights(FACES, RSV)[0, 0, ::2, ::2], atol=0.02)


def test_an_odd_filter_is_symmetric():
    mask = FACES[0, 0, ::4, ::4]
    taps = filter_taps(15, "box")
    weights = relative(spread(mask, (taps, taps), steps=9), form="max")
    assert torch.allclose(weights, weights.flip(1), atol=1e-5)


def test_a_layout_is_computed_once():
    mask = layout(24, 24, rows=slice(3, 11), columns=slice(5, 13))
    _remembered.cache_clear()
    first = spatial_weights(mask.repeat(3, 1, 1, 1), RSV)
    assert torch.equal(first[:1], spatial_weights(mask, RSV))
    assert (_remembered.cache_info().misses, _remembered.cache_info().hits) == (1, 3)


def test_losses_by_hand():
    real, mask = torch.zeros(1, 3, 2, 2), torch.tensor([[[[0.0, 0.0], [0.0, 1.0]]]])
    fake = torch.full((1, 3, 2, 2), 0.5)
    assert spatial_loss(fake, real, mask * 0.8) == pytest.approx(0.5 * 0.8 / 4)
    assert known_loss(fake, real, mask) == pytest.approx(0.5)
    assert known_loss(fake, real, torch.ones(1, 1, 2, 2)) == 0
    assert spatial_loss(real, real, mask) == 0
