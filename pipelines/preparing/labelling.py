"""Label frames with a segmenter: the package's own, or one from a file."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipelines.build import choose_device
from pipelines.preparing.options import PrepareOptions
from vid2vid.errors import CheckpointError, ConfigError
from vid2vid.labels.palettes import Palette, load_palette
from vid2vid.weights.segmenter import LoadedSegmenter, load_segmenter


class FrameLabeller(NamedTuple):
    """Gives each frame the classes that a segmenter sees in it."""

    segmenter: LoadedSegmenter
    palette: Palette
    device: torch.device

    def __call__(self, frame: Tensor) -> NDArray[np.uint8]:
        """Label a frame.

        Args:
            frame: '3 h w' in [-1, 1].

        Returns:
            'h w' ids of the palette.

        Raises:
            CheckpointError: if the segmenter does not take frames of this size.
        """
        with torch.inference_mode():
            logits = self.segmenter.segment(frame[None].to(self.device)).logits
        if logits.shape[2:] != frame.shape[1:]:
            raise CheckpointError(
                f"a segmenter must label every pixel; for a frame of height {frame.shape[1]} and "
                f"width {frame.shape[2]} {self.segmenter.name} returns {tuple(logits.shape)}: "
                "export it with logits of the frame's size"
            )
        return logits[0].argmax(dim=0).to(torch.uint8).cpu().numpy()


def open_labeller(options: PrepareOptions) -> FrameLabeller | None:
    """Load the segmenter, where labels are asked for.

    Raises:
        CheckpointError: if there is none, or it cannot be read.
        ConfigError: if its palette is not known, or has another number of classes.
    """
    if "labels" not in options.controls:
        if options.segmenter is not None or options.palette is not None:
            raise ConfigError(
                "--segmenter and --palette are for labels, which were not asked for: add labels "
                f"to --control {','.join(options.controls)}, or leave them out"
            )
        return None
    device = choose_device(options.device)
    segmenter = load_segmenter(options.segmenter, device=device)
    palette = load_palette(options.palette) if options.palette else segmenter.palette
    if palette is None:
        raise ConfigError(
            f"the classes of {segmenter.name} must have names and colours, which its file does not "
            "say: pass --palette NAME or FILE"
        )
    if palette.num_classes != segmenter.num_classes:
        raise ConfigError(
            f"the palette must have the {segmenter.num_classes} classes of {segmenter.name}; "
            f"'{palette.name}' has {palette.num_classes}: pass --palette of another"
        )
    return FrameLabeller(segmenter, palette, device)
