"""A small U-Net that turns a frame into a label map (Ronneberger et al. 2015)."""

from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from flow.padding import pad_to_multiple
from vid2vid.networks.blocks import norm_layer


class SegmenterConfig(BaseModel):
    """The size of a segmenter."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    num_classes: int = Field(ge=2, le=255)
    """Classes that it tells apart."""
    widths: tuple[int, ...] = (32, 64, 128, 208, 208)
    """Channels of each level, finest first; the default has 3.6 million weights."""


class SegmenterOutput(NamedTuple):
    """What a segmenter sees in a frame."""

    logits: Tensor  # 'b k h w'
    features: Tensor  # 'b d h w', what the logits are a linear function of


class Segmenter(nn.Module):
    """Halvings and doublings with the features of each level handed across.

    Group norm throughout: a frame is judged alike in whatever batch it stands.
    """

    def __init__(self, config: SegmenterConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.widths
        self.stem = _convolutions(3, widths[0])
        self.shrink = nn.ModuleList(_convolutions(*pair) for pair in pairwise(widths))
        self.grow = nn.ModuleList(
            _convolutions(fine + coarse, fine) for fine, coarse in pairwise(widths)
        )
        self.head = nn.Conv2d(widths[0], config.num_classes, 1)

    def forward(self, frames: Tensor) -> SegmenterOutput:
        """Map 'b 3 h w' in [-1, 1], of any size, to logits and features."""
        height, width = frames.shape[2:]
        padding = pad_to_multiple(height, width, 2 ** len(self.shrink))
        levels = self.encode(padding.pad(frames))
        features = levels.pop()
        for grow in reversed(self.grow):
            fine = levels.pop()
            coarse = F.interpolate(features, size=fine.shape[2:], mode="bilinear")
            features = grow(torch.cat([fine, coarse], dim=1))
        features = padding.crop(features)
        return SegmenterOutput(self.head(features), features)

    def encode(self, frames: Tensor) -> list[Tensor]:
        """Map 'b 3 h w' in [-1, 1] to the features of every level on the way down, finest first.

        A level has half the height and width of the one before, rounded down.
        """
        levels = [self.stem(frames)]
        for shrink in self.shrink:
            levels.append(shrink(F.max_pool2d(levels[-1], 2)))
        return levels


def _convolutions(channels_in: int, channels_out: int) -> nn.Sequential:
    """Build two times Conv 3x3, norm, ReLU."""
    layers: list[nn.Module] = []
    for channels in (channels_in, channels_out):
        layers += [
            nn.Conv2d(channels, channels_out, 3, padding=1, bias=False),
            norm_layer("group", channels_out),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)
