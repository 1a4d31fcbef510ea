"""Writing frames: what comes back, exact times, partial outputs, and what is refused."""

import logging
import resource
import signal
import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest

from vid2vid.errors import VideoError
from vid2vid.labels import colours_to_ids
from vid2vid.palettes import load_palette
from vid2vid.video import open_video, read_video
from vid2vid.writers import open_writer, write_label_video

NTSC = Fraction(30000, 1001)


def picture(seed, height=32, width=48):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def write(path, times, *, height=32, width=48, rate=Fraction(25), **options):
    writer = open_writer(path, width=width, height=height, rate=rate, **options)
    for seed, time in enumerate(times):
        writer.write(picture(seed, height, width), Fraction(time))
    return writer.close()


def read_times(path):
    return [frame.time for frame in read_video(path)]


@pytest.mark.parametrize("rate", [Fraction(25), NTSC, Fraction(60), Fraction(25, 2)])
def test_an_mp4_keeps_size_count_rate_and_times_exactly(tmp_path, rate):
    times = [index / rate for index in range(40)]
    path = write(tmp_path / "out.mp4", times, rate=rate)
    assert path == tmp_path / "out.mp4"
    info = open_video(path)
    assert info[:4] == (48, 32, rate, 40)
    assert read_times(path) == times


@pytest.mark.parametrize("suffix", ["mkv", "webm"])
def test_matroska_keeps_times_within_a_millisecond(tmp_path, suffix):
    times = [index / NTSC for index in range(40)]
    path = write(tmp_path / f"out.{suffix}", times, rate=NTSC)
    assert open_video(path).rate == NTSC
    errors = [abs(read - time) for read, time in zip(read_times(path), times, strict=True)]
    assert max(errors) <= Fraction(1, 1000)


@pytest.mark.parametrize("start", [Fraction(0), Fraction(7, 3)])
@pytest.mark.parametrize("time_base", [Fraction(1, 30), Fraction(1, 90000)])
def test_variable_times_are_exact_in_mp4(tmp_path, start, time_base):
    steps = np.random.default_rng(0).integers(1, 6, 40).cumsum().tolist()
    times = [start] + [start + Fraction(step, 30) for step in steps]
    path = write(tmp_path / "out.mp4", times, rate=Fraction(10), time_base=time_base)
    assert read_times(path) == times


def test_variable_times_keep_within_a_millisecond_in_mkv(tmp_path):
    times = [Fraction(step, 30) for step in (0, 1, 2, 7, 8, 20, 21)]
    path = write(tmp_path / "out.mkv", times, time_base=Fraction(1, 30))
    errors = [abs(read - time) for read, time in zip(read_times(path), times, strict=True)]
    assert max(errors) <= Fraction(1, 1000)


def test_times_closer_than_a_tick_are_refused(tmp_path):
    message = (
        r"out\.mp4 must be a tick of 1/25 s apart; frame 1 comes at 0\.010000 s after 0\.000000 s: "
        "give the writer the time base of the source"
    )
    with pytest.raises(VideoError, match=message):
        write(tmp_path / "out.mp4", [0, Fraction(1, 100)])


SATURATED = [(r, g, b) for r in (0, 255) for g in (0, 255) for b in (0, 255)]


@pytest.mark.parametrize(
    ("width", "suffix"), [(256, "mp4"), (255, "mp4"), (256, "mkv"), (256, "webm")]
)
def test_saturated_colours_come_back_within_three_levels(tmp_path, width, suffix):
    rgb = np.repeat(np.array([SATURATED], dtype=np.uint8), 32, axis=1).repeat(64, axis=0)
    rgb = np.ascontiguousarray(rgb[:, :width])
    path = tmp_path / f"out.{suffix}"
    writer = open_writer(path, width=width, height=64, rate=Fraction(25))
    for index in range(10):
        writer.write(rgb, Fraction(index, 25))
    writer.close()
    for frame in read_video(path):
        assert np.abs(frame.rgb.astype(int) - rgb).max() <= 3


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm"])
def test_a_video_is_tagged_bt709_limited_range(tmp_path, suffix):
    path = write(tmp_path / f"out.{suffix}", [0])
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    tags = (frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range)
    assert tags == (1, 1, 1, 1)


