"""Whether sound is copied, and what is refused before a frame is written."""

from pathlib import Path

import pytest
from sample_videos import film
from tiny_runs import label_folder, label_maps, tiny_checkpoint

from pipelines.render import Renderer
from pipelines.rendering.options import RenderOptions
from pipelines.rendering.sound_choice import takes_sound
from vid2vid.errors import ConfigError, VideoError
from vid2vid.labels.maps import ids_to_colours
from vid2vid.labels.palettes import load_palette

VIDEO, FOLDER = Path("in.mp4"), Path("in")


@pytest.mark.parametrize(
    ("audio", "source", "out", "is_taken"),
    [
        (None, VIDEO, "out.mp4", True),
        (None, Path("-"), "out.webm", True),
        ("copy", VIDEO, "out.mkv", True),
        ("none", VIDEO, "out.mp4", False),
        ("none", FOLDER, "out", False),
        (None, VIDEO, "out.gif", False),
        (None, VIDEO, "out", False),
        (None, VIDEO, "out.png", False),
        (None, FOLDER, "out.mp4", False),
    ],
)
def test_sound_is_copied_where_it_can_be_unless_told(audio, source, out, is_taken):
    assert takes_sound(RenderOptions(audio=audio), source, Path(out)) is is_taken


@pytest.mark.parametrize(
    ("source", "out", "message"),
    [
        (VIDEO, "out.gif", r"needs a video to write; out\.gif cannot have sound"),
        (VIDEO, "out", "needs a video to write; out cannot have sound: leave it out"),
        (FOLDER, "out.mp4", "needs a video to read; in cannot have sound"),
    ],
)
def test_sound_that_cannot_be_copied_is_refused(source, out, message):
    with pytest.raises(ConfigError, match=message):
        takes_sound(RenderOptions(audio="copy"), source, Path(out))


def label_colours(index, height, width):
    ids = label_maps(index + 1, height=height, width=width)[index]
    return ids_to_colours(ids, load_palette("camvid"))


def test_nothing_is_written_where_the_output_does_not_hold_the_sound(tmp_path):
    renderer = Renderer.load(tiny_checkpoint(tmp_path / "run"), device="cpu")
    source = film(tmp_path / "in.mp4", [0, 1], paint=label_colours)
    with pytest.raises(VideoError, match="or leave the sound out with --audio none"):
        renderer.render(source, tmp_path / "out.webm")
    with pytest.raises(ConfigError, match="--audio copy needs a video to read"):
        renderer.render(
            label_folder(tmp_path / "in", 2), tmp_path / "out.mp4", RenderOptions(audio="copy")
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "in.mp4", "run"]
