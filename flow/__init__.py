"""Motion between two frames; useful alone, and knows nothing of generators.

A flow is 'b 2 h w' in pixels, (dx, dy), from the current frame to the previous one: it says where
to fetch. Frames are RGB in [-1, 1].
"""

from flow.cache import CachedFlow, IdentifiedEstimator
from flow.confidence import (
    ReferenceFlow,
    forward_backward_confidence,
    photometric_confidence,
    reference_flow,
)
from flow.draw import draw_flow
from flow.estimators import DIS, DISPreset, FlowEstimator
from flow.files import (
    FlowFileError,
    KittiFlow,
    read_flo,
    read_kitti,
    write_flo,
    write_kitti,
)
from flow.metrics import end_point_error, outlier_rate, warping_error
from flow.padding import Padding, pad_to_multiple
from flow.resize import resize_flow
from flow.warp import compose, pixel_grid, warp

__all__ = [
    "DIS",
    "CachedFlow",
    "DISPreset",
    "FlowEstimator",
    "FlowFileError",
    "IdentifiedEstimator",
    "KittiFlow",
    "Padding",
    "ReferenceFlow",
    "compose",
    "draw_flow",
    "end_point_error",
    "forward_backward_confidence",
    "outlier_rate",
    "pad_to_multiple",
    "photometric_confidence",
    "pixel_grid",
    "read_flo",
    "read_kitti",
    "reference_flow",
    "resize_flow",
    "warp",
    "warping_error",
    "write_flo",
    "write_kitti",
]
