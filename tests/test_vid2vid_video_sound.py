"""Sound goes from one file into another bit for bit, beside the frames it belongs to."""

from fractions import Fraction

import av
import pytest
from sample_videos import film, read_times, sound_packets

from vid2vid.errors import VideoError
from vid2vid.video.decoding import WHOLE, decode_video
from vid2vid.video.sound import Soundtrack
from vid2vid.video.writing import holds_sound, open_writer

VARIABLE = [Fraction(step, 30) for step in (0, 1, 2, 5, 6, 12, 13, 14, 20, 21, 22, 30)]
MILLISECOND = Fraction(1, 1000)


def open_copy(source, out, *, part=WHOLE):
    """Open a video with its sound, and a writer like it."""
    video = decode_video(source, part=part, with_sound=True)
    info = video.info
    writer = open_writer(
        out,
        width=info.width,
        height=info.height,
        rate=info.rate,
        time_base=info.time_base,
        soundtrack=video.soundtrack,
    )
    return video, writer


def copy(source, out, *, part=WHOLE):
    video, writer = open_copy(source, out, part=part)
    for frame in video.frames:
        writer.write(frame.rgb, frame.time, duration=frame.duration)
    return writer.close()


@pytest.mark.parametrize(
    ("name", "sounds", "out", "tolerance"),
    [
        ("a.mp4", ("aac", "aac"), "out.mp4", 0),
        ("a.mp4", ("aac",), "out.mkv", MILLISECOND),
        ("a.mp4", ("libmp3lame",), "out.mkv", MILLISECOND),
        ("a.mkv", ("aac", "flac"), "out.mp4", Fraction(1, 48000)),
        ("a.mkv", ("libopus",), "out.webm", MILLISECOND),
        ("a.mov", ("pcm_s16le",), "out.mp4", 0),
    ],
)
def test_packets_keep_their_bytes_and_times(tmp_path, name, sounds, out, tolerance):
    source = film(tmp_path / name, VARIABLE, sounds=sounds)
    copied = copy(source, tmp_path / out)
    assert len(sound_packets(copied)) == len(sounds)
    for ours, theirs in zip(sound_packets(copied), sound_packets(source), strict=True):
        assert [data for _, data in ours] == [data for _, data in theirs]
        pairs = zip(ours, theirs, strict=True)
        assert max(abs(one[0] - other[0]) for one, other in pairs) <= tolerance
    frames = zip(read_times(copied), read_times(source), strict=True)
    assert max(abs(one - other) for one, other in frames) <= tolerance


def test_languages_and_titles_come_along(tmp_path):
    source = film(tmp_path / "a.mp4", [0, 1], sounds=("aac", "aac"))
    with av.open(str(copy(source, tmp_path / "out.mp4"))) as container:
        assert [stream.language for stream in container.streams.audio] == ["eng", "deu"]


def test_the_sound_of_a_part_is_cut_and_shifted_with_its_frames(tmp_path):
    source = film(tmp_path / "a.mp4", VARIABLE, seconds=Fraction(3))
    part = copy(source, tmp_path / "out.mp4", part=slice(3, 9))
    start, end = VARIABLE[3], VARIABLE[9]
    kept = [(t - start, data) for t, data in sound_packets(source)[0] if start <= t < end]
    assert 15 < len(kept) < 35
    found = sound_packets(part)[0]
    assert [data for _, data in found] == [data for _, data in kept]
    assert max(abs(a[0] - b[0]) for a, b in zip(found, kept, strict=True)) < Fraction(1, 48000)
    assert read_times(part) == [time - start for time in VARIABLE[3:9]]


def test_sound_that_waits_beyond_the_end_is_not_kept(tmp_path):
    with av.open(str(film(tmp_path / "a.mp4", [0], seconds=2))) as container:
        soundtrack = Soundtrack(tmp_path / "a.mp4", container.streams.audio)
        for packet in container.demux(container.streams.audio):
            soundtrack.put(packet)
        assert soundtrack.end_at(Fraction(1))
        assert not soundtrack.end_at(Fraction(3))
        assert soundtrack.end_at(Fraction(1))
        kept = [packet.pts * packet.time_base for _, packet in soundtrack.take(None)]
    assert Fraction(97, 100) < kept[-1] < 1


