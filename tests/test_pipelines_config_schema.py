"""The schema that editors read is that of the code, and it takes what the code takes."""

import json
from pathlib import Path

import jsonschema
import pytest

from pipelines.cli.app import main
from pipelines.config.file import config_names
from pipelines.config.schema import MODELINE, SCHEMA_FILE, config_schema
from pipelines.config.yaml import parse_yaml

CONFIGS = Path(__file__).parent.parent / "configs"


@pytest.fixture(scope="module")
def schema():
    return json.loads(config_schema())


def run(*words):
    with pytest.raises(SystemExit) as ended:
        main(["schema", *words])
    return ended.value.code


def smallest(**sections):
    return {"name": "a", "data": {"root": "b", "height": 16, "width": 16}, **sections}


def is_valid(schema, document):
    return jsonschema.validators.validator_for(schema)(schema).is_valid(document)


def test_the_packaged_schema_is_that_of_the_code():
    packaged = (CONFIGS / SCHEMA_FILE).read_text(encoding="utf-8")
    assert packaged == config_schema(), "run: vid2vid schema --out configs/schema.json"


def test_the_schema_is_a_schema(schema):
    jsonschema.validators.validator_for(schema).check_schema(schema)


@pytest.mark.parametrize("name", config_names())
def test_every_configuration_names_the_schema_first_and_fits_it(schema, name):
    text = (CONFIGS / f"{name}.yaml").read_text()
    first, _, _ = text.partition("\n")
    assert first == MODELINE
    assert (CONFIGS / first.partition("$schema=")[2]).is_file()
    jsonschema.validate(parse_yaml(text).value, schema)


def test_every_setting_is_described(schema):
    bare = [
        (section, name)
        for section, definition in schema["$defs"].items()
        for name, setting in definition["properties"].items()
        if "description" not in setting and "$ref" not in setting
    ]
    assert bare == []


@pytest.mark.parametrize(
    "document",
    [
        smallest(),
        smallest(generator={"width": 8, "downsamplings": 1}),
        smallest(generator={"kind": "pix2pixhd", "width": 8}),
        smallest(data={"kind": "world", "height": 16, "width": 16}),
        smallest(image_discriminator=None, validation={"split": "val"}),
    ],
)
def test_what_the_code_takes_is_valid(schema, document):
    jsonschema.validate(document, schema)


@pytest.mark.parametrize(
    "document",
    [
        {"name": "a"},
        smallest(generatr={}),
        smallest(generator={"enhancers": 1}),
        smallest(losses={"pixel": -1}),
        smallest(schedule={"steps": "many"}),
    ],
)
def test_what_the_code_refuses_is_not(schema, document):
    assert not is_valid(schema, document)


def test_the_command_prints_the_schema_or_writes_it(tmp_path, capsys):
    assert run() == 0
    assert capsys.readouterr().out == config_schema()
    assert run("--out", str(tmp_path / "s.json")) == 0
    assert (tmp_path / "s.json").read_text() == config_schema()


def test_a_place_that_cannot_be_written_is_the_users_mistake(tmp_path, capsys):
    assert run("--out", str(tmp_path)) == 2
    assert "--out must be a file that can be written" in capsys.readouterr().err
