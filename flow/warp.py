"""Fetch pixels along a flow, and blend what was fetched with what was painted.

Positions are in pixels, (x, y), with the centre of the first pixel at (0, 0): `align_corners=True`.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor


def pixel_grid(
    height: int,
    width: int,
    *,
    device: torch.device | str | None = None,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Give every pixel its own position.

    Returns:
        '2 h w', pixels, (x, y): x runs from 0 to width - 1, y from 0 to height - 1.
    """
    y = torch.arange(height, device=device, dtype=dtype)
    x = torch.arange(width, device=device, dtype=dtype)
    return torch.stack((x.expand(height, width), y[:, None].expand(height, width)))


def warp(
    image: Tensor,
    flow: Tensor,
    *,
    interpolation: Literal["bilinear", "bicubic"] = "bilinear",
) -> Tensor:
    """Fetch, for every output pixel p, the value of `image` at p + flow(p).

    Positions are computed in float32 whatever the dtypes (in float64 for a float64 image):
    bfloat16 has 8 bits, which at x = 512 is a step of 4 pixels.

    Args:
        image: 'b c h w', any range, floating point. Usually the previous frame.
        flow: 'b 2 h w', pixels, (dx, dy), from the output frame to `image`.
        interpolation: "bicubic" is sharper, and may leave the range of `image`.

    Returns:
        'b c h w' in the dtype of `image`. Samples outside `image` take its nearest border value.
        Differentiable in `image` and in `flow`.

    Raises:
        ValueError: if batch or spatial sizes differ or `flow` has not two channels.
    """
    if image.ndim != 4 or flow.shape != (image.shape[0], 2, *image.shape[2:]):
        raise ValueError(
            "flow must be 'b 2 h w' with the image's b, h and w; "
            f"got flow {tuple(flow.shape)} for image {tuple(image.shape)}"
        )
    dtype = torch.promote_types(image.dtype, torch.float32)
    sampled = F.grid_sample(
        image.to(dtype),
        _sampling_grid(flow.to(dtype)),
        mode=interpolation,
        padding_mode="border",
        align_corners=True,
    )
    return sampled.to(image.dtype)


def compose(hallucinated: Tensor, warped: Tensor, occlusion: Tensor) -> Tensor:
    """Take the hallucinated frame where occluded, else the warped one (Wang et al. 2018, eq. 4).

    Args:
        hallucinated: 'b c h w', what the generator painted.
        warped: 'b c h w', the previous frame fetched along the flow.
        occlusion: 'b 1 h w' in [0, 1]; 1 takes the hallucinated pixel.

    Returns:
        'b c h w'. Exactly one of the two where `occlusion` is 0 or 1.
    """
    return occlusion * hallucinated + (1 - occlusion) * warped


def _sampling_grid(flow: Tensor) -> Tensor:
    """Turn a flow into the 'b h w 2' positions of `grid_sample`, -1 to 1 between pixel centres."""
    height, width = flow.shape[2:]
    # The position in pixels is (normalised + 1) · (size - 1) / 2. An axis of one pixel has only
    # one place to sample, so any finite scale will do there.
    half_width, half_height = max(width - 1, 1) / 2, max(height - 1, 1) / 2
    x = torch.linspace(-1, 1, width, device=flow.device, dtype=flow.dtype)
    y = torch.linspace(-1, 1, height, device=flow.device, dtype=flow.dtype)[:, None]
    # Divided, not multiplied by the inverse: the last bit is that of the official networks, whose
    # rollouts amplify it tenfold a frame.
    x_sampled = x + flow[:, 0] / half_width
    y_sampled = y + flow[:, 1] / half_height
    # Stacked as planes and seen as pairs: faster to write than pairs, as fast to sample.
    positions = torch.stack((x_sampled, y_sampled), dim=1)
    # The backward pass of grid_sample on the CPU ends the process at a position that is NaN, so a
    # training that diverged would die before it could say so (torch 2.15).
    return positions.nan_to_num(posinf=1e6, neginf=-1e6).permute(0, 2, 3, 1)
