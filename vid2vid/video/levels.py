"""Between the levels of a picture, uint8, and the range of a frame, [-1, 1]."""

import torch
from torch import Tensor

HALF_RANGE = 127.5  # levels per unit
HALF_DEEP_RANGE = 32767.5  # of 16 bits


def quantise(frames: Tensor) -> Tensor:
    """Round frames of any shape in [-1, 1] to levels, uint8; what lies outside is clamped."""
    return ((frames.float().clamp(-1, 1) + 1) * HALF_RANGE).round().to(torch.uint8)


def to_levels(frame: Tensor) -> Tensor:
    """Turn 'c h w' in [-1, 1], c = 3 or 1, into 'h w 3' uint8; what lies outside is clamped."""
    return quantise(frame).expand(3, -1, -1).permute(1, 2, 0).contiguous()


def to_deep_levels(frame: Tensor) -> Tensor:
    """Turn '3 h w' in [-1, 1] into levels of 16 bits, 'h w 3' int32, not by way of 8 bits."""
    levels = ((frame.double().clamp(-1, 1) + 1) * HALF_DEEP_RANGE).round().to(torch.int32)
    return levels.permute(1, 2, 0).contiguous()


def from_levels(picture: Tensor) -> Tensor:
    """Turn 'h w 3' uint8 into '3 h w' in [-1, 1]."""
    return (picture.float() / HALF_RANGE - 1).permute(2, 0, 1)
