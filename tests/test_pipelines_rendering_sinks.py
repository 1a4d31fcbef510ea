from fractions import Fraction

import numpy as np
import pytest
import torch
from tiny_runs import label_maps, label_video, tiny_checkpoint

from pipelines.render import Renderer
from pipelines.rendering.input_stream import InputFrame, InputStream
from pipelines.rendering.options import RenderingError, RenderOptions
from pipelines.rendering.outputs import Outputs
from pipelines.rendering.sinks import FolderSink, PictureSink, RenderedFrame
from vid2vid.controls.drawing import InputDrawing
from vid2vid.data.augment import Size
from vid2vid.errors import ConfigError, VideoError
from vid2vid.video.reading import read_image, read_video


@pytest.fixture(scope="module")
def renderer(tmp_path_factory):
    return Renderer.load(tiny_checkpoint(tmp_path_factory.mktemp("runs") / "tiny"), device="cpu")


def rendered(name="a"):
    source = InputFrame(label_maps(1)[0], None, Fraction(0), name)
    return RenderedFrame(source, torch.zeros(16, 24, 3, dtype=torch.uint8))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def save(path, frame):
    path.write_bytes(frame.frame.numpy().tobytes())


def no_space(path, frame):
    raise OSError(28, "No space left on device")


def test_a_folder_has_its_name_only_when_complete(tmp_path):
    sink = FolderSink(tmp_path / "out", ".bin", save)
    sink.write(rendered())
    assert names(tmp_path) == ["out.partial"]
    assert sink.close() == tmp_path / "out"
    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == ["a.bin"]


@pytest.mark.parametrize("keep_partial", [True, False])
def test_an_aborted_output_keeps_its_partial_name_or_goes(tmp_path, keep_partial):
    for sink, name in [
        (FolderSink(tmp_path / "out", ".bin", save), "out.partial"),
        (PictureSink(tmp_path / "out.png", save), "out.partial.png"),
    ]:
        sink.write(rendered())
        partial = sink.abort(keep_partial=keep_partial)
        assert partial == (tmp_path / name if keep_partial else None)
        assert (tmp_path / name).exists() is keep_partial


def test_a_full_disk_names_the_output(tmp_path):
    sink = FolderSink(tmp_path / "out", ".bin", no_space)
    with pytest.raises(VideoError, match=r"out must be written whole; .*No space left on device"):
        sink.write(rendered())


def test_a_picture_that_cannot_be_written_names_itself(tmp_path):
    sink = PictureSink(tmp_path / "out.png", save)
    (tmp_path / "out.partial.png").unlink()
    (tmp_path / "out.partial.png").mkdir()
    with pytest.raises(VideoError, match=r"out\.png must be written whole"):
        sink.write(rendered())


def test_a_name_that_was_taken_meanwhile_is_not_overwritten(tmp_path):
    folder = FolderSink(tmp_path / "out", ".bin", save)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(VideoError, match=r"out must be written whole; .*not empty"):
        folder.close()
    picture = PictureSink(tmp_path / "out.png", save)
    picture.write(rendered())
    (tmp_path / "out.png").mkdir()
    with pytest.raises(VideoError, match=r"out\.png must be written whole"):
        picture.close()


def test_outputs_are_opened_all_or_none(tmp_path, renderer):
    labels = label_video(tmp_path / "labels.mp4", 2)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.png").touch()
    options = RenderOptions(preview=tmp_path / "preview.mp4", save_flow=tmp_path / "flow")
    with pytest.raises(VideoError, match="must be new or empty"):
        renderer.render(labels, tmp_path / "out", options)
    assert names(tmp_path) == ["labels.mp4", "out"]


def test_a_final_name_that_was_taken_while_rendering_leaves_what_plays(tmp_path, renderer):
    labels = label_video(tmp_path / "labels.mp4", 3)
    handle = renderer.generation.generator.register_forward_hook(
        lambda *_: (tmp_path / "out.mp4").mkdir(exist_ok=True)
    )
    try:
        with pytest.raises(RenderingError, match="must be written whole"):
            renderer.render(labels, tmp_path / "out.mp4")
    finally:
        handle.remove()
    assert len(list(read_video(tmp_path / "out.partial.mp4"))) == 3


def test_a_frame_of_a_video_of_unknown_length_can_be_a_picture(tmp_path, renderer):
    labels = label_video(tmp_path / "labels.mkv", 3)
    one = RenderOptions(frames="1:2")
    picture = read_image(renderer.render(labels, tmp_path / "one.png", one).path)
    whole = renderer.render(labels, tmp_path / "part", one).path
    assert (picture == next(iter(read_video(whole))).rgb).all()
    assert np.ptp(picture) > 0
    with pytest.raises(ConfigError, match="would have to hold an unknown number"):
        renderer.render(labels, tmp_path / "all.png")
    assert not (tmp_path / "all.png").exists()


def test_a_part_that_was_not_asked_of_the_generator_cannot_be_written(tmp_path, renderer):
    stream = InputStream(iter(()), Size(16, 24), Fraction(25), Fraction(1, 25), 1)
    options = RenderOptions(save_hallucinated=tmp_path / "hallucinated")
    drawing = InputDrawing(renderer.generation.palette, ())
    outputs = Outputs(tmp_path / "out", stream, options=options, drawing=drawing)
    with pytest.raises(ValueError, match="was not asked of the generator"):
        outputs.write(rendered())
    assert outputs.abort() is None
    assert names(tmp_path) == []
