from pathlib import Path

import pytest
from sample_videos import read_times
from tiny_runs import (
    file_names,
    label_folder,
    label_maps,
    label_video,
    pictures,
    tiny_checkpoint,
    write_first,
)

from flow import read_flo
from pipelines.render import Renderer
from pipelines.rendering.options import RenderOptions
from vid2vid.errors import ConfigError, VideoError
from vid2vid.labels.maps import ids_to_colours
from vid2vid.labels.palettes import load_palette
from vid2vid.video.reading import read_image


@pytest.fixture(scope="module")
def renderer(tmp_path_factory):
    return Renderer.load(tiny_checkpoint(tmp_path_factory.mktemp("runs") / "tiny"), device="cpu")


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
    assert file_names(tmp_path / "flow") == ["000001.flo", "000002.flo"]  # the first has no past
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
    assert file_names(tmp_path / "flow") == ["street_1_labels.flo", "street_2_labels.flo"]
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
    assert file_names(tmp_path) == ["flow", "labels.mp4"]


def test_what_lies_under_the_partial_name_is_not_removed(tmp_path, renderer):
    labels = label_video(tmp_path / "labels.mp4", 2)
    (tmp_path / "flow.partial").mkdir()
    (tmp_path / "flow.partial" / "notes.txt").touch()
    options = RenderOptions(save_flow=tmp_path / "flow")
    with pytest.raises(VideoError, match=r"it holds notes\.txt: move it away"):
        renderer.render(labels, tmp_path / "out.mp4", options)


@pytest.mark.parametrize("name", ["", "-", "new/.mp4", ".png"])
def test_an_output_without_a_name_is_refused(tmp_path, renderer, name):
    labels = label_video(tmp_path / "labels.mp4", 2)
    with pytest.raises(ConfigError, match="every output needs a name of its own"):
        renderer.render(labels, Path(name))
    with pytest.raises(ConfigError, match="every output needs a name of its own"):
        renderer.render(labels, tmp_path / "out", RenderOptions(preview=Path(name)))


def test_the_preview_of_one_frame_may_be_a_picture(tmp_path, renderer):
    labels = label_video(tmp_path / "labels.mp4", 2)
    preview = tmp_path / "preview.png"
    options = RenderOptions(preview=preview, frames="1:2")
    out = renderer.render(labels, tmp_path / "out.png", options).path
    assert (read_image(preview)[:, 24:] == read_image(out)).all()


def test_two_outputs_need_two_places(tmp_path, renderer):
    labels = label_video(tmp_path / "labels.mp4", 2)
    options = RenderOptions(preview=tmp_path / "out.mp4")
    with pytest.raises(ConfigError, match=r"out\.mp4 is named twice"):
        renderer.render(labels, tmp_path / "out.mp4", options)
    with pytest.raises(ConfigError, match=r"labels\.mp4 is named twice"):
        renderer.render(labels, labels)
