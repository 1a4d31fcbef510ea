"""Regions by runs, against what loops over pixels find."""

import pytest
import torch

from vid2vid.regions import count_classes, find_regions, region_means

# Two pictures of 2x3; the row ends of one picture and the next have the same id.
IDS = torch.tensor([[[7, 7, 2], [2, 7, 7]], [[7, 9, 9], [9, 9, 7]]], dtype=torch.int32)


def test_every_picture_has_regions_of_its_own_in_rising_order():
    found = find_regions(IDS)
    assert found.ids.tolist() == [2, 7, 7, 9]
    assert found.pictures.tolist() == [0, 0, 1, 1]
    assert found.sizes.tolist() == [2, 4, 2, 4]
    assert found.firsts.tolist() == [2, 0, 6, 7]
    assert found.places.tolist() == [[[1, 1, 0], [0, 1, 1]], [[2, 3, 3], [3, 3, 2]]]


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.int64])
@pytest.mark.parametrize("highest", [1, 5, 255])
def test_regions_are_those_that_unique_finds(dtype, highest):
    random = torch.Generator().manual_seed(highest)
    ids = torch.randint(highest, (1, 13, 17), generator=random).to(dtype)
    found = find_regions(ids)
    expected, places, sizes = torch.unique(ids, return_inverse=True, return_counts=True)
    assert torch.equal(found.ids, expected.long())
    assert torch.equal(found.places, places)
    assert torch.equal(found.sizes, sizes)


def test_ids_may_be_large_and_below_zero():
    ids = torch.tensor([[[2**31 - 1, -5, -5]], [[2**31 - 1, 0, 2**24]]], dtype=torch.int32)
    found = find_regions(ids)
    assert found.ids.tolist() == [-5, 2**31 - 1, 0, 2**24, 2**31 - 1]
    assert found.pictures.tolist() == [0, 0, 1, 1, 1]


def test_values_are_summed_in_double_precision():
    ids = torch.zeros(1, 700, 700, dtype=torch.int64)
    sums = find_regions(ids).sum(torch.full((1, 700, 700), 0.1))
    assert sums.dtype == torch.float64
    assert sums.item() == pytest.approx(490_000 * torch.tensor(0.1).double().item(), rel=1e-12)


def test_classes_are_counted_by_region():
    labels = torch.tensor([[[0, 1, 1], [2, 1, 1]], [[2, 0, 0], [0, 0, 2]]], dtype=torch.uint8)
    counts = count_classes(find_regions(IDS), labels, 3)
    assert counts.tolist() == [[0, 1, 1], [1, 3, 0], [0, 0, 2], [4, 0, 0]]


def test_the_gradient_of_the_means_is_that_of_a_difference_quotient():
    features = torch.randn(2, 2, 2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: region_means(x, find_regions(IDS)), (features,))


def test_means_keep_the_type_of_the_features():
    features = torch.ones(2, 1, 2, 3, dtype=torch.bfloat16)
    means = region_means(features, find_regions(IDS))
    assert (means.dtype, means.is_contiguous()) == (torch.bfloat16, True)
    assert torch.equal(means, features)


def test_a_picture_of_several_blocks_has_the_regions_of_one(monkeypatch):
    random = torch.Generator().manual_seed(0)
    ids = torch.randint(4, (2, 7, 9), generator=random).repeat_interleave(5, dim=2)
    values = torch.randn(2, 7, 45, generator=random)
    whole = find_regions(ids)
    monkeypatch.setattr("vid2vid.regions.BLOCK", 100)
    parts = find_regions(ids)
    assert len(parts.block_ends) == 7
    for name in ("ids", "pictures", "sizes", "firsts", "places"):
        assert torch.equal(getattr(parts, name), getattr(whole, name))
    torch.testing.assert_close(parts.sum(values), whole.sum(values))
