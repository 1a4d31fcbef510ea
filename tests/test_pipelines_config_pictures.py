"""Pictures with a given lightness, and U-Nets of a depth that fits."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from pydantic import ValidationError
from tiny_runs import tiny_checkpoint, tiny_config, write_first

from pipelines.build import build_generator, build_players
from pipelines.config.file import read_config
from pipelines.config.run import RunConfig
from pipelines.render import Renderer
from pipelines.rendering.options import RenderOptions
from pipelines.still import render_stills
from vid2vid.colour import to_lab
from vid2vid.controls.config import GreyConfig
from vid2vid.controls.derived import derive
from vid2vid.controls.files import to_range
from vid2vid.data.clips import Clip, collate
from vid2vid.labels.conditioning import Conditioning
from vid2vid.rollout import rollout
from vid2vid.training.chunks import pack_chunk
from vid2vid.training.exhibits import image_exhibit
from vid2vid.training.targets import prepare
from vid2vid.training.terms import generator_terms
from vid2vid.video.levels import from_levels
from vid2vid.video.reading import read_image

LIGHTNESS = {"kind": "grey", "space": "lightness"}
LAB = {"kind": "pix2pix_unet", "width": 2, "downsamplings": 2, "colour": "lab"}
COLOURISE = {
    "labels": None,
    "controls": [{"kind": "edges"}, LIGHTNESS],
    "generator": LAB,
    "image_discriminator": {"width": 4, "layers": 1, "scales": 1},
    "video_discriminator": None,
    "losses": {"perceptual": 0, "pixel": 1},
}


def frames(count=1, *, height=16, width=24):
    generator = torch.Generator().manual_seed(0)
    return torch.rand(1, count, 3, height, width, generator=generator) * 2 - 1


def lightness_of(pictures):
    return (to_lab(pictures)[..., 0, :, :] + 1) * 50


def test_lightness_is_found_in_photographs_and_read_from_grey_pictures():
    grey = torch.full((1, 3, 2, 2), 119 / 127.5 - 1)
    control = GreyConfig(space="lightness")
    assert derive(control, grey)[0, 0, 0, 0].item() == pytest.approx(50.03 / 50 - 1, abs=1e-3)
    stored = GreyConfig(stream="grey", space="lightness")
    read = to_range(stored, np.full((1, 2, 2), 119, np.uint8))
    assert torch.allclose(read, derive(control, grey), atol=1e-6)


def test_a_generator_of_colours_keeps_the_lightness_of_its_control():
    players = build_players(tiny_config(**COLOURISE), None)
    photographs = frames()
    edges, light = torch.zeros(1, 1, 16, 24), to_lab(photographs[:, 0])[:, :1]
    output = next(rollout(players.generator, [torch.cat([edges, light], dim=1)]))
    assert output.lab is not None
    assert output.lab.shape == (1, 3, 16, 24)
    assert torch.equal(output.lab[:, :1], light)
    assert (lightness_of(output.frame) - lightness_of(photographs[:, 0])).abs().max() < 0.1


def test_losses_compare_the_colours_that_are_painted():
    config = tiny_config(**COLOURISE)
    players = build_players(config, None)
    photographs = frames(2)
    edges, light = torch.zeros(1, 2, 1, 16, 24), to_lab(photographs)[:, :, :1]
    clip = Clip(
        photographs[0], None, None, (), "a", 0, 1, pictures=torch.cat([edges, light], dim=2)[0]
    )
    targets = prepare(collate([clip]), Conditioning(0, pictures=2), device=torch.device("cpu"))
    outputs = list(rollout(players.generator, targets.conditioning.unbind(1)))
    chunk = pack_chunk(outputs, targets, start=0, without_past=False)
    weight, term = generator_terms(chunk, players, config.losses, scales=1)["pixel"]
    painted = torch.cat([output.lab[:, 1:] for output in outputs if output.lab is not None])
    assert weight == 1
    assert torch.allclose(term, F.l1_loss(painted, to_lab(photographs[0])[:, 1:]))
    (exhibit,) = image_exhibit(chunk, players, config.losses)
    assert torch.allclose(exhibit.real[:, 2:], to_lab(photographs[0]))
    assert torch.equal(exhibit.fake[:, 3:], painted)


@pytest.mark.parametrize("is_grey", [True, False])
def test_a_picture_comes_back_as_light_as_it_was(tmp_path, is_grey):
    sections = {**COLOURISE, "controls": [LIGHTNESS]}
    renderer = Renderer.load(tiny_checkpoint(tmp_path / "run", **sections), device="cpu")
    with torch.no_grad():
        for weights in renderer.generation.generator.parameters():
            weights.mul_(10)
    (place,) = write_first(tmp_path, 1, height=13, width=22)
    out = render_stills(
        renderer, place, tmp_path / "out.png", RenderOptions(drawn=is_grey, bits=16)
    ).path
    photo = read_image(place)
    if is_grey:  # the light of the picture is taken for grey levels
        levels = np.rint(photo @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
        photo = np.repeat(levels[..., None], 3, axis=2)
    found, given = (
        lightness_of(from_levels(torch.from_numpy(rgb))[None]) for rgb in (read_image(out), photo)
    )
    assert (found - given).abs().max() < 1.0  # eight bits of three channels
    assert (read_image(out).std(axis=2) > 5).any()


def test_the_packaged_recipe_has_the_published_networks():
    with torch.device("meta"):
        generator = build_generator(read_config("pix2pix", RunConfig), None)
        small = ["generator.downsamplings=7", "data.height=128", "data.width=128"]
        unet_128 = build_generator(read_config("pix2pix", RunConfig, overrides=small), None)
    counts = [sum(p.numel() for p in each.parameters()) for each in (generator, unet_128)]
    assert counts == [54_413_955, 41_828_995]


def test_the_packaged_recipe_has_the_published_discriminator():
    overrides = ["generator.width=1", "generator.downsamplings=2"]
    players = build_players(read_config("pix2pix", RunConfig, overrides=overrides), None)
    assert players.image_discriminator is not None
    assert sum(p.numel() for p in players.image_discriminator.parameters()) == 2_768_705


# Errors


@pytest.mark.parametrize(
    ("controls", "count"),
    [([{"kind": "grey"}], 0), ([LIGHTNESS, {**LIGHTNESS, "stream": "other"}], 2)],
)
def test_colours_need_one_lightness(controls, count):
    with pytest.raises(ValidationError, match=f"controls has {count} of {{kind: grey, space: lig"):
        tiny_config(**{**COLOURISE, "controls": controls})


def test_a_fusion_paints_whole_frames():
    fusion = {"kind": "fusion", "base": LAB, "passes": [["edges"], ["grey"]]}
    with pytest.raises(ValidationError, match=r"generator\.base\.colour 'lab' is for a generator"):
        tiny_config(**{**COLOURISE, "generator": fusion})


@pytest.mark.parametrize(("size", "largest"), [((16, 24), 4), ((17, 24), 5), ((100, 128), 7)])
def test_a_unet_may_be_as_deep_as_frames_can_be_halved(size, largest):
    data = {"root": "x", "height": size[0], "width": size[1]}

    def config(depth):
        unet = {"kind": "pix2pix_unet", "width": 2, "downsamplings": depth}
        return tiny_config(data=data, generator=unet, video_discriminator=None)

    assert config(largest).generator.downsamplings == largest
    with pytest.raises(ValidationError, match=f"set it to {largest} or less, or enlarge"):
        config(largest + 1)
