"""What TensorBoard is given is what it shows."""

import builtins

import numpy as np
import pytest

from vid2vid.errors import ConfigError
from vid2vid.training.board import Board

accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")


def events(folder):
    found = accumulator.EventAccumulator(str(folder))
    found.Reload()
    return found


def test_values_become_curves_and_previews_pictures(tmp_path):
    board = Board(tmp_path, step=0)
    board.write({"step": 3, "pixel": 0.5, "image_gan": 2.0})
    board.show("preview", np.zeros((4, 6, 3), np.uint8), step=3)
    board.close()
    found = events(tmp_path)
    assert sorted(found.Tags()["scalars"]) == ["image_gan", "pixel"]
    assert [(e.step, e.value) for e in found.Scalars("pixel")] == [(3, 0.5)]
    picture = found.Images("preview")[0]
    assert (picture.step, picture.height, picture.width) == (3, 4, 6)


def test_steps_that_were_lost_are_not_shown(tmp_path):
    for start, values in ((0, [1.0, 2.0, 3.0]), (1, [20.0])):
        board = Board(tmp_path, step=start)
        for step, value in enumerate(values, start=start + 1):
            board.write({"step": step, "pixel": value})
        board.close()
    found = [(e.step, e.value) for e in events(tmp_path).Scalars("pixel")]
    assert found == [(1, 1.0), (2, 20.0)]


def test_without_the_package_it_says_what_to_install(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("torch.utils.tensorboard"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match=r"not installed: run 'pip install tensorboard', or set"):
        Board(tmp_path, step=0)
