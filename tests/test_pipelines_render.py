import signal
import threading
from fractions import Fraction

import cv2
import numpy as np
import pytest
import torch
from sample_videos import read_times
from tiny_runs import label_folder, label_maps, label_video, tiny_checkpoint

from flow import read_flo
from pipelines.render import Renderer
from pipelines.render_options import RenderingError, RenderOptions
from vid2vid.errors import CheckpointError, ConfigError, DataError, VideoError
from vid2vid.frame_times import write_times
from vid2vid.labels import ids_to_colours
from vid2vid.palettes import load_palette
from vid2vid.rollout import rollout
from vid2vid.video import open_video, read_image, read_video

NTSC = Fraction(30000, 1001)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return tiny_checkpoint(tmp_path_factory.mktemp("runs") / "tiny")


@pytest.fixture(scope="module")
def renderer(checkpoint):
    return Renderer.load(checkpoint, device="cpu")


@pytest.fixture(scope="module")
def street_renderer(tmp_path_factory):
    """A network that wants instance maps."""
    folder = tmp_path_factory.mktemp("runs") / "street"
    labels = {"palette": "camvid", "boundary": "instances"}
    return Renderer.load(tiny_checkpoint(folder, labels=labels), device="cpu")


def pictures(path):
    return np.stack([frame.rgb for frame in read_video(path)])


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def with_bad_end(folder, count=8):
    """A folder whose last label map has a good header and nothing else."""
    labels = label_folder(folder, count)
    last = labels / f"street_{count - 1}_labels.png"
    last.write_bytes(last.read_bytes()[:50])
    return labels


# What comes out


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
    from PIL import Image

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


# First frames


def write_first(tmp_path, count, **size):
    """Pictures of random blocks."""
    found = []
    for index in range(count):
        shape = (size.get("height", 16), size.get("width", 24), 3)
        rgb = np.random.default_rng(index).integers(0, 256, shape, dtype=np.uint8)
        found.append(tmp_path / f"first_{index}.png")
        cv2.imwrite(str(found[-1]), rgb[..., ::-1])
    return tuple(found)


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


# What is written beside


def test_everything_a_frame_was_composed_of_can_be_written(tmp_path, renderer):
    labels = label_video(tmp_path / "labels.mp4", 3)
    options = RenderOptions(
        preview=tmp_path / "preview",
        save_flow=tmp_path / "flow",
        save_occlusion=tmp_path / "occlusion",
        save_hallucinated=tmp_path / "hallucinated.mkv",
    )
    rendered = renderer.render(labels, tmp_path / "out", options)
    assert set(rendered.extras) == {
        tmp_path / name for name in ("preview", "flow", "occlusion", "hallucinated.mkv")
    }
    frames, preview = pictures(rendered.path), pictures(tmp_path / "preview")
    assert (preview[:, :, 24:] == frames).all()
    assert (preview[1, :, :24] == ids_to_colours(label_maps(2)[1], load_palette("camvid"))).all()
    assert names(tmp_path / "flow") == ["000001.flo", "000002.flo"]  # the first has no past
    assert read_flo(tmp_path / "flow" / "000001.flo").shape == (2, 16, 24)
    occlusion = pictures(tmp_path / "occlusion")
    assert (occlusion[0] == 255).all()  # hallucinated alone
    assert (occlusion[1] < 255).any()
    assert len(read_times(tmp_path / "hallucinated.mkv")) == 3


def test_given_first_frames_have_no_flow_and_nothing_hallucinated(tmp_path, renderer):
    labels = label_folder(tmp_path / "labels", 3)
    options = RenderOptions(
        first_frames=write_first(tmp_path, 1),
        save_flow=tmp_path / "flow",
        save_occlusion=tmp_path / "occlusion",
    )
    renderer.render(labels, tmp_path / "out", options)
    assert names(tmp_path / "flow") == ["street_1_labels.flo", "street_2_labels.flo"]
    occlusion = pictures(tmp_path / "occlusion")
    assert (occlusion[0] == 0).all()
    assert 0 < occlusion[1].mean() < 255


