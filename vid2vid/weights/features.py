"""The network of the perceptual loss, with weights that are there: nothing is downloaded."""

import logging

import torch

from vid2vid.checkpoint import load_checkpoint
from vid2vid.errors import ConfigError
from vid2vid.losses.config import LossConfig
from vid2vid.networks.features import FeatureNetwork, SegmenterFeatures, VggFeatures
from vid2vid.networks.segmenter import Segmenter, SegmenterConfig
from vid2vid.vgg_weights import load_vgg
from vid2vid.weights.segmenter import KIND, load_segmenter, packaged_segmenter

LOGGER = logging.getLogger(__name__)


def load_features(losses: LossConfig) -> FeatureNetwork:
    """Build the network that `losses` names, on the CPU, and say so where it is not VGG.

    Raises:
        ConfigError: if the weights of VGG are not there.
        CheckpointError: if the package carries no segmenter.
    """
    if losses.perceptual_network == "vgg":
        return load_vgg(
            losses.vgg,
            losses.vgg_weights,
            layers=losses.vgg_layers,
            pooling=losses.vgg_pooling,
        )
    segmenter = load_segmenter(device=torch.device("cpu")).segment
    if not isinstance(segmenter, Segmenter):
        raise ConfigError("the segmenter of the package must be a network of ours; it is another")
    LOGGER.info(
        "the perceptual loss compares what the segmenter of the package sees, not VGG: it was "
        "trained on procedural streets alone"
    )
    return SegmenterFeatures(segmenter)


def empty_features(losses: LossConfig) -> FeatureNetwork:
    """Build the network that `losses` names without its weights, to count what it takes."""
    if losses.perceptual_network == "vgg":
        return VggFeatures(losses.vgg, layers=losses.vgg_layers, pooling=losses.vgg_pooling)
    found = load_checkpoint(packaged_segmenter(), kind=KIND, with_tensors=False)
    return SegmenterFeatures(Segmenter(SegmenterConfig.model_validate(found.metadata["config"])))
