"""Style features in rendering: from tables by a seed, or from a photo."""

import logging
import shutil

import cv2
import numpy as np
import pytest
import torch
from tiny_runs import label_folder, label_maps, pictures, tiny_checkpoint, write_first

from pipelines.cli import app as cli
from pipelines.render import Renderer
from pipelines.rendering.options import RenderOptions
from vid2vid.checkpoint import load_checkpoint, save_checkpoint
from vid2vid.errors import ConfigError, DataError
from vid2vid.rollout import rollout
from vid2vid.video.levels import from_levels, to_levels
from vid2vid.video.reading import read_image

HD = {"kind": "pix2pixhd", "width": 4, "downsamplings": 1, "blocks": 1}
STYLED = {**HD, "features": 2, "encoder": {"width": 2, "downsamplings": 1}}


def checkpoint(folder, generator, tables=None, **labels):
    """Write a checkpoint with tables of styles, as an import does."""
    sections = {"generator": generator, "labels": {"palette": "camvid"} | labels}
    saved = load_checkpoint(tiny_checkpoint(folder, **sections), kind="generator")
    styles = {f"styles.{label}": table for label, table in (tables or {}).items()}
    save_checkpoint(saved.path, saved.tensors | styles, saved.metadata)
    return folder


@pytest.fixture(scope="module")
def styled(tmp_path_factory):
    """A network with styles of five rows for the classes 0 to 10."""
    rows = {label: torch.linspace(-1, 1, 10).view(5, 2) * (label + 1) for label in range(11)}
    return checkpoint(tmp_path_factory.mktemp("runs") / "styled", STYLED, rows)


@pytest.fixture(scope="module")
def renderer(styled):
    return Renderer.load(styled, device="cpu")


@pytest.fixture
def labels(tmp_path):
    return label_folder(tmp_path / "labels", 2)


def render(renderer, labels, out, **options):
    return pictures(renderer.render(labels, out, RenderOptions(**options)).path)


