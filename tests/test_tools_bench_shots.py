"""The table of cuts, on video that is joined of known takes."""

import pytest
from broken_data import texture
from tool_modules import load_tool


@pytest.fixture(scope="module")
def tool():
    return load_tool("bench_shots")


def test_cuts_between_takes_are_counted_both_ways(tool):
    assert tool.score_joints([texture(0), texture(1)]) == "cuts between takes: 2 of 2 found"


def test_a_joint_within_a_take_is_none(tool):
    take = texture(0, count=12)
    assert not tool.finds_joint(take[:6], take[6:])


def test_gaps_are_counted_where_a_video_is_long_enough(tool):
    score = tool.score_gaps([texture(0, count=32), texture(1, count=8)], gap=15)
    assert score.startswith("gaps of 15 frames: ")
    assert " of 6 found" in score
