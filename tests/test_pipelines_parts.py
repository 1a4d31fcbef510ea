"""--frames A:B, in every command that reads frames."""

import pytest
from evaluations import options, run, write, write_world

from pipelines.evaluation.sources import find_footage
from pipelines.parts import read_part
from pipelines.study.make import make_study
from pipelines.study.options import StudyOptions
from vid2vid.errors import ConfigError, DataError


def names(stream):
    return [source.path.stem for source in stream.sources]


def test_a_part_is_a_slice():
    assert read_part(None) == slice(0, None)
    assert read_part("10:") == slice(10, None)
    assert read_part(" :20") == slice(0, 20)
    assert read_part("3:7") == slice(3, 7)


@pytest.mark.parametrize("text", ["3", "-3:", "4:4", "a:b"])
def test_what_is_no_part_is_refused(text):
    with pytest.raises(ConfigError, match="--frames"):
        read_part(text)


def test_a_rendering_of_a_part_is_judged_beside_that_part(tmp_path):
    pair = write(tmp_path / "real", 10), write(tmp_path / "ours", 4)
    world = write_world(tmp_path / "world", 10)
    (found,) = find_footage(options(pair, tmp_path, world=world, frames="3:7"))
    assert names(found.real) == names(found.labels) == ["000003", "000004", "000005", "000006"]
    assert names(found.systems[0]) == ["000000", "000001", "000002", "000003"]
    assert found.world.file("flow", 1).name == "000004.npy"
    assert found.part == "3:7"


def test_whole_streams_are_cut_alike(tmp_path):
    pair = write(tmp_path / "real", 10), write(tmp_path / "ours", 10)
    (found,) = find_footage(options(pair, tmp_path, frames="8:"))
    assert names(found.real) == names(found.systems[0]) == ["000008", "000009"]
    world = write_world(tmp_path / "world", 2)
    (found,) = find_footage(options(pair, tmp_path, frames="8:", world=world))
    assert found.world.file("surface", 0).name == "000000.npy"
    assert found.part is None  # the labels are of the part alone


def test_a_part_that_is_not_there_is_refused(tmp_path, capsys):
    pair = write(tmp_path / "real"), write(tmp_path / "ours")
    with pytest.raises(DataError, match=r"in the part --frames 7:9; .*real has 6: choose"):
        find_footage(options(pair, tmp_path, frames="7:9"))
    words = ("--frames", "9:2", "--report", tmp_path / "report")
    assert run("evaluate", "--real", pair[0], "--generated", pair[1], *words) == 2
    assert "--frames A:B must hold a frame" in capsys.readouterr().err
    assert run("study", *pair, "--frames", "9:2", "--out", tmp_path / "out") == 2


def test_a_study_shows_a_part(tmp_path):
    first, second = write(tmp_path / "a", 4), write(tmp_path / "b", 4, seed=1, change=20)
    reference = write(tmp_path / "real", 10)
    asked = {"reference": reference, "pairs": 2, "clip_frames": 2, "out": tmp_path / "out"}
    made = make_study(StudyOptions(first, second, frames="3:7", **asked))
    assert made.num_pairs == 2
    with pytest.raises(DataError, match="need equally many frames"):
        make_study(StudyOptions(first, second, frames="3:6", **asked))
