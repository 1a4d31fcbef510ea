"""Several renderings in one picture, each that of a seed of its own."""

import numpy as np
import pytest
import torch
from tiny_runs import label_folder, label_video, pictures, tiny_checkpoint, write_first

from pipelines.render import Renderer
from pipelines.rendering.options import RenderOptions
from pipelines.rendering.style_grid import choose_columns, lay_out
from pipelines.still import render_stills
from vid2vid.checkpoint import load_checkpoint, save_checkpoint
from vid2vid.data.augment import Size
from vid2vid.errors import ConfigError
from vid2vid.video.reading import read_image

STYLED = {
    "kind": "pix2pixhd",
    "width": 4,
    "downsamplings": 1,
    "blocks": 1,
    "features": 2,
    "encoder": {"width": 2, "downsamplings": 1},
}


def make_renderer(folder, rows):
    """A network of stripes with tables of styles, or with none."""
    made = tiny_checkpoint(folder, generator=STYLED)
    saved = load_checkpoint(made, kind="generator")
    tables = {
        f"styles.{label}": torch.linspace(-4, 4, 2 * rows).view(rows, 2)
        for label in range(11 if rows else 0)
    }
    save_checkpoint(saved.path, saved.tensors | tables, saved.metadata)
    return Renderer.load(made, device="cpu")


@pytest.fixture(scope="module")
def renderer(tmp_path_factory):
    return make_renderer(tmp_path_factory.mktemp("runs") / "styled", 7)


@pytest.mark.parametrize(
    ("count", "size", "columns"),
    [
        (1, Size(512, 1024), 1),
        (4, Size(256, 256), 2),
        (8, Size(512, 1024), 3),  # 3 x 3 at 2:1, one cell left over, rather than 2 x 4 at 1:1
        (2, Size(512, 1024), 1),
        (2, Size(1024, 512), 2),
        (6, Size(256, 256), 3),
    ],
)
def test_a_grid_is_about_as_wide_as_a_screen(count, size, columns):
    assert choose_columns(count, size) == columns


def test_pictures_are_laid_out_row_by_row_and_the_rest_is_white():
    parts = [torch.full((2, 2, 3), level, dtype=torch.uint8) for level in range(1, 6)]
    grid = lay_out(parts)
    assert grid[::2, ::2, 0].tolist() == [[1, 2, 3], [4, 5, 255]]
    assert grid.shape == (4, 6, 3)


def cells(picture, *, height=16, width=24):
    """Cut a grid of two columns apart."""
    rows = np.split(picture, picture.shape[-3] // height, axis=-3)
    return [cell for row in rows for cell in np.split(row, row.shape[-2] // width, axis=-2)]


def test_cell_i_of_a_still_is_what_that_seed_renders(tmp_path, renderer):
    labels = label_folder(tmp_path / "labels", 1)
    done = render_stills(renderer, labels, tmp_path / "grid.png", RenderOptions(seed=3, styles=4))
    grid = read_image(done.path)
    assert (done.height, done.width) == grid.shape[:2] == (32, 48)
    for index, cell in enumerate(cells(grid)):
        options = RenderOptions(seed=3 + index)
        alone = render_stills(renderer, labels, tmp_path / f"{index}.png", options)
        assert (read_image(alone.path) == cell).all()
    assert len({cell.tobytes() for cell in cells(grid)}) > 1


def test_cells_of_a_video_keep_their_styles_over_its_frames(tmp_path, renderer):
    labels = label_video(tmp_path / "labels.mp4", 3)
    renderer.render(labels, tmp_path / "grid", RenderOptions(styles=3))
    grids = pictures(tmp_path / "grid")
    assert grids.shape == (3, 32, 48, 3)
    for index, cell in enumerate(cells(grids)[:3]):
        renderer.render(labels, tmp_path / str(index), RenderOptions(seed=index))
        assert (pictures(tmp_path / str(index)) == cell).all()
    assert (cells(grids)[3] == 255).all()


def test_a_grid_of_pictures_in_a_folder_keeps_their_names(tmp_path, renderer):
    labels = label_folder(tmp_path / "labels", 2)
    render_stills(renderer, labels, tmp_path / "out", RenderOptions(styles=2))
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["street_0_labels.png", "street_1_labels.png"]


def test_what_is_picked_is_in_every_cell(tmp_path, renderer):
    labels = label_folder(tmp_path / "labels", 1)
    picks = tuple((str(label), 2) for label in range(11))
    done = render_stills(
        renderer, labels, tmp_path / "grid.png", RenderOptions(styles=4, style=picks)
    )
    assert len({cell.tobytes() for cell in cells(read_image(done.path))}) == 1


def test_grids_that_say_nothing_are_refused(tmp_path, renderer):
    labels = label_folder(tmp_path / "labels", 1)
    (photo,) = write_first(tmp_path, 1)
    ids = labels / "street_0_labels.png"
    plain = Renderer.load(
        tiny_checkpoint(tmp_path / "plain", generator=STYLED | {"features": 0}), device="cpu"
    )
    cases = [
        (plain, {}, "--styles is for a checkpoint with style features"),
        (make_renderer(tmp_path / "bare", 0), {}, "the checkpoint holds none: make them with"),
        (renderer, {"style_from": photo, "style_labels": ids}, "--style-from fixes what is drawn"),
        (renderer, {"preview": tmp_path / "p.mp4"}, "--preview shows a part of a single one"),
    ]
    for each, options, message in cases:
        with pytest.raises(ConfigError, match=message):
            each.render(labels, tmp_path / "out.png", RenderOptions(styles=2, **options))
    assert not (tmp_path / "out.png").exists()
    with pytest.raises(ConfigError, match="--styles must be at least 1; got 0"):
        RenderOptions(styles=0)