@pytest.mark.parametrize(("height", "width"), [(33, 48), (32, 47), (33, 47), (1, 1)])
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm"])
def test_odd_sizes_are_kept(tmp_path, height, width, suffix):
    path = write(tmp_path / f"out.{suffix}", [0, Fraction(1, 25)], height=height, width=width)
    assert [frame.rgb.shape for frame in read_video(path)] == [(height, width, 3)] * 2


@pytest.mark.parametrize("options", [{"lossless": True}, {"codec": "ffv1"}])
@pytest.mark.parametrize("size", [(32, 48), (31, 47)])
def test_lossless_video_is_exact_in_mkv(tmp_path, options, size):
    path = write(tmp_path / "out.mkv", [0, 1], height=size[0], width=size[1], **options)
    for frame in read_video(path):
        assert np.array_equal(frame.rgb, picture(frame.index, *size))


def test_lossless_video_is_exact_in_mp4(tmp_path):
    path = write(tmp_path / "out.mp4", [0, 1], height=31, lossless=True)
    for frame in read_video(path):
        assert np.array_equal(frame.rgb, picture(frame.index, 31))


def test_a_smaller_crf_gives_a_larger_file(tmp_path):
    sizes = [write(tmp_path / f"{crf}.mp4", [0, 1], crf=crf).stat().st_size for crf in (5, 40)]
    assert sizes[0] > 2 * sizes[1]


def test_a_folder_gets_exact_pictures_and_times(tmp_path):
    times = [0, Fraction(1001, 30000), Fraction(1, 3)]
    path = write(tmp_path / "parent" / "out", times)
    names = sorted(p.name for p in path.iterdir())
    assert names == ["000000.png", "000001.png", "000002.png", "times.csv"]
    for frame, time in zip(read_video(path), times, strict=True):
        assert np.array_equal(frame.rgb, picture(frame.index))
        assert frame.time == time


def test_a_folder_refuses_times_that_do_not_increase(tmp_path):
    with pytest.raises(VideoError, match=r"out must increase; frame 1 comes at 0 s after 0 s"):
        write(tmp_path / "out", [0, 0])


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out"])
def test_the_final_name_appears_only_when_complete(tmp_path, name):
    writer = open_writer(tmp_path / name, width=48, height=32, rate=Fraction(25))
    writer.write(picture(0), Fraction(0))
    assert not (tmp_path / name).exists()
    writer.close()
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("name", "partial"),
    [("out.mp4", "out.partial.mp4"), ("out.mkv", "out.partial.mkv"), ("out", "out.partial")],
)
def test_an_aborted_output_plays_under_its_partial_name(tmp_path, name, partial):
    writer = open_writer(tmp_path / name, width=48, height=32, rate=Fraction(25))
    for index in range(12):
        writer.write(picture(index), Fraction(index, 25))
    assert writer.abort(keep_partial=True) == tmp_path / partial
    assert len(list(read_video(tmp_path / partial))) == 12
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out"])
@pytest.mark.parametrize(("num_frames", "keep_partial"), [(3, False), (0, True)])
def test_nothing_stays_where_nothing_is_to_be_kept(tmp_path, name, num_frames, keep_partial):
    writer = open_writer(tmp_path / name, width=48, height=32, rate=Fraction(25))
    for index in range(num_frames):
        writer.write(picture(index), Fraction(index, 25))
    assert writer.abort(keep_partial=keep_partial) is None
    assert not list(tmp_path.iterdir())


