import torch

from vid2vid.networks.feature_encoder import instance_mean
from vid2vid.styles import Styles, photo_styles

# Three instances: 1 and 2 of class 0, 3 of class 4; one stray pixel of class 4 in instance 2.
LABELS = torch.tensor([[[0, 0, 0, 0, 4, 4, 4]]], dtype=torch.uint8)
REGIONS = torch.tensor([[[1, 1, 2, 2, 2, 3, 3]]], dtype=torch.int32)
TABLES = {0: torch.arange(20.0).view(10, 2), 4: torch.tensor([[-1.0, -2.0]])}


def test_every_region_gets_one_row_of_the_class_of_most_of_its_pixels():
    painted = Styles(2, TABLES).paint(LABELS, REGIONS)[0, :, 0]
    assert painted.shape == (2, 7)
    for region in (slice(0, 2), slice(2, 5)):
        rows = {tuple(column) for column in painted[:, region].T.tolist()}
        assert len(rows) == 1
        assert rows.pop() in {tuple(row) for row in TABLES[0].tolist()}
    assert painted[:, 5:].T.tolist() == [[-1, -2], [-1, -2]]


def test_a_region_keeps_its_row_wherever_it_is_and_another_seed_gives_another():
    styles = Styles(2, TABLES, seed=3)
    here = styles.paint(LABELS, REGIONS)[0, :, 0]
    moved = styles.paint(LABELS.flip(2), REGIONS.flip(2))[0, :, 0]
    assert torch.equal(here, moved.flip(1))
    drawn = {styles._replace(seed=seed).vector(1, 0)[0].item() for seed in range(40)}
    assert len(drawn) == 10


def test_a_class_without_rows_gets_zeros():
    tables = {0: TABLES[0], 4: torch.zeros(0, 2)}
    painted = Styles(2, tables).paint(LABELS, REGIONS)
    assert not painted[..., 5:].any()
    assert not Styles(2, {}).paint(LABELS, REGIONS).any()


def test_ignored_pixels_have_no_style():
    ignored = torch.full_like(LABELS, 255)
    assert not Styles(2, TABLES).paint(ignored, ignored).any()


def test_a_photo_in_its_own_layout_gets_its_own_features():
    features = torch.randn(1, 3, 1, 7, generator=torch.Generator().manual_seed(0))
    means = instance_mean(features, REGIONS)
    styles = photo_styles(means[0], REGIONS[0], LABELS[0])
    assert torch.equal(styles.paint(LABELS, REGIONS), means)


def test_a_region_that_the_photo_has_not_gets_the_mean_of_its_class_else_zeros():
    features = torch.tensor([[[[2.0, 2.0, 4.0, 4.0, 4.0, 9.0, 9.0]]]])
    styles = photo_styles(features[0], REGIONS[0], LABELS[0])
    labels = torch.tensor([[[0, 4, 7]]], dtype=torch.uint8)
    regions = torch.tensor([[[50, 51, 52]]])
    torch.testing.assert_close(
        styles.paint(labels, regions).flatten(), torch.tensor([3.0, 22 / 3, 0.0])
    )


def test_without_labels_only_regions_are_known():
    styles = photo_styles(torch.ones(1, 1, 7), REGIONS[0])
    assert styles.by_class == {}
    assert styles.paint(LABELS, REGIONS).min() == 1


def test_every_picture_of_a_batch_is_painted_by_itself():
    labels, regions = torch.cat([LABELS, LABELS * 0]), torch.cat([REGIONS, REGIONS * 0 + 5])
    first, second = Styles(2, TABLES).paint(labels, regions)
    assert torch.equal(first, Styles(2, TABLES).paint(LABELS, REGIONS)[0])
    assert len({tuple(column) for column in second[:, 0].T.tolist()}) == 1
