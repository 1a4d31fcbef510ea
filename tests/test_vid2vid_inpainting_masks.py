import torch

from vid2vid.inpainting.masks import grow, shrink_mask, split_holes, widen_slice
from vid2vid.inpainting.pyramid import count_levels, level_sizes, shrink


def test_a_mask_grows_by_a_disc():
    mask = torch.zeros(9, 9, dtype=torch.bool)
    mask[4, 4] = True
    grown = grow(mask, 2)
    assert grown[4, 2:7].all()
    assert not grown[2, 2]
    assert grow(mask, 0) is mask


def test_holes_near_to_each_other_are_one():
    mask = torch.zeros(20, 20, dtype=torch.bool)
    mask[2:4, 2:4] = mask[6:8, 2:4] = mask[15, 18] = True
    near = split_holes(mask, apart=4)
    assert [(hole.rows, hole.columns) for hole in near] == [
        (slice(2, 8), slice(2, 4)),
        (slice(15, 16), slice(18, 19)),
    ]
    assert len(split_holes(mask, apart=1)) == 3
    assert torch.equal(torch.stack([hole.unknown for hole in near]).any(dim=0), mask)


def test_a_smaller_mask_holds_what_is_unknown_by_more_than_half():
    mask = torch.zeros(8, 8, dtype=torch.bool)
    mask[2:4, 3:6] = True
    assert shrink_mask(mask, (4, 4)).nonzero().tolist() == [[1, 2]]


def test_a_slice_widens_within_the_picture():
    assert widen_slice(slice(3, 5), 4, limit=7) == slice(0, 7)


def test_levels_halve_down_to_128_and_round_up():
    assert level_sizes(512, 512, levels=3) == [(128, 128), (256, 256), (512, 512)]
    assert level_sizes(511, 301, levels=3) == [(128, 76), (256, 151), (511, 301)]
    assert [count_levels(side, 100) for side in (100, 128, 512, 1024)] == [1, 1, 3, 4]


def test_a_pixel_of_a_level_is_the_mean_of_what_lies_under_it():
    picture, mask = torch.rand(3, 8, 8), torch.zeros(8, 8, dtype=torch.bool)
    mask[2:6, 2:4] = True
    small, unknown = shrink(picture, mask, (4, 4))
    assert unknown.nonzero().tolist() == [[1, 1], [2, 1]]
    torch.testing.assert_close(small[:, 1, 1], picture[:, 2:4, 2:4].mean(dim=(1, 2)))
