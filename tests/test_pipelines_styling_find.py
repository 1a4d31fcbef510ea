"""Styles of a data set: pooled, clustered, written into a checkpoint, drawn on a sheet."""

import json

import numpy as np
import pytest
import torch
import yaml
from tiny_runs import tiny_checkpoint

from pipelines.build import load_generation
from pipelines.cli import app as cli
from pipelines.render import Renderer
from pipelines.rendering.options import RenderOptions
from pipelines.styling.find import StyleOptions, learn_styles
from vid2vid.checkpoint import load_checkpoint, save_checkpoint
from vid2vid.errors import ConfigError, DataError
from vid2vid.labels.files import LabelReader
from vid2vid.networks.feature_encoder import instance_mean
from vid2vid.video.levels import from_levels
from vid2vid.video.reading import read_image

CPU = torch.device("cpu")
STYLED = {
    "kind": "pix2pixhd",
    "width": 4,
    "downsamplings": 1,
    "blocks": 1,
    "features": 2,
    "encoder": {"width": 2, "downsamplings": 1, "norm": "none"},
}


@pytest.fixture
def root(tiny_dataset):
    """Twelve photographs of a ground and a square on it, with instance maps."""
    return tiny_dataset({"one": 7, "two": 5}, with_instances=True)


@pytest.fixture
def checkpoint(tmp_path, root):
    """A network whose encoder is not flat, as a fresh one is."""
    return make_checkpoint(tmp_path / "run", root)


def make_checkpoint(folder, root, **generator):
    labels = {"palette": str(root / "palette.yaml"), "boundary": "instances"}
    data = {"root": str(root), "height": 16, "width": 16}
    made = tiny_checkpoint(folder, generator=STYLED | generator, labels=labels, data=data)
    saved = load_checkpoint(made, kind="generator")
    louder = {
        key: each * 20 if key.startswith("encoder.") else each
        for key, each in saved.tensors.items()
    }
    save_checkpoint(saved.path, louder, saved.metadata)
    return made


def learn(checkpoint, data, **options):
    return learn_styles(checkpoint, str(data), StyleOptions(device="cpu", **options))


def tables_of(path):
    return load_generation(path, CPU).styles.tables


def rows_by_loops(checkpoint, root, label):
    """Encode every photograph and read off the mean over its one region of a class."""
    generation = load_generation(checkpoint, CPU)
    reader, rows = LabelReader(generation.palette), []
    for photo in sorted((root / "train").glob("*/frames/*.png")):
        ids = reader.from_image(photo.parent.parent / "labels" / photo.name)
        inside = torch.from_numpy(ids == label)[None]
        frame = from_levels(torch.from_numpy(read_image(photo)))[None]
        features = generation.generator.encoder(frame)
        means = instance_mean(features, inside.int())
        rows.append(means[0, :, inside[0]][:, 0])
    return torch.stack(rows)


def test_as_many_styles_as_instances_are_the_instances_themselves(checkpoint, root):
    found = learn(checkpoint, root, clusters=50)
    table = tables_of(found.path)[1]
    expected = rows_by_loops(checkpoint, root, 1)
    distances = torch.cdist(expected, table)
    assert (len(table), len(expected)) == (7, 12)  # the sequences begin alike
    assert distances.min(1).values.max() < 1e-5
    assert [(each.name, each.instances, each.styles) for each in found.classes] == [
        ("ground", 12, 7),
        ("square", 12, 7),
    ]


def test_one_style_is_the_mean_and_its_spread_is_what_it_leaves(checkpoint, root):
    found = learn(checkpoint, root, clusters=1)
    expected = rows_by_loops(checkpoint, root, 1)
    torch.testing.assert_close(tables_of(found.path)[1], expected.mean(0, keepdim=True))
    spread = (expected - expected.mean(0)).square().sum(1).mean().sqrt()
    assert found.classes[1].spread == pytest.approx(spread.item(), rel=1e-3)
    assert found.classes[1].within == found.classes[1].spread


def test_a_copy_is_written_and_the_checkpoint_itself_only_where_it_is_named(checkpoint, root):
    before = (checkpoint / "model.safetensors").read_bytes()
    found = learn(checkpoint, root)
    assert found.path == checkpoint / "model_styles.safetensors"
    assert (checkpoint / "model.safetensors").read_bytes() == before
    again = learn(found.path, root, clusters=2, out=checkpoint / "model.safetensors")
    assert {label: len(table) for label, table in tables_of(again.path).items()} == {0: 2, 1: 2}
    assert not list(checkpoint.glob("*.partial"))


def test_the_same_seed_gives_the_same_bits(checkpoint, root, tmp_path):
    first, second, other = (
        tables_of(
            learn(checkpoint, root, clusters=3, seed=s, out=tmp_path / f"{n}.safetensors").path
        )
        for n, s in (("a", 1), ("b", 1), ("c", 2))
    )
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])
    assert not torch.equal(first[1], other[1]) or not torch.equal(first[0], other[0])


def test_small_instances_do_not_count(checkpoint, root):
    # The square has 36 of 256 pixels.
    found = learn(checkpoint, root, min_area=36 / 256)
    assert [each.name for each in found.classes] == ["ground"]
    assert learn(checkpoint, root, min_area=35 / 256).classes[1].instances == 12
    with pytest.raises(DataError, match=r"more than 1 of its picture .* in the 12 frames of"):
        learn(checkpoint, root, min_area=1.0)


def test_styles_of_classes_need_no_instance_maps(tmp_path, tiny_dataset):
    root = tiny_dataset({"one": 4})
    made = make_checkpoint(tmp_path / "run", root, pooling="labels")
    found = learn(made, root, sheet=tmp_path / "sheet.png")
    assert [each.instances for each in found.classes] == [4, 4]
    by_instance = make_checkpoint(tmp_path / "other", root)
    with pytest.raises(DataError, match="styles of instances, so that instance maps are needed"):
        learn(by_instance, root)


