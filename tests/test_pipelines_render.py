import signal
import threading
from fractions import Fraction

import numpy as np
import pytest
import torch
from PIL import Image
from sample_videos import read_times
from tiny_runs import (
    file_names,
    label_folder,
    label_maps,
    label_video,
    pictures,
    tiny_checkpoint,
    with_bad_end,
    write_first,
)

from pipelines.render import Renderer
from pipelines.rendering.options import RenderingError, RenderOptions
from vid2vid.errors import ConfigError, VideoError
from vid2vid.labels.maps import ids_to_colours
from vid2vid.labels.palettes import load_palette
from vid2vid.rollout import rollout
from vid2vid.video.reading import open_video, read_image
from vid2vid.video.times import write_times

NTSC = Fraction(30000, 1001)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return tiny_checkpoint(tmp_path_factory.mktemp("runs") / "tiny")


@pytest.fixture(scope="module")
def renderer(checkpoint):
    return Renderer.load(checkpoint, device="cpu")


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out"])
@pytest.mark.parametrize("rate", [Fraction(25), NTSC])
@pytest.mark.parametrize("size", [{"height": 16, "width": 24}, {"height": 15, "width": 23}])
def test_count_size_rate_and_times_are_those_of_the_input(tmp_path, renderer, name, rate, size):
    labels = label_video(tmp_path / "labels.mp4", 5, rate=rate, **size)
    rendered = renderer.render(labels, tmp_path / name)
    info = open_video(rendered.path)
    assert rendered.path == tmp_path / name
    assert rendered.num_frames == len(read_times(rendered.path)) == 5
    assert (info.height, info.width) == (rendered.height, rendered.width) == tuple(size.values())
    tolerance = Fraction(1, 1000) if name.endswith("mkv") else 0
    if not tolerance:
        assert info.rate == rate
    for ours, theirs in zip(read_times(rendered.path), read_times(labels), strict=True):
        assert abs(ours - theirs) <= tolerance


def test_variable_times_of_pictures_are_kept(tmp_path, renderer):
    labels = label_folder(tmp_path / "labels", 3)
    times = [Fraction(0), Fraction(1, 10), Fraction(1, 2)]
    write_times(labels, [f"street_{i}_labels.png" for i in range(3)], times)
    rendered = renderer.render(labels, tmp_path / "out.mp4")
    assert read_times(rendered.path) == times


def test_pictures_are_25_frames_per_second_unless_told(tmp_path, renderer):
    labels = label_folder(tmp_path / "labels", 3)
    assert open_video(renderer.render(labels, tmp_path / "a.mp4").path).rate == 25
    options = RenderOptions(fps=Fraction(10))
    assert open_video(renderer.render(labels, tmp_path / "b.mp4", options).path).rate == 10


def test_frames_are_those_of_a_rollout_from_zeros(tmp_path, renderer):
    labels = label_video(tmp_path / "labels.mp4", 4)
    ids = torch.from_numpy(np.stack(label_maps(4)))[None]
    maps = renderer.generation.conditioning(ids).unbind(1)
    with torch.inference_mode():
        expected = [out.frame[0] for out in rollout(renderer.generation.generator, maps)]
    rendered = pictures(renderer.render(labels, tmp_path / "out").path)
    levels = (torch.stack(expected).clamp(-1, 1) + 1) * 127.5
    assert np.abs(rendered - levels.permute(0, 2, 3, 1).numpy()).max() <= 0.51


def test_video_folder_and_glob_give_the_same_frames(tmp_path, renderer):
    video = label_video(tmp_path / "labels.mp4")
    folder = label_folder(tmp_path / "labels")
    outputs = [
        pictures(renderer.render(source, tmp_path / name).path)
        for source, name in [(video, "a"), (folder, "b"), (folder / "*_labels.png", "c")]
    ]
    assert (outputs[0] == outputs[1]).all()
    assert (outputs[0] == outputs[2]).all()


