"""Edits of small maps, worked out by hand, and undo and redo of them."""

from itertools import pairwise

import numpy as np
import pytest

from pipelines.editing import edits
from pipelines.editing.history import apply_change, difference
from pipelines.editing.state import fresh_id, make_state, shared_id
from vid2vid.errors import DataError

# Sky (0) over road (1), with two cars (2) of which one touches the sky.
LABELS = np.array(
    [
        [0, 0, 0, 0, 0, 0],
        [0, 0, 0, 2, 2, 0],
        [1, 1, 1, 2, 2, 1],
        [1, 2, 1, 1, 1, 1],
        [1, 1, 1, 1, 1, 1],
    ]
)
INSTANCES = np.array(
    [
        [0, 0, 0, 0, 0, 0],
        [0, 0, 0, 2000, 2000, 0],
        [1, 1, 1, 2000, 2000, 1],
        [1, 2001, 1, 1, 1, 1],
        [1, 1, 1, 1, 1, 1],
    ]
)


@pytest.fixture
def state():
    return make_state(LABELS, INSTANCES, styles={2000: (0.5,)})


def test_a_state_cannot_be_changed(state):
    with pytest.raises(ValueError, match="read-only"):
        state.labels[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        edits.relabel(state, 2001, 0).state.instances[0, 0] = 1
    with pytest.raises(TypeError):
        state.styles[1] = (0.0,)


def test_a_whole_object_gets_another_class_and_a_new_id(state):
    after, instance = edits.relabel(state, 2000, 1)
    assert instance == 1000
    assert (after.labels == np.where(INSTANCES == 2000, 1, LABELS)).all()
    assert (after.instances == np.where(INSTANCES == 2000, 1000, INSTANCES)).all()
    assert (state.labels == LABELS).all()


def test_new_objects_are_numbered_as_cityscapes_has_them(state):
    assert fresh_id(state, 2) == 2002
    assert fresh_id(state, 7) == 7000
    assert fresh_id(state, 0) == 1000
    chosen = make_state(LABELS, INSTANCES, styles={2002: (1.0,)})  # of an object that went
    assert fresh_id(chosen, 2) == 2003
    full = make_state(np.full((40, 25), 3), 3000 + np.arange(1000).reshape(40, 25))
    assert fresh_id(full, 3) == 4000


def test_stuff_shares_the_id_of_its_class_unless_something_else_has_it(state):
    assert shared_id(state, 1) == 1
    assert shared_id(state, 5) == 5
    assert shared_id(make_state(LABELS, np.full_like(LABELS, 5)), 5) == 5000


def test_an_object_is_cut_off_at_the_border(state):
    mask = np.array([[1, 1], [0, 1]], bool)
    after, instance = edits.add_object(state, mask, 3, at=(5, 3))
    assert instance == 3000
    assert np.argwhere(after.instances == 3000).tolist() == [[3, 5]]
    after, _ = edits.add_object(state, mask, 3, at=(-1, -1))
    assert np.argwhere(after.labels == 3).tolist() == [[0, 0]]
    for at in ((6, 0), (0, -2), (-2, 2), (5, -1)):  # the last one shows a hole of the mask alone
        with pytest.raises(DataError, match="must have a pixel within the picture, 6x5"):
            edits.add_object(state, mask, 3, at=at)


def test_a_removed_object_becomes_what_it_touches_most(state):
    after, instance = edits.remove_object(state, 2001)
    assert instance == 1
    assert (after.labels[3, 1], after.instances[3, 1]) == (1, 1)
    # Six pixels of sky touch the other car, and six of road: the lower id wins.
    assert edits.remove_object(state, 2000).instance == 0
    after, instance = edits.remove_object(state, 2000, 1)
    assert (instance, after.labels[1, 3]) == (1, 1)
    assert edits.remove_object(state, 2000, 7).instance == 7


def test_ignored_pixels_fill_nothing():
    labels = np.array([[255, 2, 255]])
    alone = make_state(labels, np.array([[0, 5, 0]]))
    with pytest.raises(DataError, match=r"must have a class around it .* name the class"):
        edits.remove_object(alone, 5)
    assert edits.remove_object(alone, 5, 1).state.labels.tolist() == [[255, 1, 255]]


def test_a_brush_is_round(state):
    after, _ = edits.paint_stroke(state, [(2, 2)], 4, width=2)
    assert np.argwhere(after.labels == 4).tolist() == [[1, 2], [2, 1], [2, 2], [2, 3], [3, 2]]
    after, _ = edits.paint_stroke(state, [(2, 2)], 4, width=3)
    assert (after.labels == 4).sum() == 9  # the corners are at a distance of 1.41
    after, _ = edits.paint_stroke(state, [(0, 4), (5, 4)], 4, width=1)
    assert (after.labels[4] == 4).all()
    assert (after.labels == 4).sum() == 6


def test_a_stroke_goes_along_all_of_its_line_and_may_leave_the_picture(state):
    corner = [(0, 0), (4, 0), (4, 9)]
    after, _ = edits.paint_stroke(state, corner, 4, width=1)
    assert (after.labels == 4).sum() == 5 + 4
    with pytest.raises(DataError, match="a stroke must paint a pixel"):
        edits.paint_stroke(state, [(-9, -9), (-5, -9)], 4, width=3)
    with pytest.raises(DataError, match="a stroke must paint a pixel"):
        edits.paint_stroke(state, [(0.5, 0.5)], 4, width=0.5)


def test_a_stroke_extends_what_it_begins_in_and_otherwise_shares_an_id(state):
    assert edits.paint_stroke(state, [(1, 3), (1, 4)], 2, width=1).instance == 2001
    assert edits.paint_stroke(state, [(1, 4), (1, 3)], 2, width=1).instance == 2
    assert edits.paint_stroke(state, [(0, 0)], 2, width=1, instance=2000).instance == 2000
    assert edits.paint_stroke(state, [(-1, 0), (2, 0)], 1, width=1).instance == 1


def test_objects_are_found_by_a_point_and_their_class_by_their_pixels(state):
    assert edits.instance_at(state, (3.4, 1.6)) == 2000
    assert edits.class_of(state, 2001) == 2
    for point in ((6, 0), (0, 5), (-1, 0)):
        with pytest.raises(DataError, match=r"within the picture, 6x5 \(width x height\); got"):
            edits.instance_at(state, point)
    with pytest.raises(DataError, match=r"an object must be in the picture .* there is no 77"):
        edits.relabel(state, 77, 0)


def test_maps_of_two_sizes_are_refused():
    with pytest.raises(DataError, match=r"of one size; got \(5, 6\) and \(2, 2\)"):
        make_state(LABELS, np.zeros((2, 2), int))


def same(one, other):
    return (
        (one.labels == other.labels).all()
        and (one.instances == other.instances).all()
        and one.styles == other.styles
    )


def test_a_change_leads_both_ways(state):
    steps = [state]
    for edit in (
        lambda s: edits.relabel(s, 2001, 0).state,
        lambda s: edits.add_object(s, np.ones((2, 2), bool), 4, at=(0, 3)).state,
        lambda s: edits.restyle(s, 2000, (1.5,)),
        lambda s: edits.restyle(s, 2000, None),
        lambda s: edits.restyle(s, 7, (1.0,)),
        lambda s: edits.paint_stroke(s, [(0, 0), (5, 4)], 3, width=2).state,
        lambda s: edits.remove_object(s, 2000).state,
    ):
        steps.append(edit(steps[-1]))
    for before, after in pairwise(steps):
        found = difference(before, after)
        assert same(apply_change(before, found, forward=True), after)
        assert same(apply_change(after, found, forward=False), before)


def test_what_changes_nothing_is_no_change(state):
    assert difference(state, make_state(LABELS, INSTANCES, styles={2000: (0.5,)})) is None
    assert difference(state, edits.restyle(state, 2000, (0.5,))) is None


def test_a_change_of_a_large_picture_takes_little(state):
    labels = np.zeros((1024, 2048), np.uint8)
    large = make_state(labels)
    after = edits.paint_stroke(large, [(100, 100), (900, 500)], 3, width=20).state
    assert difference(large, after).num_bytes < 10_000  # of 10 MiB
    everything = edits.relabel(large, 0, 5).state
    assert difference(large, everything).num_bytes < 20_000
