"""Writing frames: partial names, full disks, label video, and what is refused."""

import logging
import resource
import signal
from fractions import Fraction

import numpy as np
import pytest
from sample_videos import noise, read_times, write_noise

from vid2vid.errors import VideoError
from vid2vid.labels.maps import _warn_of_lost_ids, colours_to_ids
from vid2vid.labels.palettes import load_palette
from vid2vid.video.reading import open_video, read_video
from vid2vid.video.writing import open_writer, write_label_video

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out"])
def test_the_final_name_appears_only_when_complete(tmp_path, name):
    writer = open_writer(tmp_path / name, width=48, height=32, rate=Fraction(25))
    writer.write(noise(0), Fraction(0))
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
        writer.write(noise(index), Fraction(index, 25))
    assert writer.abort(keep_partial=True) == tmp_path / partial
    assert len(list(read_video(tmp_path / partial))) == 12
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out"])
@pytest.mark.parametrize(("num_frames", "keep_partial"), [(3, False), (0, True)])
def test_nothing_stays_where_nothing_is_to_be_kept(tmp_path, name, num_frames, keep_partial):
    writer = open_writer(tmp_path / name, width=48, height=32, rate=Fraction(25))
    for index in range(num_frames):
        writer.write(noise(index), Fraction(index, 25))
    assert writer.abort(keep_partial=keep_partial) is None
    assert not list(tmp_path.iterdir())


def test_an_existing_video_is_replaced_when_the_new_one_is_complete(tmp_path):
    (tmp_path / "out.mp4").write_text("old")
    writer = open_writer(tmp_path / "out.mp4", width=48, height=32, rate=Fraction(25))
    writer.write(noise(0), Fraction(0))
    assert (tmp_path / "out.mp4").read_text() == "old"
    assert open_video(writer.close()).num_frames == 1


@pytest.mark.parametrize(("name", "kind"), [("out.mp4", "video"), ("out", "frame folder")])
def test_an_output_without_frames_is_refused_and_removed(tmp_path, name, kind):
    with pytest.raises(VideoError, match=f"{kind} must have at least one frame; none was written"):
        write_noise(tmp_path / name, [])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["out.avi", "out.v2", "out.png"])
def test_an_unknown_suffix_is_refused(tmp_path, name):
    message = r"must end in \.mp4, \.mkv, .*, or be a folder .*\.jpeg, \.jpg, .* one frame; got"
    with pytest.raises(VideoError, match=message):
        open_writer(tmp_path / name, width=48, height=32, rate=Fraction(25))


@pytest.mark.parametrize(("name", "reason"), [("out.mp4", "it is a file"), ("out", "Not a dir.*")])
def test_a_folder_that_cannot_be_made_is_refused_before_the_first_frame(tmp_path, name, reason):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(VideoError, match=rf"must be writable; .*file.*: {reason}: choose"):
        open_writer(tmp_path / "file" / name, width=48, height=32, rate=Fraction(25))


def test_sizes_and_rates_must_be_positive(tmp_path):
    with pytest.raises(ValueError, match="must be positive; got 48, 0, 25, None, 1"):
        open_writer(tmp_path / "out.mp4", width=48, height=0, rate=Fraction(25))


@pytest.mark.parametrize("name", ["out.mp4", "out"])
@pytest.mark.parametrize("rgb", [noise(0, 31), noise(0).astype(np.float32)])
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
        writer.write(noise(index, height, width), Fraction(index, 25))
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
        writer.write(noise(0, 512, 512), Fraction(0))
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
    writer.write(noise(0), Fraction(0))
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
    _warn_of_lost_ids.cache_clear()
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
    write_noise(tmp_path / "out.mp4", [0, 1])
    list(read_video(tmp_path / "out.mp4"))
    assert capfd.readouterr() == ("", "")
    assert [p.name for p in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.parametrize("name", ["out.mp4", "out"])
def test_a_disk_that_is_full_at_once_leaves_nothing(tmp_path, small_disk, name):
    writer = open_writer(tmp_path / name, width=256, height=256, rate=Fraction(25), crf=5)
    small_disk(10_000)
    with pytest.raises(VideoError, match="must be written whole"):
        fill(writer, 256, 256)
    assert writer.abort(keep_partial=True) is None
    assert not list(tmp_path.iterdir())
