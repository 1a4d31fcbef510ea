import json
from fractions import Fraction

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from srn_checkpoints import srn_checkpoint
from tiny_runs import file_names, tiny_checkpoint

from pipelines.cli import app as cli
from pipelines.extending.network import load_continuation
from pipelines.extending.options import ExtendOptions, parse_aspect, parse_margins
from vid2vid.errors import CheckpointError, ConfigError
from vid2vid.extension.margins import Margins
from vid2vid.video.reading import read_image
from vid2vid.weights.extension import LARGEST_BYTES, packaged_extension
from vid2vid.world.render import Renderer, World


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return srn_checkpoint(tmp_path_factory.mktemp("run") / "srn")


def photo(path, height=36, width=48, seed=0):
    path.parent.mkdir(exist_ok=True)
    rng = np.random.default_rng(seed)
    cv2.imwrite(str(path), rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
    return path


def run(*words):
    with pytest.raises(SystemExit) as ended:
        cli.main([*map(str, words), "--device", "cpu"])
    return ended.value.code or 0


def test_margins_and_aspects_are_read():
    assert parse_margins("1, 2,3,4") == Margins(1, 2, 3, 4)
    assert parse_aspect("16:9") == parse_aspect("16/9") == Fraction(16, 9)
    assert parse_aspect("1.85") == Fraction(185, 100)


@pytest.mark.parametrize("text", ["1,2,3", "a,b,c,d", "0,0,0,0", "-1,0,0,0", ""])
def test_other_margins_are_refused(text):
    with pytest.raises(ConfigError, match=f"TOP,RIGHT,BOTTOM,LEFT in pixels.*got {text!r}"):
        parse_margins(text)


@pytest.mark.parametrize("text", ["wide", "16:0", "0", "16:", "-1"])
def test_other_aspects_are_refused(text):
    with pytest.raises(ConfigError, match=f"--to must be WIDTH:HEIGHT.*got {text!r}"):
        parse_aspect(text)


def test_wide_pixels_need_fewer_of_them():
    options = ExtendOptions(aspect=Fraction(16, 9))
    # 720x576 of 16:15 pixels is 4:3; 16:9 takes 960 of them
    margins = options.margins_for(576, 720, pixel_aspect=Fraction(16, 15))
    assert margins == Margins(0, 120, 0, 120)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "got none of them"),
        ({"margins": Margins(1), "aspect": Fraction(1)}, "got both --to and --margins"),
        ({"aspect": Fraction(1), "tile": 2}, "does not grow again"),
        ({"tile": 0}, "--to or --margins"),
        ({"margins": Margins(1), "tile": 0}, "--tile must be at least 1; got 0"),
        ({"margins": Margins(1), "scale": 1.5}, r"--scale must be .* at most 1; got 1.5"),
        ({"margins": Margins(1), "quality": 0}, "--quality must be 1 to 100; got 0"),
    ],
)
def test_options_that_do_not_go_together_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        ExtendOptions(**settings)


def test_a_texture_grows_at_its_own_scale():
    assert ExtendOptions(tile=2).growing_scale == 1
    assert ExtendOptions(tile=2, scale=0.5).growing_scale == 0.5
    assert ExtendOptions(margins=Margins(1)).growing_scale is None


def test_a_picture_is_extended_and_told_of(tmp_path, checkpoint, capsys):
    source, out = photo(tmp_path / "in.png"), tmp_path / "out.png"
    assert run("extend", source, out, "--to", "16:9", "-c", checkpoint, "--json") == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["width"] == 64
    assert "extends 48x36 to 64x36 as one canvas of 96x72, cropped" in said.err
    assert (read_image(out)[:, 8:56] == read_image(source)).all()


def test_a_folder_is_extended_picture_by_picture(tmp_path, checkpoint, capsys):
    one = photo(tmp_path / "in" / "one.png")
    photo(tmp_path / "in" / "two.png", 36, 64)
    out = tmp_path / "out"
    assert run("extend", one.parent, out, "--to", "16:9", "-c", checkpoint) == 0
    assert file_names(out) == ["one.png", "two.png"]
    assert (read_image(out / "two.png") == read_image(one.with_name("two.png"))).all()
    assert "leaves 64x36 as it is" in capsys.readouterr().err


def test_tiling_repeats_the_ratio_of_the_checkpoint(tmp_path, checkpoint):
    source, out = photo(tmp_path / "in.png", 32, 32), tmp_path / "out.jpg"
    assert run("extend", source, out, "--tile", 2, "-c", checkpoint) == 0
    assert read_image(out).shape == (128, 128, 3)


def test_tiling_repeats_margins(tmp_path, checkpoint):
    source, out = photo(tmp_path / "in.png"), tmp_path / "out.png"
    words = ("--margins", "0,5,0,0", "--tile", 3, "-c", checkpoint)
    assert run("extend", source, out, *words) == 0
    assert read_image(out).shape == (36, 63, 3)
    assert (read_image(out)[:, :48] == read_image(source)).all()


