from itertools import repeat

import numpy as np
import pytest
import torch
from tool_modules import load_tool

from vid2vid.networks.segmenter import Segmenter, SegmenterConfig
from vid2vid.weights.segmenter import load_segmenter

TOOL = load_tool("train_segmenter")

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def samples():
    made = TOOL.render_samples(np.random.default_rng(0), size=(32, 64), batch=1, device=CPU)
    return [next(made) for _ in range(2)]


def tiny():
    torch.manual_seed(0)
    return Segmenter(SegmenterConfig(num_classes=35, widths=(16, 32, 32)))


def test_samples_are_streets_with_their_labels(samples):
    for frames, labels in samples:
        assert frames.shape == (1, 3, 32, 64)
        assert labels.shape == (1, 32, 64)
        assert len(labels.unique()) >= 4
    assert not torch.equal(samples[0].frames, samples[1].frames)


def test_the_loss_falls_on_one_frame(samples):
    losses = TOOL.train(tiny(), repeat(samples[0]), TOOL.Schedule(60, None), seed=0, rate=1e-2)
    assert len(losses) == 60
    assert np.mean(losses[-5:]) < 0.5 * losses[0]


def test_a_schedule_ends_after_steps_or_after_time():
    assert TOOL.Schedule(10, None).share_done(5, 0.0) == 0.5
    assert TOOL.Schedule(10, 1e-9).share_done(0, 0.0) == 1


def test_augmented_samples_stay_in_range_and_keep_labels_beside_their_pixels(samples):
    marked = samples[0]._replace(frames=samples[0].labels[:, None].expand(-1, 3, -1, -1) / 17 - 1)
    for seed in range(6):
        frames, labels = TOOL.augment(marked, np.random.default_rng(seed))
        assert frames.abs().max() <= 1
        is_flipped = not torch.equal(labels, marked.labels)
        assert torch.equal(labels, marked.labels.flip(2) if is_flipped else marked.labels)


def test_a_score_counts_every_pixel_of_unseen_frames(samples):
    found = TOOL.score(tiny(), iter(samples), count=2)
    assert found["frames"] == 2
    assert 0 <= found["mean_iou"] <= found["pixel_accuracy"] <= 1


def test_the_tool_writes_a_segmenter_with_its_score(tmp_path, capsys):
    TOOL.main(
        tmp_path / "s.safetensors",
        steps=1,
        minutes=None,
        height=32,
        width=64,
        batch=1,
        seed=0,
        score_batches=1,
        device="cpu",
    )
    found = load_segmenter(tmp_path / "s.safetensors", device=CPU)
    assert found.palette is not None
    assert found.palette.name == "cityscapes"
    assert {"mean_iou", "pixel_accuracy", "frames", "steps"} <= set(found.score)
    assert found.sha256 in capsys.readouterr().out