@pytest.mark.parametrize("part", ["save_flow", "save_occlusion"])
def test_a_generator_without_flow_has_none_to_write(tmp_path, part):
    folder = tiny_checkpoint(tmp_path / "run", generator={"flow": False})
    labels = label_video(tmp_path / "labels.mp4", 2)
    plain = Renderer.load(folder, device="cpu")
    option = part.replace("_", "-")
    with pytest.raises(ConfigError, match=f"--{option} needs a generator that predicts flow"):
        plain.render(labels, tmp_path / "out", RenderOptions(**{part: tmp_path / "x"}))
    options = RenderOptions(save_hallucinated=tmp_path / "hallucinated")
    out = plain.render(labels, tmp_path / "out", options).path
    assert (pictures(out) == pictures(tmp_path / "hallucinated")).all()


def test_flow_is_not_written_over_files(tmp_path, renderer):
    labels = label_video(tmp_path / "labels.mp4", 2)
    (tmp_path / "flow").mkdir()
    (tmp_path / "flow" / "mine.flo").touch()
    options = RenderOptions(save_flow=tmp_path / "flow")
    with pytest.raises(VideoError, match="must be new or empty"):
        renderer.render(labels, tmp_path / "out.mp4", options)
    assert names(tmp_path) == ["flow", "labels.mp4"]


def test_what_lies_under_the_partial_name_is_not_removed(tmp_path, renderer):
    labels = label_video(tmp_path / "labels.mp4", 2)
    (tmp_path / "flow.partial").mkdir()
    (tmp_path / "flow.partial" / "notes.txt").touch()
    options = RenderOptions(save_flow=tmp_path / "flow")
    with pytest.raises(VideoError, match=r"it holds notes\.txt: move it away"):
        renderer.render(labels, tmp_path / "out.mp4", options)


def test_two_outputs_need_two_places(tmp_path, renderer):
    labels = label_video(tmp_path / "labels.mp4", 2)
    options = RenderOptions(preview=tmp_path / "out.mp4")
    with pytest.raises(ConfigError, match=r"out\.mp4 is named twice"):
        renderer.render(labels, tmp_path / "out.mp4", options)
    with pytest.raises(ConfigError, match=r"labels\.mp4 is named twice"):
        renderer.render(labels, labels)


# Palettes


def write_palette(path, name, *, shift=0):
    """Camvid's classes under another name, their colours changed."""
    import yaml

    classes = [
        {"id": c.id, "name": c.name, "colour": [(v + shift) % 256 for v in c.colour]}
        for c in load_palette("camvid").classes
        if not c.ignore
    ]
    path.write_text(yaml.safe_dump({"name": name, "classes": classes}))
    return path


def test_a_palette_of_the_same_classes_needs_no_mapping(tmp_path, renderer):
    mine = load_palette(write_palette(tmp_path / "mine.yaml", "mine", shift=100))
    (tmp_path / "labels").mkdir()
    for index, ids in enumerate(label_maps(2)):
        rgb = ids_to_colours(ids, mine)
        cv2.imwrite(str(tmp_path / "labels" / f"{index}.png"), rgb[..., ::-1])
    options = RenderOptions(palette=str(tmp_path / "mine.yaml"))
    found = pictures(renderer.render(tmp_path / "labels", tmp_path / "a", options).path)
    plain = label_folder(tmp_path / "plain", 2)
    assert (found == pictures(renderer.render(plain, tmp_path / "b").path)).all()


def test_another_palette_is_refused_with_the_mapping_that_fits(tmp_path, renderer):
    labels = label_video(tmp_path / "labels.mp4", 2)
    with pytest.raises(DataError, match="pass --map camvid32-to-camvid"):
        renderer.render(labels, tmp_path / "out", RenderOptions(palette="camvid32"))
    with pytest.raises(DataError, match="'cityscapes': pass --map FILE"):
        renderer.render(labels, tmp_path / "out", RenderOptions(palette="cityscapes"))


def test_labels_in_another_palette_are_recognised(tmp_path, renderer):
    city = load_palette("cityscapes")
    (tmp_path / "labels").mkdir()
    ids = np.full((16, 24), 13, np.uint8)
    cv2.imwrite(str(tmp_path / "labels" / "0.png"), ids_to_colours(ids, city)[..., ::-1])
    with pytest.raises(DataError, match="colours must be those of the palette 'camvid'"):
        renderer.render(tmp_path / "labels", tmp_path / "out")


