"""The frozen VGG network behind the perceptual loss, from torchvision, with weights from a file."""

import pickle
from itertools import pairwise
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torchvision.models.vgg import cfgs, make_layers

from vid2vid.errors import ConfigError

VggName = Literal["vgg19", "vgg16"]

# Index of the ReLU after conv1_1, 2_1, 3_1, 4_1 and 5_1 in torchvision's `features`.
STAGES: dict[VggName, tuple[int, ...]] = {
    "vgg19": (1, 6, 11, 20, 29),
    "vgg16": (1, 6, 11, 18, 25),
}
LAYERS: dict[VggName, str] = {"vgg19": "E", "vgg16": "D"}  # torchvision's keys
WEIGHT_FILES: dict[VggName, str] = {
    "vgg19": "vgg19-dcbb9e9d.pth",
    "vgg16": "vgg16-397923af.pth",
}
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class VggFeatures(nn.Module):
    """Activations after relu1_1 ... relu5_1, of frames in [-1, 1].

    Unlike the official code, which fed [-1, 1] straight in, the frames are normalised with the
    mean and deviation of ImageNet that the weights were trained with.
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
        features = ((frames + 1) / 2 - self.mean) / self.std
        outputs: list[Tensor] = []
        for stage in self.stages:
            features = stage(features)
            outputs.append(features)
        return outputs


def load_vgg(name: VggName, weights: str | None) -> VggFeatures:
    """Build a VGG with pretrained weights.

    Args:
        name: which network.
        weights: path of torchvision's weight file; None looks in torch's own cache.

    Raises:
        ConfigError: if the file is absent or does not fit; nothing is downloaded.
    """
    cached = Path(torch.hub.get_dir()) / "checkpoints" / WEIGHT_FILES[name]
    path = Path(weights).expanduser() if weights else cached
    if not path.is_file():
        raise ConfigError(
            f"the perceptual loss needs torchvision's {name} weights; there is no {path}: put "
            f"{WEIGHT_FILES[name]} there, set losses.vgg_weights to its path, or set "
            "losses.perceptual to 0"
        )
    network = VggFeatures(name)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        _load_stages(network, state, STAGES[name])
    except (KeyError, TypeError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ConfigError(f"{path} does not hold torchvision's {name} weights: {error}") from error
    return network.eval()


def _load_stages(network: VggFeatures, state: dict[str, Tensor], stages: tuple[int, ...]) -> None:
    """Copy `features.N.*` of torchvision's file into the stage that holds layer N."""
    edges = (0, *(index + 1 for index in stages))
    for stage, start in zip(network.stages, edges, strict=False):
        for name, parameter in stage.named_parameters():
            index, kind = name.split(".")
            source = state[f"features.{int(index) + start}.{kind}"]
            if source.shape != parameter.shape:
                raise KeyError(f"features.{int(index) + start}.{kind} has another shape")
            parameter.data.copy_(source)


def _out_of_place(layer: nn.Module) -> nn.Module:
    """Replace an in-place ReLU, which would overwrite the feature that is returned."""
    return nn.ReLU() if isinstance(layer, nn.ReLU) else layer
