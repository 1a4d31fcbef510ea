"""Reading frames: order, times, colour, random access, and what is refused."""

import logging
from fractions import Fraction
from itertools import pairwise

import av
import cv2
import numpy as np
import pytest
from PIL import Image
from sample_videos import break_video, encode, picture

from vid2vid.errors import VideoError
from vid2vid.video.containers import is_grey_exact
from vid2vid.video.reading import (
    ClipVideo,
    find_frames,
    is_video,
    open_video,
    read_image,
    read_video,
)


def save(path, rgb):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(rgb).save(path)
    return path


@pytest.fixture
def frame_folder(tmp_path):
    for index in (10, 2, 1):
        save(tmp_path / "frames" / f"frame_{index}.png", picture(index))
    return tmp_path / "frames"


def test_frames_are_found_in_natural_order(frame_folder):
    (frame_folder / "notes.txt").write_text("not a picture")
    names = ["frame_1.png", "frame_2.png", "frame_10.png"]
    assert [p.name for p in find_frames(frame_folder)] == names
    assert [p.name for p in find_frames(f"{frame_folder}/frame_*.png")] == names
    assert [p.name for p in find_frames(frame_folder / "frame_2.png")] == ["frame_2.png"]


def test_what_macos_keeps_beside_a_picture_is_no_frame(frame_folder):
    before = find_frames(frame_folder)
    (frame_folder / f"._{before[0].name}").write_bytes(b"Mac OS X")
    assert find_frames(frame_folder) == before


def test_a_relative_glob_is_found(frame_folder, monkeypatch):
    monkeypatch.chdir(frame_folder.parent)
    assert len(find_frames("frames/*.png")) == 3


def test_a_folder_whose_name_looks_like_a_glob_is_a_folder(tmp_path):
    save(tmp_path / "a[1]" / "x.png", picture(0))
    assert [p.name for p in find_frames(tmp_path / "a[1]")] == ["x.png"]


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(VideoError, match=r"frames must be a folder .*\.png.* has none: check"):
        find_frames(tmp_path)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(VideoError, match="nowhere does not exist: check the path"):
        open_video(tmp_path / "nowhere")


def test_a_folder_is_shown_at_the_given_rate(frame_folder):
    frames = list(read_video(frame_folder))
    assert [frame.name for frame in frames] == ["frame_1", "frame_2", "frame_10"]
    assert [frame.time for frame in frames] == [0, Fraction(1, 25), Fraction(2, 25)]
    assert np.array_equal(frames[2].rgb, picture(10))
    info = open_video(frame_folder, rate=Fraction(30000, 1001))
    assert info == (48, 32, Fraction(30000, 1001), 3, Fraction(1, 30000), 1)


def test_the_times_of_a_folder_come_from_its_times_csv(frame_folder):
    (frame_folder / "times.csv").write_text(
        "name,seconds\nframe_1.png,0\nframe_2.png,0.04\nframe_10.png,1/5\n"
    )
    times = [frame.time for frame in read_video(frame_folder)]
    assert times == [0, Fraction(1, 25), Fraction(1, 5)]
    info = open_video(frame_folder)
    assert info.rate == 10
    assert all(time % info.time_base == 0 for time in times)


def test_very_odd_times_get_a_tick_that_containers_can_hold(frame_folder):
    (frame_folder / "times.csv").write_text(
        "name,seconds\nframe_1.png,0\nframe_2.png,0.0400000001\nframe_10.png,0.08\n"
    )
    assert open_video(frame_folder).time_base == Fraction(1, 90_000)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("file,t\na,1\n", "must have the columns name and seconds"),
        ("name,seconds\nframe_1.png,soon\n", "seconds as 0.04 or 1/25"),
        ("name,seconds\nframe_1.png,1/0\n", "must have the columns"),
        ("name,seconds\nframe_1.png,0\n", "each picture; frame_2.png and 1 others have none"),
        (
            "name,seconds\nframe_1.png,0\nframe_2.png,1\nframe_10.png,1\n",
            "must increase; frame_10.png comes at 1 s after 1 s",
        ),
    ],
)
def test_a_times_csv_that_does_not_fit_is_refused(frame_folder, rows, message):
    (frame_folder / "times.csv").write_text(rows)
    with pytest.raises(VideoError, match=message):
        open_video(frame_folder)


