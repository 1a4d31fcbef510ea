"""Lay a painting into the hole of a picture: hard, feathered, by Poisson's equation, by bands."""

from typing import Literal

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vid2vid.inpainting.membrane import membrane

Blending = Literal["poisson", "feather", "laplacian", "hard"]

FEATHER_PX = 18
"""Of the released code of Yang et al. 2017, for 512 px."""
_MOST_BANDS = 5


def blend(
    picture: Tensor,
    painted: Tensor,
    unknown: Tensor,
    *,
    method: Blending = "poisson",
    feather: int = FEATHER_PX,
) -> Tensor:
    """Lay a painting into the unknown part of a picture.

    What the picture differs by from the painting at the rim is continued into the hole, and added
    there, as the method has it: `poisson` harmonically, so that detail stays and colour meets
    (Perez et al. 2003, equation 7), free where the hole meets the edge of the picture; `feather`
    from the nearest known pixel, fading away within `feather` pixels; `laplacian` in bands of a
    pyramid, fine differences near the rim and coarse ones far into the hole; `hard` not at all.

    Args:
        picture: '3 h w' in [-1, 1]; what it holds at unknown pixels counts for nothing.
        painted: '3 h w' in [-1, 1]; at known pixels what was painted there.
        unknown: 'h w' bool, True = to be taken from the painting.
        method: how.
        feather: px.

    Returns:
        '3 h w' in [-1, 1]; known pixels are those of `picture`, bit for bit.
    """
    if not unknown.any():
        return picture
    if unknown.all() or method == "hard":
        correction = torch.zeros_like(painted)
    else:
        difference = (picture.double() - painted.double()) * ~unknown
        if method == "poisson":
            correction = membrane(difference, unknown)
        elif method == "feather":
            correction = _fade(difference, unknown, feather)
        else:
            correction = _bands(difference, unknown)
    filled = (painted.double() + correction).clamp(-1, 1).to(picture)
    return torch.where(unknown, filled, picture)


def _fade(difference: Tensor, unknown: Tensor, feather: int) -> Tensor:
    """Continue 'c h w' from the nearest known pixel, to 0 within `feather` pixels."""
    mask = unknown.cpu().numpy().astype(np.uint8)
    depths, labels = cv2.distanceTransformWithLabels(
        mask, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    numbers = labels.astype(np.int64)
    place = np.zeros(int(numbers.max()) + 1, np.int64)
    place[numbers[mask == 0]] = np.flatnonzero(mask == 0)
    nearest = torch.from_numpy(place[numbers]).to(difference.device)
    share = torch.from_numpy(np.clip(1 - (depths - 1) / max(feather, 1), 0, 1))
    return difference.flatten(1)[:, nearest] * share.to(difference)


def _bands(difference: Tensor, unknown: Tensor) -> Tensor:
    """Continue 'c h w' band by band: each as far as a pixel of its level reaches.

    A level holds the mean of the known differences under each of its pixels; coarser levels say
    what finer ones have nothing for (pull-push, Gortler et al. 1996).
    """
    known = (~unknown)[None].to(difference)
    levels = [(difference * known, known)]
    while len(levels) <= _MOST_BANDS and min(levels[-1][1].shape[1:]) > 1:
        value, weight = (
            F.avg_pool2d(each[None], 2, ceil_mode=True, count_include_pad=False)[0]
            for each in levels[-1]
        )
        levels.append((value, weight))
    value, weight = levels[-1]
    result = value / weight.clamp(min=1e-6)
    for value, weight in reversed(levels[:-1]):
        larger = F.interpolate(result[None], size=value.shape[1:], mode="bilinear")[0]
        result = value + (1 - weight) * larger
    return result
