import torch
import torch.nn.functional as F

from vid2vid.inpainting.matching import (
    assign,
    cut_patches,
    make_patches,
    match,
    overlay,
    texture_energy,
    thin,
    touching,
)


def _features(seed: int = 0) -> torch.Tensor:
    return torch.rand(5, 12, 14, generator=torch.Generator().manual_seed(seed)) - 0.3


def test_matching_is_a_convolution_with_normalised_patches_and_the_maximum_over_it():
    features, hole = _features(), torch.zeros(12, 14, dtype=torch.bool)
    hole[5:8, 6:9] = True
    wanted = touching(hole, 3)
    values = cut_patches(features, ~wanted, size=3)
    filters = (values / values.norm(dim=1, keepdim=True)).view(-1, 5, 3, 3)
    best = F.conv2d(features[None], filters)[0].argmax(dim=0)[wanted]
    found = match(cut_patches(features, wanted, size=3), make_patches(values), chunk=7)
    assert torch.equal(found, best)


def test_matching_is_brute_force_over_normalised_correlations():
    queries, values = torch.randn(6, 9), torch.randn(20, 9)
    by_hand = [
        max(range(20), key=lambda index: float(F.cosine_similarity(query, values[index], dim=0)))
        for query in queries
    ]
    assert match(queries, make_patches(values)).tolist() == by_hand


def test_matching_by_distance_is_the_smallest_distance():
    queries, values = torch.randn(6, 9), 3 * torch.randn(20, 9)
    found = match(queries, make_patches(values), metric="distance", chunk=6)
    assert torch.equal(found, torch.cdist(queries, values).argmin(dim=1))


def test_a_planted_patch_is_found_whatever_its_strength():
    features, hole = _features(), torch.zeros(12, 14, dtype=torch.bool)
    hole[8:11, 8:11] = True
    features[:, 8:11, 8:11] = 0.5 * features[:, 1:4, 2:5]
    patches = make_patches(cut_patches(features, ~touching(hole, 3), size=3))
    assert torch.equal(
        patches.values[match(features[:, 8:11, 8:11].reshape(1, -1), patches)][0],
        features[:, 1:4, 2:5].flatten(),
    )


def test_windows_that_touch_a_hole_are_those_that_hold_one_of_its_cells():
    hole = torch.zeros(9, 9, dtype=torch.bool)
    hole[4, 4] = True
    wanted = touching(hole, 3)
    assert wanted.shape == (7, 7)
    assert wanted.nonzero().tolist() == [[row, col] for row in (2, 3, 4) for col in (2, 3, 4)]


def test_thinned_windows_keep_the_last_row_and_column_and_their_number():
    chosen = thin(torch.ones(8, 8, dtype=torch.bool), stride=3, most=100)
    assert chosen.any(dim=1).nonzero()[:, 0].tolist() == [0, 3, 6, 7]
    assert int(thin(torch.ones(30, 30, dtype=torch.bool), stride=1, most=50).sum()) <= 50


def test_overlapping_patches_are_averaged():
    wanted = torch.tensor([[True, True]])
    mean, weight = overlay(torch.tensor([[1.0, 2, 1, 2], [4.0, 6, 4, 6]]), wanted, size=2)
    assert weight[0].tolist() == [[1, 2, 1], [1, 2, 1]]
    assert mean[0].tolist() == [[1, 3, 6], [1, 3, 6]]


def test_texture_energy_is_the_mean_squared_distance_to_the_chosen_patches():
    features, hole = _features(), torch.zeros(12, 14, dtype=torch.bool)
    hole[5:7, 6:8] = True
    wanted = touching(hole, 3)
    patches = make_patches(cut_patches(features, ~wanted, size=3))
    assignment = assign(features, wanted, patches, size=3)
    moved = features + 0.1 * _features(1)
    queries = cut_patches(features, wanted, size=3)
    chosen = patches.values[match(queries, patches)]
    apart = (cut_patches(moved, wanted, size=3) - chosen).square().sum(dim=1).mean()
    torch.testing.assert_close(texture_energy(moved, assignment), apart)