def test_frames_of_two_sizes_are_refused(frame_folder):
    save(frame_folder / "frame_11.png", picture(1, height=16))
    with pytest.raises(VideoError, match=r"frame 3 \(frame_11\) is 48x16 after 48x32: resize it"):
        list(read_video(frame_folder))


def test_pictures_of_every_kind_become_rgb(tmp_path):
    rgb = picture(0)
    for suffix in ("png", "webp"):
        Image.fromarray(rgb).save(tmp_path / f"a.{suffix}", lossless=True)
        assert np.array_equal(read_image(tmp_path / f"a.{suffix}"), rgb)
    Image.fromarray(rgb).convert("RGBA").save(tmp_path / "alpha.png")
    assert np.array_equal(read_image(tmp_path / "alpha.png"), rgb)
    Image.fromarray(rgb[..., 0]).save(tmp_path / "grey.png")
    assert np.array_equal(read_image(tmp_path / "grey.png"), np.repeat(rgb[..., :1], 3, axis=2))


@pytest.mark.parametrize("suffix", ["bmp", "tif", "tiff", "ppm"])
def test_pictures_of_the_official_layout_are_read(tmp_path, suffix):
    Image.fromarray(picture(0)).save(tmp_path / f"a.{suffix}")
    assert np.array_equal(next(iter(read_video(tmp_path))).rgb, picture(0))


EXACT = [
    ("a.mkv", "ffv1", "bgr0", {}, False),
    ("a.mkv", "ffv1", "gray", {}, True),
    ("a.mp4", "libx264rgb", "rgb24", {"qp": "0"}, False),
    ("a.mkv", "libx264rgb", "rgb24", {"crf": "0"}, False),
    ("a.mov", "png", "rgb24", {}, False),
    ("a.avi", "utvideo", "gbrp", {}, False),
]


@pytest.mark.parametrize(("name", "codec", "pix_fmt", "options", "is_grey"), EXACT)
def test_lossless_videos_can_hold_ids(tmp_path, name, codec, pix_fmt, options, is_grey):
    path = encode(tmp_path / name, 2, codec=codec, pix_fmt=pix_fmt, options=options)
    assert ClipVideo(path).is_grey_exact is is_grey
    frames = [frame.rgb for frame in read_video(path)]
    assert all(np.ptp(rgb, axis=2).max() == 0 for rgb in frames) is is_grey
    assert is_grey or np.array_equal(frames[1], picture(1))


LOSSY = [
    ("a.mp4", "libx264", "yuv420p", {"qp": "0"}, "h264 in yuv420p"),
    ("a.mp4", "libx264rgb", "rgb24", {"crf": "16"}, "h264 in gbrp"),
    ("a.mkv", "ffv1", "yuv444p", {}, "ffv1 in yuv444p"),
    ("a.mkv", "ffv1", "gray16le", {}, "ffv1 in gray16le"),
    ("a.avi", "mpeg4", "yuv420p", {}, "mpeg4 in yuv420p"),
]


@pytest.mark.parametrize(("name", "codec", "pix_fmt", "options", "came"), LOSSY)
def test_lossy_videos_cannot_hold_ids(tmp_path, name, codec, pix_fmt, options, came):
    path = encode(tmp_path / name, 2, codec=codec, pix_fmt=pix_fmt, options=options)
    with pytest.raises(VideoError, match=f"{came}, which may not: write it as ffv1"):
        is_grey_exact(path)


def test_sixteen_bits_are_reduced_to_eight(tmp_path):
    rgb = picture(0)
    cv2.imwrite(str(tmp_path / "a.png"), rgb[..., ::-1].astype(np.uint16) * 257)
    assert np.array_equal(read_image(tmp_path / "a.png"), rgb)


