"""Several pictures of one map: one of them as the frame, or all in a grid."""

import numpy as np
import pytest
from typer.testing import CliRunner

from pipelines.cli.app import app
from pipelines.render import Renderer
from pipelines.rendering.options import RenderOptions
from pipelines.still import render_stills
from tests.tiny_runs import label_folder, pictures, tiny_checkpoint
from vid2vid.errors import ConfigError

CRN = {"kind": "crn", "height": 8, "width": 4}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("variants")


@pytest.fixture(scope="module")
def labels(place):
    return label_folder(place / "labels", 2)


@pytest.fixture(scope="module")
def renderer(place):
    run = tiny_checkpoint(place / "run", generator={**CRN, "outputs": 3})
    return Renderer.load(run, device="cpu")


@pytest.fixture
def render(renderer, labels, tmp_path):
    def frames(**options):
        out = tmp_path / f"{'_'.join(options) or 'plain'}.mkv"
        renderer.render(labels, out, RenderOptions(lossless=True, **options))
        return pictures(out)

    return frames


def test_the_first_picture_is_shown_unless_another_is_asked_for(render, tmp_path):
    plain, third = render(), render(variant=2)
    assert (plain != third).any()
    (tmp_path / "plain.mkv").unlink()
    assert (render() == plain).all()


def test_all_of_them_are_shown_in_a_grid(render, renderer, labels, tmp_path):
    rows = [render()]
    for variant in (1, 2):
        renderer.render(
            labels, tmp_path / f"v{variant}.mkv", RenderOptions(lossless=True, variant=variant)
        )
        rows.append(pictures(tmp_path / f"v{variant}.mkv"))
    grid = render(styles=3)
    height, width = rows[0].shape[1:3]
    cells = [
        grid[:, y : y + height, x : x + width]
        for y in range(0, grid.shape[1], height)
        for x in range(0, grid.shape[2], width)
    ]
    for expected, cell in zip(rows, cells, strict=False):
        assert np.array_equal(cell, expected)


def test_stills_have_their_variants_too(renderer, labels, tmp_path):
    for variant in (0, 1):
        options = RenderOptions(variant=variant)
        render_stills(renderer, labels, tmp_path / str(variant), options)
    one, two = (pictures(tmp_path / str(variant)) for variant in (0, 1))
    assert one.shape == two.shape
    assert (one != two).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"variant": 3}, "--variant must be 0 to 2 for this checkpoint; got 3"),
        ({"styles": 4}, "--styles must be at most 3 for this checkpoint"),
        ({"variant": 1, "styles": 2}, "--variant shows one picture .* got both"),
    ],
    ids=["variant", "styles", "both"],
)
def test_pictures_that_there_are_not_are_refused(renderer, labels, tmp_path, options, message):
    with pytest.raises(ConfigError, match=message):
        renderer.render(labels, tmp_path / "out.mkv", RenderOptions(**options))


def test_a_variant_below_0_is_refused():
    with pytest.raises(ConfigError, match="--variant must be at least 0; got -1"):
        RenderOptions(variant=-1)


def test_a_checkpoint_of_one_picture_has_no_variants(labels, tmp_path):
    single = Renderer.load(tiny_checkpoint(tmp_path / "run", generator=CRN), device="cpu")
    for option, value in (("variant", 0), ("styles", 2)):
        with pytest.raises(ConfigError, match=f"--{option} is for a checkpoint .*: leave it out"):
            single.render(labels, tmp_path / "out.mkv", RenderOptions(**{option: value}))


def test_the_command_takes_a_variant(place, renderer, labels, tmp_path):
    del renderer
    out = tmp_path / "out.png"
    arguments = ["still", str(labels), str(out), "--checkpoint", str(place / "run")]
    done = CliRunner().invoke(app, [*arguments, "--frames", "0:1", "--variant", "2"])
    assert done.exit_code == 0, done.output
    assert out.is_file()
