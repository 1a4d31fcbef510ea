import math

import pytest

from vid2vid.temporal import farthest_back, frame_stride, strides, window_indices


def windows_of_chunks(num_chunks, chunk, *, scale, window=3):
    """Run chunk after chunk, keeping no more of the past than needed; indices in the clip."""
    stride, kept = frame_stride(scale, window), farthest_back(scale + 1, window)
    found, total = [], 0
    for _ in range(num_chunks):
        past = min(total, kept)
        offset, total = total - past, total + chunk
        windows = window_indices(past + chunk, chunk, window=window, stride=stride)
        found.append([tuple(offset + i for i in indices) for indices in windows])
    return found


def test_neighbours_lie_window_to_the_power_of_the_scale_apart():
    assert strides(3, 3) == [1, 3, 9]
    assert strides(2, 2) == [1, 2]


def test_the_past_reaches_back_by_the_span_of_the_coarsest_scale():
    assert farthest_back(1, 3) == 2
    assert farthest_back(3, 3) == 18
    assert farthest_back(0, 3) == 0


def test_chunks_of_one_frame_end_a_window_at_every_frame():
    assert windows_of_chunks(5, 1, scale=0) == [[], [], [(0, 1, 2)], [(1, 2, 3)], [(2, 3, 4)]]


def test_chunks_of_one_frame_at_scale_1_begin_at_frame_6():
    assert windows_of_chunks(8, 1, scale=1) == [[]] * 6 + [[(0, 3, 6)], [(1, 4, 7)]]


def test_chunks_of_four_frames_are_the_official_ones():
    assert windows_of_chunks(3, 4, scale=0) == [
        [(1, 2, 3)],
        [(5, 6, 7), (2, 3, 4)],
        [(9, 10, 11), (6, 7, 8)],
    ]
    assert windows_of_chunks(3, 4, scale=1) == [[], [(1, 4, 7)], [(5, 8, 11), (2, 5, 8)]]


@pytest.mark.parametrize("window", [2, 3, 4])
@pytest.mark.parametrize("stride", [1, 2, 3, 9])
@pytest.mark.parametrize("num_new", [1, 2, 5])
@pytest.mark.parametrize("num_frames", [5, 9, 20])
def test_windows_equal_the_plain_enumeration(window, stride, num_new, num_frames):
    span = stride * (window - 1)
    expected = [
        tuple(end - span + stride * k for k in range(window))
        for end in range(num_frames - 1, -1, -1)
        if (num_frames - 1 - end) % window == 0 and end >= span and end >= num_frames - num_new
    ]
    found = window_indices(num_frames, num_new, window=window, stride=stride)
    assert found == expected
    assert len(found) == math.ceil(max(0, min(num_frames - span, num_new)) / window)
