"""What the comparison of containers claims: a rendering keeps what belongs to a video."""

import importlib
from fractions import Fraction
from pathlib import Path

import pytest

TOOLS = Path(__file__).parent.parent / "tools"
AS_SHOWN = {"height": 48, "width": 32}


@pytest.fixture(scope="module")
def tool():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TOOLS)
        return importlib.import_module("bench_container")


@pytest.fixture(scope="module")
def folder(tool, tmp_path_factory):
    """A checkpoint and the inputs."""
    made = tmp_path_factory.mktemp("container")
    tool.write_checkpoint(made / "run")
    tool.write_sources(made, **AS_SHOWN)
    return made


def rendered(tool, folder, case):
    """Render a case, and read its output and its input."""
    tool.render(folder / case.source, folder / case.out, folder / "run", case)
    return tool.look(folder / case.out), tool.look(folder / case.source)


@pytest.mark.parametrize("index", range(4))
def test_frames_times_and_sound_are_those_of_the_input(tool, folder, index):
    case = tool.CASES[index]
    ours, theirs = rendered(tool, folder, case)
    tolerance_ms = 0 if case.out.endswith("mp4") else 1
    assert tool.largest_difference_ms(ours.times, theirs.times) <= tolerance_ms
    assert (theirs.rotation, ours.rotation) == (90, 0)
    assert (ours.info.height, ours.info.width) == (48, 32)
    assert ours.info.pixel_aspect == theirs.info.pixel_aspect
    assert ours.colour == "1/1/1/1"
    assert [each.language for each in ours.sounds] == [each.language for each in theirs.sounds]
    for one, other in zip(ours.sounds, theirs.sounds, strict=True):
        assert (one.codec, one.digests) == (other.codec, other.digests)
        assert tool.largest_difference_ms(one.times, other.times) <= tolerance_ms


def test_a_part_has_the_sound_of_its_frames(tool, folder):
    case = tool.Case("aac.mp4", "part.mp4", ("--frames", "20:50"))
    ours, whole = rendered(tool, folder, case)
    theirs = tool.part_of(whole, 20, 50)
    assert ours.times == theirs.times
    assert [each.digests for each in ours.sounds] == [each.digests for each in theirs.sounds]
    assert 0 < len(ours.sounds[0].digests) < len(whole.sounds[0].digests)


def test_a_gif_keeps_times_within_ten_milliseconds(tool, folder):
    ours, theirs = rendered(tool, folder, tool.Case("opus.mkv", "out.gif"))
    assert tool.largest_difference_ms(ours.times, theirs.times) <= 10
    assert not ours.sounds


def test_the_comparison_is_put_into_words(tool, folder):
    case = tool.CASES[0]
    source = tool.look(folder / case.source)
    lines = tool.describe(case, source, source._replace(times=(*source.times[:-1], Fraction(99))))
    assert lines[0] == "aac.mp4 -> out.mp4"
    assert "60 of 60 frames, shown 32x48, pixels 3/4, turned 90 (input 90)" in lines[1]
    assert "times differ by 0.000 ms" not in lines[1]
    assert "aac eng, 192 of 192 packets bit for bit; times differ by 0.000 ms" in lines[2]
