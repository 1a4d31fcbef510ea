"""Paint a state: one picture, from zeros, as `vid2vid still` does."""

from fractions import Fraction

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipelines.build import Generation
from pipelines.editing.state import EditState
from pipelines.rendering.frames import FrameGenerator
from pipelines.rendering.input_stream import InputFrame
from vid2vid.controls.config import BoundaryConfig
from vid2vid.controls.pictures import Material, make_pictures
from vid2vid.data.augment import Size, unvaried
from vid2vid.errors import ConfigError
from vid2vid.labels.palettes import Palette
from vid2vid.styles import ChosenStyles


def paint_state(state: EditState, generation: Generation, *, seed: int) -> NDArray[np.uint8]:
    """Paint the picture: the same state and seed give the same bits on the CPU.

    Args:
        state: maps and chosen styles.
        generation: one that `check_takes_labels` takes.
        seed: of styles that nobody chose, of noise and of dropout.

    Returns:
        'h w 3', RGB.
    """
    generator, styles = generation.generator, None
    device = next(generator.parameters()).device
    if generator.features:
        drawn = generation.styles._replace(seed=seed)
        chosen = {region: torch.tensor(own) for region, own in state.styles.items()}
        styles = ChosenStyles(drawn, chosen, {}, drawn.tables)
    painter = FrameGenerator(generator, generation.conditioning, device, styles=styles)
    # Torch takes arrays that may be written to, and a state's may not.
    labels, instances = state.labels.copy(), state.instances.copy()
    source = InputFrame(labels, instances, Fraction(0), "edit", _draw_controls(state, generation))
    generator.reseed(seed)
    with torch.inference_mode():
        return next(painter.stills([source])).frame.cpu().numpy()


def check_takes_labels(generation: Generation) -> Palette:
    """Refuse what cannot be edited by ids alone, and return the palette.

    Raises:
        ConfigError: if the checkpoint takes no label maps, or more than them.
    """
    if generation.palette is None:
        raise ConfigError(
            f"editing is for a checkpoint that takes label maps; {generation.path} takes none"
        )
    others = [each for each in generation.config.controls if not isinstance(each, BoundaryConfig)]
    if others:
        raise ConfigError(
            "editing is for a checkpoint that takes label maps alone, since nothing else would "
            f"follow the edits; {generation.path} takes '{others[0].kind}' too"
        )
    return generation.palette


def _draw_controls(state: EditState, generation: Generation) -> Tensor | None:
    """Draw the boundary of instances, where it is a control: 'c h w'."""
    size = Size(*state.labels.shape)
    material = Material(size, {}, instances=torch.from_numpy(state.instances.copy())[None])
    made = make_pictures(generation.config.controls, material, unvaried(size))
    return None if made is None else made[0]
