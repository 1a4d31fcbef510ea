"""An editing session on a small network: what is painted follows the edits."""

import json

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from tiny_runs import label_maps, tiny_checkpoint, write_first

from pipelines.build import load_generation
from pipelines.editing.choices import FromPhoto, Pick, Sample
from pipelines.editing.session import EditingSession
from pipelines.render import Renderer
from pipelines.rendering.options import RenderOptions
from pipelines.still import render_stills
from vid2vid.checkpoint import load_checkpoint, save_checkpoint
from vid2vid.errors import CheckpointError, ConfigError, DataError
from vid2vid.video.reading import read_image

CPU = torch.device("cpu")
HD = {"kind": "pix2pixhd", "width": 4, "downsamplings": 1, "blocks": 1}
STYLED = {**HD, "features": 2, "encoder": {"width": 2, "downsamplings": 1}}
CAR, ROAD = 8, 3


def make_checkpoint(folder, generator, **labels):
    """Write a checkpoint with five styles of every class but Bicyclist."""
    sections = {"generator": generator, "labels": {"palette": "camvid"} | labels}
    made = tiny_checkpoint(folder, **sections)
    saved = load_checkpoint(made, kind="generator")
    width = generator.get("features", 0)
    table = torch.linspace(-9, 9, 5 * width).view(5, width)
    rows = {f"styles.{label}": table.clone() for label in range(10 if width else 0)}
    save_checkpoint(saved.path, saved.tensors | rows, saved.metadata)
    return made


@pytest.fixture(scope="module")
def styled(tmp_path_factory):
    return make_checkpoint(tmp_path_factory.mktemp("runs") / "styled", STYLED, boundary="instances")


def scene():
    """Road, with one car on it: label map and instance map."""
    labels = np.full((24, 32), ROAD, np.uint8)
    labels[4:12, 6:16] = CAR
    return labels, np.where(labels == CAR, 8001, ROAD).astype(np.int32)


@pytest.fixture
def session(styled):
    return EditingSession(load_generation(styled, CPU), *scene(), seed=2)


def test_a_session_paints_what_the_still_command_paints(tmp_path, styled, session):
    labels, instances = scene()
    for name, ids in (("labels", labels), ("instances", instances.astype(np.uint16))):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "a.png"), ids)
    done = render_stills(
        Renderer.load(styled, device="cpu"),
        tmp_path / "labels",
        tmp_path / "out",
        RenderOptions(instances=tmp_path / "instances", seed=2),
    )
    expected = read_image(done.path / "a.png")
    assert (session.render() == expected).all()
    opened = EditingSession.open(
        styled,
        tmp_path / "labels" / "a.png",
        tmp_path / "instances" / "a.png",
        seed=2,
        device="cpu",
    )
    assert (opened.render() == expected).all()
    assert (session.render() == expected).all()  # once more


def test_edits_change_the_picture_and_undo_brings_it_back(session):
    pictures = [session.render()]
    car = session.instance_at(10, 8)
    edits = [
        lambda: session.relabel((10, 8), "Tree"),
        lambda: session.add_object(np.ones((4, 5), bool), "Car", at=(20, 14), style=Pick(4)),
        lambda: session.stroke([(0, 20), (31, 20)], "Pavement", width=3),
        lambda: session.remove_object((21, 15)),
        lambda: session.restyle((0, 0), Sample(11)),
    ]
    for edit in edits:
        edit()
        pictures.append(session.render())
        assert (pictures[-1] != pictures[-2]).any()
    assert car == 8001
    for picture in reversed(pictures[:-1]):
        assert session.undo()
        assert (session.render() == picture).all()
    assert (session.can_undo, session.undo()) == (False, False)
    for picture in pictures[1:]:
        assert session.redo()
        assert (session.render() == picture).all()
    assert (session.can_redo, session.redo()) == (False, False)


