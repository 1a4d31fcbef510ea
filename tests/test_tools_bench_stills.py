"""What the benchmark of stills sets for its two tasks, and how it holds pictures out."""

import pytest
from tool_modules import load_tool

from pipelines.config.file import read_config
from pipelines.config.run import RunConfig

RECIPES = load_tool("still_recipes")
TOOL = load_tool("bench_stills")
DATA = {"data.root=x", "data.layout={frames: images, labels: labels}"}


def configured(system, task):
    config, settings = RECIPES.recipe(system, RECIPES.Task(task))
    return read_config(config, RunConfig, overrides=[*DATA, *settings])


@pytest.mark.parametrize("system", RECIPES.SYSTEMS)
def test_unseen_pictures_are_painted_with_the_statistics_of_training(system):
    generator = configured(system, "unseen").generator
    statistics = getattr(generator, "statistics", "running")
    assert (generator.norm, statistics) in {("batch", "running"), ("group", "running")}


@pytest.mark.parametrize("system", RECIPES.SYSTEMS)
def test_pictures_are_learnt_by_heart_with_the_statistics_of_each(system):
    generator = configured(system, "overfit").generator
    assert generator.norm == "instance" or generator.statistics == "frame"


@pytest.mark.parametrize("system", RECIPES.SYSTEMS)
def test_what_is_set_for_a_task_is_in_the_configuration_of_its_run(system):
    by_heart, unseen = configured(system, "overfit"), configured(system, "unseen")
    assert by_heart.generator != unseen.generator
    assert by_heart.generator.kind == unseen.generator.kind


def test_any_other_configuration_is_taken_as_it_is():
    assert RECIPES.recipe("oasis", RECIPES.Task.OVERFIT) == ("oasis", [])


def test_unseen_pictures_are_the_last_and_not_trained_on(tmp_path):
    settings = TOOL.settings_of(
        RECIPES.Task.UNSEEN, tmp_path, tmp_path, palette="camvid", held_out=13
    )
    config = read_config("crn_small", RunConfig, overrides=settings)
    assert config.data.frame_range == (0, -13)
    assert list(range(34))[slice(*config.data.frame_range)] == list(range(21))