def test_two_pictures_are_joined(tmp_path, checkpoint, capsys):
    left, right = photo(tmp_path / "a.png"), photo(tmp_path / "b.png", 36, 60, seed=1)
    out = tmp_path / "out.png"
    assert run("morph", left, right, out, "--gap", 16, "-c", checkpoint) == 0
    assert (read_image(out)[:, :48] == read_image(left)).all()
    assert (read_image(out)[:, 64:] == read_image(right)).all()
    assert "joins over 16 px, continuing strips of 32x36 at 32x36" in capsys.readouterr().err


def test_pictures_of_two_heights_are_not_joined(tmp_path, checkpoint, capsys):
    left, right = photo(tmp_path / "a.png"), photo(tmp_path / "b.png", 40)
    assert run("morph", left, right, tmp_path / "out.png", "-c", checkpoint) == 2
    assert "two pictures must have one height to be joined" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["out", "a.png"])
def test_a_joint_is_a_picture_of_its_own(tmp_path, checkpoint, name, capsys):
    left = photo(tmp_path / "a.png")
    before = left.read_bytes()
    assert run("morph", left, left, tmp_path / name, "-c", checkpoint) == 2
    assert name in capsys.readouterr().err
    assert left.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["out.png", "--margins", "1,0,0,0", "--codec", "ffv1"], "--codec is for video files"),
        (["out.png", "--margins", "1,0,0,0", "--fps", "5"], "options of video say nothing"),
        (["out.png", "--margins", "1,0,0,0", "--quality", "5"], "--quality is for JPEG"),
        (["out.txt", "--margins", "1,0,0,0"], "a picture is written as"),
        (["in.png", "--margins", "1,0,0,0"], "every output needs a place of its own"),
        (["out.mp4", "--tile", "2"], "--tile is for pictures"),
        (["out.mp4", "--to", "4:3"], "must have another aspect than --to asks for"),
    ],
)
def test_what_does_not_fit_is_one_line(tmp_path, checkpoint, monkeypatch, capsys, words, message):
    photo(tmp_path / "in.png")
    monkeypatch.chdir(tmp_path)
    assert run("extend", "in.png", *words, "-c", checkpoint) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()


def test_a_checkpoint_of_label_maps_does_not_extend(tmp_path, capsys):
    other = tiny_checkpoint(tmp_path / "other")
    source = photo(tmp_path / "in.png")
    assert run("extend", source, tmp_path / "out.png", "--to", "2:1", "-c", other) == 2
    assert "needs a checkpoint of kind srn" in capsys.readouterr().err


def test_several_pictures_do_not_fit_into_one(tmp_path, checkpoint, capsys):
    photo(tmp_path / "in" / "one.png")
    photo(tmp_path / "in" / "two.png")
    out = tmp_path / "out.png"
    assert run("extend", tmp_path / "in", out, "--to", "2:1", "-c", checkpoint) == 2
    assert "holds one picture; there are 2" in capsys.readouterr().err


def test_what_was_finished_before_an_error_is_kept(tmp_path, checkpoint, capsys):
    photo(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "b.png").write_bytes(b"no picture")
    out = tmp_path / "out"
    assert run("extend", tmp_path / "in", out, "--to", "2:1", "-c", checkpoint) == 1
    assert "the 1 pictures before are in" in capsys.readouterr().err
    assert file_names(tmp_path / "out.partial") == ["a.png"]


def test_without_the_network_of_the_package_it_says_how_to_get_one(monkeypatch):
    monkeypatch.setattr("vid2vid.weights.extension.FILE_NAME", "none.safetensors")
    with pytest.raises(CheckpointError, match=r"is missing.*vid2vid train srn_small.*--checkpoint"):
        packaged_extension()


def test_the_network_of_the_package_extends_and_says_so(tmp_path, capsys):
    source, out = photo(tmp_path / "in.png"), tmp_path / "out.png"
    assert packaged_extension().stat().st_size <= LARGEST_BYTES
    assert run("extend", source, out, "--margins", "0,8,4,8") == 0
    assert "the small network of the package, trained from 64x64 to 128x128" in (
        capsys.readouterr().err
    )
    known, grown = read_image(source), read_image(out)
    assert np.array_equal(grown[:-4, 8:-8], known)
    assert grown[:-4, :8].std() > 0


def test_the_network_of_the_package_continues_unseen_streets():
    worlds = [World(800_100 + seed, 800_200 + seed) for seed in range(6)]
    real = Renderer(worlds, (128, 128), device=torch.device("cpu")).render(9).frames
    painter = load_continuation(None, device="cpu").painter
    grown = torch.stack([painter(each[:, 32:96, 32:96], Margins(32, 32, 32, 32)) for each in real])
    repeated = F.pad(real[..., 32:96, 32:96], (32, 32, 32, 32), mode="replicate")
    off, plainly_off = ((each - real).square().mean() for each in (grown, repeated))
    assert off < 0.9 * plainly_off


def test_it_says_that_it_uses_the_network_of_the_package(tmp_path, checkpoint, monkeypatch, capsys):
    own = str(checkpoint / "model.safetensors")
    monkeypatch.setattr("vid2vid.weights.extension.FILE_NAME", own)
    source, out = photo(tmp_path / "in.png"), tmp_path / "out.png"
    assert run("extend", source, out, "--to", "16:9") == 0
    assert "the small network of the package, trained from 32x32 to 64x64, the known part " in (
        capsys.readouterr().err
    )
