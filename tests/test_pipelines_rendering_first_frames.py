"""Videos that begin with frames of a still-image generator."""

import pytest
import torch
from tiny_runs import (
    label_folder,
    label_maps,
    pictures,
    tiny_checkpoint,
    write_first,
)

from pipelines.render import Renderer
from pipelines.rendering.options import RenderOptions
from pipelines.still import render_stills
from vid2vid.errors import CheckpointError, ConfigError
from vid2vid.rollout import rollout
from vid2vid.video.levels import to_levels

HD = {"kind": "pix2pixhd", "width": 4, "downsamplings": 1, "blocks": 1}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A video's generator that draws boundaries, and painters of its first frames."""
    root = tmp_path_factory.mktemp("runs")
    tiny_checkpoint(root / "video", labels={"palette": "camvid", "boundary": "labels"})
    tiny_checkpoint(root / "painter", generator=HD)
    return root


@pytest.fixture(scope="module")
def renderer(root):
    return Renderer.load(root / "video", device="cpu")


def begin(*places, **options):
    return RenderOptions(first_frames=places, **options)


@pytest.mark.parametrize("name", ["painter", "painter/model.safetensors"])
def test_the_first_frames_are_those_of_the_still_generator(tmp_path, root, renderer, name):
    labels = label_folder(tmp_path / "labels", 4)
    video = renderer.render(labels, tmp_path / "video", begin(root / name))
    painter = Renderer.load(root / "painter", device="cpu")
    stills = pictures(render_stills(painter, labels, tmp_path / "stills").path)
    found = pictures(video.path)
    assert len(found) == 4
    assert (found[:2] == stills[:2]).all()  # as many as the history
    assert (found[2:] != stills[2:]).any()


def test_the_rest_follows_from_them_unrounded(tmp_path, root, renderer):
    labels = label_folder(tmp_path / "labels", 3)
    found = pictures(renderer.render(labels, tmp_path / "video", begin(root / "painter")).path)
    ids = [torch.from_numpy(each.copy())[None, None] for each in label_maps(3)]
    video, painter = renderer.generation, Renderer.load(root / "painter", device="cpu").generation
    with torch.no_grad():
        painted = [
            next(rollout(painter.generator, [painter.conditioning(each)[:, 0]])).frame
            for each in ids[:2]
        ]
        maps = [video.conditioning(each)[:, 0] for each in ids]
        last = next(
            rollout(
                video.generator,
                maps[2:],
                past_conditioning=torch.stack(maps[:2], dim=1),
                first_frames=torch.stack(painted, dim=1),
            )
        )
    assert (found[2] == to_levels(last.frame[0]).numpy()).all()


def test_painted_frames_are_hallucinated_and_have_no_flow(tmp_path, root, renderer):
    labels = label_folder(tmp_path / "labels", 3)
    extras = {
        "save_occlusion": tmp_path / "occlusion",
        "save_hallucinated": tmp_path / "hallucinated",
        "save_flow": tmp_path / "flow",
    }
    video = renderer.render(labels, tmp_path / "video", begin(root / "painter", **extras))
    assert (pictures(tmp_path / "occlusion")[:2] == 255).all()
    assert (pictures(tmp_path / "hallucinated")[:2] == pictures(video.path)[:2]).all()
    assert len(list((tmp_path / "flow").iterdir())) == 1


def test_fewer_label_maps_than_history_do_no_harm(tmp_path, root, renderer):
    labels = label_folder(tmp_path / "labels", 1)
    assert renderer.render(labels, tmp_path / "video", begin(root / "painter")).num_frames == 1


def refusal(renderer, tmp_path, *places, **options):
    labels = label_folder(tmp_path / "labels", 3)
    with pytest.raises((ConfigError, CheckpointError)) as refused:
        renderer.render(labels, tmp_path / "video", begin(*places, **options))
    return str(refused.value)


def test_a_checkpoint_and_pictures_do_not_go_together(tmp_path, root, renderer):
    message = refusal(renderer, tmp_path, root / "painter", *write_first(tmp_path, 1))
    assert "takes pictures, or one checkpoint alone, which paints them all; got" in message


def test_a_sequential_generator_cannot_begin(tmp_path, root, renderer):
    message = refusal(renderer, tmp_path, root / "video")
    assert "takes the checkpoint of a still-image generator" in message
    assert "needs 2 frames before itself" in message


@pytest.mark.parametrize(
    ("sections", "source"),
    [
        ({"labels": {"palette": "cityscapes"}}, "palette 'cityscapes'"),
        ({"labels": None, "controls": [{"kind": "picture"}]}, "'pictures' of 3 channels"),
    ],
)
def test_a_painter_takes_the_same_classes(tmp_path, renderer, sections, source):
    other = tiny_checkpoint(tmp_path / "other", generator=HD, **sections)
    message = refusal(renderer, tmp_path, other)
    assert "of the same input as the video's, palette 'camvid'" in message
    assert f"has {source}: give another one" in message


def test_a_painter_takes_the_same_controls(tmp_path):
    coloured, grey = ([{"kind": "picture", "channels": count}] for count in (3, 1))
    video = tiny_checkpoint(tmp_path / "video", labels=None, controls=coloured)
    painter = tiny_checkpoint(tmp_path / "painter", generator=HD, labels=None, controls=grey)
    message = refusal(Renderer.load(video, device="cpu"), tmp_path, painter)
    assert "video's, 'pictures' of 3 channels; " in message
    assert "has 'pictures' of 1 channel: give another one" in message


@pytest.mark.parametrize(("first_frames", "warns"), [("real", 1), ("mixed", 0), ("zeros", 0)])
def test_a_network_of_real_first_frames_says_so_from_zeros(tmp_path, caplog, first_frames, warns):
    run = tiny_checkpoint(tmp_path / "run", training={"first_frames": first_frames})
    labels, renderer = label_folder(tmp_path / "labels", 3), Renderer.load(run, device="cpu")
    renderer.render(labels, tmp_path / "given", begin(*write_first(tmp_path, 2)))
    render_stills(renderer, labels, tmp_path / "stills")
    assert caplog.messages == []
    renderer.render(labels, tmp_path / "video")
    assert ["give it 2 with --first-frame" in line for line in caplog.messages] == [True] * warns


def test_a_painter_that_wants_instances_can_draw_boundaries_from_labels(tmp_path, renderer):
    labels = {"palette": "camvid", "boundary": "instances"}
    painter = tiny_checkpoint(tmp_path / "painter", generator=HD, labels=labels)
    message = refusal(renderer, tmp_path, painter)
    assert "was trained with instance maps; none were given: pass --instances FOLDER" in message
    options = begin(painter, boundary="labels")
    assert renderer.render(tmp_path / "labels", tmp_path / "video", options).num_frames == 3


def test_a_painter_that_is_not_there_is_named(tmp_path, renderer):
    message = refusal(renderer, tmp_path, tmp_path / "nowhere.safetensors")
    assert "nowhere.safetensors: give a .safetensors file or a run folder" in message


def test_a_painter_draws_its_styles_from_the_seed(tmp_path, renderer):
    styled = {**HD, "features": 2, "encoder": None}
    painter = tiny_checkpoint(tmp_path / "painter", generator=styled)
    labels = label_folder(tmp_path / "labels", 3)
    options = begin(painter, seed=1)
    assert renderer.render(labels, tmp_path / "video", options).num_frames == 3
