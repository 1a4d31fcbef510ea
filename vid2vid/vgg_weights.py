"""Pretrained VGG weights from torchvision's own file; nothing is downloaded."""

import pickle
from pathlib import Path

import torch
from torch import Tensor

from vid2vid.errors import ConfigError
from vid2vid.networks.features import VggFeatures, VggLayers, VggName, VggPooling

WEIGHT_FILES: dict[VggName, str] = {
    "vgg19": "vgg19-dcbb9e9d.pth",
    "vgg16": "vgg16-397923af.pth",
}


def vgg_file(name: VggName, weights: str | None) -> Path:
    """Say where the weight file is looked for; see `load_vgg`."""
    if weights:
        return Path(weights).expanduser()
    return Path(torch.hub.get_dir()) / "checkpoints" / WEIGHT_FILES[name]


def load_vgg(
    name: VggName,
    weights: str | None,
    *,
    layers: VggLayers = "first",
    pooling: VggPooling = "max",
) -> VggFeatures:
    """Build a VGG with pretrained weights.

    Args:
        name: which network.
        weights: path of torchvision's weight file; None looks in torch's own cache.
        layers: of each block that are returned.
        pooling: between the blocks.

    Raises:
        ConfigError: if the file is absent or does not fit; nothing is downloaded.
    """
    path = vgg_file(name, weights)
    if not path.is_file():
        raise ConfigError(
            f"the perceptual loss needs torchvision's {name} weights; there is no {path}: put "
            f"{WEIGHT_FILES[name]} there, set losses.vgg_weights to its path, set "
            "losses.perceptual_network to segmenter, which comes with the package, or set "
            "losses.perceptual to 0"
        )
    network = VggFeatures(name, layers=layers, pooling=pooling)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        _load_stages(network, state)
    except (KeyError, TypeError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ConfigError(f"{path} does not hold torchvision's {name} weights: {error}") from error
    return network.eval()


def _load_stages(network: VggFeatures, state: dict[str, Tensor]) -> None:
    """Copy `features.N.*` of torchvision's file into the stage that holds layer N."""
    for stage, start in zip(network.stages, network.edges, strict=False):
        for name, parameter in stage.named_parameters():
            index, kind = name.split(".")
            source = state[f"features.{int(index) + start}.{kind}"]
            if source.shape != parameter.shape:
                raise KeyError(f"features.{int(index) + start}.{kind} has another shape")
            parameter.data.copy_(source)