def test_colour_and_mode_p_pictures_are_read_as_ids_are(tmp_path, renderer):
    expected = pictures(renderer.render(label_folder(tmp_path / "ids", 2), tmp_path / "a").path)
    palette = load_palette("camvid")
    for kind in ("colours", "indexed"):
        (tmp_path / kind).mkdir()
        for index, ids in enumerate(label_maps(2)):
            picture = Image.fromarray(ids if kind == "indexed" else ids_to_colours(ids, palette))
            if kind == "indexed":
                picture.putpalette(palette.colour_table.tobytes())
            picture.save(tmp_path / kind / f"{index}.png")
        found = pictures(renderer.render(tmp_path / kind, tmp_path / f"{kind}_out").path)
        assert (found == expected).all()


def test_a_part_begins_where_the_input_begins(tmp_path, renderer):
    labels = label_video(tmp_path / "labels.mp4", 6)
    part = renderer.render(labels, tmp_path / "part", RenderOptions(frames="2:5"))
    assert part.num_frames == 3
    assert read_times(part.path) == [Fraction(0), Fraction(1, 25), Fraction(2, 25)]
    folder = label_folder(tmp_path / "labels", 6)
    same = renderer.render(folder, tmp_path / "same", RenderOptions(frames="2:5"))
    assert (pictures(same.path) == pictures(part.path)).all()
    assert renderer.render(labels, tmp_path / "tail", RenderOptions(frames="4:")).num_frames == 2


def test_one_side_given_keeps_the_aspect_and_two_do_not(tmp_path, renderer):
    labels = label_video(tmp_path / "labels.mp4", 2)  # 24x16
    for name, options, size in [
        ("a", RenderOptions(height=32), (32, 48)),
        ("b", RenderOptions(width=12), (8, 12)),
        ("c", RenderOptions(height=20, width=20), (20, 20)),
    ]:
        rendered = renderer.render(labels, tmp_path / name, options)
        assert (rendered.height, rendered.width) == pictures(rendered.path).shape[1:3] == size


def test_bfloat16_is_close_to_float32(tmp_path, checkpoint, renderer):
    labels = label_video(tmp_path / "labels.mp4", 3)
    rough = Renderer.load(checkpoint, device="cpu", dtype="bfloat16")
    fine = pictures(renderer.render(labels, tmp_path / "fine").path).astype(int)
    coarse = pictures(rough.render(labels, tmp_path / "coarse").path).astype(int)
    assert 0 < np.abs(fine - coarse).mean() < 2


@pytest.mark.parametrize("count", [1, 2])
def test_first_frames_come_back_as_given_and_the_rest_follows_them(tmp_path, renderer, count):
    labels = label_video(tmp_path / "labels.mp4", 4)
    first = write_first(tmp_path, count)
    started = renderer.render(labels, tmp_path / "a", RenderOptions(first_frames=first))
    found = pictures(started.path)
    assert started.num_frames == 4
    for picture, path in zip(found, first, strict=False):
        assert (picture == read_image(path)).all()
    from_zeros = pictures(renderer.render(labels, tmp_path / "b").path)
    assert (found[count] != from_zeros[count]).any()


def test_a_single_first_frame_fills_the_whole_past(tmp_path, renderer):
    labels = label_video(tmp_path / "labels.mp4", 3)
    (first,) = write_first(tmp_path, 1)
    found = pictures(
        renderer.render(labels, tmp_path / "a", RenderOptions(first_frames=(first,))).path
    )
    ids = torch.from_numpy(np.stack(label_maps(2)))[None]
    maps = renderer.generation.conditioning(ids)
    past = torch.from_numpy(read_image(first)).permute(2, 0, 1)[None, None] / 127.5 - 1
    with torch.inference_mode():
        (expected,) = rollout(
            renderer.generation.generator,
            [maps[:, 1]],
            past_conditioning=maps[:, :1].repeat(1, 2, 1, 1, 1),
            first_frames=past.repeat(1, 2, 1, 1, 1),
        )
    levels = (expected.frame[0].permute(1, 2, 0) + 1) * 127.5
    assert np.abs(found[1] - levels.numpy()).max() <= 0.51