def test_a_mapping_translates_foreign_ids(tmp_path, renderer):
    import yaml

    write_palette(tmp_path / "mine.yaml", "mine", shift=100)
    turned = {i: 10 - i for i in range(11)}
    (tmp_path / "turn.yaml").write_text(
        yaml.safe_dump({"source": "mine", "target": "camvid", "ids": turned})
    )
    options = RenderOptions(palette=str(tmp_path / "mine.yaml"), map=str(tmp_path / "turn.yaml"))
    labels = label_folder(tmp_path / "labels", 2)
    found = pictures(renderer.render(labels, tmp_path / "a", options).path)
    (tmp_path / "turned").mkdir()
    for index, ids in enumerate(label_maps(2)):
        cv2.imwrite(str(tmp_path / "turned" / f"{index}.png"), 10 - ids)
    assert (found == pictures(renderer.render(tmp_path / "turned", tmp_path / "b").path)).all()


def test_a_mapping_between_other_palettes_is_refused(tmp_path, renderer):
    labels = label_video(tmp_path / "labels.mp4", 2)
    with pytest.raises(DataError, match="must lead to the checkpoint's palette 'camvid'"):
        renderer.render(labels, tmp_path / "out", RenderOptions(map="camvid-to-cityscapes"))
    options = RenderOptions(palette="cityscapes", map="camvid32-to-camvid")
    with pytest.raises(DataError, match="must lead from the palette of the label maps"):
        renderer.render(labels, tmp_path / "out", options)


def test_blurred_label_colours_are_mentioned(tmp_path, renderer, caplog):
    labels = label_folder(tmp_path / "labels", 1)
    rgb = ids_to_colours(label_maps(1)[0], load_palette("camvid"))
    rgb[:2, :8] = (255, 0, 255)
    cv2.imwrite(str(labels / "street_0_labels.png"), rgb[..., ::-1])
    renderer.render(labels, tmp_path / "out")
    assert "4 % of the label pixels were far from every colour" in caplog.text


# Instances


def instance_folder(folder, count=3):
    folder.mkdir()
    for index in range(count):
        objects = np.full((16, 24), 1000, np.uint16)
        objects[4:8, 4 + index : 10 + index] = 26001
        cv2.imwrite(str(folder / f"street_{index}_instanceIds.png"), objects)
    return folder


def test_instances_draw_the_boundary_and_labels_can_stand_in(tmp_path, street_renderer):
    labels = label_folder(tmp_path / "labels", 3)
    instances = instance_folder(tmp_path / "instances")
    with_instances = RenderOptions(instances=instances)
    a = pictures(street_renderer.render(labels, tmp_path / "a", with_instances).path)
    b = pictures(
        street_renderer.render(labels, tmp_path / "b", RenderOptions(boundary="labels")).path
    )
    assert a.shape == b.shape
    assert (a != b).any()


def test_instances_pair_with_the_frames_of_a_video_and_follow_its_part(tmp_path, street_renderer):
    instances = instance_folder(tmp_path / "instances")
    folder = label_folder(tmp_path / "labels", 3)
    video = label_video(tmp_path / "labels.mp4", 3)
    options = RenderOptions(instances=instances, frames="1:3", height=32)
    a = pictures(street_renderer.render(folder, tmp_path / "a", options).path)
    b = pictures(street_renderer.render(video, tmp_path / "b", options).path)
    assert (a == b).all()


def test_missing_instances_are_refused_with_both_ways_out(tmp_path, street_renderer):
    labels = label_folder(tmp_path / "labels", 3)
    with pytest.raises(ConfigError, match="pass --instances FOLDER, or --boundary labels"):
        street_renderer.render(labels, tmp_path / "out")
    short = RenderOptions(instances=instance_folder(tmp_path / "short", 2))
    with pytest.raises(DataError, match=r"street_2_instanceIds\.png"):
        street_renderer.render(labels, tmp_path / "out", short)
    video = RenderOptions(instances=label_video(tmp_path / "instances.mp4", 3))
    with pytest.raises(DataError, match="a video does not keep their ids"):
        street_renderer.render(labels, tmp_path / "out", video)


