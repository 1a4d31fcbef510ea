"""The frozen VGG network behind the perceptual loss, with torchvision's layers."""

from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.vgg import cfgs, make_layers

VggName = Literal["vgg19", "vgg16"]

# Index of the ReLU after conv1_1, 2_1, 3_1, 4_1 and 5_1 in torchvision's `features`.
STAGES: dict[VggName, tuple[int, ...]] = {
    "vgg19": (1, 6, 11, 20, 29),
    "vgg16": (1, 6, 11, 18, 25),
}
LAYERS: dict[VggName, str] = {"vgg19": "E", "vgg16": "D"}  # torchvision's keys
LARGEST_WIDTH = 1024  # px
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class VggFeatures(nn.Module):
    """Activations after relu1_1 ... relu5_1, of frames in [-1, 1].

    Unlike the official code, which fed [-1, 1] straight in, the frames are normalised with the
    mean and deviation of ImageNet that the weights were trained with. Frames wider than 1024 px
    are averaged down first, as there.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, name: VggName = "vgg19") -> None:
        super().__init__()
        # Not the whole model: its classifier has six times as many weights.
        layers = make_layers(cfgs[LAYERS[name]], batch_norm=False)
        edges = (0, *(index + 1 for index in STAGES[name]))
        self.stages = nn.ModuleList(
            nn.Sequential(*(_out_of_place(layer) for layer in layers[start:end]))
            for start, end in pairwise(edges)
        )
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1))
        self.requires_grad_(requires_grad=False)

    def forward(self, frames: Tensor) -> list[Tensor]:
        """Map 'b 3 h w' in [-1, 1] to five feature maps, finest first."""
        while frames.shape[-1] > LARGEST_WIDTH:
            frames = F.avg_pool2d(frames, 2)
        features = ((frames + 1) / 2 - self.mean) / self.std
        outputs: list[Tensor] = []
        for stage in self.stages:
            features = stage(features)
            outputs.append(features)
        return outputs


def _out_of_place(layer: nn.Module) -> nn.Module:
    """Replace an in-place ReLU, which would overwrite the feature that is returned."""
    return nn.ReLU() if isinstance(layer, nn.ReLU) else layer
