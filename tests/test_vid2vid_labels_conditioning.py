import pytest
import torch

from vid2vid.labels.conditioning import Conditioning

# one frame 1x4: class 0, 0, 1 and an ignored pixel
LABELS = torch.tensor([0, 0, 1, 255], dtype=torch.uint8).view(1, 1, 1, 4)
INSTANCES = torch.tensor([5, 6, 6, 6], dtype=torch.int32).view(1, 1, 1, 4)


def test_classes_become_channels_and_ignored_pixels_are_all_zero():
    maps = Conditioning(num_classes=2)(LABELS)
    assert maps.dtype == torch.float32
    assert maps[0, 0, :, 0].tolist() == [[1, 1, 0, 0], [0, 0, 1, 0]]


def test_void_is_the_channel_after_the_classes():
    maps = Conditioning(num_classes=2, void=True)(LABELS)
    assert maps[0, 0, 2, 0].tolist() == [0, 0, 0, 1]


def test_boundary_of_instances_is_the_last_channel():
    maps = Conditioning(num_classes=2, void=True, boundary="instances")(LABELS, INSTANCES)
    assert maps[0, 0, 3, 0].tolist() == [1, 1, 0, 0]


def test_boundary_of_labels_needs_no_instances():
    maps = Conditioning(num_classes=2, boundary="labels")(LABELS)
    assert maps[0, 0, 2, 0].tolist() == [0, 1, 1, 1]


@pytest.mark.parametrize(
    ("conditioning", "channels"),
    [
        (Conditioning(35), 35),
        (Conditioning(35, void=True), 36),
        (Conditioning(35, boundary="instances"), 36),
        (Conditioning(35, void=True, boundary="labels"), 37),
    ],
)
def test_channels_are_counted_as_they_are_made(conditioning, channels):
    assert conditioning.channels == channels
    assert conditioning(LABELS, INSTANCES).shape == (1, 1, channels, 1, 4)


def test_instances_must_be_there_where_their_boundary_is_wanted():
    with pytest.raises(ValueError, match="boundary 'instances' needs instance maps; got None"):
        Conditioning(2, boundary="instances")(LABELS)


def test_controls_follow_the_labels_as_they_are():
    conditioning = Conditioning(2, void=True, boundary="labels", pictures=3)
    picture = torch.rand(1, 1, 3, 1, 4) * 2 - 1
    maps = conditioning(LABELS, pictures=picture)
    assert (conditioning.label_channels, conditioning.channels) == (4, 7)
    assert torch.equal(maps[:, :, 4:], picture)
    assert maps[0, 0, 3, 0].tolist() == [0, 1, 1, 1]


def test_controls_alone_need_no_labels():
    picture = torch.rand(1, 1, 3, 1, 4)
    assert torch.equal(Conditioning(0, pictures=3)(pictures=picture), picture)


@pytest.mark.parametrize("pictures", [None, torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 2, 4, 4)])
def test_pictures_of_other_channels_are_refused(pictures):
    with pytest.raises(ValueError, match="pictures must be 'b t 3 h w'; got"):
        Conditioning(0, pictures=3)(pictures=pictures)


def test_labels_must_be_there_where_classes_are_wanted():
    with pytest.raises(ValueError, match="label maps of 2 classes are needed; got None"):
        Conditioning(2)(None)
