"""The feature encoder of pix2pixHD and the mean over every instance (Wang et al. 2018, CVPR)."""

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from flow.padding import pad_to_multiple
from vid2vid.networks.blocks import Head, Norm, Style, decoder, doubled, encoder
from vid2vid.regions import find_regions, region_means


class FeatureEncoderConfig(BaseModel):
    """Widths and depths of the feature encoder."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    width: int = Field(default=16, ge=1)
    """Channels after the stem."""
    downsamplings: int = Field(default=4, ge=1, le=6)
    """Halvings, and as many doublings."""
    norm: Norm = "instance"
    """`instance` (per sample, affine), `instance_plain` (without gains, official), `group`, or
    `none`."""


class FeatureEncoder(nn.Module):
    """From a photo to features of every pixel, in [-1, 1] as a picture's."""

    def __init__(self, config: FeatureEncoderConfig, features: int) -> None:
        super().__init__()
        style, widths = Style(config.norm), doubled(config.width, config.downsamplings)
        self.multiple = 2**config.downsamplings
        self.layers = nn.Sequential(*encoder(3, widths, style), *decoder(widths, style))
        self.head = Head(config.width, features)

    def forward(self, photo: Tensor) -> Tensor:
        """Map frames 'b 3 h w' of any size, [-1, 1], to 'b c h w' in [-1, 1]."""
        height, width = photo.shape[-2:]
        multiple = self.multiple if min(height, width) > self.multiple else 2 * self.multiple
        padding = pad_to_multiple(height, width, multiple)
        return padding.crop(torch.tanh(self.head(self.layers(padding.pad(photo)))))


def instance_mean(features: Tensor, instances: Tensor) -> Tensor:
    """Give every pixel the mean of the features of its instance, in its own picture.

    Args:
        features: 'b c h w', any range.
        instances: 'b h w', integer object ids, none negative.

    Returns:
        'b c h w'.

    Raises:
        ValueError: if the two do not cover the same pixels.
    """
    batch, _, height, width = features.shape
    if instances.shape != (batch, height, width):
        raise ValueError(
            f"instances must be {(batch, height, width)}, as the features are; got "
            f"{tuple(instances.shape)}"
        )
    if features.is_meta:  # where memory is measured, and ids have no values
        return features.clone()
    if features.device.type == "mps":  # which has no float64: half a million pixels would round
        return region_means(features.cpu(), find_regions(instances.cpu())).to(features.device)
    return region_means(features, find_regions(instances))
