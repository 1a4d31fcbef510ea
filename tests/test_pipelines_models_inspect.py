from functools import cache

import pytest
import torch
from tiny_runs import tiny_checkpoint, tiny_config

from pipelines.build import build_players
from pipelines.config.file import dump_config, read_config
from pipelines.config.run import RunConfig
from pipelines.models.inspect import describe, inspect, inspect_config
from pipelines.training.dry_run import describe_dry_run, dry_run
from vid2vid.errors import CheckpointError, ConfigError
from vid2vid.labels.palettes import load_palette
from vid2vid.networks.cost import count_parameters

STREET = {
    "name": "street",
    "data": {"root": "nowhere", "height": 1024, "width": 2048},
    "labels": {"palette": "cityscapes", "boundary": "instances", "foreground": [26]},
    "generator": {"refiners": 2},
}


@cache
def street(scales=2):
    judge = {"scales": scales}
    changes = {"image_discriminator": judge, "video_discriminator": judge}
    config = RunConfig.model_validate(STREET | changes)
    return inspect_config(config, load_palette("cityscapes"))


def by_name(inspection):
    return {network.name: network for network in inspection.networks}


def test_the_official_street_generator_has_its_published_size():
    networks = by_name(street())
    coarse, first, second = (
        networks[name]
        for name in ("generator, coarse", "generator, refiner 1", "generator, refiner 2")
    )
    # The facts are rounded to the last digit given.
    assert coarse.parameters / 1e6 == pytest.approx(411.3, abs=0.05)
    assert first.parameters / 1e6 == pytest.approx(2.88, abs=0.005)
    assert second.parameters / 1e6 == pytest.approx(0.86, abs=0.005)


def test_the_official_street_generator_costs_what_was_measured():
    networks = by_name(street())
    coarse = networks["generator, coarse"]
    assert (coarse.height, coarse.width) == (256, 512)
    assert coarse.macs / 1e9 == pytest.approx(1057, abs=1)
    assert networks["generator, refiner 1"].macs / 1e9 == pytest.approx(593, abs=1)
    assert networks["generator, refiner 2"].macs / 1e9 == pytest.approx(882, abs=1)
    assert networks["generator, total"].macs / 1e9 == pytest.approx(2532, abs=1)


@pytest.mark.parametrize(("scales", "image", "video"), [(2, 5.6, 5.55), (3, 8.4, 8.33)])
def test_the_official_discriminators_have_their_published_sizes(scales, image, video):
    networks = by_name(street(scales))
    assert networks["image discriminator"].parameters / 1e6 == pytest.approx(image, abs=0.05)
    for name in ("video discriminator 0", "video discriminator 1"):
        assert networks[name].parameters / 1e6 == pytest.approx(video, abs=0.005)


def test_the_counts_are_those_of_the_networks_that_are_trained():
    config = tiny_config(generator={"width": 4, "downsamplings": 1, "blocks": 2, "refiners": 1})
    found = by_name(inspect_config(config, load_palette("camvid")))
    players = build_players(config, load_palette("camvid"))
    assert found["generator, total"].parameters == count_parameters(players.generator)
    assert found["generator, total"].parameters == (
        found["generator, coarse"].parameters + found["generator, refiner 1"].parameters
    )
    judges = dict(players.trained())
    assert found["image discriminator"].parameters == count_parameters(
        judges["image_discriminator"]
    )


def test_a_region_discriminator_is_counted_at_the_size_of_its_boxes():
    section = {"size": 32, "regions": {"labels": [8]}}
    config = tiny_config(region_discriminator=section)
    found = by_name(inspect_config(config, load_palette("camvid")))
    assert (found["region discriminator"].height, found["region discriminator"].width) == (32, 32)
    assert (found["image discriminator"].height, found["image discriminator"].width) == (16, 24)


