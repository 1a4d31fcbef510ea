"""Levels of a picture and the range of a frame."""

import torch

from vid2vid.video.levels import from_levels, to_levels


def test_ends_and_middle_of_the_range():
    frame = torch.tensor([-1.0, 0.0, 1.0, 2.0]).reshape(1, 1, 4).expand(3, 1, 4)
    assert to_levels(frame)[0, :, 0].tolist() == [0, 128, 255, 255]


def test_every_level_comes_back():
    picture = torch.arange(256, dtype=torch.uint8).reshape(16, 16, 1).expand(16, 16, 3)
    assert torch.equal(to_levels(from_levels(picture)), picture)


def test_one_channel_becomes_grey():
    assert to_levels(torch.zeros(1, 2, 2)).shape == (2, 2, 3)
