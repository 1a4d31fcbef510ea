import pytest
import torch
from pydantic import ValidationError

from vid2vid.labels.conditioning import Conditioning, ConditioningConfig

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


def test_pictures_are_taken_as_they_are_with_the_boundary_behind():
    conditioning = Conditioning(0, boundary="instances", pictures=3)
    picture = torch.rand(1, 1, 3, 1, 4) * 2 - 1
    maps = conditioning(picture, INSTANCES)
    assert conditioning.channels == 4
    assert torch.equal(maps[:, :, :3], picture)
    assert maps[0, 0, 3, 0].tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize("shape", [(1, 1, 4, 4), (1, 1, 2, 4, 4)])
def test_pictures_of_other_channels_are_refused(shape):
    with pytest.raises(ValueError, match="pictures must be 'b t 3 h w'; got"):
        Conditioning(0, pictures=3)(torch.zeros(shape))


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"map": "camvid-to-cityscapes"}, "map"),
        ({"void": True}, "void"),
        ({"boundary": "labels"}, "boundary 'labels'"),
        ({"foreground": (1,)}, "foreground"),
    ],
)
def test_what_needs_labels_does_not_go_with_pictures(settings, name):
    with pytest.raises(ValidationError, match=f"{name} need labels: set pictures to 0"):
        ConditioningConfig(pictures=3, **settings)