def test_a_missing_picture_is_refused(tmp_path):
    with pytest.raises(VideoError, match=r"a picture must be readable; .*a\.png: No such file"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("content", [b"", b"hello"])
def test_a_file_that_is_no_picture_is_refused(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(VideoError, match=r"must be one of .*a\.png cannot be decoded"):
        read_image(tmp_path / "a.png")


def test_a_video_gives_its_facts_before_it_is_decoded(tmp_path):
    path = encode(tmp_path / "a.mp4", 8, rate=Fraction(30000, 1001))
    info = open_video(path)
    assert info == (48, 32, Fraction(30000, 1001), 8, Fraction(1, 30000), 1)
    assert open_video(encode(tmp_path / "a.mkv", 8)).num_frames is None
    assert is_video(path)
    assert not is_video(tmp_path)


def test_frames_of_a_video_come_in_order_with_exact_times(tmp_path):
    path = encode(tmp_path / "a.mp4", 30, rate=Fraction(30000, 1001))
    frames = list(read_video(path))
    assert [frame.index for frame in frames] == list(range(30))
    assert [frame.time for frame in frames] == [i * Fraction(1001, 30000) for i in range(30)]
    assert frames[7].name == "000007"
    errors = [np.abs(f.rgb.astype(float) - picture(f.index)).mean() for f in frames]
    assert max(errors) < 25  # half of the colour is lost to 4:2:0; another frame is 85 away


@pytest.mark.parametrize("suffix", ["avi", "mkv"])
def test_times_increase_even_where_the_container_only_counts(tmp_path, suffix):
    path = encode(tmp_path / f"a.{suffix}", 20, options={"bf": "3"})
    times = [frame.time for frame in read_video(path)]
    assert len(times) == 20
    assert all(later > earlier for earlier, later in pairwise(times))
    assert abs(times[-1] - Fraction(19, 25)) < Fraction(1, 500)


@pytest.mark.parametrize(("matrix", "limit"), [(1, 2), (5, 2)])
def test_colour_is_converted_by_the_matrix_in_the_tag(tmp_path, matrix, limit):
    colour = np.full((32, 48, 3), (255, 0, 0), dtype=np.uint8)
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv444p"
        stream.codec_context.colorspace = matrix
        frame = av.VideoFrame.from_ndarray(colour).reformat(
            format="yuv444p", dst_colorspace=matrix, dst_color_range=1
        )
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    read = next(read_video(tmp_path / "a.mkv")).rgb
    assert np.abs(read.astype(int) - colour).max() <= limit


def test_a_missing_video_is_refused(tmp_path):
    with pytest.raises(VideoError, match=r"there is no file .*a\.mp4: check the path"):
        open_video(tmp_path / "a.mp4")


def test_a_text_file_is_not_a_video(tmp_path):
    (tmp_path / "a.mp4").write_text("hello")
    with pytest.raises(
        VideoError, match=r"a\.mp4 is not one or is cut off .*: check that"
    ) as error:
        list(read_video(tmp_path / "a.mp4"))
    assert "\n" not in str(error.value)


def test_a_truncated_mp4_is_refused(tmp_path):
    data = encode(tmp_path / "a.mp4", 30).read_bytes()
    (tmp_path / "b.mp4").write_bytes(data[: len(data) // 2])
    with pytest.raises(VideoError, match=r"b\.mp4 is not one or is cut off"):
        ClipVideo(tmp_path / "b.mp4").read([0])


def test_a_file_without_pictures_is_refused(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        sound.sample_rate = 16000
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    with pytest.raises(VideoError, match=r"must have pictures; .*a\.mp4 has none"):
        open_video(tmp_path / "a.mp4")


def test_a_video_without_frames_is_refused(tmp_path):
    encode(tmp_path / "a.avi", 0, codec="mpeg4")
    with pytest.raises(VideoError, match=r"must have frames; .*a\.avi has none"):
        list(read_video(tmp_path / "a.avi"))


def test_a_stream_that_breaks_names_the_frame(tmp_path):
    frames = read_video(break_video(tmp_path))
    with pytest.raises(
        VideoError, match=r"broken\.mp4 breaks at frame (\d+): .*--frames 0:\1, or data"
    ):
        list(frames)


def test_a_matroska_file_that_was_cut_off_is_read_with_a_warning(tmp_path, caplog):
    path = encode(tmp_path / "a.mkv", 60, options={"g": "5"}, rate=10)
    data = path.read_bytes()
    (tmp_path / "b.mkv").write_bytes(data[: len(data) // 2])
    with caplog.at_level(logging.WARNING):
        assert len(list(read_video(path))) == 60
        assert not caplog.records
        assert 0 < len(list(read_video(tmp_path / "b.mkv"))) < 60
    assert "where its header says 6.00 s: it may be cut off" in caplog.text
