"""Complete a flow where it is unknown: a motion model fitted nearby, and a membrane for the rest.

Around each hole an affine motion is fitted to what is known, robustly, since a hole may touch
several moving things. What the motion near the hole differs from it is continued into the hole by
the harmonic interpolation of Laplace's equation, free where the hole meets the edge of the frame.
A camera's own motion is thus carried far beyond a border, and a bent one meets its border exactly.
"""

from typing import Any, NamedTuple, cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from flow.laplace import Array, Laplace, Mask
from flow.warp import pixel_grid

MOST_UNKNOWNS = 8000
"""Of a membrane that is solved pixel by pixel; larger ones are on a coarser grid. In a hole of
32 400 pixels in bmx-trees the motion differs by 0.004 px, and is solved in a sixth of the time."""
_BAND_PX = (16, 128)  # least and most that the fit looks beyond a hole
_MOST_POINTS = 4000
_FEWEST_POINTS = 32
_TOLERANCE_PX = 1.0  # to which a pixel's motion follows the fitted one


def complete_flow(flow: Tensor, unknown: Tensor) -> Tensor:
    """Replace a flow where it is unknown; affine motion is continued exactly.

    Args:
        flow: 'b 2 h w', pixels. What it holds at unknown pixels counts for nothing.
        unknown: 'b 1 h w', bool.

    Returns:
        'b 2 h w' float32; `flow` itself where it is known, 0 where nothing of a frame is.

    Raises:
        ValueError: if the two do not fit each other.
    """
    if flow.ndim != 4 or flow.shape[1] != 2 or unknown.shape != flow[:, :1].shape:
        raise ValueError(
            "unknown must be 'b 1 h w' for a flow 'b 2 h w'; "
            f"got {tuple(unknown.shape)} for {tuple(flow.shape)}"
        )
    done = [
        _complete(one.detach().cpu().double().numpy(), mask.cpu().numpy().astype(np.bool_))
        for one, mask in zip(flow, unknown[:, 0], strict=True)
    ]
    return torch.from_numpy(np.stack(done)).to(flow.device, torch.float32)


def _complete(flow: Array, unknown: Mask) -> Array:
    if not unknown.any():
        return flow
    if unknown.all():
        return np.zeros_like(flow)
    done = flow.copy()
    _, parts, boxes, _ = cv2.connectedComponentsWithStats(unknown.astype(np.uint8), connectivity=8)
    depths = cv2.distanceTransform(unknown.astype(np.uint8), cv2.DIST_L2, 3)
    for label in range(1, len(boxes)):
        x, y, width, height = (int(each) for each in boxes[label, :4])
        own = parts[y : y + height, x : x + width] == label
        depth = float(depths[y : y + height, x : x + width][own].max())
        band = round(min(max(depth, _BAND_PX[0]), _BAND_PX[1]))
        top, left = max(y - band, 0), max(x - band, 0)
        part = (slice(top, y + height + band), slice(left, x + width + band))
        inside = parts[part] == label
        near = cv2.dilate(inside.astype(np.uint8), np.ones((2 * band + 1,) * 2, np.uint8)) > 0
        done[:, *part][:, inside] = _continue(
            flow[:, *part], inside, known=~unknown[part], near=near
        )
    return done


def _continue(flow: Array, inside: Mask, *, known: Mask, near: Mask) -> Array:
    """Find the motion of one hole, '2 n', in a piece of a frame around it."""
    model = fit_motion(flow, known & near)
    return model[:, inside] + harmonic(flow - model, inside, known=known)[:, inside]


