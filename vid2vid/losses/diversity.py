"""The loss of cascaded refinement: one picture for each class (Chen & Koltun 2017, section 3).

Of k pictures of the same map, each class of the map is compared where it lies, and only the picture
that paints it best learns from it; so that the pictures come to differ. With one picture this is
the plain comparison of features.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from vid2vid.networks.blocks import full_precision

# Of relu1_1 ... relu5_1 (Wang et al. 2018, pix2pixHD, section 3).
DECAYING_WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
# Of the pixels and relu1_2 ... relu5_2: the last counts ten times (released code of CRN).
CALIBRATED_WEIGHTS = (1.0, 1.0, 1.0, 1.0, 1.0, 10.0)


def compare_layers(
    fake: Sequence[Tensor],
    real: Sequence[Tensor],
    weights: Sequence[float],
    *,
    masks: Tensor | None,
    all_pictures: float,
) -> list[Tensor]:
    """Compare pictures with the real one, layer by layer.

    Args:
        fake: features 'n k d h w' of k pictures, each layer of its own size.
        real: features 'n d h w' of the real one; no gradient flows into them.
        weights: of the layers where pictures are chosen by class.
        masks: 'n c h w', which pixels are of a class; None compares the only picture as a whole.
        all_pictures: see `best_of_classes`.

    Returns:
        One '' for each layer, unweighted.
    """
    pairs = zip(fake, real, strict=True)
    if masks is None:
        return [
            F.l1_loss(ours.squeeze(1).float(), theirs.detach().float()) for ours, theirs in pairs
        ]
    errors = [class_errors(ours, theirs, masks) for ours, theirs in pairs]
    return best_of_classes(errors, weights, all_pictures=all_pictures)


def class_masks(one_hot: Tensor) -> Tensor:
    """Add a class of the pixels that have none, so that every pixel counts once.

    Args:
        one_hot: 'n c h w', 0 or 1; c may be 0.

    Returns:
        'n c+1 h w'.
    """
    return torch.cat([one_hot, 1 - one_hot.sum(dim=1, keepdim=True)], dim=1)


def class_errors(fake: Tensor, real: Tensor, masks: Tensor) -> Tensor:
    """Measure how far every picture is from the real one in every class, in one layer.

    Args:
        fake: 'n k d h w', features of k pictures.
        real: 'n d h w', features of the real one; no gradient flows into them.
        masks: 'n c H W', which pixels are of a class; averaged down to the size of the features.

    Returns:
        'n k c', mean over pixels of mask times mean absolute difference; summed over classes that
        share all pixels, the mean absolute difference.
    """
    difference = (fake.float() - real.detach().float().unsqueeze(1)).abs().mean(dim=2)
    height, width = difference.shape[2:]
    shares = F.adaptive_avg_pool2d(masks, (height, width))
    with full_precision(difference.device):
        return torch.einsum("nkhw,nchw->nkc", difference, shares) / (height * width)


def best_of_classes(
    errors: Sequence[Tensor], weights: Sequence[float], *, all_pictures: float
) -> list[Tensor]:
    """Sum over classes the error of the picture that is best in each, over all layers together.

    Args:
        errors: 'n k c' of each layer.
        weights: of each layer in the comparison of pictures.
        all_pictures: share of the mean over all pictures beside that of the best (0.001 in the
            released code), which leaves none without a gradient.

    Returns:
        One '' for each layer, unweighted, the mean over n. Weighted and summed they are
        (1 - s) sum_c min_k e(k, c) + s sum_c mean_k e(k, c), e being the weighted sum over layers.
    """
    totals = torch.stack(
        [weight * error.detach() for weight, error in zip(weights, errors, strict=True)]
    ).sum(dim=0)
    best = totals.argmin(dim=1, keepdim=True)
    return [
        ((1 - all_pictures) * error.gather(1, best).squeeze(1) + all_pictures * error.mean(dim=1))
        .sum(dim=1)
        .mean()
        for error in errors
    ]
