"""The network whose features textures are compared by: VGG19 where its weights are."""

import logging
from pathlib import Path
from typing import NamedTuple

import torch

from vid2vid.inpainting.presets import SynthesisOptions
from vid2vid.inpainting.stack import FeatureStack, segmenter_layers, vgg_layers
from vid2vid.networks.features import VggFeatures
from vid2vid.networks.segmenter import Segmenter
from vid2vid.vgg_weights import WEIGHT_FILES, load_vgg
from vid2vid.weights.segmenter import load_packaged

LOGGER = logging.getLogger(__name__)


class TextureNetwork(NamedTuple):
    """A frozen network, on the CPU."""

    network: VggFeatures | Segmenter

    def stack(self, options: SynthesisOptions) -> FeatureStack:
        """Build the layers that a preset compares."""
        if isinstance(self.network, VggFeatures):
            layers = vgg_layers(self.network, options.vgg_taps)
        else:
            layers = segmenter_layers(self.network, options.segmenter_taps)
        return FeatureStack(layers).eval()


def load_texture(weights: Path | None) -> TextureNetwork:
    """Load VGG19, or say that the segmenter of the package stands in for it.

    Args:
        weights: torchvision's file; None = torch's cache, where it may be absent.

    Raises:
        ConfigError: if a file is named and is absent or does not fit.
        CheckpointError: if the package carries no segmenter.
    """
    cached = Path(torch.hub.get_dir()) / "checkpoints" / WEIGHT_FILES["vgg19"]
    if weights is not None or cached.is_file():
        return TextureNetwork(load_vgg("vgg19", None if weights is None else str(weights)))
    segmenter = load_packaged()
    LOGGER.info(
        "textures are compared by what the segmenter of the package sees, not by VGG19, whose "
        "weights are not at %s: --vgg-weights takes them from elsewhere",
        cached,
    )
    return TextureNetwork(segmenter)