def test_an_mp4_whose_process_was_killed_plays(tmp_path):
    code = """
import os, signal, sys
from fractions import Fraction
import numpy as np
from vid2vid.writers import open_writer
writer = open_writer(sys.argv[1], width=96, height=64, rate=Fraction(25))
for index in range(200):
    rgb = np.random.default_rng(index).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    writer.write(rgb, Fraction(index, 25))
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "out.mp4")], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(list(read_video(tmp_path / "out.partial.mp4"))) > 100


def test_an_existing_video_is_replaced_when_the_new_one_is_complete(tmp_path):
    (tmp_path / "out.mp4").write_text("old")
    writer = open_writer(tmp_path / "out.mp4", width=48, height=32, rate=Fraction(25))
    writer.write(picture(0), Fraction(0))
    assert (tmp_path / "out.mp4").read_text() == "old"
    assert open_video(writer.close()).num_frames == 1


@pytest.mark.parametrize(("name", "kind"), [("out.mp4", "video"), ("out", "frame folder")])
def test_an_output_without_frames_is_refused_and_removed(tmp_path, name, kind):
    with pytest.raises(VideoError, match=f"{kind} must have at least one frame; none was written"):
        write(tmp_path / name, [])
    assert not list(tmp_path.iterdir())


def test_a_folder_with_files_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(VideoError, match=r"must be new or empty; .* holds files: choose"):
        open_writer(tmp_path, width=48, height=32, rate=Fraction(25))


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "out.v1").mkdir()
    assert len(read_times(write(tmp_path / "out.v1", [0, 1]))) == 2


def test_what_an_aborted_run_left_is_replaced(tmp_path):
    writer = open_writer(tmp_path / "out", width=48, height=32, rate=Fraction(25))
    for index in range(3):
        writer.write(picture(index), Fraction(index))
    writer.abort(keep_partial=True)
    assert len(read_times(write(tmp_path / "out", [0]))) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_foreign_files_under_the_partial_name_are_not_touched(tmp_path):
    (tmp_path / "out.partial").mkdir()
    (tmp_path / "out.partial" / "notes.txt").write_text("mine")
    with pytest.raises(VideoError, match=r"out\.partial must be free .* holds notes\.txt: move it"):
        open_writer(tmp_path / "out", width=48, height=32, rate=Fraction(25))
    assert (tmp_path / "out.partial" / "notes.txt").exists()


@pytest.mark.parametrize("name", ["out.gif", "out.v2", "out.png"])
def test_an_unknown_suffix_is_refused(tmp_path, name):
    with pytest.raises(VideoError, match=r"must end in \.mp4, \.mkv, \.webm, or be a folder .*got"):
        open_writer(tmp_path / name, width=48, height=32, rate=Fraction(25))


@pytest.mark.parametrize(("name", "reason"), [("out.mp4", "it is a file"), ("out", "Not a dir.*")])
def test_a_folder_that_cannot_be_made_is_refused_before_the_first_frame(tmp_path, name, reason):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(VideoError, match=rf"must be writable; .*file.*: {reason}: choose"):
        open_writer(tmp_path / "file" / name, width=48, height=32, rate=Fraction(25))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("out.mp4", {"codec": "ffv1"}, r"codec of a \.mp4 file must be libx264; got 'ffv1'"),
        ("out.mkv", {"codec": "vp8"}, r"a \.mkv file must be libx264 or ffv1; got 'vp8'"),
        ("out", {"codec": "ffv1"}, r"a codec needs a video file; .* name the output out\.mkv"),
        ("out", {"codec": "libx264"}, r"name the output out\.mp4 or drop the codec"),
        ("out.webm", {"lossless": True}, r"must be \.mp4 or \.mkv; .*: name it out\.mkv"),
    ],
)
def test_a_codec_that_does_not_fit_is_refused(tmp_path, name, options, message):
    with pytest.raises(VideoError, match=message):
        open_writer(tmp_path / name, width=48, height=32, rate=Fraction(25), **options)
    assert not list(tmp_path.iterdir())


def test_a_size_that_the_encoder_refuses_is_refused_before_the_first_frame(tmp_path):
    with pytest.raises(VideoError, match="such as libx264 encodes; it refuses 20000x20000 at 25"):
        open_writer(tmp_path / "out.mp4", width=20000, height=20000, rate=Fraction(25))
    assert not list(tmp_path.iterdir())


def test_sizes_and_rates_must_be_positive(tmp_path):
    with pytest.raises(ValueError, match="must be positive; got 48, 0, 25, None"):
        open_writer(tmp_path / "out.mp4", width=48, height=0, rate=Fraction(25))


@pytest.mark.parametrize("name", ["out.mp4", "out"])
@pytest.mark.parametrize("rgb", [picture(0, 31), picture(0).astype(np.float32)])
def test_a_frame_of_another_kind_is_refused(tmp_path, name, rgb):
    writer = open_writer(tmp_path / name, width=48, height=32, rate=Fraction(25))
    with pytest.raises(ValueError, match=r"must be 'h w 3' uint8 with .*\(32, 48, 3\); got"):
        writer.write(rgb, Fraction(0))
    writer.abort(keep_partial=False)


@pytest.fixture
def small_disk():
    """Let no file of this process grow beyond some size, as if the disk were full."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def limit(num_bytes):
        resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, old[1]))

    yield limit
    resource.setrlimit(resource.RLIMIT_FSIZE, old)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("name", ["out.mp4", "out"])
