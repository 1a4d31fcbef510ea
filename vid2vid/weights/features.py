"""The networks whose features losses compare, with weights that are there; none is downloaded."""

import logging

from vid2vid.checkpoint import load_checkpoint
from vid2vid.errors import ConfigError
from vid2vid.losses.config import LossConfig
from vid2vid.networks.features import FeatureNetwork, SegmenterFeatures, VggFeatures
from vid2vid.networks.segmenter import Segmenter, SegmenterConfig
from vid2vid.vgg_weights import load_vgg, vgg_file
from vid2vid.weights.segmenter import KIND, load_packaged, packaged_segmenter

LOGGER = logging.getLogger(__name__)


def load_features(losses: LossConfig) -> FeatureNetwork:
    """Build the network of the perceptual loss, on the CPU, and say so where it is not VGG.

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
    return _load_segmenter(of="the perceptual loss")


def load_mrf_features(losses: LossConfig) -> FeatureNetwork:
    """Build the network of the ID-MRF loss likewise, as deep as its levels go.

    Raises:
        ConfigError: if the weights of VGG are not there, and no other network will do.
        CheckpointError: if the package carries no segmenter.
    """
    path = vgg_file(losses.vgg, losses.vgg_weights)
    has_vgg = path.is_file()
    # A path that was given is not passed over: it is a mistake.
    if losses.mrf_network == "either" and not has_vgg and not losses.vgg_weights:
        LOGGER.info("there is no %s with the weights of VGG", path)
    elif losses.mrf_network != "segmenter":
        if not has_vgg:
            raise ConfigError(
                f"losses.mrf needs torchvision's {losses.vgg} weights; there is no {path}: put "
                f"{path.name} there, set losses.vgg_weights to its path, or set "
                "losses.mrf_network to segmenter, which comes with the package"
            )
        network = load_vgg(losses.vgg, losses.vgg_weights, layers="second")
        network.keep_levels(_deepest(losses))
        return network
    return _load_segmenter(of="the ID-MRF loss")


def empty_features(losses: LossConfig) -> FeatureNetwork:
    """Build the network of the perceptual loss without its weights, to count what it takes."""
    if losses.perceptual_network == "vgg":
        return VggFeatures(losses.vgg, layers=losses.vgg_layers, pooling=losses.vgg_pooling)
    return _empty_segmenter()


def empty_mrf_features(losses: LossConfig) -> FeatureNetwork:
    """Build the network of the ID-MRF loss likewise: VGG, which takes more, where it may be."""
    if losses.mrf_network == "segmenter":
        return _empty_segmenter()
    network = VggFeatures(losses.vgg, layers="second")
    network.keep_levels(_deepest(losses))
    return network


def _deepest(losses: LossConfig) -> int:
    """Return the deepest level that the ID-MRF loss compares, from 1."""
    return max(level for level, weight in enumerate(losses.mrf_levels, start=1) if weight)


def _load_segmenter(*, of: str) -> SegmenterFeatures:
    segmenter = load_packaged()
    LOGGER.info(
        "%s compares what the segmenter of the package sees, not VGG: it was trained on procedural "
        "streets alone",
        of,
    )
    return SegmenterFeatures(segmenter)


def _empty_segmenter() -> SegmenterFeatures:
    found = load_checkpoint(packaged_segmenter(), kind=KIND, with_tensors=False)
    return SegmenterFeatures(Segmenter(SegmenterConfig.model_validate(found.metadata["config"])))
