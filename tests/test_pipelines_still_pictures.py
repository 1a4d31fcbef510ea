"""Stills of all kinds of pictures: what goes in, what comes out, what is refused."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from tiny_runs import file_names, tiny_checkpoint

from pipelines.cli.app import still_main
from pipelines.render import Renderer
from pipelines.rendering.options import RenderOptions
from pipelines.still import render_stills
from vid2vid.errors import ConfigError, DataError
from vid2vid.rollout import rollout
from vid2vid.video.levels import from_levels, to_deep_levels, to_levels
from vid2vid.video.reading import read_image, read_video
from vid2vid.video.writing import open_writer

UNET = {"kind": "pix2pix_unet", "width": 2, "downsamplings": 2}
DROPPING = {"kind": "pix2pix_resnet", "width": 4, "blocks": 2, "render_dropout": "each_frame"}
RGB = np.random.default_rng(0).integers(0, 256, (16, 24, 3), dtype=np.uint8)


def load(folder, *, generator=UNET, **control):
    sections = {
        "controls": [{"kind": "picture", **control}],
        "labels": None,
        "generator": generator,
        "video_discriminator": None,
        "losses": {"pixel": 1},
        "schedule": {"clip_length": 1, "clip_length_max": 1},
    }
    renderer = Renderer.load(tiny_checkpoint(folder, **sections), device="cpu")
    with torch.no_grad():  # of weights as they are drawn hardly anything is to be seen
        for weights in renderer.generation.generator.parameters():
            weights.mul_(10)
    return renderer


@pytest.fixture(scope="module")
def renderer(tmp_path_factory):
    return load(tmp_path_factory.mktemp("run"))


def paint(renderer, maps):
    with torch.no_grad():
        return next(rollout(renderer.generation.generator, [maps[None]])).frame[0]


def paint_rgb(renderer, rgb):
    return to_levels(paint(renderer, from_levels(torch.from_numpy(rgb)))).numpy()


def write(path, rgb):
    path.parent.mkdir(exist_ok=True)
    assert cv2.imwrite(str(path), np.ascontiguousarray(rgb[..., ::-1]))
    return path


def film(path, count=3):
    writer = open_writer(path, width=24, height=16, rate=Fraction(10), lossless=True)
    for index in range(count):
        writer.write(RGB, Fraction(index, 10))
    writer.close()
    return path


# What goes in


def test_grey_palette_and_transparent_pictures_are_read_as_the_control_says(tmp_path, renderer):
    grey = RGB[..., 0]
    palette = Image.fromarray(RGB).quantize(16)
    inputs = {
        "grey": (Image.fromarray(grey), np.repeat(grey[..., None], 3, axis=2)),
        "palette": (palette, np.array(palette.convert("RGB"))),
        "alpha": (Image.fromarray(np.dstack([RGB, grey])), RGB),
    }
    for name, (picture, expected) in inputs.items():
        picture.save(tmp_path / f"{name}.png")
        out = render_stills(renderer, tmp_path / f"{name}.png", tmp_path / f"{name}_out.png").path
        assert (read_image(out) == paint_rgb(renderer, expected)).all(), name


def test_sixteen_bits_go_in_whole(tmp_path, renderer):
    deep = np.random.default_rng(1).integers(0, 65536, (16, 24, 3), dtype=np.uint16)
    maps = torch.from_numpy(deep.astype(np.float32)).permute(2, 0, 1) / 32767.5 - 1
    for suffix in (".png", ".tiff"):
        source = write(tmp_path / f"in{suffix}", deep)
        out = render_stills(renderer, source, tmp_path / f"out{suffix}.png").path
        assert (read_image(out) == to_levels(paint(renderer, maps)).numpy()).all()


def test_arrays_of_many_channels_go_in(tmp_path):
    renderer = load(tmp_path / "run", channels=5, value_range=(0, 10))
    array = np.random.default_rng(2).uniform(0, 10, (16, 24, 5)).astype(np.float32)
    (tmp_path / "in").mkdir()
    np.save(tmp_path / "in/a.npy", array)
    out = render_stills(renderer, tmp_path / "in", tmp_path / "out").path
    maps = torch.from_numpy(array).permute(2, 0, 1) / 5 - 1
    assert file_names(out) == ["a.png"]
    assert np.abs(read_image(out / "a.png") - to_levels(paint(renderer, maps)).numpy()).max() <= 1


def test_every_picture_of_a_folder_comes_back_at_its_own_size(tmp_path, renderer):
    rgbs = {"a": RGB, "b": RGB[:9, :13], "c": RGB[:16, :7]}
    for name, rgb in rgbs.items():
        write(tmp_path / "in" / f"{name}.png", rgb)
    out = render_stills(renderer, tmp_path / "in", tmp_path / "out").path
    for name, rgb in rgbs.items():
        assert (read_image(out / f"{name}.png") == paint_rgb(renderer, rgb)).all()


def test_streams_beside_pictures_of_several_sizes_go_with_them(tmp_path):
    renderer = load(tmp_path / "run", stream="one")
    both = {"controls": [{"kind": "picture", "stream": each} for each in ("one", "two")]}
    sections = {"labels": None, "generator": UNET, "video_discriminator": None}
    folder = tiny_checkpoint(tmp_path / "both", **both, **sections, losses={"pixel": 1})
    renderer = Renderer.load(folder, device="cpu")
    for stream in ("one", "two"):
        write(tmp_path / stream / "a.png", RGB)
        write(tmp_path / stream / "b.png", RGB[:9, :13])
    options = RenderOptions(controls=(("two", tmp_path / "two"),), preview=tmp_path / "preview")
    out = render_stills(renderer, tmp_path / "one", tmp_path / "out", options).path
    assert read_image(out / "b.png").shape == (9, 13, 3)
    assert read_image(tmp_path / "preview/b.png").shape == (9, 39, 3)


def test_dropout_stays_over_the_frames_of_a_video_and_not_over_pictures(tmp_path):
    renderer = load(tmp_path / "run", generator=DROPPING)
    video = render_stills(renderer, film(tmp_path / "in.mkv"), tmp_path / "video").path
    frames = [frame.rgb for frame in read_video(video)]
    assert all((frame == frames[0]).all() for frame in frames[1:])
    for name in ("a", "b"):
        write(tmp_path / "in" / f"{name}.png", RGB)
    loose = render_stills(renderer, tmp_path / "in", tmp_path / "loose").path
    assert (read_image(loose / "a.png") != read_image(loose / "b.png")).any()
    rendered = renderer.render(tmp_path / "in", tmp_path / "rendered").path
    first, second = (frame.rgb for frame in read_video(rendered))
    assert (first == second).all()


# What comes out


def test_sixteen_bits_come_out_as_the_network_painted_them(tmp_path, renderer):
    source = write(tmp_path / "in.png", RGB)
    out = render_stills(renderer, source, tmp_path / "out.png", RenderOptions(bits=16)).path
    found = cv2.imread(str(out), cv2.IMREAD_UNCHANGED)[..., ::-1]
    expected = to_deep_levels(paint(renderer, from_levels(torch.from_numpy(RGB)))).numpy()
    assert found.dtype == np.uint16
    assert (found == expected).all()
    assert (found % 257 != 0).any()  # more than 8 bits, spread


@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_pictures_have_a_format_and_a_quality(tmp_path, renderer, suffix):
    source = write(tmp_path / "in/a.png", RGB).parent
    for quality in (5, 90):
        options = RenderOptions(format=suffix, quality=quality)
        render_stills(renderer, source, tmp_path / str(quality), options)
        assert file_names(tmp_path / str(quality)) == [f"a.{suffix}"]
    sizes = [(tmp_path / q / f"a.{suffix}").stat().st_size for q in ("5", "90")]
    assert sizes[0] < sizes[1]


def test_webp_without_a_quality_has_no_loss(tmp_path, renderer):
    source = write(tmp_path / "in.png", RGB)
    out = render_stills(renderer, source, tmp_path / "out.webp").path
    assert (read_image(out) == paint_rgb(renderer, RGB)).all()


def test_the_command_takes_the_options_of_pictures(tmp_path, renderer):
    source = write(tmp_path / "in/a.png", RGB).parent
    checkpoint = ["--checkpoint", str(renderer.generation.path)]
    for name, extra in {
        "deep": ["--bits", "16"],
        "small": ["--format", "jpg", "--quality", "9"],
    }.items():
        with pytest.raises(SystemExit) as ended:
            still_main([str(source), str(tmp_path / name), *checkpoint, *extra])
        assert ended.value.code == 0
    assert cv2.imread(str(tmp_path / "deep/a.png"), cv2.IMREAD_UNCHANGED).dtype == np.uint16
    assert file_names(tmp_path / "small") == ["a.jpg"]


# Errors


@pytest.mark.parametrize(
    ("options", "out", "message"),
    [
        ({"bits": 16}, "out.jpg", r"--bits 16 is for PNG; .* would hold \.jpg"),
        ({"bits": 16, "format": "webp"}, "out", r"--bits 16 is for PNG; .* would hold \.webp"),
        ({"bits": 16}, "out.mp4", r"--bits 16 is for PNG; .* would hold \.mp4"),
        ({"quality": 50}, "out.png", r"--quality is for JPEG and WebP; .*\.png, which has no loss"),
        ({"quality": 50}, "out.mp4", r"--quality is for .* would be a video"),
        ({"format": "jpg"}, "out.png", r"--format is for a folder of pictures; .*out\.png says"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(tmp_path, renderer, options, out, message):
    source = write(tmp_path / "in.png", RGB)
    with pytest.raises(ConfigError, match=message):
        render_stills(renderer, source, tmp_path / out, RenderOptions(**options))
    assert file_names(tmp_path) == ["in.png"]


@pytest.mark.parametrize("quality", [0, 101])
def test_a_quality_has_bounds(quality):
    with pytest.raises(ConfigError, match=f"--quality must be 1 to 100; got {quality}"):
        RenderOptions(quality=quality)


@pytest.mark.parametrize("place", [{"out": "out.mp4"}, {"out": "out", "preview": "beside.mp4"}])
def test_pictures_of_several_sizes_are_no_video(tmp_path, renderer, place):
    write(tmp_path / "in/a.png", RGB)
    write(tmp_path / "in/b.png", RGB[:9])
    preview = tmp_path / place["preview"] if "preview" in place else None
    with pytest.raises(ConfigError, match=r"frames of a video have one size; .*name a folder, or"):
        render_stills(
            renderer, tmp_path / "in", tmp_path / place["out"], RenderOptions(preview=preview)
        )
    options = RenderOptions(height=16, width=24)
    assert render_stills(renderer, tmp_path / "in", tmp_path / "all.mkv", options).num_frames == 2


def test_a_picture_that_the_control_does_not_take_is_refused(tmp_path):
    cases = {"alpha": ({"alpha": "refuse"}, "alpha"), "bands": ({}, "has 5: set")}
    Image.new("RGBA", (24, 16)).save(tmp_path / "alpha.png")
    np.save(tmp_path / "bands.npy", np.zeros((16, 24, 5), np.uint8))
    for name, (control, message) in cases.items():
        renderer = load(tmp_path / f"run_{name}", **control)
        source = next(Path(tmp_path).glob(f"{name}.*"))
        with pytest.raises(DataError, match=message):
            render_stills(renderer, source, tmp_path / "out.png")