def test_styles_follow_from_the_seed(tmp_path, renderer, labels):
    first, again, other = (
        render(renderer, labels, tmp_path / name, seed=seed)
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert (first == again).all()
    assert (first != other).any()
    assert (
        render(renderer, labels, tmp_path / "d") == render(renderer, labels, tmp_path / "e", seed=0)
    ).all()


def write_photo(folder):
    """Write a photo with the layout of the first label map, as labels and as instances."""
    (photo,) = write_first(folder, 1)
    ids, instances = folder / "photo_ids.png", folder / "photo_instances.png"
    cv2.imwrite(str(ids), label_maps(1)[0])
    cv2.imwrite(str(instances), instance_map())
    return photo, ids, instances


def instance_map():
    """Give every stripe of the first label map an id of its own, above 255."""
    columns = np.arange(24, dtype=np.uint16) // 2 + 300
    return np.broadcast_to(columns, (16, 24)).copy()


def test_a_photo_in_the_same_layout_gives_what_its_encoded_features_give(tmp_path, renderer):
    photo, ids, instances = write_photo(tmp_path)
    labels = label_folder(tmp_path / "labels", 1)
    objects = tmp_path / "instances"
    objects.mkdir()
    shutil.copy(instances, objects / "street_0_instanceIds.png")
    found = render(
        renderer,
        labels,
        tmp_path / "out",
        instances=objects,
        style_from=photo,
        style_labels=ids,
        style_instances=instances,
    )
    generation = renderer.generation
    frame = from_levels(torch.from_numpy(read_image(photo)))[None]
    regions = torch.from_numpy(instance_map().astype(np.int32))[None]
    maps = generation.conditioning(torch.from_numpy(label_maps(1)[0].copy())[None, None])[:, 0]
    with torch.no_grad():
        features = generation.generator.encode(frame, regions)
        output = next(rollout(generation.generator, [torch.cat([maps, features], dim=1)]))
    assert (found[0] == to_levels(output.frame[0]).numpy()).all()


def test_a_photo_gives_its_classes_their_styles_where_there_are_no_instances(
    tmp_path, renderer, labels
):
    photo, ids, instances = write_photo(tmp_path)
    plain = render(renderer, labels, tmp_path / "a")
    by_label = render(renderer, labels, tmp_path / "b", style_from=photo, style_labels=ids)
    assert (plain != by_label).any()
    # Ids of its instances are not those of the video's classes: nothing is known of them.
    unknown = render(renderer, labels, tmp_path / "c", style_from=photo, style_instances=instances)
    assert (unknown != by_label).any()


def test_styles_are_taken_from_the_command_line_too(tmp_path, styled, labels, capsys):
    photo, ids, _ = write_photo(tmp_path)
    options = ["--style-from", photo, "--style-labels", ids, "--checkpoint", styled]
    words = ["render", labels, tmp_path / "out", *options, "--device", "cpu", "--seed", "3"]
    with pytest.raises(SystemExit) as ended:
        cli.main([str(word) for word in words])
    assert ended.value.code == 0
    assert len(pictures(tmp_path / "out")) == 2


def test_a_checkpoint_without_tables_says_that_its_styles_are_zero(tmp_path, labels, caplog):
    bare = Renderer.load(checkpoint(tmp_path / "bare", STYLED), device="cpu")
    with caplog.at_level(logging.WARNING):
        assert len(render(bare, labels, tmp_path / "out")) == 2
    assert "all are 0; make them with 'vid2vid styles', or take those of a photo" in caplog.text


def refusal(tmp_path, generator, labels, **options):
    """Render with a fresh network and return what it is refused with."""
    fresh = Renderer.load(checkpoint(tmp_path / "run", generator), device="cpu")
    with pytest.raises((ConfigError, DataError)) as refused:
        render(fresh, labels, tmp_path / "out", **options)
    return str(refused.value)


def test_a_checkpoint_without_features_has_no_style(tmp_path, labels):
    photo, ids, _ = write_photo(tmp_path)
    message = refusal(tmp_path, HD, labels, style_from=photo, style_labels=ids)
    assert "--style-from is for a checkpoint with style features; this one has none" in message


def test_a_photo_needs_its_maps_and_they_need_their_photo(tmp_path, labels):
    photo, ids, _ = write_photo(tmp_path)
    message = refusal(tmp_path, STYLED, labels, style_labels=ids)
    assert "--style-labels describes a photo; none was given: pass --style-from PHOTO" in message
    message = refusal(tmp_path, STYLED, labels, style_from=photo)
    assert "pass --style-labels IDS, --style-instances IDS, or both" in message


def test_a_photo_needs_an_encoder(tmp_path, labels):
    photo, ids, _ = write_photo(tmp_path)
    without = {**STYLED, "encoder": None}
    message = refusal(tmp_path, without, labels, style_from=photo, style_labels=ids)
    assert "needs the feature encoder, which did not come with this checkpoint" in message


def test_instances_of_a_photo_are_refused_where_classes_share_a_style(tmp_path, labels):
    photo, ids, instances = write_photo(tmp_path)
    maps = {"style_labels": ids, "style_instances": instances}
    by_label = {**STYLED, "pooling": "labels"}
    message = refusal(tmp_path, by_label, labels, style_from=photo, **maps)
    assert "--style-instances is for styles of instances; this checkpoint has one" in message


def test_labels_of_a_photo_are_refused_where_pictures_are_taken(tmp_path, labels):
    photo, ids, _ = write_photo(tmp_path)
    controls = [{"kind": "picture"}]
    painter = tiny_checkpoint(
        tmp_path / "pictures", generator=STYLED, labels=None, controls=controls
    )
    with pytest.raises(ConfigError, match="takes none: leave it out and pass --style-inst"):
        render(
            Renderer.load(painter, device="cpu"),
            labels,
            tmp_path / "out",
            style_from=photo,
            style_labels=ids,
        )


def test_maps_of_a_photo_have_its_size(tmp_path, labels):
    photo, _, _ = write_photo(tmp_path)
    small = tmp_path / "small.png"
    cv2.imwrite(str(small), label_maps(1, height=8)[0])
    message = refusal(tmp_path, STYLED, labels, style_from=photo, style_labels=small)
    assert "must have its size, 24x16 (width x height)" in message
    assert "small.png is 24x8" in message


def test_a_class_is_painted_in_the_style_that_is_picked(tmp_path, styled, labels):
    picked = Renderer.load(styled, device="cpu")
    first = render(picked, labels, tmp_path / "a", style=(("Car", 3), ("1", 0)), seed=1)
    renamed = picked.generation.styles
    only = {8: renamed.tables[8][3:4], 1: renamed.tables[1][:1]}
    by_hand = picked.generation._replace(styles=renamed._replace(tables={**renamed.tables, **only}))
    second = render(Renderer(by_hand, device=torch.device("cpu")), labels, tmp_path / "b", seed=1)
    assert (first == second).all()
    assert (first != render(picked, labels, tmp_path / "c", seed=1)).any()


def with_instances(folder):
    """Write one label map and an instance map beside it; returns both folders."""
    labels, objects = label_folder(folder / "ids", 1), folder / "objects"
    objects.mkdir()
    cv2.imwrite(str(objects / "street_0_instanceIds.png"), instance_map())
    return labels, objects


def test_an_instance_goes_before_its_class(tmp_path, renderer):
    labels, objects = with_instances(tmp_path)
    given = {"instances": objects, "seed": 5}
    # Stripe 0 is instance 300 and of class 0, as is stripe 11, instance 311.
    plain = render(renderer, labels, tmp_path / "a", style=(("0", 0),), **given)
    both = render(renderer, labels, tmp_path / "b", style=(("0", 0), ("300", 4)), **given)
    marked = render(
        renderer, labels, tmp_path / "c", style=(("0", 0), ("instance:300", 4)), **given
    )
    alone = render(renderer, labels, tmp_path / "d", style=(("0", 4),), **given)
    assert (plain != both).any()
    assert (both == marked).all()
    assert (both != alone).any()


@pytest.mark.parametrize(
    ("style", "message"),
    [
        (("Cra", 0), "a class must be a name or id of palette 'camvid'; got 'Cra': did you mean"),
        (("zebra", 0), "got 'zebra': it has Sky, Building"),
        (("Car", 5), "class 'Car' has 5 styles, 0 to 4; got 5"),
        (("303", 5), "a style of instance 303 must be 0 to 4, the most that a class has; got 5"),
        (("instance:x", 0), "needs a number for ID; got 'x'"),
    ],
)
def test_picks_that_are_not_there_are_refused(tmp_path, renderer, style, message):
    labels, objects = with_instances(tmp_path)
    with pytest.raises(ConfigError) as refused:
        render(renderer, labels, tmp_path / "out", instances=objects, style=(style,))
    assert message in str(refused.value)


def test_an_instance_is_no_pick_where_styles_go_by_class(tmp_path, renderer, labels):
    with pytest.raises(ConfigError, match="303=1 names an instance; styles go by class here"):
        render(renderer, labels, tmp_path / "out", style=(("303", 1),))


def test_a_row_that_the_class_of_an_instance_lacks_is_told(tmp_path):
    rows = {label: torch.zeros(5 if label else 2, 2) for label in range(11)}
    short = Renderer.load(checkpoint(tmp_path / "short", STYLED, rows), device="cpu")
    labels, objects = with_instances(tmp_path)
    with pytest.raises(DataError, match="style 4 was picked for instance 300; its class, 0, has"):
        render(short, labels, tmp_path / "out", instances=objects, style=(("300", 4),))


def test_picks_need_styles(tmp_path, labels):
    message = refusal(tmp_path, HD, labels, style=(("Car", 0),))
    assert "--style is for a checkpoint with style features; this one has none" in message
    bare = Renderer.load(checkpoint(tmp_path / "bare", STYLED), device="cpu")
    with pytest.raises(ConfigError, match=r"class 'Car' must have styles .* has none: make them"):
        render(bare, labels, tmp_path / "out", style=(("Car", 0),))


def test_the_rest_of_a_photo_stays_where_a_class_is_picked(tmp_path, renderer):
    photo, ids, _ = write_photo(tmp_path)
    labels = label_folder(tmp_path / "labels", 1)
    given = {"style_from": photo, "style_labels": ids}
    plain = render(renderer, labels, tmp_path / "a", **given)
    picked = render(renderer, labels, tmp_path / "b", style=(("Car", 0),), **given)
    again = render(renderer, labels, tmp_path / "c", style=(("Car", 0),), **given)
    assert (plain != picked).any()
    assert (picked == again).all()


def command(*words):
    with pytest.raises(SystemExit) as ended:
        cli.main([str(word) for word in words])
    return ended.value.code


def test_picks_and_grids_come_from_the_command_line_too(tmp_path, styled, labels, capsys):
    words = ["still", labels, tmp_path / "out", "--checkpoint", styled, "--device", "cpu"]
    assert command(*words, "--style", "Car=3", "--style", "0=1", "--styles", "2") == 0
    assert pictures(tmp_path / "out").shape == (2, 16, 48, 3)
    capsys.readouterr()
    for wrong in ("Car", "Car=", "=3", "Car=x"):
        assert command(*words, "--style", wrong) == 2
        assert "--style must be WHAT=K, each once; got" in capsys.readouterr().err
    assert command(*words, "--style", "Car=1", "--style", "Car=2") == 2
    assert "that was named before" in capsys.readouterr().err