def test_a_full_disk_is_found_before_the_first_frame(tmp_path, small_disk, name):
    small_disk(1000)
    with pytest.raises(
        VideoError, match=r"must be writable; .*: choose another folder or make room"
    ):
        open_writer(tmp_path / name, width=48, height=32, rate=Fraction(25))


def fill(writer, height, width):
    for index in range(200):
        writer.write(picture(index, height, width), Fraction(index, 25))
    writer.close()


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
def test_a_disk_that_fills_up_names_the_frame_and_leaves_what_plays(tmp_path, small_disk, name):
    writer = open_writer(tmp_path / name, width=256, height=256, rate=Fraction(25), crf=5)
    small_disk(1 << 21)
    with pytest.raises(VideoError, match=r"must be written whole; .* could not be .*: check the"):
        fill(writer, 256, 256)
    partial = writer.abort(keep_partial=True)
    assert partial is not None
    assert not (tmp_path / name).exists()
    assert open_video(partial)[:2] == (256, 256)


def test_a_disk_that_fills_up_while_pictures_are_written_names_the_picture(tmp_path, small_disk):
    writer = open_writer(tmp_path / "out", width=512, height=512, rate=Fraction(25))
    small_disk(100_000)
    with pytest.raises(VideoError, match=r"written whole; 000000\.png could not be \(File too"):
        writer.write(picture(0, 512, 512), Fraction(0))
    assert writer.abort(keep_partial=True) is None


def test_a_folder_whose_times_cannot_be_written_keeps_its_pictures(tmp_path, small_disk):
    writer = open_writer(tmp_path / "out", width=8, height=8, rate=Fraction(25))
    for index in range(60):
        writer.write(np.zeros((8, 8, 3), dtype=np.uint8), Fraction(index, 25))
    small_disk(200)
    with pytest.raises(VideoError, match=r"written whole; times\.csv could not be"):
        writer.close()
    partial = writer.abort(keep_partial=True)
    assert partial is not None
    assert len(read_times(partial)) == 60


def test_a_final_name_that_was_taken_meanwhile_is_refused(tmp_path):
    writer = open_writer(tmp_path / "out.mp4", width=48, height=32, rate=Fraction(25))
    writer.write(picture(0), Fraction(0))
    (tmp_path / "out.mp4").mkdir()
    with pytest.raises(VideoError, match="written whole; the end could not be"):
        writer.close()
    assert writer.abort(keep_partial=True) == tmp_path / "out.partial.mp4"


def maps(num_maps):
    rng = np.random.default_rng(0)
    return [rng.integers(0, 11, (31, 47), dtype=np.uint8) for _ in range(num_maps)]


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out"])
def test_a_label_video_is_exact(tmp_path, name):
    palette = load_palette("camvid")
    path = write_label_video(tmp_path / name, iter(maps(5)), palette, rate=NTSC)
    frames = list(read_video(path))
    assert [frame.time for frame in frames] == pytest.approx([i / NTSC for i in range(5)], abs=1e-3)
    for frame, ids in zip(frames, maps(5), strict=True):
        assert np.array_equal(colours_to_ids(frame.rgb, palette).ids, ids)


def test_a_label_video_warns_of_ids_that_its_colours_lose(tmp_path, caplog):
    ids = np.full((4, 4), 18, dtype=np.uint8)
    with caplog.at_level(logging.WARNING):
        write_label_video(tmp_path / "a.mp4", [ids], load_palette("cityscapes"), rate=NTSC)
    assert "ids [18] of the palette 'cityscapes' share a colour" in caplog.text


def test_a_label_video_without_maps_is_refused(tmp_path):
    with pytest.raises(VideoError, match="must have at least one label map; got none"):
        write_label_video(tmp_path / "a.mp4", [], load_palette("camvid"), rate=NTSC)


def interrupted():
    yield from maps(3)
    raise KeyboardInterrupt


def test_an_interrupted_label_video_plays(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        write_label_video(tmp_path / "a.mp4", interrupted(), load_palette("camvid"), rate=NTSC)
    assert len(list(read_video(tmp_path / "a.partial.mp4"))) == 3


def test_nothing_is_said_on_standard_error(tmp_path, capfd):
    write(tmp_path / "out.mp4", [0, 1])
    list(read_video(tmp_path / "out.mp4"))
    assert capfd.readouterr() == ("", "")
    assert [p.name for p in tmp_path.iterdir()] == ["out.mp4"]
