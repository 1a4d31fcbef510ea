"""Bring a flow to another size: a new grid, and vectors of a new length."""

import torch
import torch.nn.functional as F
from torch import Tensor


def resize_flow(flow: Tensor, size: tuple[int, int]) -> Tensor:
    """Resample a flow so that it fits frames resized to `size`.

    Each component is scaled with its own axis: half the width halves dx and leaves dy alone. The
    grid is that of resized pictures, whose outer edges coincide (`align_corners=False`). There is
    no low-pass filter: it would blend the two sides of a motion boundary.

    Args:
        flow: 'b 2 h w', pixels, (dx, dy).
        size: (height, width) wanted.

    Returns:
        'b 2 height width', pixels of the new size. Differentiable.

    Raises:
        ValueError: if `flow` is not 'b 2 h w'.
    """
    if flow.ndim != 4 or flow.shape[1] != 2:
        raise ValueError(f"flow must be 'b 2 h w' to be resized; got {tuple(flow.shape)}")
    height, width = flow.shape[2:]
    if (height, width) == size:
        return flow
    resized = F.interpolate(flow, size=size, mode="bilinear", align_corners=False)
    # Scaled by Python numbers, component by component: no copy from the host to a device.
    new_height, new_width = size
    dx, dy = resized.split(1, dim=1)
    return torch.cat((dx * (new_width / width), dy * (new_height / height)), dim=1)
