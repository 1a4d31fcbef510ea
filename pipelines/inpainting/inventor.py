"""From options to what fills the holes of a picture."""

import logging
from pathlib import Path

import torch
from torch import Tensor

from pipelines.build import choose_device
from pipelines.inpainting.content import load_content
from pipelines.inpainting.options import InpaintOptions
from vid2vid.filling.inventor import Inventor
from vid2vid.inpainting.content import predict_content
from vid2vid.inpainting.fill import PatchSynthesis
from vid2vid.inpainting.presets import SynthesisOptions, preset
from vid2vid.video.levels import from_levels
from vid2vid.video.reading import find_frames, read_image
from vid2vid.weights.texture import load_texture

LOGGER = logging.getLogger(__name__)


def build_inventor(options: InpaintOptions) -> PatchSynthesis:
    """Load networks and samples.

    Raises:
        Vid2VidError: if one is missing or does not fit.
    """
    device = choose_device(options.video.device)
    chosen = choose_synthesis(options)
    stack = load_texture(options.vgg_weights).stack(chosen).to(device)
    samples = [] if options.patches is None else _read_samples(options.patches)
    content = _load_content(options.checkpoint, device)
    return PatchSynthesis(stack, chosen, content=content, samples=samples)


def choose_synthesis(options: InpaintOptions) -> SynthesisOptions:
    """Choose the preset, with what was asked for."""
    return preset(
        options.preset,
        weights=options.weights,
        line_search="strong_wolfe" if options.line_search else "none",
        iterations=options.iterations,
        blending=options.blending,
    )


def _load_content(checkpoint: Path | None, device: torch.device) -> Inventor | None:
    if checkpoint is None:
        LOGGER.info(
            "what holes hold is told from their surroundings alone: --checkpoint takes a content "
            "network that has learnt it"
        )
        return None
    network = load_content(checkpoint, device)

    def predict(picture: Tensor, unknown: Tensor) -> Tensor:
        return predict_content(network, picture, unknown)

    return predict


def _read_samples(folder: Path) -> list[Tensor]:
    """Read the pictures of a folder: '3 h w' each."""
    return [from_levels(torch.from_numpy(read_image(path))) for path in find_frames(folder)]
