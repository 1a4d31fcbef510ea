import numpy as np
import pytest
from tiny_runs import label_folder, label_maps, label_video, tiny_checkpoint

from pipelines.render import Renderer
from pipelines.rendering.options import RenderingError, RenderOptions
from pipelines.still import render_stills
from vid2vid.errors import ConfigError, VideoError
from vid2vid.video.reading import open_video, read_image, read_video


@pytest.fixture(scope="module")
def renderer(tmp_path_factory):
    return Renderer.load(tiny_checkpoint(tmp_path_factory.mktemp("runs") / "tiny"), device="cpu")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("suffix", [".png", ".webp", ".jpg"])
def test_a_picture_becomes_a_picture(tmp_path, renderer, suffix):
    labels = label_folder(tmp_path / "labels", 1) / "street_0_labels.png"
    rendered = render_stills(renderer, labels, tmp_path / f"out{suffix}")
    assert (rendered.path, rendered.num_frames) == (tmp_path / f"out{suffix}", 1)
    assert read_image(rendered.path).shape == (16, 24, 3)
    assert names(tmp_path) == ["labels", f"out{suffix}"]


def test_a_folder_becomes_a_folder_of_the_same_names(tmp_path, renderer):
    labels = label_folder(tmp_path / "labels", 3)
    for source, out in [(labels, "a"), (labels / "*.png", "b")]:
        rendered = render_stills(renderer, source, tmp_path / out)
        assert rendered.num_frames == 3
        assert names(tmp_path / out) == names(labels)


def test_a_video_becomes_a_video_of_its_rate(tmp_path, renderer):
    labels = label_video(tmp_path / "labels.mp4", 3)
    rendered = render_stills(renderer, labels, tmp_path / "out.mp4")
    assert rendered.num_frames == 3
    assert open_video(rendered.path).rate == 25


def test_no_frame_remembers_another(tmp_path, renderer):
    labels = label_folder(tmp_path / "labels", 4)
    together = render_stills(renderer, labels, tmp_path / "together").path
    for path in labels.iterdir():
        alone = render_stills(renderer, path, tmp_path / path.name).path
        assert (read_image(alone) == read_image(together / path.name)).all()
    moving = renderer.render(labels, tmp_path / "moving").path
    frames = [frame.rgb for frame in read_video(moving)]
    stills = [read_image(together / f"street_{index}_labels.png") for index in range(4)]
    assert (frames[0] == stills[0]).all()
    assert (frames[1] != stills[1]).any()


def test_a_size_can_be_asked_for(tmp_path, renderer):
    labels = label_folder(tmp_path / "labels", 1)
    options = RenderOptions(height=31, width=45)
    out = render_stills(renderer, labels, tmp_path / "out.png", options).path
    assert read_image(out).shape == (31, 45, 3)


@pytest.mark.parametrize("option", ["first_frames", "save_flow", "save_occlusion"])
def test_what_needs_a_past_is_refused(tmp_path, renderer, option):
    labels = label_folder(tmp_path / "labels", 2)
    path = tmp_path / "x"
    options = RenderOptions(**{option: (path,) if option == "first_frames" else path})
    with pytest.raises(ConfigError, match="stills have no past"):
        render_stills(renderer, labels, tmp_path / "out", options)


def test_two_pictures_of_one_name_are_refused(tmp_path, renderer):
    for folder in ("a", "b"):
        label_folder(tmp_path / "labels" / folder, 1)
    with pytest.raises(RenderingError, match="two are called street_0_labels: rename one"):
        render_stills(renderer, tmp_path / "labels" / "*" / "*.png", tmp_path / "out")


def test_a_folder_of_pictures_is_not_written_over_files(tmp_path, renderer):
    labels = label_folder(tmp_path / "labels", 2)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.png").touch()
    with pytest.raises(VideoError, match="must be new or empty"):
        render_stills(renderer, labels, tmp_path / "out")
    assert names(tmp_path) == ["labels", "out"]


def test_a_still_that_cannot_be_written_is_refused(tmp_path, renderer):
    (tmp_path / "file").touch()
    labels = label_folder(tmp_path / "labels", 1)
    with pytest.raises(VideoError, match="output folder must be writable"):
        render_stills(renderer, labels, tmp_path / "file" / "out.png")


def test_a_broken_picture_leaves_those_before_it(tmp_path, renderer):
    labels = label_folder(tmp_path / "labels", 3)
    broken = labels / "street_2_labels.png"
    broken.write_bytes(broken.read_bytes()[:50])
    with pytest.raises(RenderingError, match=r"the 2 frames before are in .*out\.partial"):
        render_stills(renderer, labels, tmp_path / "out")
    assert names(tmp_path) == ["labels", "out.partial"]
    assert names(tmp_path / "out.partial") == ["street_0_labels.png", "street_1_labels.png"]


def test_nothing_is_left_where_the_only_picture_fails(tmp_path, renderer):
    labels = label_folder(tmp_path / "labels", 1)
    handle = renderer.generation.generator.register_forward_hook(_fail)
    try:
        with pytest.raises(RuntimeError, match="no device"):
            render_stills(renderer, labels, tmp_path / "out.png")
    finally:
        handle.remove()
    assert names(tmp_path) == ["labels"]


def _fail(*_):
    raise RuntimeError("no device")


def test_the_input_is_what_the_tests_think(tmp_path):
    ids = read_image(label_folder(tmp_path / "labels", 1) / "street_0_labels.png")[..., 0]
    assert (ids == np.stack(label_maps(1))[0]).all()
