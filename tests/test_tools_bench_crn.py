"""The benchmark that reruns the comparison of the CRN paper: what it trains, and its report."""

import json

import numpy as np
import pytest
import torch
from tiny_runs import label_maps
from tool_modules import load_tool

from pipelines.build import build_players, palette_for
from pipelines.config.file import read_config
from pipelines.config.run import RunConfig
from vid2vid.networks.cost import count_parameters
from vid2vid.video.pictures import write_picture

TOOL = load_tool("bench_crn")


@pytest.mark.parametrize("published", [False, True])
@pytest.mark.parametrize("generator", TOOL.GENERATORS)
def test_every_pair_is_a_configuration_with_the_losses_of_its_name(generator, published):
    for loss in TOOL.LOSSES:
        job = TOOL.Job(generator, loss)
        overrides = TOOL.settings_of(job, 96, published=published)
        config = read_config("crn_small", RunConfig, overrides=overrides)
        assert config.generator.kind == generator
        judges = (config.image_discriminator, config.segmentation)
        assert [judge is not None for judge in judges] == [
            loss.startswith("gan"),
            loss == "gan_segmentation",
        ]
        losses = config.losses
        assert (losses.perceptual > 0) == (loss == "perceptual")
        assert (losses.pixel_weight > 0) == (loss in ("perceptual", "l1"))
        if config.image_discriminator is not None:
            assert (losses.matching > 0) == (loss == "gan_matching")


def test_small_generators_are_of_a_size_for_one_core():
    for generator in TOOL.GENERATORS:
        overrides = TOOL.settings_of(TOOL.Job(generator, "l1"), 96, published=False)
        config = read_config("crn_small", RunConfig, overrides=overrides)
        with torch.device("meta"):
            network = build_players(config, palette_for(config)).generator
        assert count_parameters(network) < 4e6, generator


def test_a_configuration_without_a_perceptual_loss_is_refused(tmp_path):
    with pytest.raises(SystemExit, match=r"--set losses\.perceptual=1"):
        TOOL.main("robot_kitchen", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_unknown_name_is_refused():
    with pytest.raises(SystemExit, match="must be of perceptual, l1"):
        TOOL.chosen("l1,l2", tuple(TOOL.LOSSES))


@pytest.mark.slow
def test_it_trains_scores_and_lays_out(tmp_path, capsys):
    data = tmp_path / "data"
    for index, ids in enumerate(label_maps(6, height=32, width=48)):
        colours = np.random.default_rng(1).integers(0, 256, (11, 3)).astype(np.uint8)
        for stream, picture in (("labels", ids), ("images", colours[ids])):
            (data / stream).mkdir(parents=True, exist_ok=True)
            write_picture(data / stream / f"{index}.png", picture)
    TOOL.main(
        "crn_small",
        data=data,
        out=tmp_path / "out",
        minutes=0.05,
        generators="full_resolution",
        losses="l1,gan_matching",
        settings=["data.height=32", "data.width=48", "data.frame_range=[0, 4]"],
    )
    table = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in table[1:]] == [
        "full_resolution l1",
        "full_resolution gan_matching",
        "label painting",
    ]
    assert (tmp_path / "out" / "l1.png").is_file()
    minutes = json.loads((tmp_path / "out" / "full_resolution_l1" / "cpu_minutes.json").read_text())
    assert minutes > 0
