"""Networks with VGG19's layers and an eighth of its widths, for tests of textures."""

import torch
from torch import nn
from torchvision.models.vgg import make_layers

from vid2vid.inpainting.stack import FeatureStack, Layers

RELU3_1, RELU4_1 = 11, 20  # in torchvision's `features`


def tiny_stack(*taps: int) -> FeatureStack:
    """Return layers with weights drawn from a seed (He et al. 2015), of zero bias."""
    widths = [8, 8, "M", 16, 16, "M", 32, 32, 32, 32, "M", 64, 64]
    network = make_layers(widths, batch_norm=False)
    generator = torch.Generator().manual_seed(0)
    layers: list[nn.Module] = []
    for layer in network:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, generator=generator)
            nn.init.zeros_(layer.bias)
        layers.append(nn.ReLU() if isinstance(layer, nn.ReLU) else layer)
    return FeatureStack(Layers(layers, taps or (RELU3_1, RELU4_1), (0.5,) * 3, (0.5,) * 3)).eval()


def tiles(height: int, width: int) -> torch.Tensor:
    """Return a picture of one random tile of 8x8 px, again and again: '3 h w'."""
    tile = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return tile.repeat(1, height // 8, width // 8)
