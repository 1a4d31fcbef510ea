"""Find a control in the photographs themselves: edges, light, low resolution, motion."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from flow.estimators import DIS
from vid2vid.colour import to_lab
from vid2vid.controls.config import (
    Derived,
    EdgesConfig,
    FlowControlConfig,
    GreyConfig,
    LowResolutionConfig,
)
from vid2vid.metrics.edges import canny_edges

_LIGHT = (0.299, 0.587, 0.114)  # ITU-R BT.601, as OpenCV's grey
_ENLARGE = {
    "nearest": cv2.INTER_NEAREST_EXACT,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
}


def derive(control: Derived, frames: Tensor, *, previous: Tensor | None = None) -> Tensor:
    """Make the pictures of a control from consecutive photographs.

    They are what rendering would see of the same photographs: nothing is drawn at random, and
    but for the flow each picture depends on its own frame alone.

    Args:
        control: what to find.
        frames: 't 3 h w' in [-1, 1], as they are to be painted.
        previous: '3 h w', the frame before the first; without it the flow of the first is 0.

    Returns:
        't c h w' in [-1, 1], on the device of `frames`.
    """
    match control:
        case EdgesConfig():
            found = [_edges(frame, control) for frame in frames]
            return torch.stack(found).to(frames.device)
        case GreyConfig(space="lightness"):
            return to_lab(frames)[:, :1]
        case GreyConfig():
            return torch.einsum("tchw,c->thw", frames, frames.new_tensor(_LIGHT)).unsqueeze(1)
        case LowResolutionConfig():
            arrays = frames.permute(0, 2, 3, 1).cpu().numpy()
            small = torch.from_numpy(np.stack([_lower(array, control) for array in arrays]))
            return small.permute(0, 3, 1, 2).contiguous().to(frames.device)
        case FlowControlConfig():
            return scale_flow(_motion(frames, control, previous), control)


def scale_flow(flow: Tensor, control: FlowControlConfig) -> Tensor:
    """Bring a flow 't 2 h w', px, to [-1, 1]; longer components are cut."""
    return (flow / control.largest_px).clamp(-1, 1)


def enlarge(
    picture: NDArray[np.generic], size: tuple[int, int], control: LowResolutionConfig
) -> NDArray[np.generic]:
    """Bring a small picture 'h w c' to (height, width), in the way that the control says."""
    if picture.shape[:2] == size:
        return picture
    return cv2.resize(picture, size[::-1], interpolation=_ENLARGE[control.enlarge])  # pyright: ignore[reportCallIssue, reportArgumentType]


def _edges(frame: Tensor, control: EdgesConfig) -> Tensor:
    edges = canny_edges(frame, low=control.low, high=control.high, blur_sigma=control.blur_sigma)
    return torch.from_numpy(edges).to(torch.float32)[None] * 2 - 1


def _lower(picture: NDArray[np.float32], control: LowResolutionConfig) -> NDArray[np.float32]:
    """Shrink 'h w 3' by means of areas, and enlarge it again."""
    height, width = picture.shape[:2]
    small = (max(1, round(width / control.factor)), max(1, round(height / control.factor)))
    shrunk = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
    return np.clip(enlarge(shrunk, (height, width), control), -1, 1).astype(np.float32)


def _motion(frames: Tensor, control: FlowControlConfig, previous: Tensor | None) -> Tensor:
    """Estimate the flow of each frame to the one before, px; that of a first frame is 0."""
    before = frames if previous is None else torch.cat([previous[None], frames])
    pairs = len(before) - 1
    flow = frames.new_zeros(len(frames), 2, *frames.shape[2:])
    if pairs:
        flow[len(frames) - pairs :] = DIS(control.dis)(before[1:], before[:-1])
    return flow