def test_sound_after_the_last_frame_is_kept(tmp_path):
    source = film(tmp_path / "a.mp4", [0, Fraction(1, 25)], seconds=Fraction(2))
    assert len(sound_packets(copy(source, tmp_path / "out.mp4"))[0]) > 90


def test_an_interrupted_video_has_sound_up_to_its_last_frame(tmp_path):
    source = film(tmp_path / "a.mp4", VARIABLE)
    video, writer = open_copy(source, tmp_path / "out.mp4")
    for frame, _ in zip(video.frames, range(6), strict=False):
        writer.write(frame.rgb, frame.time, duration=frame.duration)
    partial = writer.abort(keep_partial=True)
    assert len(read_times(partial)) == 6
    assert VARIABLE[5] - Fraction(1, 20) < sound_packets(partial)[0][-1][0] <= VARIABLE[6]


def test_the_heads_of_a_transport_stream_become_one_of_the_mp4(tmp_path):
    source = film(
        tmp_path / "a.ts",
        [0, Fraction(1, 25)],
        codec="mpeg2video",
        pix_fmt="yuv420p",
        options={},
        time_base=Fraction(1, 25),
    )
    ours, theirs = (sound_packets(each)[0] for each in (copy(source, tmp_path / "a.mp4"), source))
    assert [data for _, data in ours] == [data[7:] for _, data in theirs]
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert len(list(container.decode(audio=0))) == len(ours)


def test_joined_transport_streams_go_on_where_the_first_ends(tmp_path):
    one = film(
        tmp_path / "a.ts",
        [Fraction(index, 25) for index in range(10)],
        codec="mpeg2video",
        pix_fmt="yuv420p",
        options={},
        time_base=Fraction(1, 25),
    )
    joined = tmp_path / "joined.ts"
    joined.write_bytes(one.read_bytes() * 2)
    found = sound_packets(copy(joined, tmp_path / "out.mkv"))[0]
    times = [time for time, _ in found]
    assert len(found) == 2 * len(sound_packets(one)[0])
    assert times == sorted(set(times))
    assert times[-1] - times[0] == pytest.approx((len(times) - 1) * 1024 / 48000, abs=0.002)


def test_sound_that_ffmpeg_does_not_know_is_left_out_with_a_sentence(tmp_path, caplog):
    path = film(tmp_path / "a.mp4", [0, 1], sounds=("aac", "aac"))
    data = path.read_bytes()
    for known, unknown in ((b"mp4a", b"apac"), (b"esds", b"dapa")):  # of the second stream
        first, _, second = data.rpartition(known)
        data = first + unknown + second
    path.write_bytes(data)
    assert len(sound_packets(copy(path, tmp_path / "out.mp4"))) == 1
    assert "1 of 2 streams of sound of" in caplog.text


def test_a_container_that_does_not_hold_the_sound_is_refused_before_the_first_frame(tmp_path):
    source = film(tmp_path / "a.mp4", [0, 1])
    message = (
        r"must hold the sound of the input; that of .*a\.mp4 is aac, which a \.webm file does not "
        r"hold: name the output \.mkv, or leave the sound out with --audio none"
    )
    with pytest.raises(VideoError, match=message):
        open_copy(source, tmp_path / "out.webm")
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_only_videos_hold_sound(tmp_path):
    assert [holds_sound(tmp_path / name) for name in ("a.mp4", "a.MKV", "a.webm")] == [True] * 3
    assert [holds_sound(tmp_path / name) for name in ("a.gif", "a", "a.png")] == [False] * 3
    source = film(tmp_path / "a.mp4", [0, 1])
    with pytest.raises(ValueError, match=r"a soundtrack goes into a video; got .*out\.gif"):
        open_copy(source, tmp_path / "out.gif")


def test_a_video_without_sound_has_no_soundtrack(tmp_path):
    assert (
        decode_video(film(tmp_path / "a.mp4", [0], sounds=()), with_sound=True).soundtrack is None
    )
    assert decode_video(film(tmp_path / "b.mp4", [0])).soundtrack is None