def test_more_first_frames_than_label_maps_do_no_harm(tmp_path, renderer):
    labels = label_video(tmp_path / "labels.mp4", 1)
    options = RenderOptions(first_frames=write_first(tmp_path, 2))
    assert renderer.render(labels, tmp_path / "out", options).num_frames == 1


def test_first_frames_that_do_not_fit_are_refused(tmp_path, renderer):
    labels = label_video(tmp_path / "labels.mp4", 4)
    three = RenderOptions(first_frames=write_first(tmp_path, 3))
    with pytest.raises(ConfigError, match="2 times, the history of the checkpoint; got 3"):
        renderer.render(labels, tmp_path / "out", three)
    small = RenderOptions(first_frames=write_first(tmp_path, 1, height=8))
    with pytest.raises(VideoError, match=r"24x16 \(width x height\); .* is 24x8: resize it"):
        renderer.render(labels, tmp_path / "out", small)
    assert not (tmp_path / "out").exists()


def test_an_error_in_the_middle_leaves_what_plays_and_nothing_under_the_final_name(
    tmp_path, renderer
):
    labels = with_bad_end(tmp_path / "labels")
    options = RenderOptions(preview=tmp_path / "preview.mp4", save_flow=tmp_path / "flow")
    with pytest.raises(RenderingError, match=r"the 7 frames before are in .*out\.partial\.mp4"):
        renderer.render(labels, tmp_path / "out.mp4", options)
    assert file_names(tmp_path) == [
        "flow.partial",
        "labels",
        "out.partial.mp4",
        "preview.partial.mp4",
    ]
    assert len(read_times(tmp_path / "out.partial.mp4")) == 7
    assert len(file_names(tmp_path / "flow.partial")) == 6
    assert threading.active_count() == 1


def test_a_second_attempt_replaces_what_the_first_left(tmp_path, renderer):
    labels = with_bad_end(tmp_path / "labels")
    options = RenderOptions(save_flow=tmp_path / "flow")
    with pytest.raises(RenderingError):
        renderer.render(labels, tmp_path / "out.mp4", options)
    (labels / "street_7_labels.png").unlink()
    assert renderer.render(labels, tmp_path / "out.mp4", options).num_frames == 7
    assert file_names(tmp_path) == ["flow", "labels", "out.mp4"]


def interrupt_at(renderer, call):
    """Send Ctrl-C while frame `call` is generated, as a terminal does."""
    calls = iter(range(10**6))

    def hook(*_):
        if next(calls) == call:
            signal.raise_signal(signal.SIGINT)

    return renderer.generation.generator.register_forward_hook(hook)


def test_ctrl_c_leaves_what_plays(tmp_path, renderer, caplog):
    labels = label_video(tmp_path / "labels.mp4", 40)
    handle = interrupt_at(renderer, 20)
    try:
        with caplog.at_level("INFO"), pytest.raises(KeyboardInterrupt):
            renderer.render(labels, tmp_path / "out.mp4")
    finally:
        handle.remove()
    assert file_names(tmp_path) == ["labels.mp4", "out.partial.mp4"]
    assert len(read_times(tmp_path / "out.partial.mp4")) == 20
    assert f"20 frames are in {tmp_path / 'out.partial.mp4'}" in caplog.text
    assert threading.active_count() == 1


def test_a_mistake_of_ours_surfaces_unchanged(tmp_path, renderer):
    labels = label_video(tmp_path / "labels.mp4", 3)
    error = RuntimeError("the device is gone")

    def fail(*_):
        raise error

    handle = renderer.generation.generator.register_forward_hook(fail)
    try:
        with pytest.raises(RuntimeError) as caught:
            renderer.render(labels, tmp_path / "out.mp4")
    finally:
        handle.remove()
    assert caught.value is error
    assert file_names(tmp_path) == ["labels.mp4"]