def test_data_may_be_a_configuration_or_a_run_folder(checkpoint, root, tmp_path):
    section = {"root": str(root), "height": 16, "width": 16, "frame_range": [0, 2]}
    palette = {"palette": str(root / "palette.yaml")}
    settings = {"name": "mine", "data": section, "labels": palette, "video_discriminator": None}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(settings))
    assert learn(checkpoint, tmp_path / "config.yaml").frames == 4
    assert learn(checkpoint, tmp_path).frames == 4
    assert learn(checkpoint, tmp_path, overrides=("data.frame_range=null",)).frames == 12


def test_procedural_streets_are_data_too(tmp_path):
    data = {"kind": "world", "height": 16, "width": 32, "worlds": 1, "num_frames": 2}
    made = tiny_checkpoint(
        tmp_path / "run",
        generator=STYLED,
        labels={"palette": "cityscapes"},
        data={"root": "nowhere", "height": 16, "width": 32},
    )
    settings = {"name": "streets", "data": data, "video_discriminator": None}
    (tmp_path / "streets.yaml").write_text(yaml.safe_dump(settings))
    found = learn(made, tmp_path / "streets.yaml")
    assert found.frames == 2
    assert "road" in {each.name for each in found.classes}


def test_a_limit_takes_frames_evenly_apart(checkpoint, root):
    assert learn(checkpoint, root, limit=3).frames == 3
    assert learn(checkpoint, root, limit=30).frames == 12


def test_a_sheet_shows_every_style_in_two_rows(checkpoint, root, tmp_path):
    learn(checkpoint, root, clusters=3, sheet=tmp_path / "sheet.png")
    sheet = read_image(tmp_path / "sheet.png")
    assert sheet.shape == (2 * (18 + 2 * 128), 3 * 128, 3)
    square = sheet[18 + 256 + 18 :]
    photographs, painted = square[:128], square[128:]
    assert len({photographs[:, left : left + 128].tobytes() for left in (0, 128, 256)}) > 1
    assert len({painted[:, left : left + 128].tobytes() for left in (0, 128, 256)}) > 1


def test_rendering_draws_from_what_was_found(checkpoint, root, tmp_path):
    found = learn(checkpoint, root)
    renderer = Renderer.load(found.path, device="cpu")
    given = {"instances": root / "train" / "one" / "instances"}
    pictures = [
        read_image(
            renderer.render(
                root / "train" / "one" / "labels",
                tmp_path / f"{seed}.png",
                RenderOptions(seed=seed, frames="0:1", **given),
            ).path
        )
        for seed in (1, 2)
    ]
    assert (pictures[0] != pictures[1]).any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": 0}, "styles are for a checkpoint with style features"),
        ({"encoder": None}, "styles are found by the feature encoder"),
    ],
)
def test_a_checkpoint_without_encoded_features_is_refused(tmp_path, root, changes, message):
    made = make_checkpoint(tmp_path / "other", root, **changes)
    with pytest.raises(ConfigError, match=message):
        learn(made, root)


def test_places_are_checked_before_anything_is_read(checkpoint, tmp_path):
    for options, message in (
        ({"out": tmp_path / "a.pth"}, "--out must be a .safetensors file"),
        ({"sheet": tmp_path / "a.txt"}, "--sheet must be a picture"),
        ({"sheet": tmp_path / "no" / "a.png"}, "the folder of an output must exist"),
    ):
        with pytest.raises(ConfigError, match=message):
            learn(checkpoint, "nowhere", **options)


def test_other_classes_are_refused_without_a_mapping(checkpoint, root, tmp_path):
    section = {"root": str(root), "height": 16, "width": 16}
    settings = {"name": "mine", "data": section, "labels": {"palette": "camvid"}}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(settings))
    with pytest.raises(DataError, match=r"in the checkpoint's palette 'two'; .* pass --map"):
        learn(checkpoint, tmp_path / "mine.yaml")
    settings |= {"labels": None, "controls": [{"kind": "edges"}]}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(settings))
    with pytest.raises(ConfigError, match="styles go by class"):
        learn(checkpoint, tmp_path / "mine.yaml")


def run(*words):
    with pytest.raises(SystemExit) as ended:
        cli.main([str(word) for word in words])
    return ended.value.code


def test_the_command_prints_a_table_or_json(checkpoint, root, capsys):
    words = ["styles", checkpoint, root, "--clusters", 4, "--device", "cpu"]
    assert run(*words) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].split() == ["id", "class", "instances", "styles", "spread", "within"]
    assert lines[1].split()[:4] == ["0", "ground", "12", "4"]
    assert lines[3] == str(checkpoint / "model_styles.safetensors")
    assert "encoding: 12 of 12 frames" in err
    assert run(*words, "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert [each["instances"] for each in result["classes"]] == [12, 12]
    assert run("styles", checkpoint, root, "--min-area", 1) == 2
    assert "lower --min-area" in capsys.readouterr().err


def test_instances_without_classes_are_all_of_one_kind(tmp_path, root):
    controls = [{"kind": "edges"}]
    made = tiny_checkpoint(
        tmp_path / "run",
        generator=STYLED,
        labels=None,
        controls=controls,
        data={"root": str(root), "height": 16, "width": 16},
    )
    found = learn(made, root, clusters=3, sheet=tmp_path / "sheet.png")
    (only,) = found.classes
    assert (only.id, only.name, only.instances) == (255, "any", 24)
    assert tables_of(found.path)[255].shape == (3, 2)
    assert np.shape(read_image(tmp_path / "sheet.png")) == (18 + 128, 3 * 128, 3)
