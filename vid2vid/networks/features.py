"""The frozen networks behind the perceptual loss: VGG with torchvision's layers, or a segmenter."""

from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.vgg import cfgs, make_layers

from vid2vid.networks.segmenter import Segmenter

VggName = Literal["vgg19", "vgg16"]
VggLayers = Literal["first", "second"]
VggPooling = Literal["max", "average"]

# Index of the ReLU after conv1_1, 2_1, 3_1, 4_1 and 5_1 in torchvision's `features`.
STAGES: dict[VggName, tuple[int, ...]] = {
    "vgg19": (1, 6, 11, 20, 29),
    "vgg16": (1, 6, 11, 18, 25),
}
SECOND = 2  # layers from a ReLU to that after the next convolution of its block
LAYERS: dict[VggName, str] = {"vgg19": "E", "vgg16": "D"}  # torchvision's keys
LARGEST_WIDTH = 1024  # px
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class VggFeatures(nn.Module):
    """Activations after relu1_1 ... relu5_1, or relu1_2 ... relu5_2, of frames in [-1, 1].

    The first are what pix2pixHD compares, the second what CRN does, which also averages where VGG
    was trained with the largest (`pooling`). Unlike the official code of pix2pixHD, which fed
    [-1, 1] straight in, the frames are normalised with the mean and deviation of ImageNet that the
    weights were trained with. Frames wider than 1024 px are averaged down first, as there.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, name: VggName = "vgg19", *, layers: VggLayers = "first", pooling: VggPooling = "max"
    ) -> None:
        super().__init__()
        # Not the whole model: its classifier has six times as many weights.
        network = make_layers(cfgs[LAYERS[name]], batch_norm=False)
        later = SECOND if layers == "second" else 0
        self.edges = (0, *(index + later + 1 for index in STAGES[name]))
        """Index of the first layer of every stage in torchvision's `features`, and of the rest."""
        self.stages = nn.ModuleList(
            nn.Sequential(*(_layer(layer, pooling) for layer in network[start:end]))
            for start, end in pairwise(self.edges)
        )
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1))
        self.requires_grad_(requires_grad=False)

    def keep_levels(self, count: int) -> None:
        """Compute the first `count` of its feature maps alone from now on."""
        self.stages = self.stages[:count]

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


class SegmenterFeatures(nn.Module):
    """What the encoder of a segmenter sees in frames in [-1, 1], where there is no VGG."""

    def __init__(self, segmenter: Segmenter) -> None:
        super().__init__()
        self.segmenter = segmenter
        self.requires_grad_(requires_grad=False)

    def forward(self, frames: Tensor) -> list[Tensor]:
        """Map 'b 3 h w' in [-1, 1] to a feature map of each level, finest first."""
        return self.segmenter.encode(frames)


FeatureNetwork = VggFeatures | SegmenterFeatures


def _layer(layer: nn.Module, pooling: VggPooling) -> nn.Module:
    """Replace an in-place ReLU, which would overwrite the feature that is returned, and pooling."""
    if isinstance(layer, nn.MaxPool2d) and pooling == "average":
        return nn.AvgPool2d(2)
    return nn.ReLU() if isinstance(layer, nn.ReLU) else layer
