from fractions import Fraction

import cv2
import numpy as np
import pytest
import yaml
from sample_videos import encode
from tiny_runs import (
    file_names,
    label_folder,
    label_maps,
    label_video,
    pictures,
    tiny_checkpoint,
)

from pipelines.render import Renderer
from pipelines.rendering.options import RenderOptions
from pipelines.still import render_stills
from vid2vid.errors import ConfigError, DataError, VideoError
from vid2vid.labels.files import read_instances
from vid2vid.labels.maps import ids_to_colours
from vid2vid.labels.palettes import load_palette
from vid2vid.video.reading import read_image
from vid2vid.video.writing import open_writer


@pytest.fixture(scope="module")
def renderer(tmp_path_factory):
    return Renderer.load(tiny_checkpoint(tmp_path_factory.mktemp("runs") / "tiny"), device="cpu")


@pytest.fixture(scope="module")
def street_renderer(tmp_path_factory):
    """A network that wants instance maps."""
    folder = tmp_path_factory.mktemp("runs") / "street"
    labels = {"palette": "camvid", "boundary": "instances"}
    return Renderer.load(tiny_checkpoint(folder, labels=labels), device="cpu")


def write_palette(path, name, *, shift=0):
    """Camvid's classes under another name, their colours changed."""
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


def test_two_single_pictures_pair_whatever_their_names(tmp_path, street_renderer):
    labels = label_folder(tmp_path / "labels", 2) / "street_0_labels.png"
    instances = instance_folder(tmp_path / "instances")
    for name in ("street_0_instanceIds.png", "street_2_instanceIds.png"):
        options = RenderOptions(instances=instances / name)
        render_stills(street_renderer, labels, tmp_path / name, options)
    first, other = (read_image(path) for path in sorted(tmp_path.glob("*.png")))
    assert (first != other).any()
    with pytest.raises(DataError, match="of 2 are missing"):
        street_renderer.render(labels.parent, tmp_path / "out", options)


def test_missing_instances_are_refused_with_both_ways_out(tmp_path, street_renderer):
    labels = label_folder(tmp_path / "labels", 3)
    with pytest.raises(ConfigError, match="pass --instances FOLDER, or --boundary labels"):
        street_renderer.render(labels, tmp_path / "out")
    short = RenderOptions(instances=instance_folder(tmp_path / "short", 2))
    with pytest.raises(DataError, match=r"street_2_instanceIds\.png"):
        street_renderer.render(labels, tmp_path / "out", short)
    video = RenderOptions(instances=label_video(tmp_path / "instances.mp4", 3))
    assert street_renderer.render(labels, tmp_path / "a", video).num_frames == 3
    lossy = RenderOptions(instances=encode(tmp_path / "lossy.mp4", 3))
    with pytest.raises(VideoError, match=r"keep every value; .*lossy\.mp4 is h264 in yuv420p"):
        street_renderer.render(labels, tmp_path / "out", lossy)


def test_instances_in_a_lossless_video_render_as_in_pictures(tmp_path, street_renderer):
    labels = label_folder(tmp_path / "labels", 3)
    folder = instance_folder(tmp_path / "instances")
    writer = open_writer(tmp_path / "i.mp4", width=24, height=16, rate=Fraction(25), lossless=True)
    for index, path in enumerate(sorted(folder.iterdir())):
        ids = read_instances(path)
        rgb = np.stack([ids % 256, ids // 256, 0 * ids], 2).astype(np.uint8)
        writer.write(rgb, Fraction(index, 25))
    video = RenderOptions(instances=writer.close(), frames="1:3", height=32)
    a = pictures(street_renderer.render(labels, tmp_path / "a", video).path)
    plain = RenderOptions(instances=folder, frames="1:3", height=32)
    b = pictures(street_renderer.render(labels, tmp_path / "b", plain).path)
    assert (a == b).all()


@pytest.mark.parametrize("out", ["out", "out.png"])
@pytest.mark.parametrize("values", [{"codec": "ffv1"}, {"lossless": True}])
def test_options_of_a_video_encoder_are_refused_for_stills(tmp_path, renderer, out, values):
    labels = label_folder(tmp_path / "labels", 1)
    message = rf"--{next(iter(values))} is for video files; .* or name the output out\.mkv"
    with pytest.raises(ConfigError, match=message):
        render_stills(renderer, labels, tmp_path / out, RenderOptions(**values))
    assert file_names(tmp_path) == ["labels"]


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