def test_an_edit_after_an_undo_ends_what_could_be_redone(session):
    session.relabel(8001, "Tree")
    session.undo()
    assert session.can_redo
    session.relabel(8001, "Fence")
    assert not session.can_redo
    session.restyle(ROAD, None)  # changes nothing, and is no step
    session.undo()
    assert not session.can_undo


def test_a_picked_style_is_that_row_and_a_sampled_one_is_drawn(session):
    table = load_generation(session._generation.path, CPU).styles.tables[CAR]
    session.restyle((10, 8), Pick(1))
    assert session.state.styles == {8001: tuple(table[1].tolist())}
    session.restyle(8001, Sample(3))
    row = np.random.default_rng((3, 8001)).integers(5)
    assert session.state.styles == {8001: tuple(table[row].tolist())}
    session.restyle(8001, None)
    assert session.state.styles == {}


def test_a_style_comes_from_a_photo_by_class_or_by_instance(tmp_path, session):
    (photo,) = write_first(tmp_path, 1)
    ids, objects = tmp_path / "ids.png", tmp_path / "objects.png"
    cv2.imwrite(str(ids), label_maps(1)[0])
    cv2.imwrite(str(objects), label_maps(1)[0] + 100)
    styles = session.read_photo(photo, ids, objects)
    session.restyle(8001, FromPhoto(styles))
    assert session.state.styles[8001] == pytest.approx(styles.by_class[CAR].tolist())
    session.restyle(8001, FromPhoto(styles, instance=102))
    assert session.state.styles[8001] == pytest.approx(styles.by_region[102].tolist())
    with pytest.raises(DataError, match="the photo must show instance 7 to give its style"):
        session.restyle(8001, FromPhoto(styles, instance=7))
    with pytest.raises(DataError, match="need its label map, its instance map, or both"):
        session.read_photo(photo)


def test_a_saved_session_goes_on_as_it_was(tmp_path, styled, session):
    session.restyle(8001, Pick(0))
    session.stroke([(0, 20), (31, 20)], "Sky", width=2, instance=70_000)
    session.save(tmp_path / "edit")
    session.save(tmp_path / "edit")  # over itself
    names = sorted(path.name for path in (tmp_path / "edit").iterdir())
    assert names == ["edit.json", "instances.png", "labels.png"]
    again = EditingSession.load(styled, tmp_path / "edit", device="cpu")
    assert (again.render() == session.render()).all()
    assert (again.state.instances == session.state.instances).all()
    assert again.state.instances.max() == 70_000
    assert (again.seed, again.can_undo) == (2, False)
    session.undo()
    session.save(tmp_path / "edit")
    with Image.open(tmp_path / "edit" / "instances.png") as stored:
        assert stored.mode == "I;16"


def test_what_was_saved_must_fit(tmp_path, styled, session):
    session.restyle(8001, Pick(0))
    session.save(tmp_path / "edit")
    other = make_checkpoint(tmp_path / "other", STYLED | {"features": 3, "pooling": "labels"})
    with pytest.raises(DataError, match="styles as the checkpoint takes them, 3 numbers by labels"):
        EditingSession.load(other, tmp_path / "edit", device="cpu")
    file = tmp_path / "edit" / "edit.json"
    content = json.loads(file.read_text())
    for wrong, message in (
        ({"palette": "mine"}, "must be in the checkpoint's palette 'camvid'; it is in 'mine'"),
        ({"format": "x"}, "cannot be read .its format is 'x'"),
        ({"styles": 3}, "edit.json cannot be read"),
    ):
        file.write_text(json.dumps(content | wrong))
        with pytest.raises(DataError, match=message):
            EditingSession.load(styled, tmp_path / "edit", device="cpu")
    with pytest.raises(DataError, match="must hold a saved edit"):
        EditingSession.load(styled, tmp_path / "nowhere", device="cpu")


