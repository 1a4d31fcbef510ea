"""Random access to the frames of a video, exactly those of reading in order."""

import multiprocessing
import pickle
from fractions import Fraction

import av
import numpy as np
import pytest
from sample_videos import break_video, encode

from vid2vid.errors import VideoError
from vid2vid.video.reading import ClipVideo, read_video
from vid2vid.video.seeking import FrameIndex, SeekingDecoder, index_frames

KINDS = [
    ("a.mp4", "libx264", {"g": "12", "bf": "3"}),
    ("a.mkv", "libx264", {"x264-params": "open-gop=1:keyint=10:bframes=3"}),
    ("a.mp4", "mpeg4", {"bf": "2", "g": "10"}),  # x265 itself crashes on pictures so small
    ("a.avi", "libx264", {"bf": "2"}),
    ("a.avi", "mpeg4", {"bf": "2", "g": "8"}),
    ("a.ts", "libx264", {"g": "12", "bf": "2"}),
    ("a.ts", "libx264", {"x264-params": "open-gop=1:keyint=10:bframes=3"}),
    ("a.mpg", "mpeg2video", {"bf": "2", "g": "12"}),
]


@pytest.mark.parametrize(("name", "codec", "options"), KINDS)
def test_random_access_gives_exactly_the_frames_of_reading_in_order(tmp_path, name, codec, options):
    path = encode(tmp_path / name, 36, codec=codec, options=options)
    frames = [frame.rgb for frame in read_video(path)]
    clip = ClipVideo(path)
    assert clip.num_frames == len(frames) == 36
    for indices in ([20, 21, 22], [3, 35, 0], [9, 9, 11], [12], [11], [30, 10]):
        for index, rgb in zip(indices, clip.read(indices), strict=True):
            assert np.array_equal(rgb, frames[index]), index


@pytest.mark.parametrize("name", ["a.mkv", "a.ts"])
def test_a_stream_copy_that_begins_between_key_frames_is_read_from_the_next_one(tmp_path, name):
    whole = encode(tmp_path / "whole.mkv", 36, options={"g": "12", "bf": "2"})
    with av.open(str(whole)) as source, av.open(str(tmp_path / name), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for index, packet in enumerate(source.demux(source.streams.video[0])):
            if packet.size and index >= 5:
                packet.stream = stream
                target.mux(packet)
    frames = [frame.rgb for frame in read_video(tmp_path / name)]
    clip = ClipVideo(tmp_path / name)
    assert clip.num_frames == len(frames) < 31
    for index in (20, 0, 13, 11, 1):
        assert np.array_equal(clip.read([index])[0], frames[index]), index


def test_random_access_to_a_real_video_is_exact(shared_data):
    path = shared_data / "robot_kitchen" / "videos" / "ep0_train.mp4"
    wanted = (40, 3, 68, 41)
    frames = {f.index: f.rgb for f in read_video(path) if f.index in wanted}
    for index, rgb in zip(wanted, ClipVideo(path).read(wanted), strict=True):
        assert np.array_equal(rgb, frames[index])


def test_a_frame_that_the_video_has_not_is_refused(tmp_path):
    clip = ClipVideo(encode(tmp_path / "a.mp4", 5))
    with pytest.raises(ValueError, match=r"must be 0 to 4 for .*a\.mp4; got \[5, -1\]"):
        clip.read([5, 0, -1])


def test_a_clip_can_be_closed_and_read_again(tmp_path):
    clip = ClipVideo(encode(tmp_path / "a.mp4", 5))
    first = clip.read([2])[0]
    clip.close()
    clip.close()
    assert np.array_equal(clip.read([2])[0], first)


def test_a_clip_travels_by_its_path(tmp_path):
    clip = ClipVideo(encode(tmp_path / "a.mp4", 5))
    first = clip.read([2])[0]
    copy = pickle.loads(pickle.dumps(clip))
    assert np.array_equal(copy.read([2])[0], first)


def read_in_child(clip, connection):
    connection.send([frame.tobytes() for frame in clip.read([4, 1, 3])])


def test_an_open_clip_can_be_read_in_a_forked_worker(tmp_path):
    clip = ClipVideo(encode(tmp_path / "a.mp4", 30, options={"g": "10"}))
    expected = [frame.tobytes() for frame in clip.read([4, 1, 3])]
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    worker = context.Process(target=read_in_child, args=(clip, theirs), daemon=True)
    worker.start()
    assert ours.poll(30)
    assert ours.recv() == expected
    worker.join(30)
    assert worker.exitcode == 0
    assert [frame.tobytes() for frame in clip.read([4, 1, 3])] == expected


def test_random_access_to_a_broken_stream_names_the_frame(tmp_path):
    with pytest.raises(VideoError, match=r"broken\.mp4 breaks at frame \d+"):
        ClipVideo(break_video(tmp_path)).read(range(40))


def test_the_frames_before_a_break_can_be_read(tmp_path):
    path = break_video(tmp_path)
    fourth = next(frame.rgb for frame in read_video(path) if frame.index == 3)
    clip = ClipVideo(path)
    assert clip.num_frames == 40
    assert np.array_equal(clip.read([3])[0], fourth)


@pytest.mark.parametrize("missing", [700, 10**9])
def test_a_frame_that_never_comes_out_of_the_decoder_is_named(tmp_path, missing):
    path = encode(tmp_path / "a.mp4", 6)
    index = index_frames(path)
    order = {stamp: i for i, stamp in enumerate(sorted([*index.order, missing]))}
    decoder = SeekingDecoder(path, FrameIndex(order, index.keys))
    with pytest.raises(VideoError, match=rf"breaks at frame {order[missing]}:"):
        decoder.read(order[missing])
    assert np.array_equal(decoder.read(0), next(read_video(path)).rgb)
    decoder.close()


def test_a_raw_stream_without_time_stamps_is_counted_through(tmp_path):
    path = encode(tmp_path / "a.h264", 20).rename(tmp_path / "a.mp4")
    frames = list(read_video(path))
    assert [frame.time for frame in frames] == [Fraction(i, 25) for i in range(20)]
    assert index_frames(path) is None
    for index, rgb in zip((7, 3, 19), ClipVideo(path).read((7, 3, 19)), strict=True):
        assert np.array_equal(rgb, frames[index].rgb)
