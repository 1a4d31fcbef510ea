import math

import numpy as np
import pytest
import torch

from vid2vid.losses.segmentation import (
    class_weights,
    draw_mix,
    generated_loss,
    labelled_loss,
    mix_loss,
    share_generated,
    share_right,
)

# One picture of 4 pixels: three of class 0, one of class 1; classes 0 and 1, then "generated".
LABELS = torch.tensor([[[0, 0], [0, 1]]], dtype=torch.uint8)


def logits(*pixels):
    """Logits 'n=1 k+1 2 2' from one row of logits for each pixel."""
    return torch.tensor(pixels, dtype=torch.float32).T.reshape(1, -1, 2, 2)


def surprise(row, label):
    return math.log(sum(math.exp(each) for each in row)) - row[label]


A, B, C = (1.0, 0.0, 0.0), (0.0, 2.0, 0.5), (0.0, 0.0, 3.0)


def test_weights_are_the_inverse_of_the_pixels_of_a_class():
    torch.testing.assert_close(class_weights(LABELS, 3), torch.tensor([1 / 3, 1.0, 0.0]))
    labels = torch.tensor([[[255, 255], [255, 2]]])
    assert class_weights(labels, 3).tolist() == [0, 0, 1]


def test_every_class_counts_alike_however_rare():
    found = labelled_loss(logits(A, A, B, C), LABELS)
    first = (2 * surprise(A, 0) + surprise(B, 0)) / 3
    assert found.item() == pytest.approx((first + surprise(C, 1)) / 2)


def test_frequencies_are_those_of_the_whole_batch():
    labels = torch.cat([LABELS, torch.ones_like(LABELS)])
    pictures = torch.cat([logits(A, A, A, B), logits(C, C, C, C)])
    first, second = surprise(A, 0), (surprise(B, 1) + 4 * surprise(C, 1)) / 5
    assert labelled_loss(pictures, labels).item() == pytest.approx((first + second) / 2)


def test_pixels_without_a_label_count_nowhere():
    labels = torch.tensor([[[0, 255], [255, 1]]], dtype=torch.uint8)
    pictures = logits(A, B, B, C).requires_grad_()
    found = labelled_loss(pictures, labels), generated_loss(pictures, labels)
    assert found[0].item() == pytest.approx((surprise(A, 0) + surprise(C, 1)) / 2)
    assert found[1].item() == pytest.approx((surprise(A, 2) + surprise(C, 2)) / 2)
    sum(found).backward()
    assert not pictures.grad[..., 0, 1].any()
    assert pictures.grad[..., 0, 0].any()


def test_a_picture_without_any_label_asks_for_nothing():
    labels, pictures = torch.full_like(LABELS, 255), logits(A, B, C, A)
    assert labelled_loss(pictures, labels).item() == 0
    assert generated_loss(pictures, labels).item() == 0
    assert share_right(pictures, labels).item() == 0


def test_generated_pixels_all_count_alike():
    found = generated_loss(logits(A, B, C, C), LABELS).item()
    assert found == pytest.approx((surprise(A, 2) + surprise(B, 2) + 2 * surprise(C, 2)) / 4)


def test_a_mixed_picture_is_to_be_judged_as_its_parts_are():
    real, fake, mixed = (logits(*[row] * 4) for row in ((1, 0, 0), (0, 2, 0), (0, 0, 0)))
    mask = torch.tensor([[[[1.0, 1.0], [1.0, 0.0]]]])
    # 12 logits: three pixels are off by 1 in one of them, one pixel by 2
    assert mix_loss(mixed, real, fake, mask=mask).item() == pytest.approx((3 * 1 + 4) / 12)
    parts = mask * real + (1 - mask) * fake
    assert mix_loss(parts, real, fake, mask=mask).item() == 0


def test_a_mix_takes_whole_labels_and_half_of_them():
    labels = torch.arange(200).view(1, 20, 10).repeat(2, 3, 3)
    mask = draw_mix(labels, np.random.default_rng(0))
    assert mask.shape == (2, 1, 60, 30)
    assert set(mask.unique().tolist()) == {0, 1}
    assert torch.equal(mask, mask[..., :20, :10].repeat(1, 1, 3, 3))
    assert 0.35 < mask.mean() < 0.65
    assert not torch.equal(mask[0], mask[1])
    assert torch.equal(mask, draw_mix(labels, np.random.default_rng(0)))


def test_shares_are_of_labelled_pixels():
    labels = torch.tensor([[[0, 1], [1, 255]]], dtype=torch.uint8)
    pictures = logits(A, C, B, C)
    assert share_generated(pictures, labels).item() == pytest.approx(1 / 3)
    assert share_right(pictures, labels).item() == pytest.approx(2 / 3)
