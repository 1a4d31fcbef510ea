import shutil

import numpy as np
import pytest
from evaluations import options, write, write_world

from pipelines.evaluation.evaluate import evaluate
from pipelines.evaluation.sources import find_footage
from vid2vid.errors import DataError


@pytest.fixture
def pair(tmp_path):
    return write(tmp_path / "real"), write(tmp_path / "ours", change=10)


@pytest.mark.parametrize("start", [0, 4])
def test_a_world_gives_known_flow_and_surface_points(pair, tmp_path, start):
    world = write_world(tmp_path / "world", start=start)
    found = evaluate(options(pair, tmp_path, world=world)).results.figures
    assert found["real"]["warping_known_1"].value < 0.1
    assert found["perturbed"]["warping_known_1"].value > found["real"]["warping_known_1"].value
    assert found["real"]["surface_variance"].count == 24 * 32


@pytest.mark.parametrize("name", ["flow/000003.npy", "surface/000000.npy", "occlusion/000005.png"])
def test_a_missing_file_is_named_with_its_remedy_before_anything_is_computed(pair, tmp_path, name):
    world = write_world(tmp_path / "world")
    (world / name).unlink()
    if name == "surface/000000.npy":  # then the numbers begin at 1 and one is missing at the end
        name = "surface/000006.npy"
    with pytest.raises(DataError, match=rf"{name} is missing: write it again with 'vid2vid world'"):
        find_footage(options(pair, tmp_path, world=world))


def test_a_world_of_another_size_is_refused_before_anything_is_computed(pair, tmp_path):
    world = write_world(tmp_path / "world")
    np.save(world / "flow" / "000001.npy", np.zeros((2, 4, 5), np.float32))
    with pytest.raises(DataError, match=r"the size of the generated .*000001\.npy is 5x4 \(width"):
        find_footage(options(pair, tmp_path, world=world))
    np.save(world / "surface" / "000000.npy", np.zeros((4, 4), np.int64))
    with pytest.raises(DataError, match=r"000000\.npy is 4x4"):
        find_footage(options(pair, tmp_path, world=world))
    with pytest.raises(DataError, match="'vid2vid world' has written"):
        find_footage(options(pair, tmp_path, world=tmp_path / "real"))


def test_a_world_that_was_written_again_is_read_anew(pair, tmp_path):
    world = write_world(tmp_path / "world")
    find_footage(options(pair, tmp_path, world=world))
    shutil.rmtree(world)
    write_world(world, start=4)
    (found,) = find_footage(options(pair, tmp_path, world=world))
    assert found.world.file("flow", 1).name == "000005.npy"


def test_a_file_that_cannot_be_read_is_refused(pair, tmp_path):
    world = write_world(tmp_path / "world")
    (world / "occlusion" / "000002.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"an occlusion mask is needed; .*000002\.png"):
        evaluate(options(pair, tmp_path, world=world))
    (world / "flow" / "000002.npy").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"an array of a world is needed; .*000002\.npy"):
        evaluate(options(pair, tmp_path, world=world))
