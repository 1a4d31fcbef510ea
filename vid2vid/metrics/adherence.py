"""Whether the classes that were asked for can be found in a frame again, by a segmenter."""

import numpy as np
import torch
from torch import Tensor

from vid2vid.labels.palettes import ID_IGNORE
from vid2vid.metrics.statistics import Floats


def confusion(found: Tensor, wanted: Tensor, num_classes: int) -> Floats:
    """Count how often each class was found where each class was wanted.

    One matrix over a whole video, and not an average of frames, gives the mean IoU of the
    literature.

    Args:
        found: 'h w' integer ids below `num_classes`.
        wanted: 'h w' integer ids below `num_classes`, or 255 = ignore, which is left out.
        num_classes: k.

    Returns:
        'k·k', rows are the classes wanted, for `statistics.mean_iou` and `pixel_accuracy`.

    Raises:
        ValueError: if the sizes differ or an id is neither a class nor 255.
    """
    if found.shape != wanted.shape:
        raise ValueError(
            "found and wanted must be 'h w' of one size; "
            f"got {tuple(found.shape)} and {tuple(wanted.shape)}"
        )
    is_known = wanted != ID_IGNORE
    rows, columns = wanted[is_known].long(), found[is_known].long()
    if len(rows) and max(int(rows.max()), int(columns.max())) >= num_classes:
        raise ValueError(
            f"ids must be below {num_classes}, or {ID_IGNORE} = ignore where wanted; "
            f"got {int(columns.max())} found and {int(rows.max())} wanted"
        )
    counts = torch.bincount(rows * num_classes + columns, minlength=num_classes**2)
    return counts.cpu().numpy().astype(np.float64)
