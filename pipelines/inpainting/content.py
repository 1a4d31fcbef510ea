"""From a checkpoint to a content network that fills holes of any place."""

from pathlib import Path

import torch

from pipelines.build import load_generation
from vid2vid.controls.config import KnownConfig
from vid2vid.errors import CheckpointError
from vid2vid.inpainting.content import ContentNetwork
from vid2vid.networks.context_encoder import ContextEncoderConfig


def load_content(path: Path | str, device: torch.device) -> ContentNetwork:
    """Load the content network of a checkpoint.

    Args:
        path: a file or a run folder.
        device: where it will run.

    Raises:
        CheckpointError: if there is none, or it holds another network, or one that is painted from
            more than a photograph.
    """
    found = load_generation(path, device)
    config, controls = found.config, found.config.controls
    network, data = config.generator, config.data
    if not isinstance(network, ContextEncoderConfig):
        raise CheckpointError(
            "inpainting needs a checkpoint with a generator of kind 'context_encoder'; "
            f"{found.path} has {network.kind!r}: train one with vid2vid-train nps_small, or leave "
            "--checkpoint out"
        )
    known = controls[0] if len(controls) == 1 and config.labels is None else None
    if not isinstance(known, KnownConfig) or network.beside or data.height != data.width:
        raise CheckpointError(
            "inpainting needs a content network of square photographs with holes and nothing else; "
            f"{found.path} has {len(controls)} controls, "
            f"{'no' if config.labels is None else 'some'} labels and frames of "
            f"{data.width}x{data.height} (width x height): train one as in nps_small.yaml"
        )
    return ContentNetwork(
        generator=found.generator,
        size=data.height,
        hole=known.size if network.form == "centre" else None,
        overlap=network.overlap,
        fill=known.fill,
    )