def test_styles_of_classes_are_those_of_all_their_objects(tmp_path):
    made = make_checkpoint(tmp_path / "run", STYLED | {"pooling": "labels"})
    session = EditingSession(load_generation(made, CPU), *scene())
    session.restyle((10, 8), Pick(2))
    assert list(session.state.styles) == [CAR]
    session.add_object(np.ones((2, 2), bool), "Car", style=Pick(3))
    assert list(session.state.styles) == [CAR]


def test_a_checkpoint_without_styles_can_be_edited_and_says_that_it_has_none(tmp_path):
    made = make_checkpoint(tmp_path / "run", HD)
    session = EditingSession(load_generation(made, CPU), scene()[0])
    before = session.render()
    session.relabel((10, 8), "Tree")
    assert (session.render() != before).any()
    with pytest.raises(ConfigError, match="restyling is for a checkpoint with style features"):
        session.restyle((10, 8), Pick(0))
    with pytest.raises(ConfigError, match="restyling is for"):
        session.add_object(np.ones((2, 2), bool), "Car", style=Pick(0))


def test_any_family_of_stills_and_the_first_frame_of_a_video_can_be_edited(tmp_path):
    controls = [{"kind": "boundary"}]
    for number, sections in enumerate(
        (
            {"generator": {"kind": "pix2pix_unet", "width": 4, "downsamplings": 3}},
            {"generator": {"kind": "pix2pix_resnet", "width": 4, "blocks": 1}},
            {"generator": HD, "controls": controls},
            {},
        )
    ):
        made = tiny_checkpoint(tmp_path / str(number), **sections)
        session = EditingSession(load_generation(made, CPU), *scene())
        before = session.render()
        session.remove_object(8001)
        after = session.render()
        assert (before != after).any()
        assert (session.render() == after).all()


def test_what_cannot_be_edited_by_ids_is_refused(tmp_path):
    grey = tiny_checkpoint(tmp_path / "a", generator=HD, labels=None, controls=[{"kind": "grey"}])
    both = tiny_checkpoint(tmp_path / "b", generator=HD, controls=[{"kind": "edges"}])
    for made, message in ((grey, "takes label maps; .* takes none"), (both, "takes 'edges' too")):
        with pytest.raises(ConfigError, match=message):
            EditingSession(load_generation(made, CPU), scene()[0])
    with pytest.raises(CheckpointError, match="a checkpoint is needed"):
        EditingSession.open(tmp_path / "none", tmp_path / "a.png")


def test_mistakes_are_told_and_change_nothing(session):
    before = session.state
    for edit, message in (
        (lambda: session.relabel((10, 8), "Cra"), "did you mean 'Car'"),
        (lambda: session.relabel(77, "Car"), "there is no 77"),
        (lambda: session.relabel((99, 0), "Car"), "must lie within the picture, 32x24"),
        (lambda: session.restyle(8001, Pick(5)), "class 'Car' has 5 styles, 0 to 4; got 5"),
        (lambda: session.stroke([(-50, -50)], "Car", width=3), "a stroke must paint a pixel"),
    ):
        with pytest.raises((ConfigError, DataError), match=message):
            edit()
    bicycle = session.relabel(8001, "Bicyclist")
    with pytest.raises(ConfigError, match="class 'Bicyclist' must have styles to pick from"):
        session.restyle(bicycle, Sample(0))
    session.undo()
    assert (session.state.labels == before.labels).all()
    with pytest.raises(DataError, match=r"labels must be ids of palette 'camvid' or 255; got \[99"):
        EditingSession(session._generation, np.full((8, 8), 99))


def test_a_photo_needs_the_encoder(tmp_path):
    made = make_checkpoint(tmp_path / "run", STYLED | {"encoder": None})
    session = EditingSession(load_generation(made, CPU), scene()[0])
    with pytest.raises(ConfigError, match="came without its feature encoder"):
        session.read_photo(tmp_path / "photo.png", tmp_path / "ids.png")