def test_an_odd_size_is_counted_as_it_is_padded():
    config = tiny_config(data={"root": "nowhere", "height": 15, "width": 23})
    even = tiny_config(data={"root": "nowhere", "height": 16, "width": 24})
    odd_cost, even_cost = (
        by_name(inspect_config(c, load_palette("camvid")))["generator, total"].macs
        for c in (config, even)
    )
    assert odd_cost == even_cost


def test_a_missing_feature_network_does_not_matter():
    config = tiny_config(losses={"perceptual": 10.0, "vgg_weights": "/nowhere/vgg19.pth"})
    assert inspect_config(config, load_palette("camvid")).networks


def test_no_memory_is_needed_for_a_large_network(monkeypatch):
    made = []
    real = torch.nn.Parameter.__new__

    def record(cls, data=None, requires_grad=True):
        made.append(data.device.type)
        return real(cls, data, requires_grad)

    monkeypatch.setattr(torch.nn.Parameter, "__new__", record)
    street.__wrapped__()
    assert made
    assert set(made) == {"meta"}


def test_a_checkpoint_tells_its_steps_and_palette_without_its_weights(tmp_path):
    folder = tiny_checkpoint(tmp_path / "run")
    found = inspect(folder)
    assert (found.name, found.palette, found.num_classes, found.step) == ("tiny", "camvid", 11, 0)
    assert "trained for 0 steps" in describe(found)
    assert inspect(folder / "state.safetensors") == found
    assert inspect(folder / "model.safetensors").networks == found.networks


def test_a_configuration_is_found_by_name_and_changed():
    assert inspect("smoke").step is None
    wide = inspect("smoke", overrides=("generator.width=16",))
    assert wide.networks[0].parameters != inspect("smoke").networks[0].parameters


def test_what_is_neither_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="there is no"):
        inspect(tmp_path)
    with pytest.raises(CheckpointError, match="there is no"):
        inspect(tmp_path / "model.safetensors")
    with pytest.raises(ConfigError, match="did you mean 'smoke'"):
        inspect("smok")


def schedule(**values):
    return {"steps": 100, "clip_length": 6, "clip_length_max": 28, **values}


def tiny_file(tmp_path, **sections):
    path = tmp_path / "tiny.yaml"
    path.write_text(dump_config(tiny_config(**sections)))
    return path


def test_a_dry_run_cuts_the_course_where_something_changes(tmp_path):
    path = tiny_file(
        tmp_path,
        generator={"width": 4, "downsamplings": 1, "blocks": 2, "refiners": 1},
        schedule=schedule(clip_growth=0.25, refine_at=[0.3], freeze=0.1),
    )
    phases = [(p.first, p.last, p.clip_length, p.scales, p.frozen) for p in dry_run(path).phases]
    assert phases == [
        (0, 24, 6, 1, 0),
        (25, 29, 12, 1, 0),
        (30, 39, 12, 2, 1),
        (40, 49, 12, 2, 0),
        (50, 74, 24, 2, 0),
        (75, 99, 28, 2, 0),
    ]


def test_a_dry_run_reads_back_as_the_configuration_it_describes(tmp_path):
    path = tiny_file(tmp_path, schedule=schedule(constant=0.5, clip_length=7, clip_growth=0.0))
    text = describe_dry_run(dry_run(path, overrides=("optimizer.learning_rate=0.001",)))
    (tmp_path / "again.yaml").write_text(text)
    again = read_config(tmp_path / "again.yaml", RunConfig)
    assert again == read_config(path, RunConfig, overrides=("optimizer.learning_rate=0.001",))
    assert "# learning rate: 0.001 (discriminators 0.001) to step 50, then linearly to 0" in text
    assert "# steps 0 to 99: clips of 7 frames, 1 of 1 scales" in text
    assert "# generator, total" in text


def test_a_dry_run_of_minutes_says_that_the_steps_are_not_known(tmp_path):
    text = describe_dry_run(dry_run(tiny_file(tmp_path), minutes=3))
    assert "# 3 minutes: the first steps are measured" in text
    assert "minutes" not in describe_dry_run(dry_run(tiny_file(tmp_path)))
