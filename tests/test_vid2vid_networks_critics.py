import pytest
import torch

from vid2vid.networks.cost import count_parameters
from vid2vid.networks.critics import (
    ContextCritic,
    CriticsConfig,
    GlobalCritic,
    masked_mean,
    shrink_mask,
)

TINY = CriticsConfig(width=4)


def critics():
    both = (ContextCritic(TINY), GlobalCritic(TINY, height=40, width=24))
    for critic in both:
        critic.initialise(0)
    return both


def frames(seed=0):
    return torch.randn(2, 3, 40, 24, generator=torch.Generator().manual_seed(seed))


def window_mask():
    mask = torch.ones(2, 1, 40, 24)
    mask[..., :16, :16] = 0
    return mask


def test_published_critics_have_the_published_number_of_weights():
    config = CriticsConfig()
    with torch.device("meta"):
        context = ContextCritic(config)
        square, wide = (GlobalCritic(config, height=256, width=width) for width in (256, 512))
    assert [count_parameters(each) for each in (context, square, wide)] == [
        1_031_553,
        1_881_345,
        1_914_113,
    ]


def test_both_score_every_frame_once_at_any_size_they_were_made_for():
    for critic in critics():
        assert critic.score(frames(), window_mask()).shape == (2, 1)


def test_a_constant_map_scores_its_constant_whatever_the_mask():
    for known in (0, 1, 14):
        mask = torch.ones(1, 1, 3, 5)
        mask.flatten()[:known] = 0
        assert float(masked_mean(torch.full((1, 1, 3, 5), 2.5), mask)) == 2.5
    assert float(masked_mean(torch.ones(1, 1, 3, 5), torch.zeros(1, 1, 3, 5))) == 0


def test_scores_of_known_patches_count_for_nothing():
    mask = shrink_mask(window_mask())
    assert mask[0, 0].tolist() == [[0, 0, 1], [0, 0, 1], [1, 1, 1], [1, 1, 1], [1, 1, 1]]
    scores = torch.randn(2, 1, 5, 3, generator=torch.Generator().manual_seed(0))
    other = torch.where(mask > 0, scores, 100)
    assert torch.equal(masked_mean(scores, mask), masked_mean(other, mask))


def test_a_patch_with_one_unknown_pixel_is_unknown():
    mask = torch.zeros(1, 1, 20, 16)
    mask[..., 19, 9] = 1
    assert shrink_mask(mask)[0, 0].tolist() == [[0, 0], [0, 0], [0, 1]]


def test_a_frame_is_scored_alike_in_any_batch():
    for critic in critics():
        together = critic.score(frames(), window_mask())
        alone = critic.score(frames()[1:], window_mask()[1:])
        torch.testing.assert_close(together[1:], alone)


def test_weights_follow_from_the_seed():
    first, other = ContextCritic(TINY), ContextCritic(TINY)
    first.initialise(3)
    other.initialise(3)
    assert torch.equal(first(frames()), other(frames()))
    other.initialise(4)
    assert not torch.equal(first(frames()), other(frames()))


@pytest.mark.parametrize("setting", [{"width": 0}, {"scope": "none"}, {"gp_mask": "soft"}])
def test_critics_of_other_kinds_are_refused(setting):
    with pytest.raises(ValueError, match=next(iter(setting))):
        CriticsConfig(**setting)