def test_boundary_options_that_would_do_nothing_are_refused(tmp_path, renderer, street_renderer):
    labels = label_folder(tmp_path / "labels", 3)
    instances = instance_folder(tmp_path / "instances")
    with pytest.raises(ConfigError, match=r"--instances is for .* has labels\.boundary 'none'"):
        renderer.render(labels, tmp_path / "out", RenderOptions(instances=instances))
    with pytest.raises(ConfigError, match="--boundary is for"):
        renderer.render(labels, tmp_path / "out", RenderOptions(boundary="labels"))
    both = RenderOptions(instances=instances, boundary="labels")
    with pytest.raises(ConfigError, match="got both"):
        street_renderer.render(labels, tmp_path / "out", both)


# Wrong input


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"frames": "3"}, "must be A:B"),
        ({"frames": "-3:"}, "must be A:B"),
        ({"frames": "4:4"}, "B must be above A"),
        ({"crf": 52}, "--crf must be 0 to 51; got 52"),
        ({"fps": Fraction(0)}, "--fps must be above 0"),
        ({"height": 0}, "--height must be at least 1"),
        ({"width": -2}, "--width must be at least 1"),
    ],
)
def test_options_out_of_range_are_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        RenderOptions(**values)


def test_a_part_beyond_the_end_is_refused(tmp_path, renderer):
    labels = label_video(tmp_path / "labels.mp4", 4)
    with pytest.raises(VideoError, match="in the part --frames 7:9; it has 4"):
        renderer.render(labels, tmp_path / "out.mp4", RenderOptions(frames="7:9"))


def test_a_rate_is_refused_where_the_input_has_times(tmp_path, renderer):
    options = RenderOptions(fps=Fraction(10))
    with pytest.raises(VideoError, match="is a video with time stamps of its own"):
        renderer.render(label_video(tmp_path / "labels.mp4", 2), tmp_path / "out", options)
    labels = label_folder(tmp_path / "labels", 1)
    write_times(labels, ["street_0_labels.png"], [Fraction(0)])
    with pytest.raises(VideoError, match=r"times\.csv says when each is shown"):
        renderer.render(labels, tmp_path / "out", options)


def test_pictures_of_different_sizes_are_refused_before_the_first_frame(tmp_path, renderer):
    labels = label_folder(tmp_path / "labels", 5)
    cv2.imwrite(str(labels / "street_4_labels.png"), np.zeros((8, 8), np.uint8))
    with pytest.raises(DataError, match=r"24x16 .* is 8x8"):
        renderer.render(labels, tmp_path / "out.mp4")
    assert names(tmp_path) == ["labels"]


def test_a_picture_cannot_hold_a_video(tmp_path, renderer):
    labels = label_video(tmp_path / "labels.mp4", 4)
    with pytest.raises(ConfigError, match=r"a picture holds one frame; .* to hold 4"):
        renderer.render(labels, tmp_path / "out.png")
    one = renderer.render(labels, tmp_path / "out.png", RenderOptions(frames="0:1"))
    assert read_image(one.path).shape == (16, 24, 3)


def test_a_missing_checkpoint_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="there is no"):
        Renderer.load(tmp_path)


# Trouble on the way


def test_an_error_in_the_middle_leaves_what_plays_and_nothing_under_the_final_name(
    tmp_path, renderer
):
    labels = with_bad_end(tmp_path / "labels")
    options = RenderOptions(preview=tmp_path / "preview.mp4", save_flow=tmp_path / "flow")
    with pytest.raises(RenderingError, match=r"the 7 frames before are in .*out\.partial\.mp4"):
        renderer.render(labels, tmp_path / "out.mp4", options)
    assert names(tmp_path) == ["flow.partial", "labels", "out.partial.mp4", "preview.partial.mp4"]
    assert len(read_times(tmp_path / "out.partial.mp4")) == 7
    assert len(names(tmp_path / "flow.partial")) == 6
    assert threading.active_count() == 1


def test_a_second_attempt_replaces_what_the_first_left(tmp_path, renderer):
    labels = with_bad_end(tmp_path / "labels")
    options = RenderOptions(save_flow=tmp_path / "flow")
    with pytest.raises(RenderingError):
        renderer.render(labels, tmp_path / "out.mp4", options)
    (labels / "street_7_labels.png").unlink()
    assert renderer.render(labels, tmp_path / "out.mp4", options).num_frames == 7
    assert names(tmp_path) == ["flow", "labels", "out.mp4"]


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
    assert names(tmp_path) == ["labels.mp4", "out.partial.mp4"]
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
    assert names(tmp_path) == ["labels.mp4"]
