"""Generators that take pictures in place of label maps."""

import cv2
import numpy as np
import pytest
import torch
from tiny_runs import label_folder, pictures, tiny_checkpoint, write_first

from pipelines.render import Renderer
from pipelines.rendering.options import RenderOptions
from vid2vid.errors import ConfigError
from vid2vid.rollout import rollout
from vid2vid.video.levels import from_levels, to_levels
from vid2vid.video.reading import read_image

UNET = {"kind": "pix2pix_unet", "width": 2, "downsamplings": 3}


def load(folder, pictures, **sections):
    labels = {"pictures": pictures} | sections.pop("labels", {})
    sections = {"generator": UNET} | sections
    return Renderer.load(tiny_checkpoint(folder, labels=labels, **sections), device="cpu")


def expected(renderer, picture, *, light=False):
    frame = from_levels(torch.from_numpy(picture))
    if light:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        frame = from_levels(torch.from_numpy(grey)[..., None])
    with torch.no_grad():
        output = next(rollout(renderer.generation.generator, [frame[None]]))
    return to_levels(output.frame[0]).numpy()


@pytest.mark.parametrize(("channels", "light"), [(3, False), (1, True)])
def test_pictures_are_taken_as_they_are_and_one_channel_is_their_light(tmp_path, channels, light):
    renderer = load(tmp_path / "run", channels)
    (photo,) = write_first(tmp_path, 1)
    found = pictures(renderer.render(photo, tmp_path / "out").path)[0]
    assert (found == expected(renderer, read_image(photo), light=light)).all()


def test_a_video_is_rendered_with_a_preview_of_itself(tmp_path):
    renderer = load(tmp_path / "run", 3)
    folder = tmp_path / "in"
    folder.mkdir()
    for place in write_first(tmp_path, 3):
        place.rename(folder / place.name)
    preview = tmp_path / "preview"
    result = renderer.render(folder, tmp_path / "out.mp4", RenderOptions(preview=preview))
    assert (result.num_frames, result.width) == (3, 24)
    assert (pictures(preview)[:, :, :24] == pictures(folder)).all()


def test_pictures_are_resized_as_photos(tmp_path):
    renderer = load(tmp_path / "run", 3)
    (photo,) = write_first(tmp_path, 1)
    found = pictures(renderer.render(photo, tmp_path / "out", RenderOptions(height=8)).path)
    small = cv2.resize(read_image(photo), (12, 8), interpolation=cv2.INTER_AREA)
    assert (found[0] == expected(renderer, small)).all()


def test_a_sequential_generator_takes_pictures_too(tmp_path):
    generator = {"width": 4, "downsamplings": 1, "blocks": 2}
    renderer = load(tmp_path / "run", 3, generator=generator)
    folder = tmp_path / "in"
    folder.mkdir()
    for place in write_first(tmp_path, 3):
        place.rename(folder / place.name)
    assert renderer.render(folder, tmp_path / "out").num_frames == 3


def test_boundaries_of_instances_go_beside_pictures(tmp_path):
    renderer = load(tmp_path / "run", 3, labels={"boundary": "instances"})
    folder, instances = tmp_path / "in", tmp_path / "instances"
    folder.mkdir()
    instances.mkdir()
    for place in write_first(tmp_path, 2):
        place.rename(folder / place.name)
        cv2.imwrite(str(instances / place.name), np.zeros((16, 24), np.uint8))
    out = renderer.render(folder, tmp_path / "out", RenderOptions(instances=instances))
    assert renderer.generation.conditioning.channels == 4
    assert out.num_frames == 2


@pytest.mark.parametrize("option", ["palette", "map"])
def test_pictures_have_no_palette(tmp_path, option):
    renderer = load(tmp_path / "run", 3)
    options = RenderOptions(**{option: "camvid"})
    with pytest.raises(ConfigError, match=f"--{option} is for label maps; this checkpoint takes"):
        renderer.render(label_folder(tmp_path / "in", 1), tmp_path / "out", options)


def test_maps_that_no_file_holds_are_for_python(tmp_path):
    renderer = load(tmp_path / "run", 15)
    with pytest.raises(ConfigError, match=r"maps of 15 channels; files hold 1 or 3: give them to"):
        renderer.render(label_folder(tmp_path / "in", 1), tmp_path / "out")
    maps = torch.zeros(1, 15, 16, 24)
    assert next(rollout(renderer.generation.generator, [maps])).frame.shape == (1, 3, 16, 24)
