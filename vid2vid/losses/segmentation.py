"""Losses of a segmentation discriminator (OASIS: Schönfeld et al. 2021).

It sorts every pixel into one of the N label classes, or into class N, "generated". Pixels without
a label (255) count nowhere.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vid2vid.labels.palettes import ID_IGNORE

NUM_IDS = 256  # values of a label map


def labelled_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Ask for the label of every pixel, all classes alike.

    The weight of a class is the inverse of its number of pixels in the batch, so that the loss is
    the mean, over the classes that are there, of the mean cross-entropy of their pixels.

    Args:
        logits: 'n k+1 h w', of real frames for the discriminator, of generated ones for the
            generator; k classes and, last, "generated".
        labels: 'n h w', integer ids below k, or 255 = ignore.

    Returns:
        '', 0 where no pixel has a label.
    """
    weights = class_weights(labels, logits.shape[1] - 1)
    weights = torch.cat([weights, weights.new_zeros(1)])
    target, classes = labels.long(), (weights > 0).sum()
    total = F.cross_entropy(
        logits.float(), target, weights, ignore_index=ID_IGNORE, reduction="sum"
    )
    return total / classes.clamp_min(1)


def generated_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Ask for the class "generated" wherever there is a label; for the discriminator.

    Args:
        logits: 'n k+1 h w', of generated frames.
        labels: 'n h w', integer ids below k, or 255 = ignore.

    Returns:
        '', the mean over pixels, 0 where none has a label.
    """
    is_labelled = labels != ID_IGNORE
    surprise = -F.log_softmax(logits.float(), dim=1)[:, -1]
    return (surprise * is_labelled).sum() / is_labelled.sum().clamp_min(1)


def class_weights(labels: Tensor, num_classes: int) -> Tensor:
    """Return the inverse of every class's number of pixels: 'k'; 0 for one that is not there."""
    ids = labels.flatten().long()
    counts = ids.new_zeros(NUM_IDS).scatter_add_(0, ids, torch.ones_like(ids))[:num_classes]
    return torch.where(counts > 0, 1 / counts.clamp_min(1).float(), 0.0)


def draw_mix(labels: Tensor, rng: np.random.Generator) -> Tensor:
    """Draw which labels of each picture are taken from the real frame (LabelMix).

    Args:
        labels: 'n h w', integer ids of pixels.
        rng: throws one coin for every picture and id.

    Returns:
        'n 1 h w', float: 1 = real, 0 = generated; the same for all pixels of one label.
    """
    coins = torch.from_numpy(rng.integers(0, 2, (len(labels), NUM_IDS)))
    table = coins.to(labels.device, torch.float32)
    return table.gather(1, labels.flatten(1).long()).view(labels.shape).unsqueeze(1)


def mix_loss(mixed: Tensor, real: Tensor, fake: Tensor, *, mask: Tensor) -> Tensor:
    """Ask that the logits of a mixed picture are the mix of the logits (LabelMix).

    Args:
        mixed: 'n k h w', logits of mask * real + (1 - mask) * generated pictures.
        real: 'n k h w', logits of the real ones.
        fake: 'n k h w', logits of the generated ones.
        mask: 'n 1 h w', 1 = real.

    Returns:
        '', the mean square of the difference.
    """
    return F.mse_loss(mixed.float(), torch.where(mask > 0, real.float(), fake.float()))


def share_generated(logits: Tensor, labels: Tensor) -> Tensor:
    """Measure the share of labelled pixels that are taken for generated: '', in [0, 1]."""
    return _share(logits.detach().argmax(1) == logits.shape[1] - 1, labels)


def share_right(logits: Tensor, labels: Tensor) -> Tensor:
    """Measure the share of labelled pixels whose label is found: '', in [0, 1]."""
    return _share(logits.detach().argmax(1) == labels, labels)


def _share(found: Tensor, labels: Tensor) -> Tensor:
    """Average over labelled pixels."""
    is_labelled = labels != ID_IGNORE
    return (found & is_labelled).sum() / is_labelled.sum().clamp_min(1)
