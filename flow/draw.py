"""Show a flow in colours."""

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.utils import flow_to_image

# flow_to_image rounds some vectors of the greatest length to a level of -1, which wraps to 255: of
# 3000 random flows 24 had such a pixel. A scale longer by this share keeps every vector inside.
_HEADROOM = 1e-5


def draw_flow(flow: Tensor, *, max_px: float | None = None) -> Tensor:
    """Paint each vector in its colour of the Baker wheel: hue is direction, white is rest.

    Args:
        flow: 'b 2 h w', pixels, (dx, dy).
        max_px: length painted in full colour; longer vectors look the same. Without it, the
            longest vector of the batch sets the scale: give it for video, which flickers otherwise.

    Returns:
        'b 3 h w' uint8, RGB.

    Raises:
        ValueError: if `flow` is not 'b 2 h w' or `max_px` is not above 0.
    """
    if flow.ndim != 4 or flow.shape[1] != 2:
        raise ValueError(f"flow must be 'b 2 h w' to be drawn; got {tuple(flow.shape)}")
    if max_px is not None and not max_px > 0:
        raise ValueError(f"max_px must be a length above 0; got {max_px}")
    flow = flow.detach().float()
    length = torch.linalg.vector_norm(flow, dim=1, keepdim=True)
    if max_px is None:
        max_px = float(length.max())
    else:
        flow = flow * (max_px / length.clamp(min=max_px))
    # flow_to_image scales by the longest vector that it sees: an extra row shows it the right one.
    with_scale = F.pad(flow, (0, 0, 0, 1), value=max_px * (1 + _HEADROOM) / 2**0.5)
    return flow_to_image(with_scale)[..., :-1, :]
