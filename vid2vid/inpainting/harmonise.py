"""Fit a pasted object into a picture: its colour meets the surroundings, its shape is kept.

Poisson blending takes the colour over (Perez et al. 2003); then the object and a ring around it are
optimised so that their features are made of the picture's, while content holds the object's form.
"""

from dataclasses import replace

import torch
from torch import Tensor

from vid2vid.inpainting.blending import blend
from vid2vid.inpainting.masks import grow
from vid2vid.inpainting.optimise import Level, optimise
from vid2vid.inpainting.presets import SynthesisOptions
from vid2vid.inpainting.stack import FeatureStack
from vid2vid.inpainting.texture import Texture

RING_PX = 6
"""Pixels around the object that may change with it."""
SHAPE_WEIGHT = 4.0
"""Of the content term, to that of a hole, whose content is a guess."""


def harmonise(
    picture: Tensor,
    pasted: Tensor,
    inside: Tensor,
    *,
    stack: FeatureStack,
    options: SynthesisOptions,
    ring: int = RING_PX,
) -> Tensor:
    """Fit an object into a picture.

    Args:
        picture: '3 h w' in [-1, 1].
        pasted: '3 h w' in [-1, 1], what is pasted, around the object too.
        inside: 'h w' bool, True = the object.
        stack: whose features are compared.
        options: of the optimisation, of matching and blending.
        ring: px around the object that may change.

    Returns:
        '3 h w' in [-1, 1]; beyond the ring `picture`, bit for bit.

    Raises:
        DataError: if beyond the ring is no patch to take texture from.
    """
    if not inside.any():
        return picture
    coloured = blend(picture, pasted, inside, method=options.blending, feather=options.feather)
    free = grow(inside, ring)
    if not options.optimise.iterations:
        return coloured
    device = stack.mean.device
    begun, mask = coloured.to(device), free.to(device)
    texture = Texture(stack, begun, mask, options=options.match)
    steps = replace(options.optimise, content=SHAPE_WEIGHT * options.optimise.content)
    fitted = optimise(Level(begun, mask, begun, begun), texture, steps)
    return torch.where(free, fitted.picture.to(picture), picture)
