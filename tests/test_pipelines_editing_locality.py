"""Restyling one instance changes it, and leaves alone what the network cannot see it from."""

import numpy as np
import pytest
import torch
from tiny_runs import tiny_checkpoint

from pipelines.build import load_generation
from pipelines.editing.choices import Pick
from pipelines.editing.session import EditingSession
from vid2vid.checkpoint import load_checkpoint, save_checkpoint

CAR = 8
# Of `generator`: the head and the stem see 3 px, the halving and the doubling one each at full
# size, each of the two convolutions of the block 2 px at full size.
REACH = 3 + 3 + 1 + 1 + 2 * 2


def generator(norm):
    return {
        "kind": "pix2pixhd",
        "width": 4,
        "downsamplings": 1,
        "blocks": 1,
        "norm": norm,
        "features": 2,
        "encoder": {"width": 2, "downsamplings": 1},
    }


def make_session(folder, norm):
    """A car of 8x8 in the middle of a road of 64x96, its style the first of two far apart."""
    made = tiny_checkpoint(folder, generator=generator(norm), labels={"palette": "camvid"})
    saved = load_checkpoint(made, kind="generator")
    louder = {  # a fresh network is almost flat
        key: each * 8 if key.startswith("network.") and each.ndim == 4 else each
        for key, each in saved.tensors.items()
    }
    rows = {f"styles.{CAR}": torch.tensor([[-1.0, 1.0], [1.0, -1.0]])}
    save_checkpoint(saved.path, louder | rows, saved.metadata)
    labels = np.full((64, 96), 3, np.uint8)
    labels[28:36, 44:52] = CAR
    session = EditingSession(load_generation(made, torch.device("cpu")), labels)
    session.restyle((48, 32), Pick(0))
    return session


def distances():
    """How many pixels each pixel is from the car, in the larger of both directions."""
    rows, columns = np.indices((64, 96))
    vertical = np.maximum(np.maximum(28 - rows, rows - 35), 0)
    return np.maximum(vertical, np.maximum(np.maximum(44 - columns, columns - 51), 0))


@pytest.mark.parametrize("norm", ["none", "instance"])
def test_the_instance_changes_and_the_same_seed_gives_the_same_bits(tmp_path, norm):
    session = make_session(tmp_path / "run", norm)
    before = session.render()
    session.restyle((48, 32), Pick(1))
    after = session.render()
    assert (before != after).any(2)[distances() == 0].mean() > 0.5
    assert (session.render() == after).all()
    session.undo()
    assert (session.render() == before).all()


def test_without_norms_nothing_changes_beyond_the_reach_of_the_convolutions(tmp_path):
    session = make_session(tmp_path / "run", "none")
    before = session.render()
    session.restyle((48, 32), Pick(1))
    changed = distances()[(before != session.render()).any(2)]
    assert 3 <= changed.max() <= REACH


def test_with_instance_norms_what_lies_beyond_moves_by_little(tmp_path):
    # Means and variances are those of the whole picture, of which the car is 1 %.
    session = make_session(tmp_path / "run", "instance")
    before = session.render().astype(int)
    session.restyle((48, 32), Pick(1))
    change = np.abs(session.render() - before).max(2)
    inside, beyond = change[distances() == 0].mean(), change[distances() > REACH].mean()
    assert inside > 20
    assert beyond < inside / 10