def fit_motion(flow: Array, where: Mask) -> Array:
    """Fit an affine motion to part of a flow, robustly; with too little to go by, its median.

    Returns:
        '2 h w', pixels.
    """
    height, width = where.shape
    grid = pixel_grid(height, width, dtype=torch.float64).numpy()
    chosen = np.flatnonzero(where)
    if len(chosen) == 0:
        return np.zeros_like(flow)
    chosen = chosen[:: -(-len(chosen) // _MOST_POINTS)]
    points = grid.reshape(2, -1)[:, chosen].T
    motion = flow.reshape(2, -1)[:, chosen].T
    median = np.broadcast_to(np.median(motion, axis=0)[:, None, None], flow.shape)
    if len(chosen) < _FEWEST_POINTS:
        return median
    found, inliers = cv2.estimateAffine2D(
        points, points + motion, method=cv2.RANSAC, ransacReprojThreshold=_TOLERANCE_PX
    )
    # OpenCV's types leave out that it may find nothing.
    if cast("object | None", found) is None:
        return median
    agreed = inliers[:, 0] > 0
    design = np.column_stack([points, np.ones(len(points))])
    solution = np.linalg.lstsq(design[agreed], motion[agreed], rcond=None)[0]
    return np.tensordot(solution[:2].T, grid, axes=1) + solution[2][:, None, None]


def harmonic(values: Array, unknown: Mask, *, known: Mask | None = None) -> Array:
    """Interpolate over unknown pixels by Laplace's equation; a linear ramp is reproduced.

    Args:
        values: 'k h w'.
        unknown: 'h w', what is filled.
        known: 'h w', what it is filled from; None = all else. What is neither counts as the outside
            of the frame: nothing flows there.

    Returns:
        'k h w'; `values` outside the filled area. 0 where a hole touches nothing known. Above
        `MOST_UNKNOWNS` pixels it is solved on a coarser grid and enlarged.
    """
    known = ~unknown if known is None else known & ~unknown
    done = values.copy()
    if not unknown.any():
        return done
    step = int(np.ceil(np.sqrt(unknown.sum() / MOST_UNKNOWNS)))
    if step == 1:
        done[:, unknown] = Laplace(unknown, known).membrane(values)
        return done
    coarse = _shrink(values, unknown, known=known, step=step)
    coarse.values[:, coarse.unknown] = Laplace(coarse.unknown, coarse.known).membrane(coarse.values)
    size = (unknown.shape[1], unknown.shape[0])
    for index, plane in enumerate(_spread(coarse)):
        # The centre of a coarse pixel is that of the block it stands for.
        scale = np.array([[step, 0, (step - 1) / 2], [0, step, (step - 1) / 2]], np.float64)
        large = cv2.warpAffine(
            plane, scale, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        done[index][unknown] = large[unknown]
    return done


class _Coarse(NamedTuple):
    values: Array
    unknown: Mask
    known: Mask


def _shrink(values: Array, unknown: Mask, *, known: Mask, step: int) -> _Coarse:
    """Average blocks over what is known in them; a block that holds unknown pixels is unknown."""
    height, width = (-(-side // step) for side in unknown.shape)

    def total(plane: NDArray[Any]) -> Array:
        missing = ((0, height * step - plane.shape[0]), (0, width * step - plane.shape[1]))
        blocks = np.pad(plane.astype(np.float64), missing)
        return blocks.reshape(height, step, width, step).sum(axis=(1, 3))

    share = total(known)
    has_unknown = total(unknown) > 0
    means = np.stack([total(plane * known) for plane in values]) / np.maximum(share, 1)
    # A block at the rim stays known: it says what the hole's edge is.
    is_known = share > 0
    return _Coarse(means, has_unknown & ~is_known, is_known)


def _spread(coarse: _Coarse) -> Array:
    """Give blocks that are neither known nor unknown the value of the nearest that is."""
    is_empty = ~(coarse.known | coarse.unknown)
    if not is_empty.any():
        return coarse.values
    labelled = cv2.distanceTransformWithLabels(
        is_empty.astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )[1]
    numbers = labelled.astype(np.int64)
    place = np.zeros(numbers.max() + 1, np.int64)
    place[numbers[~is_empty]] = np.flatnonzero(~is_empty)
    return coarse.values.reshape(len(coarse.values), -1)[:, place[numbers]]
